/** How number columns go together: Pearson's correlation of each pair, of the rows where both have a value. */

export interface Correlations {
  readonly columns: readonly string[];
  /** Rows that were looked at. */
  readonly rows: number;
  /** The strongest pairs, by size. */
  readonly strongest: readonly { readonly a: string; readonly b: string; readonly correlation: number }[];
  /** In the order of `columns`; null where a column does not change. Left out for many columns. */
  readonly matrix?: readonly (readonly (number | null)[])[];
}

/** Of more columns the caller chooses which. */
export const mostCorrelated = 200;
const mostInMatrix = 40;
const mostPairs = 50;
const weakest = 0.3;
/** Products that are summed up over all pairs; about a second. */
const mostProducts = 200_000_000;

/** Rows for that many columns. */
export const correlatedRows = (columns: number): number => Math.max(1000, Math.floor(mostProducts / Math.max(1, columns * columns / 2)));

/** @param columns  of the same rows, at most `mostCorrelated` */
export function correlate(columns: readonly { readonly name: string; readonly values: Float64Array }[]): Correlations {
  const centred = columns.map(({ values }) => standardised(values));
  const matrix = columns.map(() => columns.map((): number | null => null));
  const pairs: { a: string; b: string; correlation: number }[] = [];
  columns.forEach((a, i) => {
    for (let j = 0; j <= i; j++) {
      const correlation = pearson(centred[i] ?? empty, centred[j] ?? empty);
      for (const [row, column] of [[i, j], [j, i]] as const) (matrix[row] ?? [])[column] = correlation;
      if (i !== j && correlation !== null && Math.abs(correlation) >= weakest) pairs.push({ a: columns[j]?.name ?? '', b: a.name, correlation });
    }
  });
  return {
    columns: columns.map(({ name }) => name),
    rows: columns[0]?.values.length ?? 0,
    strongest: pairs.sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation)).slice(0, mostPairs),
    ...(columns.length > mostInMatrix ? {} : { matrix }),
  };
}

const empty = new Float64Array(0);

/** Shifted and scaled, which changes no correlation but keeps the digits of sums of squares. */
function standardised(values: Float64Array): Float64Array {
  let [count, mean] = [0, 0];
  for (const value of values) if (Number.isFinite(value)) mean += (value - mean) / ++count;
  let squares = 0;
  for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2;
  const scale = Math.sqrt(squares / count);
  return values.map((value) => (Number.isFinite(value) ? (value - mean) / (scale > 0 ? scale : 1) : NaN));
}

function pearson(a: Float64Array, b: Float64Array): number | null {
  let [count, sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0, 0];
  for (let row = 0; row < a.length; row++) {
    const x = a[row] ?? NaN;
    const y = b[row] ?? NaN;
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    count++;
    sumA += x;
    sumB += y;
    sumAA += x * x;
    sumBB += y * y;
    sumAB += x * y;
  }
  const [spreadA, spreadB] = [count * sumAA - sumA * sumA, count * sumBB - sumB * sumB];
  // Where nothing changes, rounding leaves about this much of the sum of squares.
  const changes = (spread: number, squares: number): boolean => spread > 1e-12 * count * squares;
  if (count < 2 || !changes(spreadA, sumAA) || !changes(spreadB, sumBB)) return null;
  return Math.max(-1, Math.min(1, (count * sumAB - sumA * sumB) / Math.sqrt(spreadA * spreadB)));
}
