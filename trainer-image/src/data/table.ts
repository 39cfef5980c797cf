/** Rows in memory, by column. A step of the pipeline takes one and gives a new one; columns are never changed in place. */
import { AnnealError, list } from '../errors.ts';

/** Why no error, log or report may show what a column holds. The mark stays on the column through all that is done to it. */
export type Privacy = 'Pseudonyms' | 'Suppressed';

/** NaN is a missing value. */
export interface NumberColumn {
  readonly kind: 'Number';
  readonly name: string;
  readonly private?: Privacy;
  readonly values: Float64Array;
  /** Set where the values are codes 0, …, categories - 1 that a network looks up in an embedding, and not quantities. */
  readonly categories?: number;
}

/** Each different text is held once; what is done to a text is done once for all of its rows. */
export interface TextColumn {
  readonly kind: 'Text';
  readonly name: string;
  readonly private?: Privacy;
  /** Place of each row's text in the dictionary; -1 is a missing value. */
  readonly codes: Int32Array;
  /** Different texts in any order. It may hold texts that no row has. */
  readonly dictionary: readonly string[];
}

/** A moment: microseconds since 1970-01-01T00:00:00Z, whole numbers that a double holds exactly until the year 2255. NaN is a missing value. */
export interface TimeColumn {
  readonly kind: 'Time';
  readonly name: string;
  readonly private?: Privacy;
  readonly values: Float64Array;
}

export type Column = NumberColumn | TextColumn | TimeColumn;

/** An array in each row, as of an image: what a network sees of data that are no table. NaN is a missing value. */
export interface VectorColumn {
  readonly kind: 'Vector';
  readonly name: string;
  /** Of one row; its product is `width`. */
  readonly shape: readonly number[];
  readonly width: number;
  /** rows × width, row-major. */
  readonly values: Uint8Array | Float32Array;
}

export interface ColumnInfo {
  readonly name: string;
  readonly kind: Column['kind'];
  readonly private?: Privacy;
  /** As in NumberColumn. */
  readonly categories?: number;
}

export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** What rows hold beside their columns. Steps pass it on as it is, but for those that say that they change it. */
  readonly vector?: VectorColumn;
  /** Where each row stood in the data, when rows were taken out of it. */
  readonly origin?: Int32Array;
}

export function infoOf(column: Column): ColumnInfo {
  const { name, kind, private: hidden } = column;
  const categories = kind === 'Number' ? column.categories : undefined;
  return { name, kind, ...(hidden === undefined ? {} : { private: hidden }), ...(categories === undefined ? {} : { categories }) };
}

/** @param texts  null is a missing value */
export function textColumn(name: string, texts: readonly (string | null)[]): TextColumn {
  const places = new Map<string, number>();
  const codes = Int32Array.from(texts, (text) => {
    if (text === null) return -1;
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, places.size);
    return places.size - 1;
  });
  return { kind: 'Text', name, codes, dictionary: [...places.keys()] };
}

/** One category of many: 1 in rows that have its code, and 0 in all others. */
export interface Flag {
  /** Shared by all flags of one column. */
  readonly codes: Int32Array;
  readonly code: number;
}

/** By identity: a column that was made of a flag is none. */
const flags = new WeakMap<Column, Flag>();

/** A column of a flag. Its values are only made when somebody asks for them; who writes a matrix need not. */
export function flagColumn(name: string, codes: Int32Array, code: number): NumberColumn {
  let made: Float64Array | undefined;
  const column: NumberColumn = {
    kind: 'Number',
    name,
    get values() {
      return made ??= flagsOf(codes, code);
    },
  };
  flags.set(column, { codes, code });
  return column;
}

/** 1 where the code is `code`, else 0. */
export function flagsOf(codes: Int32Array, code: number): Float64Array {
  const values = new Float64Array(codes.length);
  for (let row = 0; row < values.length; row++) if (codes[row] === code) values[row] = 1;
  return values;
}

/** What a column is a flag of; undefined when it is none. */
export const flagOf = (column: Column | undefined): Flag | undefined => (column === undefined ? undefined : flags.get(column));

/** The text of a row; null when it is missing. */
export const textAt = ({ codes, dictionary }: TextColumn, row: number): string | null => dictionary[codes[row] ?? -1] ?? null;

