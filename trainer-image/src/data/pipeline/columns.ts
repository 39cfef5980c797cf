/** Which columns a step works on, and putting its result in their place. */
import { AnnealError } from '../../errors.ts';
import { pick } from '../table.ts';
import type { Column, NumberColumn, Table, TextColumn } from '../table.ts';

/** The named columns, or all that `suits` accepts when none are named. */
export function chosen(table: Table, names: readonly string[] | undefined, suits: (column: Column) => boolean, at: string): Column[] {
  return names === undefined ? table.columns.filter(suits) : pick(table.columns, names, `${at}.columns`);
}

export function requireNumber(column: Column, what: string, at: string): NumberColumn {
  if (column.kind === 'Number') return column;
  const example = column.values.find((value) => value !== null) ?? '';
  throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `${what} needs numbers, and column "${column.name}" is text, for example "${short(example)}". Leave it out, or encode it in a step before.` });
}

/** The table with each column replaced by what `change` makes of it, in place. */
export function replace(table: Table, change: (column: Column) => Column | readonly Column[]): Table {
  return { ...table, columns: table.columns.flatMap(change) };
}

export const short = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

export const isNumber = (column: Column): column is NumberColumn => column.kind === 'Number';
export const isText = (column: Column): column is TextColumn => column.kind === 'Text';
