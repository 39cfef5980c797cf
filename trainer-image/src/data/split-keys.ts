/** The columns that a split goes by, as numbers. */
import { AnnealError } from '../errors.ts';
import type { SplitKeys } from './holdouts.ts';
import type { Rows } from './rows.ts';
import { firstMissing, pick } from './table.ts';
import type { Column } from './table.ts';

export interface SplitColumns {
  /** Column whose equal values stay together. */
  readonly groupBy?: string;
  /** Number or time column; the last rows are held back. */
  readonly orderBy?: string;
}

const at = 'spec.trainer.data.split';

/**
 * @param strata  class of each row, when the parts are to have each in proportion
 * @throws AnnealError `SPEC_COLUMN_MISSING`, `SPEC_COLUMN_KIND` for an order of texts, `DATA_SPLIT` for a missing value
 */
export async function splitKeys({ groupBy, orderBy }: SplitColumns, data: Rows, strata: Int32Array | undefined): Promise<SplitKeys> {
  return {
    ...(strata === undefined ? {} : { strata }),
    ...(groupBy === undefined ? {} : { groups: groupsOf(await completeColumn(data, groupBy, `${at}.groupBy`)) }),
    ...(orderBy === undefined ? {} : { order: orderOf(await completeColumn(data, orderBy, `${at}.orderBy`)) }),
  };
}

async function completeColumn(data: Rows, name: string, field: string): Promise<Column> {
  pick(data.columns, [name], field);
  const column = await data.column(name);
  const row = firstMissing(column);
  if (row >= 0) throw new AnnealError('DATA_SPLIT', { at: field, message: `Row ${row + 1} has no value in column "${name}", which the split goes by. Fill it in in the data, or remove such rows.` });
  return column;
}

function groupsOf(column: Column): Int32Array {
  const numbers = new Map<number, number>();
  const groupOf = (value: number): number => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  };
  return Int32Array.from(column.kind === 'Text' ? column.codes : column.values, groupOf);
}

function orderOf(column: Column): Float64Array {
  if (column.kind !== 'Text') return column.values;
  throw new AnnealError('SPEC_COLUMN_KIND', { at: `${at}.orderBy`, message: `orderBy needs numbers or times, and column "${column.name}" is text. Name another column, or write times as 2026-01-31 or 2026-01-31T12:00:00Z.` });
}
