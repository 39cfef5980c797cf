/** Whether a column that the pipeline leaves can be given to a network. */
import { AnnealError } from '../errors.ts';
import { numberPattern } from './ingest/numbers.ts';
import { flagOf, rowNumber, shownAt, textAt } from './table.ts';
import type { Column, NumberColumn, Table, TextColumn } from './table.ts';

const at = 'spec.trainer.data.pipeline';

/** The one place where it is noticed what no step took care of. @throws AnnealError `DATA_NOT_NUMERIC` for a text, a time or a missing value, `DATA_OUT_OF_RANGE` for what float32 has no number for */
export function requireNumbers(column: Column, table: Table): NumberColumn {
  const { name } = column;
  if (column.kind === 'Text') throw notNumeric(table, column);
  if (column.kind === 'Time') throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" is a time, and a network needs numbers. Add a step - dates: {columns: [${name}], parts: [Month, DayOfWeek, Hour]}, or exclude the column in features.exclude.` });
  // A flag is 0 or 1.
  const row = flagOf(column) === undefined ? firstUnfit(column.values) : -1;
  if (row < 0) return column;
  const where = `in row ${rowNumber(table, row)}`;
  if (Number.isNaN(column.values[row])) throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" has no value ${where}. Add a step - impute: {columns: [${name}]} before the others, or exclude the column in features.exclude.` });
  throw new AnnealError('DATA_OUT_OF_RANGE', { at, message: `Column "${name}" has ${shownAt(column, row)} ${where}, and a network computes with numbers up to 3.4e38. Correct the data, or clip the values in a step - outliers before the others.` });
}

/** The row that `requireNumbers` names of the first column that it refuses for one of its numbers. */
export function unfitRow(columns: readonly Column[]): number | undefined {
  const rows = columns.map((column) => (column.kind === 'Number' && flagOf(column) === undefined ? firstUnfit(column.values) : -1));
  return rows.find((row) => row >= 0);
}

/** Row of the first value that is missing, or that float32 has no number for; -1 where none is. */
function firstUnfit(values: Float64Array): number {
  for (let row = 0; row < values.length; row++) if (!Number.isFinite(Math.fround(values[row] ?? NaN))) return row;
  return -1;
}

/** One word among numbers is a mistake in the data, or stands for a missing value; many are categories. Numbers may be written in another way, or be too large for one. */
function notNumeric(table: Table, column: TextColumn): AnnealError {
  const { name, codes, dictionary } = column;
  const isNumber = dictionary.map((text) => numberPattern.test(text.trim()));
  const word = codes.findIndex((code) => code >= 0 && isNumber[code] !== true);
  const row = word >= 0 ? word : codes.findIndex((code) => code >= 0);
  const text = row < 0 ? '' : textAt(column, row) ?? '';
  const example = row < 0 ? '' : `, for example "${shownAt(column, row)}" in row ${rowNumber(table, row)}`;
  const isMistake = word >= 0 && codes.some((code) => isNumber[code] === true);
  const isTooLarge = /^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text));
  const what = isTooLarge ? `holds whole numbers beyond 2^53${example}, which a number would round` : `is text${example}, and a network needs numbers`;
  return new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" ${what}. ${isTooLarge ? 'Add' : remedy(isMistake, text)} a step - encode: {columns: [${name}]}, or exclude the column in features.exclude.` });
}

function remedy(isMistake: boolean, text: string): string {
  if (isMistake) return 'Correct it, or write it in csv.missing if it stands for a missing value; for a column of categories add';
  // 1,230.15 or 0,5, or digits that JSON has in quotes.
  return /^[+-]?\d[\d.,' ]*$/.test(text) ? 'If it holds numbers, write them as 1234.5 and without quotes; for a column of categories add' : 'Add';
}
