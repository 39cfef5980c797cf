/**
 * Which rows are held back: one part for testing at the end, and of the others one part for validation, or each of several in turn.
 * Rows may have to stay together (groups), and may have to come after those that are trained on (order).
 */
import { AnnealError } from '../errors.ts';
import { dealGroups } from './deal.ts';
import { groupKFold, kFold, stratifiedKFold } from './folds.ts';
import { countBelow } from './maths/search.ts';
import { split } from './split.ts';
import type { SplitShares } from './split.ts';

export interface HoldoutShares extends SplitShares {
  /** Holds back each of so many parts in turn, instead of a share for validation. With an order and no strata, each is trained for by what lies before it. */
  readonly folds?: number;
}

/** What the rows are told apart by. */
export interface SplitKeys {
  /** Class of each row, from 0: every part gets each in proportion; in an order, every fold does. */
  readonly strata?: Int32Array;
  /** Group of each row, from 0: the rows of one are never in two parts. */
  readonly groups?: Int32Array;
  /** The last rows test, those before them validate; rows that are equal in it stay together. A group stands where its last row does. */
  readonly order?: Float64Array;
}

export interface Holdout {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

export interface Holdouts {
  /** One, or one for each fold. Rows ascend. */
  readonly holdouts: readonly Holdout[];
  readonly test: Int32Array;
}

const at = 'spec.trainer.data.split';

/** @throws AnnealError `DATA_TOO_FEW_ROWS` when a part that was asked for would be empty */
export function holdouts(rows: number, shares: HoldoutShares, keys: SplitKeys): Holdouts {
  if (keys.order !== undefined) return inOrder(rows, shares, keys.order, keys);
  return keys.groups === undefined ? byRows(rows, shares, keys.strata) : byGroups(rows, shares, keys.groups, keys.strata);
}

function byRows(rows: number, shares: HoldoutShares, strata: Int32Array | undefined): Holdouts {
  const { folds, seed } = shares;
  if (folds === undefined) {
    const { train, validation, test } = split(rows, shares, strata);
    return { holdouts: [{ train, validation }], test };
  }
  const { train: left, test } = split(rows, { ...shares, validation: 0 }, strata);
  return { holdouts: foldsByRows(left, folds, seed, strata), test };
}

function byGroups(rows: number, { validation, test, seed, folds }: HoldoutShares, groups: Int32Array, strata: Int32Array | undefined): Holdouts {
  const parts = dealGroups(groups, strata, folds === undefined ? [1 - validation - test, validation, test] : [1 - test, 0, test], seed);
  const inPart = (part: number): Int32Array => rowsWhere(rows, (row) => parts[row] === part);
  const [left, held] = [inPart(0), inPart(2)];
  requireRows(held, test, 'test', 'groups');
  if (folds === undefined) {
    const validating = inPart(1);
    requireRows(validating, validation, 'validation', 'groups');
    return { holdouts: [{ train: left, validation: validating }], test: held };
  }
  return { holdouts: foldsByGroups(left, folds, seed, groups, strata), test: held };
}

function foldsByRows(left: Int32Array, folds: number, seed: number, strata: Int32Array | undefined): Holdout[] {
  requireEnough(left.length, folds, 'rows');
  const foldOf = strata === undefined ? kFold(left.length, folds, seed) : stratifiedKFold(left.map((row) => strata[row] ?? 0), folds, seed);
  return eachFold(left, foldOf, folds);
}

function foldsByGroups(left: Int32Array, folds: number, seed: number, groups: Int32Array, strata: Int32Array | undefined): Holdout[] {
  const own = numbered(left.map((row) => groups[row] ?? 0));
  requireEnough(own.count, folds, 'groups');
  const foldOf = strata === undefined ? groupKFold(own.numbers, folds) : dealGroups(own.numbers, left.map((row) => strata[row] ?? 0), new Array<number>(folds).fill(1 / folds), seed);
  return eachFold(left, foldOf, folds);
}

function inOrder(rows: number, { validation, test, seed, folds }: HoldoutShares, order: Float64Array, { groups, strata }: SplitKeys): Holdouts {
  const { rankOf, upTo } = ranksOf(groups === undefined ? order : lastOf(order, groups));
  const between = (from: number, to: number): Int32Array => rowsWhere(rows, (row) => (rankOf[row] ?? 0) >= from && (rankOf[row] ?? 0) < to);
  const last = upTo.length - 1;
  const testRows = Math.round(rows * test);
  const before = folds !== undefined && strata !== undefined ? 1 : 1 + (folds ?? (validation > 0 ? 1 : 0));
  const testFrom = test === 0 ? last : nearest(upTo, rows - testRows, before, last - 1, 'test');
  const held = between(testFrom, last);
  if (folds === undefined) {
    const validationFrom = validation === 0 ? testFrom : nearest(upTo, rows - testRows - Math.round(rows * validation), 1, testFrom - 1, 'validation');
    return { holdouts: [{ train: between(0, validationFrom), validation: between(validationFrom, testFrom) }], test: held };
  }
  if (strata !== undefined) {
    const earlier = between(0, testFrom);
    return { holdouts: groups === undefined ? foldsByRows(earlier, folds, seed, strata) : foldsByGroups(earlier, folds, seed, groups, strata), test: held };
  }
  const left = upTo[testFrom] ?? 0;
  requireEnough(left, folds + 1, 'rows');
  const size = Math.floor(left / (folds + 1));
  const starts: number[] = [];
  for (let fold = 0; fold < folds; fold++) starts.push(nearest(upTo, left - (folds - fold) * size, (starts.at(-1) ?? 0) + 1, testFrom - (folds - fold), 'validation'));
  return { holdouts: starts.map((start, fold) => ({ train: between(0, start), validation: between(start, starts[fold + 1] ?? testFrom) })), test: held };
}

/** Rank of each row among the different values, and how many rows lie below each rank; the last is all rows. */
function ranksOf(order: Float64Array): { rankOf: Int32Array; upTo: number[] } {
  const sorted = order.slice().sort();
  const values = sorted.filter((value, place) => value !== sorted[place - 1]);
  const upTo: number[] = [];
  for (let place = 0; place < sorted.length; place++) if (sorted[place] !== sorted[place - 1]) upTo.push(place);
  upTo.push(sorted.length);
  return { rankOf: Int32Array.from(order, (value) => countBelow(values, value)), upTo };
}

/** The last value of each row's group. */
function lastOf(order: Float64Array, groups: Int32Array): Float64Array {
  const last: number[] = [];
  groups.forEach((group, row) => (last[group] = Math.max(last[group] ?? -Infinity, order[row] ?? 0)));
  return Float64Array.from(groups, (group) => last[group] ?? 0);
}

/** The rank, from first to last, that has most nearly so many rows below it. */
function nearest(upTo: readonly number[], wanted: number, first: number, last: number, part: 'test' | 'validation'): number {
  if (first > last) throw tooFew(part, 'different values of orderBy');
  let best = first;
  for (let rank = first; rank <= last; rank++) if (Math.abs((upTo[rank] ?? 0) - wanted) < Math.abs((upTo[best] ?? 0) - wanted)) best = rank;
  return best;
}

function eachFold(rows: Int32Array, foldOf: Int32Array, folds: number): Holdout[] {
  return Array.from({ length: folds }, (_, fold) => ({ train: rows.filter((_row, place) => foldOf[place] !== fold), validation: rows.filter((_row, place) => foldOf[place] === fold) }));
}

function rowsWhere(rows: number, holds: (row: number) => boolean): Int32Array {
  const found = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) if (holds(row)) found[count++] = row;
  return found.slice(0, count);
}

/** The groups that are left, numbered anew from 0. */
function numbered(groups: Int32Array): { numbers: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  for (const group of groups.toSorted()) if (!numbers.has(group)) numbers.set(group, numbers.size);
  return { numbers: groups.map((group) => numbers.get(group) ?? 0), count: numbers.size };
}

function requireRows(rows: Int32Array, share: number, part: 'test' | 'validation', what: string): void {
  if (share > 0 && rows.length === 0) throw tooFew(part, what);
}

function tooFew(part: 'test' | 'validation', what: string): AnnealError {
  return new AnnealError('DATA_TOO_FEW_ROWS', { at: `${at}.${part}`, message: `The data has too few ${what} to hold some back for ${part}. Give more rows, or write ${part}: 0.` });
}

function requireEnough(count: number, folds: number, what: string): void {
  if (count < folds) throw new AnnealError('DATA_TOO_FEW_ROWS', { at: 'spec.trainer.validation.kFold', message: `The data has ${count} ${what} to train and validate on, too few for ${folds} parts. Write a smaller kFold, or give more rows.` });
}
