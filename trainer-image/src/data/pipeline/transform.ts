/** Changes the shape of a column's distribution. Missing values are left out of the fit and stay missing. */
import { AnnealError } from '../../errors.ts';
import { countAtMost, countBelow } from '../maths/search.ts';
import { normalQuantile } from '../maths/special.ts';
import { moments, present, quantile } from '../statistics.ts';
import { rowNumber } from '../table.ts';
import type { Column, Table } from '../table.ts';
import { bestPower, boxCox, yeoJohnson } from './powers.ts';
import type { Powers } from './powers.ts';
import { chosen, isNumber, isQuantity, namesOf, replaceEach, requireNumber } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface TransformSpec {
  readonly columns?: readonly string[];
  readonly method: 'YeoJohnson' | 'BoxCox' | 'Log1p' | 'Quantile';
  /** Quantile: the distribution that comes out, between 0 and 1 or standard normal. Uniform when unset. */
  readonly output?: 'Uniform' | 'Normal';
  /** Quantile: how many are remembered; 1,000 when unset. */
  readonly quantiles?: number;
}

export type FittedTransform = { readonly kind: 'Transform' } & (
  | { readonly method: 'YeoJohnson' | 'BoxCox'; readonly columns: readonly PowerColumn[] }
  | { readonly method: 'Log1p'; readonly columns: readonly { readonly name: string }[] }
  | { readonly method: 'Quantile'; readonly output: 'Uniform' | 'Normal'; readonly columns: readonly { readonly name: string; readonly quantiles: readonly number[] }[] }
);

/** The power, and mean and deviation of what it makes of the training rows: the result is standardised. */
interface PowerColumn {
  readonly name: string;
  readonly power: number;
  readonly shift: number;
  readonly divisor: number;
}

const powers = { YeoJohnson: yeoJohnson, BoxCox: boxCox };

/** Values must be above it. */
const lowest: Readonly<Record<TransformSpec['method'], number>> = { YeoJohnson: -Infinity, BoxCox: 0, Log1p: -1, Quantile: -Infinity };

export const transform: StepKind<TransformSpec, FittedTransform> = {
  fit,
  apply: (step) => {
    switch (step.method) {
      case 'YeoJohnson':
      case 'BoxCox': return replaceEach(new Map(step.columns.map(({ name, power, shift, divisor }) => [name, (column, table) => mapped(column, table, step.method, poweredBy(powers[step.method], power, shift, divisor))])));
      case 'Log1p': return replaceEach(new Map(step.columns.map(({ name }) => [name, (column, table) => mapped(column, table, 'Log1p', Math.log1p)])));
      case 'Quantile': return replaceEach(new Map(step.columns.map(({ name, quantiles }) => {
        const known = Float64Array.from(quantiles);
        const of = step.output === 'Normal' ? (value: number) => normalShare(known, value) : (value: number) => shareBelow(known, value);
        return [name, (column, table) => mapped(column, table, 'Quantile', of)];
      })));
    }
  },
  reads: namesOf,
  joint: false,
};

async function fit(spec: TransformSpec, { frame, at }: Training): Promise<Fit<FittedTransform>> {
  const found = [];
  for (const { name } of chosen(frame, spec.columns, isQuantity, at)) {
    const column = requireNumber(await frame.column(name), 'transform', at);
    const values = present(column.values);
    if (values.length === 0) throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${name}" has no value in the training rows. Exclude it in data.features.exclude.` });
    requireDomain(column, frame, spec.method, at);
    found.push({ name, values });
  }
  switch (spec.method) {
    case 'YeoJohnson':
    case 'BoxCox': {
      const { method } = spec;
      return { step: { kind: 'Transform', method, columns: found.map(({ name, values }) => fitPower(name, values, method)) } };
    }
    case 'Log1p': return { step: { kind: 'Transform', method: 'Log1p', columns: found.map(({ name }) => ({ name })) } };
    case 'Quantile': return { step: { kind: 'Transform', method: 'Quantile', output: spec.output ?? 'Uniform', columns: found.map(({ name, values }) => ({ name, quantiles: quantilesOf(values, spec.quantiles ?? 1000) })) } };
  }
}

function fitPower(name: string, values: Float64Array, method: 'YeoJohnson' | 'BoxCox'): PowerColumn {
  const { mean, deviation } = moments(values);
  // Of a constant column every power is as good; 1 changes nothing.
  const isConstant = deviation <= 10 * Number.EPSILON * Math.abs(mean);
  const { logarithm, of } = powers[method];
  const logarithms = values.map(logarithm);
  const power = isConstant ? 1 : bestPower(logarithms, of);
  const after = moments(logarithms.map((value) => of(value, power)));
  return { name, power, shift: after.mean, divisor: isConstant || after.deviation === 0 ? 1 : after.deviation };
}

const poweredBy = ({ logarithm, of }: Powers, power: number, shift: number, divisor: number) => (value: number): number => (of(logarithm(value), power) - shift) / divisor;

function quantilesOf(values: Float64Array, most: number): number[] {
  const sorted = values.sort();
  const count = Math.max(1, Math.min(most, sorted.length));
  return Array.from({ length: count }, (_, place) => quantile(sorted, count === 1 ? 0 : place / (count - 1)));
}

/** Place of a value among the quantiles, 0 to 1, by interpolation; in the middle of equal ones. As scikit-learn's QuantileTransformer. */
function shareBelow(quantiles: Float64Array, value: number): number {
  const last = quantiles.length - 1;
  const [least = NaN, greatest = NaN] = [quantiles[0], quantiles[last]];
  if (value <= least) return 0;
  if (value >= greatest) return 1;
  const after = countAtMost(quantiles, value);
  const upTo = after - 1 + within(quantiles, after - 1, value);
  const from = countBelow(quantiles, value);
  const downTo = from - 1 + within(quantiles, from - 1, value);
  return (upTo + downTo) / (2 * last);
}

/** How far between two neighbouring quantiles. */
function within(quantiles: Float64Array, low: number, value: number): number {
  const [below = NaN, above = NaN] = [quantiles[low], quantiles[low + 1]];
  return (value - below) / (above - below);
}

/** Closer to 0 or 1 a normal value would be infinite. */
const bound = 1e-7;
const farthest = Math.abs(normalQuantile(bound - Number.EPSILON));

function normalShare(quantiles: Float64Array, value: number): number {
  const [least = NaN, greatest = NaN] = [quantiles[0], quantiles[quantiles.length - 1]];
  if (value - bound < least) return -farthest;
  if (value + bound > greatest) return farthest;
  return Math.min(Math.max(normalQuantile(shareBelow(quantiles, value)), -farthest), farthest);
}

function mapped(column: Column, table: Table, method: TransformSpec['method'], of: (value: number) => number): Column {
  if (!isNumber(column)) return column;
  requireDomain(column, table, method, column.name);
  const values = new Float64Array(column.values.length);
  for (let row = 0; row < values.length; row++) {
    const value = column.values[row] ?? NaN;
    values[row] = Number.isNaN(value) ? NaN : of(value);
  }
  return { ...column, values };
}

function requireDomain(column: Column, rows: { readonly origin?: Int32Array }, method: TransformSpec['method'], at: string): void {
  if (!isNumber(column)) return;
  const { values } = column;
  const limit = lowest[method];
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? NaN;
    if (value > limit || Number.isNaN(value)) continue;
    throw new AnnealError('DATA_OUT_OF_RANGE', { at, message: `Row ${rowNumber(rows, row)} has ${value} in column "${column.name}", and ${method} needs values above ${limit}. Clip such values in a step - outliers before, or write method: YeoJohnson.` });
  }
}
