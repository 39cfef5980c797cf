/** Goodness of fit, for samples whose seed is fixed. */

/**
 * Largest distance between the samples' distribution and the uniform one on [0, 1] (Kolmogorov-Smirnov), times the
 * square root of their number. Above 1.63 the uniform one is refused at level 0.01.
 */
export function kolmogorovSmirnov(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const distances = sorted.map((value, index) => Math.max(Math.abs(value - index / sorted.length), Math.abs((index + 1) / sorted.length - value)));
  return Math.max(...distances) * Math.sqrt(sorted.length);
}

export const kolmogorovSmirnovLimit = 1.63;

/** Pearson's statistic of counts against expected shares. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, index) => {
    const expected = total * (shares[index] ?? 0);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

/** The statistic's 0.99 quantile, by Wilson and Hilferty (1931). */
export function chiSquareLimit(degrees: number): number {
  const normalQuantile = 2.326;
  return degrees * (1 - 2 / (9 * degrees) + normalQuantile * Math.sqrt(2 / (9 * degrees))) ** 3;
}

/** Pearson's correlation. Of n independent pairs it lies within 2.58 / sqrt(n) of 0 in 99 of 100 samples. */
export function correlation(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const dot = (a: readonly number[], ma: number, b: readonly number[], mb: number): number => a.reduce((sum, value, index) => sum + (value - ma) * ((b[index] ?? 0) - mb), 0);
  return dot(xs, mx, ys, my) / Math.sqrt(dot(xs, mx, xs, mx) * dot(ys, my, ys, my));
}
