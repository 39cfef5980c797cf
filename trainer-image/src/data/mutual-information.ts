/**
 * Mutual information of two variables, in nats, estimated from their values; never below 0. Two discrete ones by their joint counts, a
 * continuous and a discrete one by neighbours of one class (Ross (2014), PLoS ONE 9(2)), two continuous ones by neighbours in the plane
 * (Kraskov, Stögbauer and Grassberger (2004), Phys. Rev. E 69, estimator 1). As scikit-learn's functions of the same purpose.
 */
import { countAtMost } from './maths/search.ts';
import { neighboursAmong } from './maths/neighbours.ts';
import { digamma, normalQuantile } from './maths/special.ts';
import type { Random } from './random.ts';
import { moments } from './statistics.ts';

/** Classes by number, or quantities with no two alike. */
export type Variable = { readonly kind: 'Discrete'; readonly codes: Int32Array } | { readonly kind: 'Continuous'; readonly values: Float64Array };

export function mutualInformation(x: Variable, y: Variable, neighbours = 3): number {
  if (x.kind === 'Discrete') return y.kind === 'Discrete' ? ofClasses(x.codes, y.codes) : ofClassAndQuantity(x.codes, y.values, neighbours);
  return y.kind === 'Discrete' ? ofClassAndQuantity(y.codes, x.values, neighbours) : ofQuantities(x.values, y.values, neighbours);
}

/** Brought to deviation 1, with a noise of 10^-10 that tells equal values apart, as Kraskov et al. advise. */
export function continuous(values: Float64Array, noise: Random): Variable {
  const { deviation } = moments(values);
  const scaled = values.map((value) => value / (deviation > 0 ? deviation : 1));
  let size = 0;
  for (const value of scaled) size += Math.abs(value);
  const amplitude = 1e-10 * Math.max(1, size / scaled.length);
  for (let row = 0; row < scaled.length; row++) scaled[row] = (scaled[row] ?? 0) + amplitude * normalQuantile((noise.uint32() + 0.5) / 2 ** 32);
  return { kind: 'Continuous', values: scaled };
}

function ofClasses(a: Int32Array, b: Int32Array): number {
  const [ofA, ofB, ofBoth] = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()];
  const add = (counts: Map<number, number>, key: number): unknown => counts.set(key, (counts.get(key) ?? 0) + 1);
  let classes = 0;
  for (const code of b) classes = Math.max(classes, code + 1);
  for (let row = 0; row < a.length; row++) {
    const [codeA = 0, codeB = 0] = [a[row], b[row]];
    add(ofA, codeA);
    add(ofB, codeB);
    add(ofBoth, codeA * classes + codeB);
  }
  let sum = 0;
  for (const [key, count] of ofBoth) {
    const expected = ((ofA.get(Math.floor(key / classes)) ?? 0) * (ofB.get(key % classes) ?? 0)) / a.length;
    sum += (count / a.length) * Math.log(count / expected);
  }
  return Math.max(0, sum);
}

function ofClassAndQuantity(codes: Int32Array, values: Float64Array, neighbours: number): number {
  const members = new Map<number, number[]>();
  codes.forEach((code, row) => {
    const known = members.get(code);
    if (known === undefined) members.set(code, [values[row] ?? 0]); else known.push(values[row] ?? 0);
  });
  // A value that is alone in its class has no neighbours to measure by.
  const classes = [...members.values()].filter((own) => own.length > 1).map((own) => Float64Array.from(own).sort());
  const rows = classes.reduce((sum, own) => sum + own.length, 0);
  const all = new Float64Array(rows);
  let to = 0;
  for (const own of classes) {
    all.set(own, to);
    to += own.length;
  }
  all.sort();
  let [ofNeighbours, ofClass, ofRadius] = [0, 0, 0];
  for (const own of classes) {
    const count = Math.min(neighbours, own.length - 1);
    ofNeighbours += own.length * digamma(count);
    ofClass += own.length * digamma(own.length);
    for (let at = 0; at < own.length; at++) ofRadius += digamma(countNearer(all, own[at] ?? 0, distanceTo(own, at, count)));
  }
  return Math.max(0, digamma(rows) + (ofNeighbours - ofClass - ofRadius) / rows);
}

/** How far the `count`th nearest of sorted values is from one of them. */
function distanceTo(sorted: Float64Array, at: number, count: number): number {
  const value = sorted[at] ?? 0;
  let [below, above, distance] = [at - 1, at + 1, 0];
  for (let found = 0; found < count; found++) {
    const toBelow = below < 0 ? Infinity : value - (sorted[below] ?? 0);
    const toAbove = above >= sorted.length ? Infinity : (sorted[above] ?? 0) - value;
    distance = Math.min(toBelow, toAbove);
    if (toBelow <= toAbove) below--; else above++;
  }
  return distance;
}

/** How many sorted values are nearer to `value` than `distance`, those equal to it included. */
function countNearer(sorted: Float64Array, value: number, distance: number): number {
  if (distance === 0) return countAtMost(sorted, value) - countWhere(sorted, (other) => other < value);
  // By the difference itself and not by value ± distance, whose rounding would count the neighbour at that very distance.
  return countWhere(sorted, (other) => other - value < distance) - countWhere(sorted, (other) => value - other >= distance);
}

/** How many of the first sorted values fulfil a condition that, once broken, stays so. */
function countWhere(sorted: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle] ?? 0)) low = middle + 1; else high = middle;
  }
  return low;
}

function ofQuantities(x: Float64Array, y: Float64Array, neighbours: number): number {
  const rows = x.length;
  const plane = new Float64Array(2 * rows);
  for (let row = 0; row < rows; row++) {
    plane[2 * row] = x[row] ?? 0;
    plane[2 * row + 1] = y[row] ?? 0;
  }
  const search = neighboursAmong(plane, 2, 'Chebyshev');
  const [sortedX, sortedY] = [x.slice().sort(), y.slice().sort()];
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const { distance } = search.nearest(row, neighbours);
    // The value itself is counted, which stands for the + 1 of the estimator.
    sum += digamma(countNearer(sortedX, x[row] ?? 0, distance)) + digamma(countNearer(sortedY, y[row] ?? 0, distance));
  }
  return Math.max(0, digamma(rows) + digamma(neighbours) - sum / rows);
}
