/** Finds values far from the others, by limits fitted on the training rows, and does away with them. Missing values are no outliers. */
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { moments, quantiles } from '../statistics.ts';
import type { Column } from '../table.ts';
import { chosen, isNumber, isQuantity, namesOf, replaceEach, requireNumber, requireSquares } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface OutliersSpec {
  readonly columns?: readonly string[];
  readonly method: 'IQR' | 'ZScore' | 'Quantile';
  /** IQR: interquartile ranges beyond the quartiles, 1.5 when unset. ZScore: standard deviations from the mean, 3 when unset. */
  readonly factor?: number;
  /** Quantile: share of the values below the lower limit, 0.01 when unset. */
  readonly lower?: number;
  /** Quantile: share of the values below the upper limit, 0.99 when unset. */
  readonly upper?: number;
  readonly action: 'Clip' | 'Missing' | 'DropTrainingRows';
}

interface Limits {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

export interface FittedOutliers {
  readonly kind: 'Outliers';
  readonly action: OutliersSpec['action'];
  readonly columns: readonly Limits[];
}

export const outliers: StepKind<OutliersSpec, FittedOutliers> = {
  fit,
  apply: ({ action, columns }) => {
    if (action === 'DropTrainingRows') return (table) => table;
    return replaceEach(new Map(columns.map((limits) => [limits.name, (column) => (action === 'Clip' ? clipped(column, limits) : without(column, limits))])));
  },
  reads: (step) => (step.action === 'DropTrainingRows' ? [] : namesOf(step)),
  joint: false,
};

async function fit(spec: OutliersSpec, { frame, at }: Training): Promise<Fit<FittedOutliers>> {
  const columns: Limits[] = [];
  for (const { name } of chosen(frame, spec.columns, isQuantity, at)) {
    const column = requireNumber(await frame.column(name), 'outliers', at);
    if (spec.method === 'ZScore') requireSquares(frame, column, 'method: ZScore', at);
    const { low, high } = limitsOf(spec, column.values);
    if (Number.isNaN(low + high)) throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${name}" has no value in the training rows. Exclude it in data.features.exclude.` });
    columns.push({ name, low, high });
  }
  const step: FittedOutliers = { kind: 'Outliers', action: spec.action, columns };
  return spec.action === 'DropTrainingRows' ? { step, keep: await rowsWithin(frame, columns, at) } : { step };
}

function limitsOf(spec: OutliersSpec, values: Float64Array): { low: number; high: number } {
  switch (spec.method) {
    case 'IQR': {
      const [low = NaN, high = NaN] = quantiles(values, [0.25, 0.75]);
      const reach = (spec.factor ?? 1.5) * (high - low);
      return { low: low - reach, high: high + reach };
    }
    case 'ZScore': {
      const { mean, deviation } = moments(values);
      const reach = (spec.factor ?? 3) * deviation;
      return { low: mean - reach, high: mean + reach };
    }
    case 'Quantile': {
      const [low = NaN, high = NaN] = quantiles(values, [spec.lower ?? 0.01, spec.upper ?? 0.99]);
      return { low, high };
    }
  }
}

async function rowsWithin(frame: Frame, columns: readonly Limits[], at: string): Promise<Int32Array> {
  const outside = new Uint8Array(frame.rows);
  for (const { name, low, high } of columns) {
    const column = await frame.column(name);
    if (!isNumber(column)) continue;
    for (let row = 0; row < outside.length; row++) {
      const value = column.values[row] ?? NaN;
      if (value < low || value > high) outside[row] = 1;
    }
  }
  const kept = new Int32Array(frame.rows);
  let count = 0;
  for (let row = 0; row < outside.length; row++) if (outside[row] === 0) kept[count++] = row;
  if (count > 0) return kept.subarray(0, count);
  throw new AnnealError('DATA_TOO_FEW_ROWS', { at, message: `Each of the ${frame.rows} training rows has an outlier, so dropping them leaves none. Name fewer columns, raise factor, or write action: Clip.` });
}

function clipped(column: Column, { low, high }: Limits): Column {
  if (!isNumber(column)) return column;
  const values = column.values.slice();
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? NaN;
    if (value < low) values[row] = low;
    else if (value > high) values[row] = high;
  }
  return { ...column, values };
}

function without(column: Column, { low, high }: Limits): Column {
  if (!isNumber(column)) return column;
  const values = column.values.slice();
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? NaN;
    if (value < low || value > high) values[row] = NaN;
  }
  return { ...column, values };
}
