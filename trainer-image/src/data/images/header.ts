/** What the first bytes of an image say: its kind and size, so that one that would fill memory is not decoded. */

export type ImageKind = 'PNG' | 'JPEG' | 'GIF' | 'BMP';

export interface ImageHeader {
  readonly kind: ImageKind;
  readonly height: number;
  readonly width: number;
  /** Of a JPEG for print: four inks, of which a decoder makes colours and no grey. */
  readonly isCmyk?: true;
}

/** Undefined where the bytes are none of these kinds, or end too soon. */
export function headerOf(bytes: Buffer): ImageHeader | undefined {
  const kind = kinds.find(({ magic }) => magic.every((byte, at) => bytes[at] === byte));
  try {
    const size = kind?.size(bytes);
    return kind === undefined || size === undefined ? undefined : { kind: kind.name, ...size };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Size = Omit<ImageHeader, 'kind'>;

const kinds: readonly { readonly name: ImageKind; readonly magic: readonly number[]; readonly size: (bytes: Buffer) => Size | undefined }[] = [
  { name: 'PNG', magic: [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10], size: (bytes) => ({ width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }) },
  { name: 'JPEG', magic: [0xff, 0xd8, 0xff], size: frameOfJpeg },
  { name: 'GIF', magic: [0x47, 0x49, 0x46, 0x38], size: (bytes) => ({ width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }) },
  // A negative height is one of rows from above.
  { name: 'BMP', magic: [0x42, 0x4d], size: (bytes) => ({ width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)) }) },
];

/** Of the first start-of-frame segment (ITU-T T.81, B.2.2). */
function frameOfJpeg(bytes: Buffer): Size | undefined {
  for (let at = 2; ;) {
    while (bytes.readUInt8(at) === 0xff) at++;
    const marker = bytes.readUInt8(at++);
    // Markers that stand alone.
    if (marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    if (marker === 0xd9 || marker === 0xda) return undefined;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return { height: bytes.readUInt16BE(at + 3), width: bytes.readUInt16BE(at + 5), ...(bytes.readUInt8(at + 7) === 4 ? { isCmyk: true } : {}) };
    at += bytes.readUInt16BE(at);
  }
}

/** A GIF without its later frames, all of which a decoder would unpack. Undefined where it ends before the first one does. */
export function firstFrame(gif: Buffer): Buffer | undefined {
  const end = endOfFrame(gif);
  return end === undefined || end > gif.length ? undefined : Buffer.concat([gif.subarray(0, end), Buffer.of(0x3b)]);
}

/** GIF89a, sections 18 to 22: extensions, then an image with perhaps a table of colours and its data in blocks. */
function endOfFrame(gif: Buffer): number | undefined {
  const colours = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  const blocks = (from: number): number => {
    let at = from;
    while (at < gif.length && gif[at] !== 0) at += 1 + (gif[at] ?? 0);
    return at + 1;
  };
  for (let at = 13 + colours(gif[10] ?? 0); at < gif.length;) {
    if (gif[at] === 0x21) at = blocks(at + 2);
    else if (gif[at] === 0x2c) return blocks(at + 10 + colours(gif[at + 9] ?? 0) + 1);
    else return undefined;
  }
  return undefined;
}
