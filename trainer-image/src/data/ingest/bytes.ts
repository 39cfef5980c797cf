/** The bytes of a file, unpacked where it is compressed: what is in a file tells how, not its name. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Duplex, Readable } from 'node:stream';
import { chain } from '../../chain.ts';
import { AnnealError } from '../../errors.ts';

/** Bytes in order. */
export interface ByteSource extends AsyncDisposable {
  /** Fills `into` from `at` on, perhaps not to its end. @returns how many were read; 0 at the end */
  read(into: Uint8Array, at: number): Promise<number>;
}

const heads = {
  gzip: Uint8Array.of(0x1f, 0x8b),
  zstd: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd),
} as const;
/** A Parquet file begins and ends with it. */
const parquetMark = Buffer.from('PAR1');

export type Content = keyof typeof heads | 'parquet' | 'plain';

/** What is in a file, by how it begins, and for Parquet how it ends. */
export async function contentOf(path: string): Promise<Content> {
  await using file = await open(path);
  const { size } = await file.stat();
  const [head, tail] = [Buffer.alloc(4), Buffer.alloc(4)];
  await file.read(head, 0, 4, 0);
  await file.read(tail, 0, 4, Math.max(0, size - 4));
  if (size >= 8 && head.equals(parquetMark) && tail.equals(parquetMark)) return 'parquet';
  return (['gzip', 'zstd'] as const).find((content) => heads[content].every((byte, at) => head[at] === byte)) ?? 'plain';
}

/**
 * @param name  what errors call the file
 * @throws AnnealError `DATA_COMPRESSION`, when it is read
 */
export async function openBytes(path: string, name: string, content: Content): Promise<ByteSource> {
  const file = await open(path);
  switch (content) {
    case 'gzip': return new UnpackedBytes(file, name, 'gzip', createGunzip({ chunkSize: chunkBytes }));
    case 'zstd': return new UnpackedBytes(file, name, 'zstd', createZstdDecompress({ chunkSize: chunkBytes }));
    default: return {
      read: async (into, at) => (await file.read(into, at, into.length - at, null)).bytesRead,
      [Symbol.asyncDispose]: () => file.close(),
    };
  }
}

const chunkBytes = 1024 * 1024;

/** Reads until `into` is full. @returns how much of it is filled; less at the end of the file alone */
export async function fill(source: ByteSource, into: Uint8Array, from = 0): Promise<number> {
  let filled = from;
  while (filled < into.length) {
    const count = await source.read(into, filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

class UnpackedBytes implements ByteSource {
  readonly #packed: Readable;
  readonly #unpacker: Duplex;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #name: string;
  readonly #format: string;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, name: string, format: string, unpacker: Duplex) {
    this.#packed = file.createReadStream({ highWaterMark: chunkBytes });
    this.#unpacker = chain(this.#packed, unpacker);
    this.#chunks = (this.#unpacker as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.#name = name;
    this.#format = format;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    if (this.#chunk.length === 0) {
      const next = await this.#next();
      if (next.done === true) return 0;
      this.#chunk = next.value;
    }
    const count = Math.min(this.#chunk.length, into.length - at);
    into.set(this.#chunk.subarray(0, count), at);
    this.#chunk = this.#chunk.subarray(count);
    return count;
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#chunks.next();
    } catch (error) {
      if (!isZlib(error)) throw error;
      throw new AnnealError('DATA_COMPRESSION', { at: this.#name, message: `${this.#name} is compressed with ${this.#format}, and is cut off or damaged: ${error.message}. Get the whole file.`, cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#packed.destroy();
    this.#unpacker.destroy();
    await this.#chunks.return?.();
  }
}

const isZlib = (error: unknown): error is Error => error instanceof Error && 'code' in error && /^Z_|^ZSTD_|^ERR_ZLIB|^ERR_ZSTD/.test(String(error.code));
