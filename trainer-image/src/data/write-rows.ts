/** What the pipeline made of a block of rows, as rows of numbers. */
import { AnnealError } from '../errors.ts';
import { firstMissing, flagOf, rowNumber } from './table.ts';
import type { Column, NumberColumn, Table } from './table.ts';

/** Numbers of a row-major matrix that are written together: what a core's own cache holds. */
const tileValues = 32 * 1024;

/** Puts a block into a row-major matrix of zeros. The one place where a text or a missing value is noticed that no step took care of. */
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

function requireNumbers(column: Column, table: Table): NumberColumn {
  if (column.kind === 'Text') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is text, and a network needs numbers. Add a step - encode: {columns: [${column.name}]}, or exclude the column in features.exclude.` });
  if (column.kind === 'Time') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is a time, and a network needs numbers. Exclude the column in features.exclude, or derive numbers from it.` });
  const row = firstMissing(column);
  if (row >= 0) throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" has no value in row ${rowNumber(table, row)}. Add a step - impute: {columns: [${column.name}]} before the others, or exclude the column in features.exclude.` });
  return column;
}
