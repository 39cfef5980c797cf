/** The order of rows in an epoch, and the rows of one batch. */
import type { Part } from '../data/part.ts';
import { random, shuffle, upTo } from '../data/random.ts';

/** A function of seed and epoch alone: a resumed run meets the rows in the order of the first try. @param epoch  from 0 */
export function epochOrder(rows: number, seed: number, epoch: number): Int32Array {
  const order = upTo(rows);
  shuffle(order, random(seed, 'shuffle', epoch));
  return order;
}

/** Rows that are learnt from at once. */
export interface Batch {
  readonly rows: number;
  /** Row-major. */
  readonly features: Float32Array;
  readonly targets: Int32Array | Float32Array;
  /** How much each row counts; 1 where absent. */
  readonly weights?: Float32Array;
}

/** The rows order[from], …, order[to - 1]. */
export function gather(part: Part, order: Int32Array, from: number, to: number): Batch {
  const chosen = order.subarray(from, to);
  const pick = (row: number): number => part.targets[row] ?? NaN;
  const targets = part.targets instanceof Int32Array ? Int32Array.from(chosen, pick) : Float32Array.from(chosen, pick);
  const { weights } = part;
  return { rows: chosen.length, features: part.features.gather(chosen), targets, ...(weights === undefined ? {} : { weights: Float32Array.from(chosen, (row) => weights[row] ?? NaN) }) };
}

/** The same rows in the order of the part. */
export function consecutive(part: Part, from: number, to: number): Batch {
  return {
    rows: to - from,
    features: part.features.range(from, to),
    targets: part.targets.subarray(from, to),
    ...(part.weights === undefined ? {} : { weights: part.weights.subarray(from, to) }),
  };
}
