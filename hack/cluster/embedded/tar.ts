/** Enough of POSIX ustar for image archives: regular files with short names. */
export interface TarFile {
  readonly name: string;
  readonly content: Buffer;
  readonly mode: number;
}

const block = 512;

export function tar(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap((file) => [header(file), file.content, Buffer.alloc(padding(file.content.length))]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header({ name, content, mode }: TarFile): Buffer {
  const bytes = Buffer.alloc(block);
  bytes.write(name, 0, 100);
  bytes.write(octal(mode, 7), 100);
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  bytes.write(octal(content.length, 11), 124);
  // No time: the same content must make the same archive, and so the same digest.
  bytes.write(octal(0, 11), 136);
  bytes.fill(' ', 148, 156);
  bytes.write('0', 156);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${octal(sum, 6)}\0 `, 148);
  return bytes;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(length: number): number {
  return (block - (length % block)) % block;
}
