/** What the metrics of a regression are computed from. Definitions are scikit-learn's. */
import { lazy } from './lazy.ts';
import { risingOrder } from './order.ts';
import type { ValuePredictions } from './predictions.ts';

/** Sums over the rows, each by its weight. */
export interface ErrorSums {
  readonly rows: number;
  readonly weight: number;
  readonly absolute: number;
  readonly squared: number;
  /** Squared distances of the true values from their mean. */
  readonly truthSpread: number;
}

export interface ValueFacts {
  readonly predictions: ValuePredictions;
  /** predicted - true, of each row. */
  readonly errors: () => Float64Array;
  readonly absoluteErrors: () => Float64Array;
  /** |error| / max(|true|, ε). */
  readonly relativeErrors: () => Float64Array;
  /** Rows by rising absolute error. */
  readonly byError: () => Int32Array;
}

/** The part as it is, or with other weights. */
export interface ValueSample {
  readonly facts: ValueFacts;
  readonly weights: Float64Array;
  readonly sums: () => ErrorSums;
}

export function valueFacts(predictions: ValuePredictions): ValueFacts {
  const { predicted, truth } = predictions;
  const errors = lazy(() => predicted.map((value, row) => value - (truth[row] ?? NaN)));
  const absoluteErrors = lazy(() => errors().map(Math.abs));
  return {
    predictions,
    errors,
    absoluteErrors,
    relativeErrors: lazy(() => absoluteErrors().map((error, row) => error / Math.max(Math.abs(truth[row] ?? NaN), Number.EPSILON))),
    byError: lazy(() => risingOrder(absoluteErrors())),
  };
}

export const valueSample = (facts: ValueFacts, weights: Float64Array): ValueSample => ({ facts, weights, sums: lazy(() => sumErrors(facts, weights)) });

function sumErrors(facts: ValueFacts, weights: Float64Array): ErrorSums {
  const errors = facts.absoluteErrors();
  let absolute = 0;
  let squared = 0;
  let all = 0;
  for (let row = 0; row < errors.length; row++) {
    const weight = weights[row] ?? 0;
    const error = errors[row] ?? 0;
    absolute += weight * error;
    squared += weight * error * error;
    all += weight;
  }
  return { rows: errors.length, weight: all, absolute, squared, truthSpread: spread(facts.predictions.truth, weights) };
}

/** Sum of squared distances from the mean, in two passes from the first value: exactly 0 for equal values, however large. */
function spread(values: Float64Array, weights: Float64Array): number {
  const from = values[0] ?? 0;
  let sum = 0;
  let all = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights[row] ?? 0;
    sum += weight * ((values[row] ?? 0) - from);
    all += weight;
  }
  const mean = sum / all;
  let squares = 0;
  for (let row = 0; row < values.length; row++) squares += (weights[row] ?? 0) * ((values[row] ?? 0) - from - mean) ** 2;
  return squares;
}

/** 1 - squared errors / squared distances of the truth from its mean. */
export const r2 = (sums: ErrorSums): number => explained(sums, sums.squared);

/** The same without the mean error, which r2 counts. */
export const explainedVariance = ({ facts, weights, sums }: ValueSample): number => explained(sums(), spread(facts.errors(), weights));

/** Where all true values are equal, 1 for no error and 0 for any; NaN for fewer than two rows. */
function explained({ rows, truthSpread }: ErrorSums, unexplained: number): number {
  if (rows < 2) return NaN;
  if (truthSpread > 0) return 1 - unexplained / truthSpread;
  return unexplained === 0 ? 1 : 0;
}

/** Weighted median; where exactly half of the weight is below, the mean of the two errors next to it (Hyndman and Fan (1996), type 2). */
export function medianAbsoluteError({ facts, weights, sums }: ValueSample): number {
  const order = facts.byError();
  const errors = facts.absoluteErrors();
  const half = sums().weight / 2;
  const rounding = Number.EPSILON * half;
  let below = 0;
  let lower: number | undefined;
  for (const row of order) {
    const weight = weights[row] ?? 0;
    if (weight === 0) continue;
    const error = errors[row] ?? NaN;
    if (lower !== undefined) return (lower + error) / 2;
    below += weight;
    if (below > half + rounding) return error;
    if (below >= half - rounding) lower = error;
  }
  return lower ?? NaN;
}
