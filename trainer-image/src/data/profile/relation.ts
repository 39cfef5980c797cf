/**
 * How much one column alone says about the target: the share of the target's uncertainty (its entropy, or its variance) that is gone on rows
 * that were not looked at. Half of the rows make groups (categories, or stretches of numbers cut where they tell most), the other half
 * is predicted by the group it falls into, and the other way round. 1 gives the target away, 0 says nothing; an identifier says nothing.
 * For classes it is mutual information divided by the target's entropy (Theil's U), held out so that many categories do not flatter it.
 */
import { random, shuffle } from '../random.ts';
import type { Column } from '../table.ts';
import type { SampledTarget } from './sample.ts';
import { stretches } from './stretches.ts';

/** Places of the rows, cut in two by lot: data may be sorted by anything. */
export function halves(rows: number, seed: number): readonly [Int32Array, Int32Array] {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  shuffle(order, random(seed, 'data halves'));
  const middle = rows >>> 1;
  return [order.slice(0, middle).sort(), order.slice(middle).sort()];
}

/** Rows whose group says nothing of its own yet count as the whole: so many are added to each group as the whole half is spread. */
const prior = 1;

/** @param column  of the same rows as the target. @returns 0 to 1; 0 for a target that never changes */
export function relation(column: Column, target: SampledTarget, [first, second]: readonly [Int32Array, Int32Array]): number {
  const one = heldOut(column, target, first, second);
  const other = heldOut(column, target, second, first);
  const without = one.without + other.without;
  return without > 0 ? Math.max(0, 1 - (one.left + other.left) / without) : 0;
}

interface Uncertainty {
  /** What is left of it when the group is known, summed over the rows. */
  readonly left: number;
  /** What there is without. */
  readonly without: number;
}

function heldOut(column: Column, target: SampledTarget, fitted: Int32Array, asked: Int32Array): Uncertainty {
  const { groupOf, groups } = groupsOf(column, target, fitted);
  return target.task === 'Classification'
    ? ofClasses(target.codes, target.classes, groupOf, groups, fitted, asked)
    : ofValues(target.values, groupOf, groups, fitted, asked);
}

/** Group of each row; 0 is for missing values, and for what the fitted half never saw. */
function groupsOf(column: Column, target: SampledTarget, fitted: Int32Array): { groupOf: (row: number) => number; groups: number } {
  if (column.kind === 'Text') {
    const known = new Map<number, number>();
    for (const row of fitted) {
      const code = column.codes[row] ?? -1;
      if (code >= 0 && !known.has(code)) known.set(code, known.size + 1);
    }
    return { groupOf: (row) => known.get(column.codes[row] ?? -1) ?? 0, groups: known.size + 1 };
  }
  const edges = stretches(column.values, target, fitted);
  return {
    groupOf: (row) => {
      const value = column.values[row] ?? NaN;
      return Number.isNaN(value) ? 0 : 1 + placeAmong(edges, value);
    },
    groups: edges.length + 2,
  };
}

/** How many edges are not above the value. */
function placeAmong(edges: Float64Array, value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? NaN) <= value) low = middle + 1; else high = middle;
  }
  return low;
}

/** Log loss of the classes' shares in the group, in nats. */
function ofClasses(codes: Int32Array, classes: number, groupOf: (row: number) => number, groups: number, fitted: Int32Array, asked: Int32Array): Uncertainty {
  const counts = new Map<number, number>();
  const totals = new Float64Array(groups);
  const overall = new Float64Array(classes);
  for (const row of fitted) {
    const [group, code] = [groupOf(row), codes[row] ?? 0];
    counts.set(group * classes + code, (counts.get(group * classes + code) ?? 0) + 1);
    totals[group] = (totals[group] ?? 0) + 1;
    overall[code] = (overall[code] ?? 0) + 1;
  }
  let [left, without] = [0, 0];
  for (const row of asked) {
    const [group, code] = [groupOf(row), codes[row] ?? 0];
    // A class that the fitted half lacks must not cost an infinite surprise.
    const share = ((overall[code] ?? 0) + 1 / classes) / (fitted.length + 1);
    without -= Math.log(share);
    left -= Math.log(((counts.get(group * classes + code) ?? 0) + prior * share) / ((totals[group] ?? 0) + prior));
  }
  return { left, without };
}

/** Squared distance from the group's mean. */
function ofValues(values: Float64Array, groupOf: (row: number) => number, groups: number, fitted: Int32Array, asked: Int32Array): Uncertainty {
  const sums = new Float64Array(groups);
  const totals = new Float64Array(groups);
  let overall = 0;
  for (const row of fitted) {
    const [group, value] = [groupOf(row), values[row] ?? 0];
    sums[group] = (sums[group] ?? 0) + value;
    totals[group] = (totals[group] ?? 0) + 1;
    overall += value / fitted.length;
  }
  let [left, without] = [0, 0];
  for (const row of asked) {
    const [group, value] = [groupOf(row), values[row] ?? 0];
    left += (value - ((sums[group] ?? 0) + prior * overall) / ((totals[group] ?? 0) + prior)) ** 2;
    without += (value - overall) ** 2;
  }
  return { left, without };
}
