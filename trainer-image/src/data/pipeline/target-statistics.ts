/**
 * What the target is on average in the rows of each category, drawn towards the average of all rows where a category has few
 * (Micci-Barreca, 2001). The smoothing and its automatic choice are those of scikit-learn's TargetEncoder.
 */
import { kFold, stratifiedKFold } from '../folds.ts';
import type { FoldOfRow } from '../folds.ts';
import type { Target } from './step.ts';

/** What one output column says of a category. */
export interface Averages {
  readonly values: readonly number[];
  /** For a category that no row had: the average of all rows. */
  readonly unknown: number;
}

/** What is averaged: a number target as it is, one of two classes as 0 and 1, each of several classes by itself. */
export interface Quantity {
  /** The class; undefined when there is only one quantity. */
  readonly name: string | undefined;
  readonly values: Float64Array;
}

export function quantitiesOf(target: Target): Quantity[] {
  if (target.task === 'Regression') return [{ name: undefined, values: target.values }];
  if (target.classes.length === 2) return [{ name: undefined, values: Float64Array.from(target.codes) }];
  return target.classes.map((name, place) => ({ name, values: Float64Array.from(target.codes, (code) => (code === place ? 1 : 0)) }));
}

export function foldsOf(target: Target, folds: number, seed: number): FoldOfRow {
  return target.task === 'Classification' ? stratifiedKFold(target.codes, folds, seed) : kFold(target.values.length, folds, seed);
}

/**
 * @param places     category of each row
 * @param smoothing  how many rows of the average of all count as much as the category's own; undefined weighs by the variances
 * @param without    leaves out the rows of one fold
 */
export function averages(places: Int32Array, categories: number, values: Float64Array, smoothing: number | undefined, without?: { readonly folds: FoldOfRow; readonly fold: number }): Averages {
  const counted = (row: number): boolean => without === undefined || without.folds[row] !== without.fold;
  const counts = new Float64Array(categories);
  const sums = new Float64Array(categories);
  let rows = 0;
  let total = 0;
  for (let row = 0; row < places.length; row++) {
    if (!counted(row)) continue;
    const [place = 0, value = 0] = [places[row], values[row]];
    counts[place] = (counts[place] ?? 0) + 1;
    sums[place] = (sums[place] ?? 0) + value;
    total += value;
    rows++;
  }
  const mean = rows === 0 ? 0 : total / rows;
  const squares = new Float64Array(categories);
  let squaresOfAll = 0;
  for (let row = 0; row < places.length; row++) {
    if (!counted(row)) continue;
    const [place = 0, value = 0] = [places[row], values[row]];
    squares[place] = (squares[place] ?? 0) + (value - (sums[place] ?? 0) / (counts[place] ?? 1)) ** 2;
    squaresOfAll += (value - mean) ** 2;
  }
  const variance = squaresOfAll / rows;
  return {
    unknown: mean,
    values: Array.from(counts, (count, place) => {
      if (count === 0) return mean;
      const own = (sums[place] ?? 0) / count;
      if (smoothing !== undefined) return ((sums[place] ?? 0) + smoothing * mean) / (count + smoothing);
      const weight = (variance * count) / (variance * count + (squares[place] ?? 0) / count);
      return Number.isNaN(weight) ? mean : weight * own + (1 - weight) * mean;
    }),
  };
}
