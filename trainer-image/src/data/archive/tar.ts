/** Reads tar files, plain or in gzip, one file after another (POSIX.1-2017, pax: ustar and extended headers; GNU long names). */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { chain } from '../../chain.ts';
import { AnnealError } from '../../errors.ts';
import { damaged, requireInside, requireLimits } from './archive.ts';
import type { ArchiveLimits, ArchivedFile } from './archive.ts';

export interface TarredFile extends ArchivedFile {
  /** Its content, before the next one is asked for. */
  read(): Promise<Buffer>;
}

const block = 512;
/** A longer name is none. */
const mostHeaderBytes = 1024 * 1024;

/**
 * @param name  what errors call the file
 * @throws AnnealError `DATA_ARCHIVE`, `DATA_TOO_LARGE`
 */
export async function* readTar(path: string, name: string, limits: ArchiveLimits): AsyncGenerator<TarredFile> {
  await using bytes = await openBytes(path, name);
  let [files, total] = [0, 0];
  let longName: string | undefined;
  let longSize: number | undefined;
  for (;;) {
    const header = await bytes.take(block);
    // Two blocks of zeros end it; some programs leave them out.
    if (header === undefined || header.every((byte) => byte === 0)) {
      await bytes.finish(limits.maxBytes);
      return;
    }
    const { name: shortName, size: shortSize, type } = headerOf(header, name);
    const size = longSize ?? shortSize;
    const padding = (block - (size % block)) % block;
    if (type === 'x' || type === 'L' || type === 'g' || type === 'K') {
      if (size > mostHeaderBytes) throw damaged(name, 'a header in it is larger than any is');
      const content = await bytes.need(size + padding);
      if (type === 'L') longName = text(content, 0, size);
      if (type === 'x') ({ path: longName = longName, size: longSize } = paxOf(content.subarray(0, size), name));
      continue;
    }
    const entryName = (longName ?? shortName).replace(/^(?:\.\/)+/, '');
    [longName, longSize] = [undefined, undefined];
    if (type === '5') {
      await bytes.skip(size + padding);
      continue;
    }
    if (type !== '0' && type !== '7') throw damaged(name, `"${entryName}" in it is a link or a device, and no file`);
    requireInside(name, entryName);
    files++;
    total += size;
    requireLimits(name, files, total, limits);
    let read: Promise<Buffer> | undefined;
    yield { name: entryName, bytes: size, read: () => read ??= bytes.need(size) };
    if (read === undefined) await bytes.skip(size);
    else await read;
    await bytes.skip(padding);
  }
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

function headerOf(header: Buffer, archive: string): Header {
  // The sum is over the header with blanks where the sum itself stands.
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== octal(header, 148, 8)) throw damaged(archive, 'it is no tar file, or is damaged');
  const type = header[156] === 0 ? '0' : String.fromCharCode(header[156] ?? 0);
  const prefix = header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
  const size = ((header[124] ?? 0) & 0x80) === 0 ? octal(header, 124, 12) : base256(header.subarray(125, 136));
  if (!Number.isSafeInteger(size) || size < 0) throw damaged(archive, 'it is no tar file, or is damaged');
  return { name: prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`, size, type };
}

function text(buffer: Buffer, from: number, length: number): string {
  const end = buffer.indexOf(0, from);
  return buffer.toString('utf8', from, end < 0 || end > from + length ? from + length : end);
}

const octal = (header: Buffer, from: number, length: number): number => parseInt(text(header, from, length).trim() || '0', 8);
/** Sizes from 8 GiB on, as GNU tar writes them. */
const base256 = (bytes: Buffer): number => bytes.reduce((value, byte) => value * 256 + byte, 0);

/** Records `LENGTH KEY=VALUE\n` of an extended header. */
function paxOf(content: Buffer, archive: string): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < content.length;) {
    const blank = content.indexOf(32, at);
    const length = Number(content.toString('latin1', at, blank));
    if (blank < 0 || !(length > blank - at + 1)) throw damaged(archive, 'a header in it is damaged');
    const [key, ...value] = content.toString('utf8', blank + 1, at + length - 1).split('=');
    if (key === 'path') found.path = value.join('=');
    if (key === 'size') found.size = Number(value.join('='));
    at += length;
  }
  return found;
}

interface Bytes extends AsyncDisposable {
  /** The next so many bytes; undefined where there are none at all. */
  take(count: number): Promise<Buffer | undefined>;
  need(count: number): Promise<Buffer>;
  skip(count: number): Promise<void>;
  /** To the checksum of gzip, which stands behind everything. @param most  bytes, before it */
  finish(most: number): Promise<void>;
}

async function isGzip(path: string): Promise<boolean> {
  const head = Buffer.alloc(2);
  await using file = await open(path);
  await file.read(head, 0, 2, 0);
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function openBytes(path: string, name: string): Promise<Bytes> {
  const isPacked = await isGzip(path);
  const packed = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const unpacked = isPacked ? chain(packed, createGunzip({ chunkSize: 1024 * 1024 })) : packed;
  const chunks = (unpacked as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  /** Where nothing is held any more. */
  const more = async (): Promise<boolean> => {
    try {
      const next = await chunks.next();
      if (next.done === true) return false;
      held = next.value;
      return true;
    } catch (error) {
      throw error instanceof AnnealError ? error : damaged(name, `it cannot be unpacked (${error instanceof Error ? error.message : String(error)})`, error);
    }
  };
  const cutOff = () => damaged(name, 'it ends too soon');
  const take = async (count: number): Promise<Buffer | undefined> => {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0;) {
      if (held.length === 0 && !await more()) {
        if (missing === count) return undefined;
        throw cutOff();
      }
      const piece = held.subarray(0, missing);
      held = held.subarray(piece.length);
      missing -= piece.length;
      parts.push(piece);
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  };
  const need = async (count: number): Promise<Buffer> => {
    if (count === 0) return Buffer.alloc(0);
    const taken = await take(count);
    if (taken === undefined) throw cutOff();
    return taken;
  };
  return {
    take,
    need,
    skip: async (count) => {
      for (let left = count; left > 0;) {
        if (held.length === 0 && !await more()) throw cutOff();
        const passed = Math.min(left, held.length);
        held = held.subarray(passed);
        left -= passed;
      }
    },
    finish: async (most) => {
      if (!isPacked) return;
      for (let passed = 0; await more(); passed += held.length) if (passed > most) throw damaged(name, 'it goes on long after its end');
    },
    [Symbol.asyncDispose]: () => {
      packed.destroy();
      unpacked.destroy();
      return Promise.resolve();
    },
  };
}
