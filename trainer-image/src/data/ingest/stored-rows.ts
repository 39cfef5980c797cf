/** The rows of a stored table, a column or a block at a time. */
import type { Rows } from '../rows.ts';
import { pick, textColumn } from '../table.ts';
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
  const origin = new Int32Array(to - from);
  for (let row = 0; row < origin.length; row++) origin[row] = first + from + row;
  const cut = (column: Column): Column => (column.kind === 'Text' ? { ...column, codes: column.codes.subarray(from, to) } : { ...column, values: column.values.subarray(from, to) });
  return { rows: to - from, columns: columns.map(cut), origin };
}

/** @param rows  ascending; all when left out */
function wholeColumn(table: HeldTable, place: number, rows: Int32Array | undefined): Column {
  const { name, kind, dictionary } = columnAt(table, place);
  const length = rows?.length ?? table.rows;
  if (kind !== 'Text') {
    const values = new Float64Array(length);
    gather(table, rows, (block, first, from, to) => {
      const { values: held } = blockColumn(table, block, place) as Exclude<Column, TextColumn>;
      take(held, first, rows, values, from, to);
    });
    return { kind, name, values };
  }
  const codes = new Int32Array(length);
  if (!hasPlainTexts(table, place)) {
    gather(table, rows, (block, first, from, to) => {
      const { codes: held } = blockColumn(table, block, place) as TextColumn;
      take(held, first, rows, codes, from, to);
    });
    return { kind, name, codes, dictionary };
  }
  // Blocks with codes and blocks with texts: texts get places in the order of the rows.
  const texts = new Map<string, number>();
  gather(table, rows, (block, first, from, to) => {
    const { codes: held, dictionary: ownTexts } = blockColumn(table, block, place) as TextColumn;
    take(held, first, rows, codes, from, to);
    const placeOf = new Int32Array(ownTexts.length).fill(-1);
    for (let at = from; at < to; at++) {
      const code = codes[at] ?? -1;
      if (code < 0) continue;
      if (placeOf[code] === -1) placeOf[code] = placeIn(texts, ownTexts[code] ?? '');
      codes[at] = placeOf[code] ?? -1;
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

/** Calls back for each block that has chosen rows, with the number of its first row, and with the places in the result, from … to - 1, that it fills. */
function gather(table: HeldTable, rows: Int32Array | undefined, visit: (block: number, first: number, from: number, to: number) => void): void {
  let first = 0;
  let from = 0;
  for (const [block, count] of table.blockRows.entries()) {
    let to = from + count;
    if (rows !== undefined) for (to = from; to < rows.length && (rows[to] ?? 0) < first + count;) to++;
    if (to > from) visit(block, first, from, to);
    from = to;
    first += count;
  }
}

/** The values of rows from, …, to - 1 of the chosen out of a block whose first row is `first`. */
function take<T extends Float64Array | Int32Array>(held: T, first: number, rows: Int32Array | undefined, into: T, from: number, to: number): void {
  if (rows === undefined) into.set(held, from);
  else for (let at = from; at < to; at++) into[at] = held[(rows[at] ?? 0) - first] ?? 0;
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
