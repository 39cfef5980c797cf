/**
 * Brings number columns to one scale: (x - shift) / divisor. Missing values are left out of the fit and stay missing. An array in each row
 * has one scale for all its values.
 */
import { AnnealError } from '../../errors.ts';
import { extremes, moments, quantiles } from '../statistics.ts';
import type { Column, Table, VectorColumn } from '../table.ts';
import { chosen, isNumber, isQuantity, namesOf, replaceEach, requireNumber } from './columns.ts';
import type { Apply, Fit, StepKind, Training } from './step.ts';

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
  apply,
  reads: namesOf,
  joint: false,
};

async function fit(spec: ScaleSpec, { frame, at }: Training): Promise<Fit<FittedScale>> {
  const { vector } = frame;
  const columns = [];
  for (const { name } of chosen(frame, spec.columns?.filter((name) => name !== vector?.name), isQuantity, at)) {
    const { values } = requireNumber(await frame.column(name), 'scale', at);
    columns.push(scaleOf(name, methods[spec.method](values), (): AnnealError => unscalable(name, values, (place) => frame.origin?.[place] ?? place, at)));
  }
  if (vector !== undefined && (spec.columns ?? [vector.name]).includes(vector.name)) {
    if (spec.method === 'Robust') throw new AnnealError('SPEC_COLUMN_KIND', { at: `${at}.method`, message: `"${vector.name}" is an array in each row, which has no quartiles of its own. Write method: Standard, MinMax or MaxAbs.` });
    const { values, width } = await vector.load();
    columns.push(scaleOf(vector.name, methods[spec.method](values), (): AnnealError => unscalable(vector.name, values, (place) => frame.origin?.[Math.floor(place / width)] ?? Math.floor(place / width), at)));
  }
  return { step: { kind: 'Scale', columns } };
}

function scaleOf(name: string, { shift, divisor }: { shift: number; divisor: number }, refusal: () => AnnealError): FittedScale['columns'][number] {
  if (!Number.isFinite(shift + divisor)) throw refusal();
  // A constant column has no scale; dividing by 0 would make it infinite for the first row that differs.
  return { name, shift, divisor: isTiny(divisor, shift) ? 1 : divisor };
}

/** @param rowOf  row of the data, counted from 0, that a value stands in */
function unscalable(name: string, values: ArrayLike<number>, rowOf: (place: number) => number, at: string): AnnealError {
  let largest = -1;
  for (let place = 0; place < values.length; place++) if (Math.abs(values[place] ?? NaN) > Math.abs(largest < 0 ? -1 : values[largest] ?? 0)) largest = place;
  return largest < 0
    ? new AnnealError('DATA_COLUMN_EMPTY', { at, message: `Column "${name}" has no value in the training rows. Exclude it in data.features.exclude.` })
    : new AnnealError('DATA_OUT_OF_RANGE', { at, message: `Column "${name}" has a value in row ${rowOf(largest) + 1} that is too large to scale by. Correct the data, or clip it in a step - outliers before.` });
}

function apply(step: FittedScale): Apply {
  const ofColumns = replaceEach(new Map(step.columns.map(({ name, shift, divisor }) => [name, (column) => scaled(column, shift, divisor)])));
  return (table): Table => {
    const done = ofColumns(table);
    const how = step.columns.find(({ name }) => name === table.vector?.name);
    return table.vector === undefined || how === undefined ? done : { ...done, vector: scaledVector(table.vector, how.shift, how.divisor) };
  };
}

/** NaN where the column has no value. */
const methods = {
  Standard: (values: ArrayLike<number>) => {
    const { mean, deviation } = moments(values);
    return { shift: mean, divisor: deviation };
  },
  MinMax: (values: ArrayLike<number>) => {
    const { least, greatest } = extremes(values);
    return { shift: least, divisor: greatest - least };
  },
  Robust: (values: Float64Array) => {
    const [low = NaN, middle = NaN, high = NaN] = quantiles(values, [0.25, 0.5, 0.75]);
    return { shift: middle, divisor: high - low };
  },
  MaxAbs: (values: ArrayLike<number>) => {
    const { least, greatest } = extremes(values);
    return { shift: 0, divisor: Math.max(Math.abs(least), Math.abs(greatest)) };
  },
} satisfies Readonly<Record<ScaleSpec['method'], (values: Float64Array) => { shift: number; divisor: number }>>;

/** Rounding leaves a constant column with a spread of about its own last digit. */
const isTiny = (divisor: number, shift: number): boolean => divisor <= 10 * Number.EPSILON * Math.abs(shift);

function scaled(column: Column, shift: number, divisor: number): Column {
  if (!isNumber(column)) return column;
  const { values } = column;
  const done = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) done[row] = ((values[row] ?? NaN) - shift) / divisor;
  return { ...column, values: done };
}

function scaledVector(vector: VectorColumn, shift: number, divisor: number): VectorColumn {
  const { values } = vector;
  const done = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) done[at] = ((values[at] ?? NaN) - shift) / divisor;
  return { ...vector, values: done };
}
