/**
 * What the pipeline made of a block of rows, as rows of numbers. The flags of one column are kept as the one code that they come from until
 * they are eaten: fifty categories take the room of one number.
 */
import type { HeldMatrix } from './matrix.ts';
import { requireNumbers } from './require-numbers.ts';
import { flagOf } from './table.ts';
import type { Column, NumberColumn, Table } from './table.ts';

/** How a row is packed: one number for each column that is no flag, and for each run of flags of equal codes. */
export interface Layout {
  /** Numbers of a row as it is eaten. */
  readonly width: number;
  /** Of each packed number, the place of its first column. */
  readonly places: Int32Array;
  /** Of each packed number, how many columns are its flags; 0 where it stands for itself. */
  readonly flags: Int32Array;
}

/** @param columns  as the pipeline makes them of any rows, also of none */
export function layoutOf(columns: readonly Column[]): Layout {
  const places: number[] = [];
  const flags: number[] = [];
  for (let place = 0; place < columns.length;) {
    const count = flagsFrom(columns, place);
    places.push(place);
    flags.push(count);
    place += Math.max(1, count);
  }
  return { width: columns.length, places: Int32Array.from(places), flags: Int32Array.from(flags) };
}

/** How many columns from a place on are flags of the same codes, one code after the other. */
function flagsFrom(columns: readonly Column[], place: number): number {
  const first = flagOf(columns[place]);
  if (first === undefined) return 0;
  let count = 1;
  for (let next = flagOf(columns[place + 1]); next?.codes === first.codes && next.code === first.code + count; next = flagOf(columns[place + count])) count++;
  return count;
}

/** Numbers of a row-major matrix that are written together: what a core's own cache holds. */
const tileValues = 32 * 1024;

/** @param into  room for the packed rows. @throws AnnealError as `requireNumbers` */
export function pack(table: Table, { places, flags }: Layout, into: Float32Array): void {
  const width = places.length;
  const columns = table.columns.map((column) => requireNumbers(column, table));
  const rows = Math.max(1, Math.floor(tileValues / Math.max(1, width)));
  for (let from = 0; from < table.rows; from += rows) {
    const to = Math.min(table.rows, from + rows);
    for (let at = 0; at < width; at++) {
      const column = columns[places[at] ?? 0];
      if (column === undefined) throw new Error('A block has fewer columns than its layout.');
      packColumn(column, flags[at] ?? 0, into, from * width + at, width, from, to);
    }
  }
}

function packColumn(column: NumberColumn, flags: number, into: Float32Array, start: number, stride: number, from: number, to: number): void {
  if (flags === 0) {
    const { values } = column;
    for (let row = from, at = start; row < to; row++, at += stride) into[at] = values[row] ?? NaN;
    return;
  }
  const flag = flagOf(column);
  if (flag === undefined) throw new Error(`"${column.name}" is a flag in one block, and none in another.`);
  const { codes, code: first } = flag;
  for (let row = from, at = start; row < to; row++, at += stride) {
    const code = (codes[row] ?? -1) - first;
    into[at] = code < flags ? code : -1;
  }
}

/** Packed rows as they are eaten, row-major. */
export function unpack(packed: Float32Array, layout: Layout): Float32Array {
  const { width, places, flags } = layout;
  if (isPlain(layout)) return packed;
  const stride = places.length;
  const out = new Float32Array(packed.length / stride * width);
  for (let at = 0, row = 0; at < packed.length; at += stride, row += width) {
    for (let part = 0; part < stride; part++) {
      const value = packed[at + part] ?? NaN;
      if (flags[part] === 0) out[row + (places[part] ?? 0)] = value;
      else if (value >= 0) out[row + (places[part] ?? 0) + value] = 1;
    }
  }
  return out;
}

const isPlain = ({ width, places, flags }: Layout): boolean => places.length === width && flags.every((count) => count === 0);

/** A matrix of packed rows as one of rows that are eaten. */
export function unpacked(matrix: HeldMatrix, layout: Layout): HeldMatrix {
  return isPlain(layout) ? matrix : {
    rows: matrix.rows,
    width: layout.width,
    gather: (rows) => unpack(matrix.gather(rows), layout),
    range: (from, to) => unpack(matrix.range(from, to), layout),
    [Symbol.dispose]: () => matrix[Symbol.dispose](),
  };
}
