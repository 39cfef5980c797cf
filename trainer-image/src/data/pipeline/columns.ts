/** Which columns a step works on, and putting its result in their place. */
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { firstMissing, lengthOf, pick, rowNumber, shownAt, valueAt } from '../table.ts';
import type { Column, ColumnInfo, NumberColumn, Table, TextColumn } from '../table.ts';

/** The named columns, or all that `suits` accepts when none are named. */
export function chosen(frame: Frame, names: readonly string[] | undefined, suits: (column: ColumnInfo) => boolean, at: string): ColumnInfo[] {
  if (frame.vector !== undefined && names?.includes(frame.vector.name) === true) throw new AnnealError('SPEC_COLUMN_KIND', { at: `${at}.columns`, message: `"${frame.vector.name}" is an array in each row, and only scale can change those. Leave it out.` });
  return names === undefined ? frame.columns.filter(suits) : pick(frame.columns, names, `${at}.columns`);
}

/** Numbers that measure something; codes of an embedding do not. */
export const isQuantity = ({ kind, categories }: ColumnInfo): boolean => kind === 'Number' && categories === undefined;

export function requireNumber(column: Column, what: string, at: string): NumberColumn {
  if (column.kind === 'Number' && column.categories === undefined) return column;
  if (column.kind === 'Number') throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `${what} needs quantities, and column "${column.name}" holds the codes of an embedding. Leave it out.` });
  const instead = column.kind === 'Time' ? 'take its parts in a step - dates before' : 'encode it in a step before';
  throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `${what} needs numbers, and column "${column.name}" is ${column.kind === 'Time' ? 'a time' : 'text'}, for example "${exampleOf(column)}". Leave it out, or ${instead}.` });
}

/** @throws AnnealError `DATA_NOT_NUMERIC` that says what to write before the step. @param what  for example "pca" */
export function requireComplete(rows: Table | Frame, column: Column, what: string, at: string): void {
  const row = firstMissing(column);
  if (row < 0) return;
  const fill = column.kind === 'Text' ? 'MostFrequent' : 'Median';
  throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${column.name}" has no value in row ${rowNumber(rows, row)}, and ${what} cannot work with a missing value. Put an impute step before it, for example - impute: {columns: [${column.name}], strategy: ${fill}}.` });
}

/** Sums of the squares of smaller numbers are doubles. */
const mostSquared = 1e150;

/** @throws AnnealError `DATA_OUT_OF_RANGE` for infinity, and what is near it, with its row. @param what  for example "pca" */
export function requireSquares(rows: Table | Frame, column: NumberColumn, what: string, at: string): void {
  const row = column.values.findIndex((value) => Math.abs(value) > mostSquared);
  if (row < 0) return;
  throw new AnnealError('DATA_OUT_OF_RANGE', { at, message: `Column "${column.name}" has ${shownAt(column, row)} in row ${rowNumber(rows, row)}, which is too large for ${what} to compute with. Correct the data, or clip it in a step - outliers: {method: IQR} before.` });
}

/** The first value that is not missing, as an error may show it. */
export function exampleOf(column: Column): string {
  for (let row = 0; row < lengthOf(column); row++) if (valueAt(column, row) !== null) return shownAt(column, row);
  return '';
}

/** The table with each column replaced by what `change` makes of it, in place. */
export function replace(table: Table, change: (column: Column) => Column | readonly Column[]): Table {
  return { ...table, columns: table.columns.flatMap(change) };
}

/** Replaces the columns that `changes` names by what it makes of them; all others stay as they are. */
export function replaceEach(changes: ReadonlyMap<string, (column: Column, table: Table) => Column | readonly Column[]>): (table: Table) => Table {
  return (table) => replace(table, (column) => changes.get(column.name)?.(column, table) ?? column);
}

/** The columns with these names, in this order; undefined when the table lacks one. */
export function columnsOf(table: Table, names: readonly string[]): readonly Column[] | undefined {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const columns = names.flatMap((name) => byName.get(name) ?? []);
  return columns.length === names.length ? columns : undefined;
}

export const namesOf = (step: { readonly columns: readonly { readonly name: string }[] }): string[] => step.columns.map(({ name }) => name);

export const isNumber = (column: Column): column is NumberColumn => column.kind === 'Number';
export const isText = (column: Column): column is TextColumn => column.kind === 'Text';
