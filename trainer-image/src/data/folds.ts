/**
 * Folds for cross-validation and cross-fitting: which fold holds each row back. Without a seed rows are dealt out as scikit-learn's
 * splitters of the same names do with shuffle=False; with one they are drawn.
 */
import { random, shuffle } from './random.ts';

/** The fold, 0 … folds - 1, that each row is held back in. */
export type FoldOfRow = Int32Array;

/** Blocks of equal size, the first `rows mod folds` one row larger. */
export function kFold(rows: number, folds: number, seed?: number): FoldOfRow {
  const order = orderOf(rows, seed);
  const of = new Int32Array(rows);
  const [size, larger] = [Math.floor(rows / folds), rows % folds];
  for (let place = 0; place < rows; place++) {
    const inLarger = larger * (size + 1);
    of[order[place] ?? 0] = place < inLarger ? Math.floor(place / (size + 1)) : larger + Math.floor((place - inLarger) / size);
  }
  return of;
}

/** Each fold has each class in proportion, to within one row. @param strata  class of each row */
export function stratifiedKFold(strata: Int32Array, folds: number, seed?: number): FoldOfRow {
  const members = membersOf(strata);
  // Classes laid end to end, in the order in which they appear; each fold takes every folds-th place.
  const of = new Int32Array(strata.length);
  let from = 0;
  members.forEach((rows, index) => {
    const dealt = new Int32Array(rows.length);
    let at = 0;
    for (let fold = 0; fold < folds; fold++) {
      const first = from + ((fold - from) % folds + folds) % folds;
      for (let place = first; place < from + rows.length; place += folds) dealt[at++] = fold;
    }
    if (seed !== undefined) shuffle(dealt, random(seed, 'folds', index));
    rows.forEach((row, place) => (of[row] = dealt[place] ?? 0));
    from += rows.length;
  });
  return of;
}

/** Rows of each class, classes by their first row. */
function membersOf(strata: Int32Array): number[][] {
  const members = new Map<number, number[]>();
  for (let row = 0; row < strata.length; row++) {
    const stratum = strata[row] ?? 0;
    const known = members.get(stratum);
    if (known === undefined) members.set(stratum, [row]); else known.push(row);
  }
  return [...members.values()];
}

/** A group's rows are all held back in one fold: the largest groups first, each to the fold with the fewest rows. @param groups  group of each row, from 0 */
export function groupKFold(groups: Int32Array, folds: number): FoldOfRow {
  const sizes = sizesOf(groups);
  // Of equal groups the later first, as a reversed ascending sort gives them.
  const bySize = Int32Array.from(sizes.keys()).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || b - a);
  const rowsIn = new Float64Array(folds);
  const foldOf = new Int32Array(sizes.length);
  for (const group of bySize) {
    let lightest = 0;
    for (let fold = 1; fold < folds; fold++) if ((rowsIn[fold] ?? 0) < (rowsIn[lightest] ?? 0)) lightest = fold;
    foldOf[group] = lightest;
    rowsIn[lightest] = (rowsIn[lightest] ?? 0) + (sizes[group] ?? 0);
  }
  return groups.map((group) => foldOf[group] ?? 0);
}

/** Rows of each group. @param groups  group of each row, from 0 */
export function sizesOf(groups: Int32Array): Int32Array {
  let count = 0;
  for (const group of groups) count = Math.max(count, group + 1);
  const sizes = new Int32Array(count);
  for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
  return sizes;
}

function orderOf(rows: number, seed: number | undefined): Int32Array {
  const order = new Int32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  if (seed !== undefined) shuffle(order, random(seed, 'folds'));
  return order;
}
