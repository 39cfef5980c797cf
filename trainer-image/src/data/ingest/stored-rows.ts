/** The rows of a stored table, a column or a block at a time. */
import type { Rows } from '../rows.ts';
import { pick, takeColumn, textColumn } from '../table.ts';
import type { Column, ColumnInfo, Table, TextColumn } from '../table.ts';
import { decodeCodes, decodeNumbers, decodePlain } from './segments.ts';
import type { StoredColumn, StoredTable } from './table-file.ts';

export interface OpenRows extends Rows, AsyncDisposable {}

/** A table of either kind: with or without a cache to wait for. */
type HeldTable = Omit<StoredTable, typeof Symbol.dispose>;

/** @param budgetBytes  memory that all columns together may take to count as `inMemory`. @param close  what is to be done in the end */
export function storedRows(table: HeldTable, budgetBytes: number, close: () => void | PromiseLike<void>): OpenRows {
  const infos = table.columns.map(({ name, kind }): ColumnInfo => ({ name, kind }));
  const places = new Map(infos.map(({ name }, place) => [name, place]));
  const placeOf = (name: string): number => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`The table has no column "${name}".`);
    if (table.columns[place]?.isRead !== true) throw new Error(`Column "${name}" was passed over when the table was read.`);
    return place;
  };
  return {
    rows: table.rows,
    columns: infos,
    inMemory: infos.reduce((bytes, { kind }) => bytes + table.rows * (kind === 'Text' ? 4 : 8), 0) <= budgetBytes,
    column: (name, rows) => Promise.resolve().then(() => wholeColumn(table, placeOf(name), rows)),
    blocks: async function* (names, most) {
      const chosen = pick(infos, names, 'spec.trainer.data.features.columns').map(({ name }) => placeOf(name));
      let first = 0;
      for (const [block, rows] of table.blockRows.entries()) {
        const columns = chosen.map((place) => blockColumn(table, block, place));
        for (let from = 0; from < rows; from += most) yield await Promise.resolve(part(columns, from, Math.min(rows, from + most), first));
        first += rows;
      }
    },
    [Symbol.asyncDispose]: async () => close(),
  };
}

function part(columns: readonly Column[], from: number, to: number, first: number): Table {
  const origin = Int32Array.from({ length: to - from }, (_, row) => first + from + row);
  const cut = (column: Column): Column => (column.kind === 'Text' ? { ...column, codes: column.codes.subarray(from, to) } : { ...column, values: column.values.subarray(from, to) });
  return { rows: to - from, columns: columns.map(cut), origin };
}

/** @param rows  ascending; all when left out */
function wholeColumn(table: HeldTable, place: number, rows: Int32Array | undefined): Column {
  const { name, kind, dictionary } = columnAt(table, place);
  const length = rows?.length ?? table.rows;
  if (kind !== 'Text') {
    const values = new Float64Array(length);
    gather(table, rows, (block, chosen, at) => {
      const { values: from } = blockColumn(table, block, place) as Exclude<Column, TextColumn>;
      values.set(chosen === undefined ? from : taken(from, chosen), at);
    });
    return { kind, name, values };
  }
  const codes = new Int32Array(length);
  if (!hasPlainTexts(table, place)) {
    gather(table, rows, (block, chosen, at) => {
      const { codes: from } = blockColumn(table, block, place) as TextColumn;
      codes.set(chosen === undefined ? from : taken(from, chosen), at);
    });
    return { kind, name, codes, dictionary };
  }
  // Blocks with codes and blocks with texts: texts get places in the order of the rows.
  const texts = new Map<string, number>();
  gather(table, rows, (block, chosen, at) => {
    const whole = blockColumn(table, block, place) as TextColumn;
    const from = chosen === undefined ? whole : takeColumn(whole, chosen) as TextColumn;
    const placeOf = new Int32Array(from.dictionary.length).fill(-1);
    for (const [row, code] of from.codes.entries()) {
      if (code >= 0 && (placeOf[code] ?? -1) < 0) placeOf[code] = placeIn(texts, from.dictionary[code] ?? '');
      codes[at + row] = code < 0 ? -1 : (placeOf[code] ?? -1);
    }
  });
  return { kind, name, codes, dictionary: [...texts.keys()] };
}

function placeIn(texts: Map<string, number>, text: string): number {
  const known = texts.get(text);
  if (known !== undefined) return known;
  texts.set(text, texts.size);
  return texts.size - 1;
}

/** Calls back for each block with the chosen rows in it, counted from the block's first, and where they go in the result. */
function gather(table: HeldTable, rows: Int32Array | undefined, visit: (block: number, chosen: Int32Array | undefined, at: number) => void): void {
  let first = 0;
  let at = 0;
  for (const [block, count] of table.blockRows.entries()) {
    if (rows === undefined) {
      visit(block, undefined, first);
    } else {
      let to = at;
      while (to < rows.length && (rows[to] ?? 0) < first + count) to++;
      if (to > at) visit(block, rows.subarray(at, to).map((row) => row - first), at);
      at = to;
    }
    first += count;
  }
}

function taken<T extends Float64Array | Int32Array>(from: T, rows: Int32Array): T {
  const to = from.slice(0, rows.length) as T;
  for (let at = 0; at < rows.length; at++) to[at] = from[rows[at] ?? 0] ?? 0;
  return to;
}

function blockColumn(table: HeldTable, block: number, place: number): Column {
  const { name, kind, dictionary } = columnAt(table, place);
  const segment = table.segment(block, place);
  const rows = table.blockRows[block] ?? 0;
  if (kind !== 'Text') {
    const values = new Float64Array(rows);
    decodeNumbers(segment, values);
    return { kind, name, values };
  }
  if (segment.encoding === 'Plain') return textColumn(name, decodePlain(segment, rows));
  const codes = new Int32Array(rows);
  decodeCodes(segment, codes);
  return { kind, name, codes, dictionary };
}

function hasPlainTexts(table: HeldTable, place: number): boolean {
  return table.blockRows.some((_, block) => table.encoding(block, place) === 'Plain');
}

function columnAt(table: HeldTable, place: number): StoredColumn {
  const column = table.columns[place];
  if (column === undefined) throw new Error(`The table has no column ${place}.`);
  return column;
}
