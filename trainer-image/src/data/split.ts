/** Which rows train, which validate, which test. */
import { AnnealError } from '../errors.ts';
import { random, shuffle, upTo } from './random.ts';
import { countCodes } from './statistics.ts';

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
 * @param strata  class of each row, counted from 0; each class is then shared out by itself, so that every part has the classes in proportion
 *                (whole numbers by largest remainder). undefined draws from all rows alike.
 * @throws AnnealError `DATA_TOO_FEW_ROWS` when a part that was asked for would be empty
 */
export function split(rows: number, shares: SplitShares, strata?: Int32Array): Split {
  const order = upTo(rows);
  shuffle(order, random(shares.seed, 'split'));
  const { groupOf, sizes } = strata === undefined ? { groupOf: new Int32Array(rows), sizes: [rows] } : groupsOf(strata);
  const [tests, validations] = [apportion(sizes, shares.test), apportion(sizes, shares.validation)];
  // A class with one row trains: a model cannot be tested on what it never could learn.
  const testUntil = Int32Array.from(sizes, (size, group) => Math.min(tests[group] ?? 0, size - 1));
  const validationUntil = Int32Array.from(sizes, (size, group) => (testUntil[group] ?? 0) + Math.min(validations[group] ?? 0, size - 1 - (testUntil[group] ?? 0)));

  const drawn = new Int32Array(sizes.length);
  const partOf = new Uint8Array(rows);
  const counts = new Int32Array(3);
  for (let drawing = 0; drawing < rows; drawing++) {
    const row = order[drawing] ?? 0;
    const group = groupOf[row] ?? 0;
    const place = drawn[group] ?? 0;
    drawn[group] = place + 1;
    const part = place < (testUntil[group] ?? 0) ? inTest : place < (validationUntil[group] ?? 0) ? inValidation : inTrain;
    partOf[row] = part;
    counts[part] = (counts[part] ?? 0) + 1;
  }
  for (const [part, share, has] of [['validation', shares.validation, counts[inValidation]], ['test', shares.test, counts[inTest]]] as const) {
    if (share > 0 && has === 0) {
      const why = sizes.length === 1 ? '' : `, since each of its ${sizes.length} classes keeps one to train on`;
      throw new AnnealError('DATA_TOO_FEW_ROWS', { at: `spec.trainer.data.split.${part}`, message: `The data has ${rows} rows, too few to hold back ${share} of them for ${part}${why}. Give more rows, a larger share, or 0.` });
    }
  }
  // In the order of the file, so that the parts do not depend on how they were drawn.
  const rowsOf = (part: number): Int32Array => placesOf(partOf, part, counts[part] ?? 0);
  return { train: rowsOf(inTrain), validation: rowsOf(inValidation), test: rowsOf(inTest) };
}

const [inTrain, inValidation, inTest] = [0, 1, 2];

function placesOf(parts: Uint8Array, part: number, count: number): Int32Array {
  const places = new Int32Array(count);
  for (let row = 0, at = 0; at < count; row++) if (parts[row] === part) places[at++] = row;
  return places;
}

/** The strata that occur, in their order, as groups that are counted from 0: the group of each row, and how many rows a group has. */
function groupsOf(strata: Int32Array): { groupOf: Int32Array; sizes: number[] } {
  const counts = countCodes(strata, strata.reduce((highest, stratum) => Math.max(highest, stratum), 0) + 1);
  const groups = new Int32Array(counts.length);
  const sizes: number[] = [];
  counts.forEach((count, stratum) => {
    if (count > 0) groups[stratum] = sizes.push(count) - 1;
  });
  const groupOf = new Int32Array(strata.length);
  for (let row = 0; row < groupOf.length; row++) groupOf[row] = groups[strata[row] ?? 0] ?? 0;
  return { groupOf, sizes };
}

/** Whole numbers that add up to round(share of all) and are each nearest to their share (Hamilton's method). */
function apportion(groups: readonly number[], share: number): number[] {
  const exact = groups.map((size) => size * share);
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
