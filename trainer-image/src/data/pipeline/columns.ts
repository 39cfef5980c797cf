/** Which columns a step works on, and putting its result in their place. */
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { lengthOf, pick, shownAt, valueAt } from '../table.ts';
import type { Column, ColumnInfo, NumberColumn, Table, TextColumn } from '../table.ts';

/** The named columns, or all that `suits` accepts when none are named. */
export function chosen(frame: Frame, names: readonly string[] | undefined, suits: (column: ColumnInfo) => boolean, at: string): ColumnInfo[] {
  return names === undefined ? frame.columns.filter(suits) : pick(frame.columns, names, `${at}.columns`);
}

export function requireNumber(column: Column, what: string, at: string): NumberColumn {
  if (column.kind === 'Number') return column;
  const instead = column.kind === 'Time' ? 'take its parts in a step - dates before' : 'encode it in a step before';
  throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `${what} needs numbers, and column "${column.name}" is ${column.kind === 'Time' ? 'a time' : 'text'}, for example "${exampleOf(column)}". Leave it out, or ${instead}.` });
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

export const isNumber = (column: Column): column is NumberColumn => column.kind === 'Number';
export const isText = (column: Column): column is TextColumn => column.kind === 'Text';
