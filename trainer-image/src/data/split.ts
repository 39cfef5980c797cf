/** Which rows train, which validate, which test. */
import { AnnealError } from '../errors.ts';
import { random, shuffle, upTo } from './random.ts';

export interface Split {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

export interface SplitShares {
  /** Shares of all rows, 0 to 0.9. */
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
}

/**
 * Draws the parts without replacement; equal arguments give equal parts.
 *
 * @param strata  class of each row; each class is then shared out by itself, so that every part has the classes in proportion
 *                (whole numbers by largest remainder). undefined draws from all rows alike.
 * @throws AnnealError `DATA_TOO_FEW_ROWS` when a part that was asked for would be empty
 */
export function split(rows: number, shares: SplitShares, strata?: Int32Array): Split {
  const order = upTo(rows);
  shuffle(order, random(shares.seed, 'split'));
  const groups = strata === undefined ? [order] : byStratum(order, strata);
  const testSizes = apportion(groups, shares.test);
  const validationSizes = apportion(groups, shares.validation);

  const parts = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  groups.forEach((group, index) => {
    // A class with one row trains: a model cannot be tested on what it never could learn.
    const test = Math.min(testSizes[index] ?? 0, group.length - 1);
    const validation = Math.min(validationSizes[index] ?? 0, group.length - 1 - test);
    group.forEach((row, place) => (place < test ? parts.test : place < test + validation ? parts.validation : parts.train).push(row));
  });
  for (const [part, share] of [['validation', shares.validation], ['test', shares.test]] as const) {
    if (share > 0 && parts[part].length === 0) {
      throw new AnnealError('DATA_TOO_FEW_ROWS', { at: `spec.trainer.data.split.${part}`, message: `The data has ${rows} rows, too few to hold back ${share} of them for ${part}. Give more rows, a larger share, or 0.` });
    }
  }
  // In the order of the file, so that the parts do not depend on how they were drawn.
  const sorted = (part: readonly number[]): Int32Array => Int32Array.from(part).sort();
  return { train: sorted(parts.train), validation: sorted(parts.validation), test: sorted(parts.test) };
}

function byStratum(order: Int32Array, strata: Int32Array): Int32Array[] {
  const groups = new Map<number, number[]>();
  for (const row of order) {
    const stratum = strata[row] ?? 0;
    const group = groups.get(stratum);
    if (group === undefined) groups.set(stratum, [row]); else group.push(row);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => Int32Array.from(group));
}

/** Whole numbers that add up to round(share of all) and are each nearest to their share (Hamilton's method). */
function apportion(groups: readonly Int32Array[], share: number): number[] {
  const exact = groups.map((group) => group.length * share);
  const sizes = exact.map(Math.floor);
  const total = Math.round(exact.reduce((sum, size) => sum + size, 0));
  const byRemainder = exact.map((size, index) => ({ index, remainder: size - Math.floor(size) })).sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  let left = total - sizes.reduce((sum, size) => sum + size, 0);
  for (const { index } of byRemainder) {
    if (left-- <= 0) break;
    sizes[index] = (sizes[index] ?? 0) + 1;
  }
  return sizes;
}
