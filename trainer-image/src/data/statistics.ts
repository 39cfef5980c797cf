/**
 * Statistics of one column, missing values left out. Definitions are scikit-learn's, so that results can be compared. Loops go by index: by
 * iterator they take four times as long.
 */
import { orderStatistics } from './maths/selection.ts';

/** The values that are there, copied. */
export function present(values: Float64Array): Float64Array {
  const { length } = values;
  const kept = new Float64Array(length);
  let count = 0;
  for (let at = 0; at < length; at++) {
    const value = values[at] ?? NaN;
    if (!Number.isNaN(value)) kept[count++] = value;
  }
  return kept.subarray(0, count);
}

/** Neumaier's compensated sum: the mean of a million values keeps its last digits. */
export function sum(values: Float64Array): number {
  const { length } = values;
  let total = 0;
  let lost = 0;
  for (let at = 0; at < length; at++) {
    const value = values[at] ?? 0;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

export const mean = (values: Float64Array): number => sum(values) / values.length;

/** Population standard deviation (divided by n), in two passes. */
export const standardDeviation = (values: Float64Array): number => moments(values).deviation;

export interface Moments {
  /** How many values are there. */
  readonly count: number;
  /** NaN where none is. */
  readonly mean: number;
  /** Population standard deviation. */
  readonly deviation: number;
}

/** Of the values that are there, in two passes with compensated sums and without a copy. */
export function moments(values: ArrayLike<number>): Moments {
  const { length } = values;
  let count = 0;
  let total = 0;
  let lost = 0;
  for (let at = 0; at < length; at++) {
    const value = values[at] ?? NaN;
    if (Number.isNaN(value)) continue;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
    count++;
  }
  const centre = (total + lost) / count;
  let squares = 0;
  let lostSquares = 0;
  for (let at = 0; at < length; at++) {
    const value = values[at] ?? NaN;
    if (Number.isNaN(value)) continue;
    const square = (value - centre) ** 2;
    const next = squares + square;
    lostSquares += squares >= square ? squares - next + square : square - next + squares;
    squares = next;
  }
  return { count, mean: centre, deviation: Math.sqrt((squares + lostSquares) / count) };
}

/** Least and greatest of the values that are there; NaN where none is. */
export function extremes(values: ArrayLike<number>): { least: number; greatest: number } {
  const { length } = values;
  let least = Infinity;
  let greatest = -Infinity;
  for (let at = 0; at < length; at++) {
    const value = values[at] ?? NaN;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return least > greatest ? { least: NaN, greatest: NaN } : { least, greatest };
}

/** Linear interpolation between order statistics (Hyndman and Fan (1996), type 7; the default of NumPy). */
export function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  return between(sorted[low] ?? NaN, sorted[Math.min(low + 1, sorted.length - 1)] ?? NaN, at - low);
}

const between = (below: number, above: number, share: number): number => below + (above - below) * share;

/** Quantiles of the values that are there, as `quantile` defines them, found without sorting all. NaN where no value is. */
export function quantiles(values: Float64Array, shares: readonly number[]): number[] {
  const scratch = present(values);
  const last = scratch.length - 1;
  const lows = shares.map((share) => Math.floor(last * share));
  const found = orderStatistics(scratch, lows.flatMap((low) => [low, Math.min(low + 1, last)]));
  return shares.map((share, index) => between(found.get(lows[index] ?? 0) ?? NaN, found.get(Math.min((lows[index] ?? 0) + 1, last)) ?? NaN, last * share - (lows[index] ?? 0)));
}

/** The most frequent of the values that are there, of several the smallest; undefined where none is. */
export function mostFrequent(values: Float64Array): number | undefined {
  const sorted = present(values).sort();
  let best: number | undefined;
  let most = 0;
  for (let from = 0; from < sorted.length;) {
    const value = sorted[from];
    let to = from + 1;
    while (sorted[to] === value) to++;
    if (to - from > most) [best, most] = [value, to - from];
    from = to;
  }
  return best;
}

/** How many rows have each code; -1 is not counted. */
export function countCodes(codes: Int32Array, categories: number): Float64Array {
  const counts = new Float64Array(categories);
  const { length } = codes;
  for (let row = 0; row < length; row++) {
    const code = codes[row] ?? -1;
    if (code >= 0) counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}
