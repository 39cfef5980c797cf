/**
 * A table by blocks of rows, each column of a block a segment by itself: in memory, or in one file that is written once and then only read.
 * The file is its segments, an index of them, a header in JSON, and at its end the header's place and the version of the layout.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, rmSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../files.ts';
import type { Kind } from './growing.ts';
import { encodings, missingSegment } from './segments.ts';
import type { Encoding, Segment } from './segments.ts';

/** Changes with every change of what is written, or of what a file of rows is read as. */
export const layoutVersion = 1;
const magic = `annealT${layoutVersion}`;
const footerBytes = 16;

export interface StoredColumn {
  readonly name: string;
  readonly kind: Kind;
  /** False where its values were passed over; it has a name alone. */
  readonly isRead: boolean;
  /** Texts by their codes; of texts that are stored by themselves, none. */
  readonly dictionary: readonly string[];
}

export interface StoredTable extends Disposable {
  readonly rows: number;
  readonly columns: readonly StoredColumn[];
  /** Rows of each block. */
  readonly blockRows: Int32Array;
  encoding(block: number, column: number): Encoding;
  segment(block: number, column: number): Segment;
}

/** Where segments go while a table is written. */
export interface Sink {
  /** @returns where each begins */
  write(segments: readonly Uint8Array[]): number[];
  /** What was written, to be read again. `Sink` is then at its end. */
  finish(index: TableIndex): StoredTable;
  /** Takes back what was written. */
  abandon(): void;
}

export interface TableIndex {
  readonly columns: readonly StoredColumn[];
  readonly blockRows: Int32Array;
  /** By block and, within it, by column: place in `encodings`, bytes, and where they begin. */
  readonly encodings: Uint8Array;
  readonly lengths: Int32Array;
  readonly offsets: Float64Array;
}

function tableOf(index: TableIndex, read: (offset: number, length: number) => Uint8Array, close: () => void): StoredTable {
  const width = index.columns.length;
  const encodingAt = (block: number, column: number): Encoding => encodings[index.encodings[block * width + column] ?? 0] ?? 'Missing';
  return {
    rows: index.blockRows.reduce((total, rows) => total + rows, 0),
    columns: index.columns,
    blockRows: index.blockRows,
    encoding: encodingAt,
    segment: (block, column) => {
      const place = block * width + column;
      const encoding = encodingAt(block, column);
      return encoding === 'Missing' ? missingSegment : { encoding, bytes: read(index.offsets[place] ?? 0, index.lengths[place] ?? 0) };
    },
    [Symbol.dispose]: close,
  };
}

/**
 * Keeps segments in memory as they are given.
 * @param limit  where they go when they are more than so many bytes
 */
export function memorySink(limit?: { readonly bytes: number; readonly beyond: () => Sink }): Sink {
  const held = new Map<number, Uint8Array>();
  let at = 0;
  let file: Sink | undefined;
  return {
    write: (segments) => {
      if (file !== undefined) return file.write(segments);
      const offsets = offsetsOf(segments, at);
      segments.forEach((segment, place) => held.set(offsets[place] ?? 0, segment));
      at = segments.reduce((end, { length }) => end + length, at);
      if (limit !== undefined && at > limit.bytes) {
        // In the same order, so that each begins where it was said to.
        file = limit.beyond();
        file.write([...held.values()]);
        held.clear();
      }
      return offsets;
    },
    finish: (index) => file?.finish(index) ?? tableOf(index, (offset) => held.get(offset) ?? new Uint8Array(0), () => held.clear()),
    abandon: () => {
      held.clear();
      file?.abandon();
    },
  };
}

function offsetsOf(parts: readonly Uint8Array[], from: number): number[] {
  let at = from;
  return parts.map(({ length }) => (at += length) - length);
}

/** A file that goes with this process, whenever that ends. @throws the system's error, for example ENOSPC */
export function passingSink(folder: string): Sink {
  makeFolder(folder);
  const path = join(folder, `.tmp-${randomUUID()}`);
  const sink = fileSink(path);
  rmSync(path);
  return sink;
}

/** Writes a new file, which is whole once `finish` returned, and sure to stay so once it is flushed. @throws the system's error, for example ENOSPC */
export function fileSink(path: string): Sink {
  const file = openSync(path, 'wx+');
  let at = 0;
  const write = (parts: readonly Uint8Array[]): number[] => {
    const offsets = offsetsOf(parts, at);
    at = parts.reduce((end, { length }) => end + length, at);
    writeAll(file, parts);
    return offsets;
  };
  return {
    write,
    finish: (index) => {
      const arrays = [index.blockRows, index.encodings, index.lengths, index.offsets].map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      const header = Buffer.from(JSON.stringify({ columns: index.columns, blocks: index.blockRows.length, arrays: write(arrays) } satisfies Header));
      const [offset = 0] = write([header]);
      const footer = Buffer.alloc(footerBytes, magic);
      footer.writeDoubleLE(offset, 0);
      footer.write(magic, 8, 'latin1');
      write([footer]);
      return tableOf(index, reader(file), () => closeSync(file));
    },
    abandon: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

interface Header {
  readonly columns: readonly StoredColumn[];
  readonly blocks: number;
  /** Where the arrays of the index begin. */
  readonly arrays: readonly number[];
}

/** @returns undefined when there is no such file, or one of another version. @throws the system's error */
export function openTable(path: string): StoredTable | undefined {
  const file = openIfThere(path);
  if (file === undefined) return undefined;
  const read = reader(file);
  const { size } = fstatSync(file);
  const footer = size < footerBytes ? undefined : Buffer.from(read(size - footerBytes, footerBytes).buffer);
  if (footer?.toString('latin1', 8) !== magic) {
    closeSync(file);
    return undefined;
  }
  const headerAt = footer.readDoubleLE(0);
  const { columns, blocks, arrays } = JSON.parse(Buffer.from(read(headerAt, size - footerBytes - headerAt).buffer).toString()) as Header;
  const cells = blocks * columns.length;
  const array = (place: number, bytes: number): ArrayBuffer => read(arrays[place] ?? 0, bytes).buffer;
  return tableOf({
    columns,
    blockRows: new Int32Array(array(0, blocks * 4)),
    encodings: new Uint8Array(array(1, cells)),
    lengths: new Int32Array(array(2, cells * 4)),
    offsets: new Float64Array(array(3, cells * 8)),
  }, read, () => closeSync(file));
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function reader(file: number): (offset: number, length: number) => Uint8Array<ArrayBuffer> {
  return (offset, length) => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const count = readSync(file, bytes, done, length - done, offset + done);
      if (count === 0) throw new Error(`A table file ends at ${offset + done} bytes, within a segment.`);
      done += count;
    }
    return bytes;
  };
}

/** One call may write less than all, and takes so many parts at once only. */
function writeAll(file: number, parts: readonly Uint8Array[]): void {
  const mostParts = 512;
  let left = parts.filter(({ length }) => length > 0);
  while (left.length > 0) {
    let written = writevSync(file, left.slice(0, mostParts));
    let whole = 0;
    for (const { length } of left) {
      if (written < length) break;
      written -= length;
      whole++;
    }
    const [first, ...rest] = left.slice(whole);
    left = first === undefined ? [] : [first.subarray(written), ...rest];
  }
}
