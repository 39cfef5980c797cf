/**
 * What the target is on average in the rows of each category, drawn towards the average of all rows where a category has few
 * (Micci-Barreca, 2001). The smoothing and its automatic choice are those of scikit-learn's TargetEncoder.
 */
import { kFold, stratifiedKFold } from '../folds.ts';
import type { FoldOfRow } from '../folds.ts';
import { mean as meanOf } from '../statistics.ts';
import { flagsOf } from '../table.ts';
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
  const { classes, codes } = target;
  return classes.length === 2 ? [{ name: undefined, values: Float64Array.from(codes) }] : classes.map((name, place) => ({ name, values: flagsOf(codes, place) }));
}

export function foldsOf(target: Target, folds: number, seed: number): FoldOfRow {
  return target.task === 'Classification' ? stratifiedKFold(target.codes, folds, seed) : kFold(target.values.length, folds, seed);
}

/** Sums of one quantity in each category of each fold. */
export interface FoldSums {
  readonly categories: number;
  readonly parts: number;
  /** Average of all rows; what is summed is the distance from it, so that squares cost no digits. */
  readonly mean: number;
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

/** @param places  category of each row */
export function foldSums(places: Int32Array, categories: number, values: Float64Array, folds: FoldOfRow, parts: number): FoldSums {
  const mean = meanOf(values);
  const [counts, sums, squares] = [new Float64Array(parts * categories), new Float64Array(parts * categories), new Float64Array(parts * categories)];
  for (let row = 0; row < places.length; row++) {
    const at = (folds[row] ?? 0) * categories + (places[row] ?? 0);
    const distance = (values[row] ?? 0) - mean;
    counts[at] = (counts[at] ?? 0) + 1;
    sums[at] = (sums[at] ?? 0) + distance;
    squares[at] = (squares[at] ?? 0) + distance * distance;
  }
  return { categories, parts, mean, counts, sums, squares };
}

/**
 * @param smoothing  how many rows of the average of all count as much as the category's own; undefined weighs by the variances
 * @param without    leaves out the rows of one fold
 */
export function averages({ categories, parts, mean, counts, sums, squares }: FoldSums, smoothing: number | undefined, without?: number): Averages {
  const added = (of: Float64Array): Float64Array => {
    const total = new Float64Array(categories);
    for (let fold = 0; fold < parts; fold++) if (fold !== without) for (let place = 0; place < categories; place++) total[place] = (total[place] ?? 0) + (of[fold * categories + place] ?? 0);
    return total;
  };
  const [rowsOf, sumOf, squaresOf] = [added(counts), added(sums), added(squares)];
  const rows = totalOf(rowsOf);
  /** Of the rows that count, from the mean of all rows. */
  const offset = rows === 0 ? 0 : totalOf(sumOf) / rows;
  const variance = totalOf(squaresOf) / rows - offset * offset;
  return {
    unknown: mean + offset,
    values: Array.from(rowsOf, (count, place) => {
      if (count === 0) return mean + offset;
      const [sum = 0, square = 0] = [sumOf[place], squaresOf[place]];
      if (smoothing !== undefined) return mean + (sum + smoothing * offset) / (count + smoothing);
      const spread = Math.max(0, square - (sum * sum) / count) / count;
      const weight = (variance * count) / (variance * count + spread);
      return mean + (Number.isNaN(weight) ? offset : weight * (sum / count) + (1 - weight) * offset);
    }),
  };
}

const totalOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
