/** Statistics of one column, missing values left out. Definitions are scikit-learn's, so that results can be compared. */

export function present(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value));
}

/** Neumaier's compensated sum: the mean of a million values keeps its last digits. */
export function sum(values: Float64Array): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

export const mean = (values: Float64Array): number => sum(values) / values.length;

/** Population standard deviation (divided by n), in two passes. */
export function standardDeviation(values: Float64Array): number {
  const centre = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - centre) ** 2)) / values.length);
}

/** Linear interpolation between order statistics (Hyndman and Fan (1996), type 7; the default of NumPy). */
export function quantile(sorted: Float64Array, share: number): number {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const below = sorted[low] ?? NaN;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] ?? NaN;
  return below + (above - below) * (at - low);
}

/** The most frequent value; of several, the first in the order given by `before`. */
export function mode<T>(values: Iterable<T>, before: (a: T, b: T) => boolean): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: [T, number] | undefined;
  for (const entry of counts) {
    if (best === undefined || entry[1] > best[1] || (entry[1] === best[1] && before(entry[0], best[0]))) best = entry;
  }
  return best?.[0];
}
