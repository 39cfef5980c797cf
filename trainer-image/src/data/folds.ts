/**
 * Folds for cross-validation and cross-fitting: which fold holds each row back. Without a seed rows are dealt out as scikit-learn's
 * splitters of the same names do with shuffle=False; with one they are drawn.
 */
import { random, shuffle, upTo } from './random.ts';

/** The fold, 0 … folds - 1, that each row is held back in. */
export type FoldOfRow = Int32Array;

/** Blocks of equal size, the first `rows mod folds` one row larger. */
export function kFold(rows: number, folds: number, seed?: number): FoldOfRow {
  const order = upTo(rows);
  if (seed !== undefined) shuffle(order, random(seed, 'folds'));
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
  const { classOf, counts } = inOrderOfAppearance(strata);
  let from = 0;
  const dealt = counts.map((count, index) => {
    const own = dealtFrom(from, count, folds);
    from += count;
    if (seed !== undefined) shuffle(own, random(seed, 'folds', index));
    return own;
  });
  const next = new Int32Array(counts.length);
  const of = new Int32Array(strata.length);
  for (let row = 0; row < of.length; row++) {
    const index = classOf[row] ?? 0;
    const at = next[index] ?? 0;
    of[row] = dealt[index]?.[at] ?? 0;
    next[index] = at + 1;
  }
  return of;
}

/** Folds of the rows of one class, ascending: classes are laid end to end, and each fold takes every folds-th place. @param from  the class's first place */
function dealtFrom(from: number, count: number, folds: number): Int32Array {
  const dealt = new Int32Array(count);
  let at = 0;
  for (let fold = 0; fold < folds; fold++) {
    const first = from + ((fold - from) % folds + folds) % folds;
    for (let place = first; place < from + count; place += folds) dealt[at++] = fold;
  }
  return dealt;
}

/** Each row's class, numbered by its first row, and the rows of each. */
function inOrderOfAppearance(strata: Int32Array): { classOf: Int32Array; counts: number[] } {
  const numbers = new Map<number, number>();
  const counts: number[] = [];
  const classOf = new Int32Array(strata.length);
  for (let row = 0; row < strata.length; row++) {
    const stratum = strata[row] ?? 0;
    let number = numbers.get(stratum);
    if (number === undefined) numbers.set(stratum, (number = counts.push(0) - 1));
    counts[number] = (counts[number] ?? 0) + 1;
    classOf[row] = number;
  }
  return { classOf, counts };
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
