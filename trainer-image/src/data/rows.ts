/** All rows of the data by column, wherever they are: in memory, or in files that are larger than it. */
import { frameOf } from './frame.ts';
import type { Frame } from './frame.ts';
import { infoOf, pick, slice, takeColumn, takeVector } from './table.ts';
import type { Column, ColumnInfo, Table, VectorColumn } from './table.ts';

export interface Rows {
  readonly rows: number;
  readonly columns: readonly ColumnInfo[];
  /** What rows hold beside their columns, always in memory. */
  readonly vector?: VectorColumn;
  /** Whether all columns together fit into memory, so that what was computed from them may be kept there. */
  readonly inMemory: boolean;
  /** Where each row stood in the data, when rows were taken out of it. */
  readonly origin?: Int32Array;
  /** @param rows  which rows, ascending; all when left out */
  column(name: string, rows?: Int32Array): Promise<Column>;
  /** Columns of all rows in order, `most` rows at a time; with the vector where it is among the names. */
  blocks(names: readonly string[], most: number): AsyncIterable<Table>;
}

/** A table in memory. */
export function rowsOf(table: Table): Rows {
  const all = frameOf(table);
  return {
    rows: table.rows,
    columns: table.columns.map(infoOf),
    ...(table.vector === undefined ? {} : { vector: table.vector }),
    inMemory: true,
    ...(table.origin === undefined ? {} : { origin: table.origin }),
    column: async (name, rows) => {
      const column = await all.column(name);
      return rows === undefined ? column : takeColumn(column, rows);
    },
    blocks: async function* (names, most) {
      const { vector, ...rest } = table;
      const withVector = vector !== undefined && names.includes(vector.name);
      const columns = pick(table.columns, names.filter((name) => !withVector || name !== vector.name), 'spec.trainer.data.features.columns');
      const chosen: Table = { ...rest, columns, ...(withVector ? { vector } : {}) };
      for (let from = 0; from < table.rows; from += most) yield await Promise.resolve(slice(chosen, from, Math.min(table.rows, from + most)));
    },
  };
}

/** Some rows and columns as a frame. @param rows  ascending */
export function frameOfRows(source: Rows, names: readonly string[], rows: Int32Array): Frame {
  const remembered = new Map<string, Promise<Column>>();
  const { vector } = source;
  return {
    rows: rows.length,
    columns: pick(source.columns, names, 'spec.trainer.data.features.columns'),
    origin: rows.map((row) => source.origin?.[row] ?? row),
    column: (name) => {
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const column = source.column(name, rows);
      if (source.inMemory) remembered.set(name, column);
      return column;
    },
    ...(vector === undefined ? {} : { vector: { name: vector.name, load: () => Promise.resolve(takeVector(vector, rows)) } }),
  };
}
