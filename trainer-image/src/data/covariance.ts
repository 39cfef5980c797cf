/** Means and covariances of columns that need not be in memory together. */

export interface Covariance {
  readonly means: Float64Array;
  /** columns × columns, row-major, divided by the number of rows. */
  readonly matrix: Float64Array;
}

/** Columns that are held at once, twice. */
const tile = 32;
/** Rows of a tile that stay in the cache while each column is multiplied with each other. */
const chunk = 1024;

/**
 * @param column  brings a column, without missing values; each is brought about count / 64 times
 * @returns centred before it is multiplied, so that large means cost no digits
 */
export async function covarianceOf(count: number, rows: number, column: (place: number) => Promise<Float64Array>): Promise<Covariance> {
  const means = new Float64Array(count);
  const matrix = new Float64Array(count * count);
  const bring = async (first: number): Promise<Float64Array[]> => {
    const columns = [];
    for (let place = first; place < Math.min(first + tile, count); place++) columns.push(await column(place));
    return columns;
  };
  for (let first = 0; first < count; first += tile) {
    const upper = await bring(first);
    upper.forEach((values, index) => (means[first + index] = meanOf(values)));
    for (let second = 0; second <= first; second += tile) {
      const lower = second === first ? upper : await bring(second);
      multiply(upper, first, lower, second, means, matrix, count, rows);
    }
  }
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) matrix[j * count + i] = matrix[i * count + j] = (matrix[i * count + j] ?? 0) / rows;
  }
  return { means, matrix };
}

function meanOf(values: Float64Array): number {
  let total = 0;
  for (let from = 0; from < values.length; from += chunk) {
    let sum = 0;
    for (let row = from; row < Math.min(from + chunk, values.length); row++) sum += values[row] ?? 0;
    total += sum;
  }
  return total / values.length;
}

/** Adds up the products of each column of one tile with each of another, chunk by chunk. */
function multiply(upper: readonly Float64Array[], first: number, lower: readonly Float64Array[], second: number, means: Float64Array, matrix: Float64Array, count: number, rows: number): void {
  const [a, b] = [new Float64Array(tile * chunk), new Float64Array(tile * chunk)];
  for (let from = 0; from < rows; from += chunk) {
    const length = Math.min(chunk, rows - from);
    centre(upper, first, means, from, length, a);
    centre(lower, second, means, from, length, b);
    for (let i = 0; i < upper.length; i++) {
      for (let j = 0; j < lower.length && second + j <= first + i; j++) {
        const at = (first + i) * count + second + j;
        matrix[at] = (matrix[at] ?? 0) + dot(a, i * chunk, b, j * chunk, length);
      }
    }
  }
}

function centre(columns: readonly Float64Array[], first: number, means: Float64Array, from: number, length: number, to: Float64Array): void {
  columns.forEach((values, index) => {
    const mean = means[first + index] ?? 0;
    for (let row = 0, at = index * chunk; row < length; row++, at++) to[at] = (values[from + row] ?? 0) - mean;
  });
}

/** Four sums side by side: a processor adds them at once, and they lose fewer digits than one. */
function dot(a: Float64Array, fromA: number, b: Float64Array, fromB: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let at = 0;
  for (; at + 3 < length; at += 4) {
    s0 += (a[fromA + at] ?? 0) * (b[fromB + at] ?? 0);
    s1 += (a[fromA + at + 1] ?? 0) * (b[fromB + at + 1] ?? 0);
    s2 += (a[fromA + at + 2] ?? 0) * (b[fromB + at + 2] ?? 0);
    s3 += (a[fromA + at + 3] ?? 0) * (b[fromB + at + 3] ?? 0);
  }
  for (; at < length; at++) s0 += (a[fromA + at] ?? 0) * (b[fromB + at] ?? 0);
  return s0 + s1 + (s2 + s3);
}
