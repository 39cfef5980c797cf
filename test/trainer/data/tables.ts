/** Small tables, written and read as plain lists. */
import { textColumn, textAt, lengthOf } from '../../../trainer-image/src/data/table.ts';
import type { Column, Table } from '../../../trainer-image/src/data/table.ts';

export const number = (name: string, ...values: number[]): Column => ({ kind: 'Number', name, values: Float64Array.from(values) });
export const text = (name: string, ...values: (string | null)[]): Column => textColumn(name, values);
/** Moments as `Date.parse` reads them. */
export const time = (name: string, ...moments: (string | null)[]): Column => ({ kind: 'Time', name, values: Float64Array.from(moments, (moment) => (moment === null ? NaN : Date.parse(moment) * 1000)) });

export function tableOf(...columns: Column[]): Table {
  const [first] = columns;
  return { rows: first === undefined ? 0 : lengthOf(first), columns };
}

/** What each row holds: numbers, texts, microseconds; missing ones as NaN or null. */
export function cells(column: Column): (number | string | null)[] {
  return column.kind === 'Text' ? Array.from(column.codes, (_, row) => textAt(column, row)) : [...column.values];
}
