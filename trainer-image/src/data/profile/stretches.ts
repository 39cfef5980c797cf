/**
 * Cuts numbers into stretches where the target changes most: a regression tree of one column, grown as in Breiman et al. (1984) by the
 * cut that leaves the least entropy, or variance, of the target on its two sides.
 */
import type { SampledTarget } from './sample.ts';

const mostDepth = 6;
const fewestRows = 5;

/** What is left to know about the target in some rows, kept up to date as rows come and go. */
interface Spread {
  add(row: number): void;
  remove(row: number): void;
  /** Entropy × rows, or sum of squares. */
  left(): number;
}

/** @param rows  among which to look. @returns the lower edges of all stretches but the first, ascending */
export function stretches(values: Float64Array, target: SampledTarget, rows: Int32Array): Float64Array {
  const ordered = rows.filter((row) => !Number.isNaN(values[row])).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const edges: number[] = [];
  const cut = (from: number, to: number, depth: number): void => {
    if (depth === 0) return;
    const at = bestCut(values, target, ordered, from, to);
    if (at === undefined) return;
    cut(from, at, depth - 1);
    edges.push(between(values[ordered[at - 1] ?? 0] ?? NaN, values[ordered[at] ?? 0] ?? NaN));
    cut(at, to, depth - 1);
  };
  cut(0, ordered.length, mostDepth);
  return Float64Array.from(edges);
}

/** In the middle, but above the lower one. */
function between(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  return middle > low && middle <= high ? middle : high;
}

/** First place of the right side; undefined where no cut tells anything. */
function bestCut(values: Float64Array, target: SampledTarget, ordered: Int32Array, from: number, to: number): number | undefined {
  if (to - from < 2 * fewestRows) return undefined;
  const [leftSide, rightSide] = [spreadOf(target), spreadOf(target)];
  for (let at = from; at < to; at++) rightSide.add(ordered[at] ?? 0);
  const whole = rightSide.left();
  // Sums of squares keep a rest of rounding where nothing is left.
  let least = whole * (1 - 1e-9);
  let best: number | undefined;
  for (let at = from; at < to - fewestRows; at++) {
    const row = ordered[at] ?? 0;
    leftSide.add(row);
    rightSide.remove(row);
    if (at + 1 - from < fewestRows || values[row] === values[ordered[at + 1] ?? 0]) continue;
    const left = leftSide.left() + rightSide.left();
    if (left < least) [least, best] = [left, at + 1];
  }
  return best;
}

const spreadOf = (target: SampledTarget): Spread => (target.task === 'Classification' ? classSpread(target.codes, target.classes) : valueSpread(target.values));

/** n ln n - sum of c ln c over the classes. */
function classSpread(codes: Int32Array, classes: number): Spread {
  const counts = new Float64Array(classes);
  const term = (count: number): number => (count > 0 ? count * Math.log(count) : 0);
  let [rows, terms] = [0, 0];
  const change = (row: number, by: 1 | -1): void => {
    const code = codes[row] ?? 0;
    const count = counts[code] ?? 0;
    terms += term(count + by) - term(count);
    counts[code] = count + by;
    rows += by;
  };
  return { add: (row) => change(row, 1), remove: (row) => change(row, -1), left: () => term(rows) - terms };
}

function valueSpread(values: Float64Array): Spread {
  // Measured from some value of the target, since squares of large numbers that differ little lose all digits.
  const origin = values[0] ?? 0;
  let [rows, sum, squares] = [0, 0, 0];
  const change = (row: number, by: 1 | -1): void => {
    const value = (values[row] ?? 0) - origin;
    rows += by;
    sum += by * value;
    squares += by * value * value;
  };
  return { add: (row) => change(row, 1), remove: (row) => change(row, -1), left: () => (rows > 0 ? squares - sum * sum / rows : 0) };
}