/** The column's texts with `change` done to each; null makes a text missing. Texts that become equal share one place. */
export function mapTexts(column: TextColumn, change: (text: string) => string | null): TextColumn {
  const changed = textColumn(column.name, column.dictionary.map(change));
  return { ...column, dictionary: changed.dictionary, codes: column.codes.map((code) => changed.codes[code] ?? -1) };
}

export const lengthOf = (column: Column): number => (flagOf(column)?.codes ?? (column.kind === 'Text' ? column.codes : column.values)).length;

/** What one row holds, as a person would write it; null when it is missing. */
export function valueAt(column: Column, row: number): string | null {
  if (column.kind === 'Text') return textAt(column, row);
  const value = column.values[row] ?? NaN;
  if (Number.isNaN(value)) return null;
  return column.kind === 'Time' ? new Date(value / 1000).toISOString() : String(value);
}

/** What one row holds as an error may show it: shortened, and not at all where the column is private. */
export function shownAt(column: Column, row: number): string {
  return column.private === undefined ? short(valueAt(column, row) ?? '') : '(private)';
}

export const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** The number that a person finds a row by: counted from 1, in the data. */
export const rowNumber = ({ origin }: Pick<Table, 'origin'>, row: number): number => (origin?.[row] ?? row) + 1;

/** The rows with these indices, in this order. */
export function take(table: Table, rows: Int32Array): Table {
  const origin = rows.map((row) => table.origin?.[row] ?? row);
  return { rows: rows.length, columns: table.columns.map((column) => takeColumn(column, rows)), ...(table.vector === undefined ? {} : { vector: takeVector(table.vector, rows) }), origin };
}

export function takeVector(vector: VectorColumn, rows: Int32Array): VectorColumn {
  const { width, values } = vector;
  const taken = values instanceof Uint8Array ? new Uint8Array(rows.length * width) : new Float32Array(rows.length * width);
  for (let at = 0; at < rows.length; at++) taken.set(values.subarray((rows[at] ?? 0) * width, ((rows[at] ?? 0) + 1) * width), at * width);
  return { ...vector, values: taken };
}

export function takeColumn(column: Column, rows: Int32Array): Column {
  if (column.kind !== 'Text') return { ...column, values: taken(column.values, new Float64Array(rows.length), rows) };
  return { ...column, codes: taken(column.codes, new Int32Array(rows.length), rows) };
}

function taken<T extends Float64Array | Int32Array>(from: T, to: T, rows: Int32Array): T {
  for (let at = 0; at < rows.length; at++) to[at] = from[rows[at] ?? 0] ?? 0;
  return to;
}

/** The rows from, …, to - 1, without a copy. */
export function slice(table: Table, from: number, to: number): Table {
  const columns = table.columns.map((column): Column => (column.kind === 'Text' ? { ...column, codes: column.codes.subarray(from, to) } : { ...column, values: column.values.subarray(from, to) }));
  const origin = table.origin?.subarray(from, to) ?? (from === 0 ? undefined : Int32Array.from({ length: to - from }, (_, row) => from + row));
  const { vector } = table;
  return {
    rows: to - from, columns,
    ...(vector === undefined ? {} : { vector: { ...vector, values: vector.values.subarray(from * vector.width, to * vector.width) } }),
    ...(origin === undefined ? {} : { origin }),
  };
}

/**
 * The columns with these names, in this order.
 * @param at  field of the manifest that names them
 * @throws AnnealError `SPEC_COLUMN_MISSING`
 */
export function pick<T extends ColumnInfo>(columns: readonly T[], names: readonly string[], at: string): T[] {
  // Many ask for one column after the other, and a map of thousands for each of them would take longer than all else.
  const byName = names.length === 1 ? undefined : new Map(columns.map((column) => [column.name, column]));
  return names.map((name) => {
    const column = byName === undefined ? columns.find((one) => one.name === name) : byName.get(name);
    if (column !== undefined) return column;
    throw new AnnealError('SPEC_COLUMN_MISSING', { at, message: `There is no column "${name}" at this point; there are ${list(columns.map((one) => one.name))}. Write one of them.` });
  });
}

/** Row of the first missing value, counted from 0; -1 when there is none. */
export function firstMissing(column: Column): number {
  if (flagOf(column) !== undefined) return -1;
  if (column.kind === 'Text') {
    for (let row = 0; row < column.codes.length; row++) if ((column.codes[row] ?? 0) < 0) return row;
    return -1;
  }
  for (let row = 0; row < column.values.length; row++) if (Number.isNaN(column.values[row])) return row;
  return -1;
}
