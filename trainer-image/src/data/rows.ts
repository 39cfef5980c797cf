/** All rows of the data by column, wherever they are: in memory, or in files that are larger than it. */
import { frameOf } from './frame.ts';
import type { Frame } from './frame.ts';
import { infoOf, pick, slice, takeColumn } from './table.ts';
import type { Column, ColumnInfo, Table } from './table.ts';

export interface Rows {
  readonly rows: number;
  readonly columns: readonly ColumnInfo[];
  /** Whether all columns together fit into memory, so that what was computed from them may be kept there. */
  readonly inMemory: boolean;
  /** Where each row stood in the data, when rows were taken out of it. */
  readonly origin?: Int32Array;
  /** @param rows  which rows, ascending; all when left out */
  column(name: string, rows?: Int32Array): Promise<Column>;
  /** Columns of all rows in order, `most` rows at a time. */
  blocks(names: readonly string[], most: number): AsyncIterable<Table>;
}

/** A table in memory. */
export function rowsOf(table: Table): Rows {
  const all = frameOf(table);
  return {
    rows: table.rows,
    columns: table.columns.map(infoOf),
    inMemory: true,
    ...(table.origin === undefined ? {} : { origin: table.origin }),
    column: async (name, rows) => {
      const column = await all.column(name);
      return rows === undefined ? column : takeColumn(column, rows);
    },
    blocks: async function* (names, most) {
      const chosen = { ...table, columns: pick(table.columns, names, 'spec.trainer.data.features.columns') };
      for (let from = 0; from < table.rows; from += most) yield await Promise.resolve(slice(chosen, from, Math.min(table.rows, from + most)));
    },
  };
}

/** Some rows and columns as a frame. @param rows  ascending */
export function frameOfRows(source: Rows, names: readonly string[], rows: Int32Array): Frame {
  const remembered = new Map<string, Promise<Column>>();
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
  };
}
