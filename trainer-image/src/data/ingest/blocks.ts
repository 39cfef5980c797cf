/** Cuts bytes into blocks of whole rows, which can then be read each by itself, on any thread. */
import { fill } from './bytes.ts';
import type { ByteSource } from './bytes.ts';
import { carriageReturn, lineFeed, quote, rowEndBytes } from './dialect.ts';
import type { RowEnd } from './dialect.ts';

export interface Block {
  /** Whole rows, each with its row end, in bytes 0, …, end - 1. What lies behind is of no meaning. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly end: number;
  /** Where the block begins, in bytes of the unpacked file. */
  readonly offset: number;
  /** Whether it is the beginning of a row that has no end within `mostRowBytes`. */
  readonly isTooLong: boolean;
}

export interface Cutting {
  readonly rowEnd: RowEnd;
  /** Whether row ends between quotes are part of a value. */
  readonly hasQuotes: boolean;
  /** Bytes that a block should have. */
  readonly blockBytes: number;
}

/** One row larger than this is a broken quote, not data. */
export const mostRowBytes = 16 * 1024 * 1024;
/** Behind the last byte there is room for a row end. */
const spare = 2;

/**
 * Blocks in order.
 * @param head  bytes that were read from the source before, and where they begin in the file
 * @param memory  gives the memory of a block
 */
export async function* blocks(source: ByteSource, head: { readonly bytes: Uint8Array; readonly offset: number }, cutting: Cutting, memory: (bytes: number) => ArrayBuffer): AsyncGenerator<Block, void, undefined> {
  const rowEnd = rowEndBytes[cutting.rowEnd];
  let rest = head.bytes;
  let { offset } = head;
  for (let isEnd = false; !isEnd;) {
    const size = Math.max(cutting.blockBytes, Math.min(rest.length * 2, mostRowBytes + 1));
    const bytes = new Uint8Array(memory(size + spare));
    const room = bytes.subarray(0, size);
    bytes.set(rest);
    const filled = await fill(source, room, rest.length);
    isEnd = filled < size;
    const end = isEnd ? filled : lastRowEnd(bytes, filled, cutting);
    const isTooLong = !isEnd && end === 0 && filled > mostRowBytes;
    if ((isEnd && filled > 0) || isTooLong) {
      // The last row may do without a row end, and a scanner needs something to stop at.
      bytes.set(rowEnd, filled);
      yield { bytes, end: filled + rowEnd.length, offset, isTooLong };
      return;
    }
    // Before the block is given away, which may take its memory.
    rest = bytes.slice(end, filled);
    if (end > 0) yield { bytes, end, offset, isTooLong: false };
    offset += end;
  }
}

/** Where the first row begins that has no end within bytes 0, …, filled - 1. */
function lastRowEnd(bytes: Uint8Array, filled: number, { rowEnd, hasQuotes }: Cutting): number {
  const last = rowEnd === 'CarriageReturn' ? carriageReturn : lineFeed;
  const ends = (at: number): boolean => bytes[at] === last && (rowEnd !== 'CarriageReturnLineFeed' || (at > 0 && bytes[at - 1] === carriageReturn));
  if (!hasQuotes || !Buffer.from(bytes.buffer, bytes.byteOffset, filled).includes(quote)) {
    for (let at = bytes.lastIndexOf(last, filled - 1); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(last, at - 1)) if (ends(at)) return at + 1;
    return 0;
  }
  let found = 0;
  let isQuoted = false;
  for (let at = 0; at < filled; at++) {
    const byte = bytes[at];
    if (byte === quote) isQuoted = !isQuoted;
    else if (byte === last && !isQuoted && ends(at)) found = at + 1;
  }
  return found;
}
