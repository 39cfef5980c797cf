/** Brings number columns to one scale: (x - shift) / divisor. Missing values are left out of the fit and stay missing. */
import { AnnealError } from '../../errors.ts';
import { extremes, moments, quantiles } from '../statistics.ts';
import type { Column } from '../table.ts';
import { chosen, isNumber, isQuantity, namesOf, replaceEach, requireNumber } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface ScaleSpec {
  readonly columns?: readonly string[];
  readonly method: 'Standard' | 'MinMax' | 'Robust' | 'MaxAbs';
}

export interface FittedScale {
  readonly kind: 'Scale';
  readonly columns: readonly { readonly name: string; readonly shift: number; readonly divisor: number }[];
}

export const scale: StepKind<ScaleSpec, FittedScale> = {
  fit,
  apply: (step) => replaceEach(new Map(step.columns.map(({ name, shift, divisor }) => [name, (column) => scaled(column, shift, divisor)]))),
  reads: namesOf,
  joint: false,
};

async function fit(spec: ScaleSpec, { frame, at }: Training): Promise<Fit<FittedScale>> {
  const columns = [];
  for (const { name } of chosen(frame, spec.columns, isQuantity, at)) {
    const { shift, divisor } = methods[spec.method](requireNumber(await frame.column(name), 'scale', at).values);
    if (Number.isNaN(shift + divisor)) throw new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${name}" has no value in the training rows. Exclude it in data.features.exclude.` });
    // A constant column has no scale; dividing by 0 would make it infinite for the first row that differs.
    columns.push({ name, shift, divisor: isTiny(divisor, shift) ? 1 : divisor });
  }
  return { step: { kind: 'Scale', columns } };
}

/** NaN where the column has no value. */
const methods: Readonly<Record<ScaleSpec['method'], (values: Float64Array) => { shift: number; divisor: number }>> = {
  Standard: (values) => {
    const { mean, deviation } = moments(values);
    return { shift: mean, divisor: deviation };
  },
  MinMax: (values) => {
    const { least, greatest } = extremes(values);
    return { shift: least, divisor: greatest - least };
  },
  Robust: (values) => {
    const [low = NaN, middle = NaN, high = NaN] = quantiles(values, [0.25, 0.5, 0.75]);
    return { shift: middle, divisor: high - low };
  },
  MaxAbs: (values) => {
    const { least, greatest } = extremes(values);
    return { shift: 0, divisor: Math.max(Math.abs(least), Math.abs(greatest)) };
  },
};

/** Rounding leaves a constant column with a spread of about its own last digit. */
const isTiny = (divisor: number, shift: number): boolean => divisor <= 10 * Number.EPSILON * Math.abs(shift);

function scaled(column: Column, shift: number, divisor: number): Column {
  if (!isNumber(column)) return column;
  const { values } = column;
  const done = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) done[row] = ((values[row] ?? NaN) - shift) / divisor;
  return { ...column, values: done };
}
