/** The last step of a table on its way to the network, where it is noticed what no step of the pipeline took care of. */
import { AnnealError } from '../errors.ts';
import { rowNumber, shownAt } from './table.ts';
import type { Table, TextColumn } from './table.ts';

const at = 'spec.trainer.data.pipeline';

/**
 * Puts a block into a row-major matrix from row `first` on.
 * @throws AnnealError `DATA_NOT_NUMERIC` for a text, a time or a missing value, `DATA_OUT_OF_RANGE` for what float32 has no number for
 */
export function writeRows(table: Table, matrix: Float32Array, first: number): void {
  const width = table.columns.length;
  table.columns.forEach((column, place) => {
    const { name } = column;
    if (column.kind === 'Text') throw notNumeric(table, column);
    if (column.kind === 'Time') throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" is a time, and a network needs numbers. Exclude the column in features.exclude, or derive numbers from it.` });
    const { values } = column;
    for (let row = 0, to = first * width + place; row < values.length; row++, to += width) {
      const value = values[row] ?? NaN;
      matrix[to] = value;
      if (Number.isFinite(matrix[to])) continue;
      const where = `in row ${rowNumber(table, row)}`;
      if (Number.isNaN(value)) throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${name}" has no value ${where}. Add a step - impute: {columns: [${name}]} before the others, or exclude the column in features.exclude.` });
      throw new AnnealError('DATA_OUT_OF_RANGE', { at, message: `Column "${name}" has ${shownAt(column, row)} ${where}, and a network computes with numbers up to 3.4e38. Correct the data, or clip the values in a step - outliers before the others.` });
    }
  });
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
