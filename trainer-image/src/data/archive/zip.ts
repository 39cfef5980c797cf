/**
 * Reads zip files as .zip and .npz are written: stored or deflated, with Zip64 (PKWARE, APPNOTE.TXT 6.3.10; section numbers below). What is
 * unpacked is checked against the sizes and the CRC-32 of the central directory.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { chain } from '../../chain.ts';
import { damaged, requireInside, requireLimits } from './archive.ts';
import type { ArchiveLimits, ArchivedFile } from './archive.ts';

export interface ZippedFile extends ArchivedFile {
  /** Its content. Fails with AnnealError `DATA_ARCHIVE` where that is not what the directory says. */
  stream(): Promise<Readable>;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly bytes: number;
  readonly offset: number;
}

const stored = 0;
const deflated = 8;
/** More is no directory of files that one program reads. */
const mostDirectoryBytes = 256 * 1024 * 1024;

/**
 * @param name  what errors call the file
 * @throws AnnealError `DATA_ARCHIVE`, `DATA_TOO_LARGE`
 */
export async function readZip(path: string, name: string, limits: ArchiveLimits): Promise<ZippedFile[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const entries = (await directoryOf(file, size, name)).filter((entry) => !entry.name.endsWith('/'));
    requireLimits(name, entries.length, entries.reduce((sum, { bytes }) => sum + bytes, 0), limits);
    return entries.map((entry) => ({ name: entry.name, bytes: entry.bytes, stream: () => contentOf(path, name, entry) }));
  } finally {
    await file.close();
  }
}

async function part(file: FileHandle, from: number, length: number, name: string): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, from);
  if (bytesRead < length) throw damaged(name, 'it ends too soon');
  return buffer;
}

/** Sections 4.3.12 to 4.3.16. */
async function directoryOf(file: FileHandle, size: number, name: string): Promise<Entry[]> {
  const tailBytes = Math.min(size, 22 + 65_535);
  const tail = await part(file, size - tailBytes, tailBytes, name);
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || tail.length - end < 22) throw damaged(name, 'it is no zip file, or was cut off');
  let [count, length, offset] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  const locator = end - 20;
  if (locator >= 0 && tail.toString('latin1', locator, locator + 4) === 'PK\x06\x07') {
    const wide = await part(file, whole(tail, locator + 8, name), 56, name);
    if (wide.toString('latin1', 0, 4) !== 'PK\x06\x06') throw damaged(name, 'its directory is not where it says');
    [count, length, offset] = [whole(wide, 32, name), whole(wide, 40, name), whole(wide, 48, name)];
  }
  if (length > mostDirectoryBytes || offset + length > size) throw damaged(name, 'its directory is not where it says');
  const directory = await part(file, offset, length, name);
  const entries: Entry[] = [];
  for (let at = 0, read = 0; read < count; read++) {
    const { entry, next } = entryAt(directory, at, name);
    requireInside(name, entry.name);
    entries.push(entry);
    at = next;
  }
  return entries;
}

function entryAt(directory: Buffer, at: number, name: string): { entry: Entry; next: number } {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) throw damaged(name, 'its directory is damaged');
  const [flags, method, crc] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10), directory.readUInt32LE(at + 16)];
  const [nameLength, extraLength, commentLength] = [directory.readUInt16LE(at + 28), directory.readUInt16LE(at + 30), directory.readUInt16LE(at + 32)];
  const extraAt = at + 46 + nameLength;
  const next = extraAt + extraLength + commentLength;
  if (next > directory.length) throw damaged(name, 'its directory is damaged');
  const entryName = directory.toString('utf8', at + 46, extraAt);
  if ((flags & 1) !== 0) throw damaged(name, `"${entryName}" in it is encrypted`);
  if (method !== stored && method !== deflated) throw damaged(name, `"${entryName}" in it is compressed by method ${method}, and only deflate is known`);
  const wide = wideSizes(directory.subarray(extraAt, extraAt + extraLength), [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)], name);
  const [bytes = 0, packed = 0, offset = 0] = wide;
  return { entry: { name: entryName, method, crc, packed, bytes, offset }, next };
}

/** Sizes and offset, of which Zip64 keeps those that have no room in an extra field (section 4.5.3). */
function wideSizes(extra: Buffer, sizes: readonly number[], name: string): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      let from = at + 4;
      return sizes.map((size) => {
        if (size !== 0xffffffff) return size;
        from += 8;
        if (from > at + 4 + length) throw damaged(name, 'its directory is damaged');
        return whole(extra, from - 8, name);
      });
    }
    at += 4 + length;
  }
  return [...sizes];
}

function whole(buffer: Buffer, at: number, name: string): number {
  const value = buffer.readBigUInt64LE(at);
  if (value > Number.MAX_SAFE_INTEGER) throw damaged(name, 'its directory is damaged');
  return Number(value);
}

async function contentOf(path: string, name: string, entry: Entry): Promise<Readable> {
  const from = await contentAt(path, name, entry);
  const packed = entry.packed === 0 ? Readable.from([]) : createReadStream(path, { start: from, end: from + entry.packed - 1 });
  const unpacked = entry.method === stored ? packed : chain(packed, createInflateRaw());
  return chain(unpacked, checked(name, entry));
}

/** Where the content begins: behind a header of its own (section 4.3.7). */
async function contentAt(path: string, name: string, entry: Entry): Promise<number> {
  const file = await open(path);
  try {
    const head = await part(file, entry.offset, 30, name);
    if (head.readUInt32LE(0) !== 0x04034b50) throw damaged(name, `"${entry.name}" in it is not where its directory says`);
    return entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
  } finally {
    await file.close();
  }
}

/** Passes on what the directory announced, and nothing that goes on beyond it. */
function checked(archive: string, { name, bytes, crc }: Entry): Transform {
  let [came, sum] = [0, 0];
  const stage: Transform = new Transform({
    transform: (chunk: Buffer, _, done) => {
      came += chunk.length;
      sum = crc32(chunk, sum);
      if (came > bytes) done(damaged(archive, `"${name}" in it unpacks to more than the ${bytes} bytes that it says`));
      else done(null, chunk);
    },
    flush: (done) => {
      if (came !== bytes) done(damaged(archive, `"${name}" in it unpacks to ${came} of the ${bytes} bytes that it says`));
      else if (sum !== crc) done(damaged(archive, `"${name}" in it is not what was packed (CRC-32)`));
      else done();
    },
    destroy: (error, done) => done(error === null || error.name === 'AnnealError' ? error : damaged(archive, `"${name}" in it is damaged (${error.message})`, error)),
  });
  return stage;
}
