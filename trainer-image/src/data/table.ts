/** Rows in memory, by column. A step of the pipeline takes one and gives a new one; columns are never changed in place. */
import { AnnealError, list } from '../errors.ts';

/** NaN is a missing value. */
export interface NumberColumn {
  readonly kind: 'Number';
  readonly name: string;
  readonly values: Float64Array;
}

/** null is a missing value. */
export interface TextColumn {
  readonly kind: 'Text';
  readonly name: string;
  readonly values: readonly (string | null)[];
}

export type Column = NumberColumn | TextColumn;

export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Where each row stood in the file, when rows were taken out of it. */
  readonly origin?: Int32Array;
}

/** The number that a person finds a row by: counted from 1, in the file. */
export const rowNumber = (table: Table, row: number): number => (table.origin?.[row] ?? row) + 1;

/** The rows with these indices, in this order. */
export function take(table: Table, rows: Int32Array): Table {
  const origin = rows.map((row) => table.origin?.[row] ?? row);
  return { rows: rows.length, columns: table.columns.map((column) => takeColumn(column, rows)), origin };
}

function takeColumn(column: Column, rows: Int32Array): Column {
  if (column.kind === 'Number') return { ...column, values: Float64Array.from(rows, (row) => column.values[row] ?? NaN) };
  return { ...column, values: Array.from(rows, (row) => column.values[row] ?? null) };
}

/**
 * The columns with these names, in this order.
 * @param at  field of the manifest that names them
 * @throws AnnealError `SPEC_COLUMN_MISSING`
 */
export function pick(columns: readonly Column[], names: readonly string[], at: string): Column[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  return names.map((name) => {
    const column = byName.get(name);
    if (column !== undefined) return column;
    throw new AnnealError('SPEC_COLUMN_MISSING', { at, message: `There is no column "${name}" at this point; there are ${list([...byName.keys()])}. Write one of them.` });
  });
}

/** Row of the first missing value, counted from 0; -1 when there is none. */
export function firstMissing(column: Column): number {
  return column.kind === 'Number' ? column.values.findIndex(Number.isNaN) : column.values.indexOf(null);
}
