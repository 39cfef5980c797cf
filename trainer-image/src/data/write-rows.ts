/** What the pipeline made of a block of rows, as rows of numbers. */
import { AnnealError } from '../errors.ts';
import { flagOf, rowNumber, shownAt } from './table.ts';
import type { Column, NumberColumn, Table, TextColumn } from './table.ts';

/** Numbers of a row-major matrix that are written together: what a core's own cache holds. */
const tileValues = 32 * 1024;

/**
 * Puts a block into a row-major matrix of zeros. The one place where it is noticed what no step took care of.
 * @throws AnnealError `DATA_NOT_NUMERIC` for a text, a time or a missing value, `DATA_OUT_OF_RANGE` for what float32 has no number for
 */
export function writeRows(table: Table, matrix: Float32Array): void {
  const columns = table.columns.map((column) => requireNumbers(column, table));
  const width = columns.length;
  const rows = Math.max(1, Math.floor(tileValues / Math.max(1, width)));
  for (let from = 0; from < table.rows; from += rows) {
    const to = Math.min(table.rows, from + rows);
    for (let place = 0; place < width;) place += writeColumns(columns, place, matrix, from, to);
  }
}

/** Writes the column at a place, and the flags of the same codes behind it. @returns how many columns it wrote */
function writeColumns(columns: readonly NumberColumn[], place: number, matrix: Float32Array, from: number, to: number): number {
  const width = columns.length;
  const flag = flagOf(columns[place]);
  if (flag === undefined) {
    const values = columns[place]?.values ?? new Float64Array(0);
    for (let row = from, at = from * width + place; row < to; row++, at += width) matrix[at] = values[row] ?? NaN;
    return 1;
  }
  const { codes, code: first } = flag;
  let count = 1;
  for (let next = flagOf(columns[place + 1]); next?.codes === codes && next.code === first + count; next = flagOf(columns[place + count])) count++;
  for (let row = from, at = from * width + place; row < to; row++, at += width) {
    const code = (codes[row] ?? -1) - first;
    if (code >= 0 && code < count) matrix[at + code] = 1;
  }
  return count;
}

const at = 'spec.trainer.data.pipeline';

function requireNumbers(column: Column, table: Table): NumberColumn {
  const { name } = column;
  if (column.kind === 'Text') throw notNumeric(table, column);
  if (column.kind === 'Time') throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" is a time, and a network needs numbers. Exclude the column in features.exclude, or derive numbers from it.` });
  // A flag is 0 or 1.
  const row = flagOf(column) === undefined ? firstUnfit(column.values) : -1;
  if (row < 0) return column;
  const where = `in row ${rowNumber(table, row)}`;
  if (Number.isNaN(column.values[row])) throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" has no value ${where}. Add a step - impute: {columns: [${name}]} before the others, or exclude the column in features.exclude.` });
  throw new AnnealError('DATA_OUT_OF_RANGE', { at, message: `Column "${name}" has ${shownAt(column, row)} ${where}, and a network computes with numbers up to 3.4e38. Correct the data, or clip the values in a step - outliers before the others.` });
}

/** Row of the first value that is missing, or that float32 has no number for; -1 where none is. */
function firstUnfit(values: Float64Array): number {
  for (let row = 0; row < values.length; row++) if (!Number.isFinite(Math.fround(values[row] ?? NaN))) return row;
  return -1;
}

/** One word among numbers is a mistake in the data, or stands for a missing value; many are categories. */
function notNumeric(table: Table, column: TextColumn): AnnealError {
  const { name, codes, dictionary } = column;
  const isNumber = dictionary.map((text) => text.trim() !== '' && Number.isFinite(Number(text)));
  const row = codes.findIndex((code) => code >= 0 && isNumber[code] !== true);
  const example = row < 0 ? '' : `, for example "${shownAt(column, row)}" in row ${rowNumber(table, row)}`;
  const isMistake = row >= 0 && codes.some((code) => isNumber[code] === true);
  const advice = isMistake ? 'Correct it, or write it in csv.missing if it stands for a missing value; for a column of categories add' : 'Add';
  return new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" is text${example}, and a network needs numbers. ${advice} a step - encode: {columns: [${name}]}, or exclude the column in features.exclude.` });
}
