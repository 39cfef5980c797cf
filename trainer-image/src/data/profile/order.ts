/** Values in order, to ask for quantiles and ranks: all of them sorted, or a sketch where they are too many to hold. */
import type { Random } from '../random.ts';
import { quantile } from '../statistics.ts';

export interface Order {
  readonly count: number;
  /** Whether answers are exact, and not off by up to `sketchError` of the rows. */
  readonly exact: boolean;
  /** Linear interpolation between order statistics where exact, else a value near that rank. NaN where there is none. */
  quantile(share: number): number;
  /** How many values are less than x. */
  below(x: number): number;
}

/** @param sorted  ascending */
export function sortedOrder(sorted: Float64Array): Order {
  return { count: sorted.length, exact: true, quantile: (share) => quantile(sorted, share), below: (x) => lowerBound(sorted, x) };
}

/** Place of the first value that is not less than x. */
function lowerBound(sorted: Float64Array, x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? NaN) < x) low = middle + 1; else high = middle;
  }
  return low;
}

/** Values that the top level of a sketch holds. */
const width = 4096;
/** Error of a rank that is exceeded with a chance below 1 %, as a share of all values; measured in the tests. */
export const sketchError = 0.002;
const shrink = 2 / 3;

/**
 * Quantiles of a stream in bounded memory: Karnin, Lang and Liberty (2016), "Optimal quantile approximation in streams". Level h holds
 * values that stand for 2^h; a full level is sorted, and every other value goes up one level, from the first or the second on by lot.
 */
export class QuantileSketch {
  count = 0;
  readonly #random: Random;
  readonly #levels: number[][] = [[]];

  constructor(random: Random) {
    this.#random = random;
  }

  add(value: number): void {
    this.count++;
    this.#levels[0]?.push(value);
    for (let level = 0; (this.#levels[level]?.length ?? 0) >= this.#capacity(level); level++) this.#compact(level);
  }

  #capacity(level: number): number {
    return Math.max(8, Math.ceil(width * shrink ** (this.#levels.length - 1 - level)));
  }

  #compact(level: number): void {
    const values = (this.#levels[level] ?? []).sort((a, b) => a - b);
    // An odd one stays, so that what all values stand for is always their number.
    const stays = values.length % 2 === 1 ? values.splice(this.#random.below(2) * (values.length - 1), 1) : [];
    const offset = this.#random.below(2);
    const up = values.filter((_, place) => place % 2 === offset);
    this.#levels[level] = stays;
    const above = this.#levels[level + 1];
    if (above === undefined) this.#levels.push(up); else above.push(...up);
  }

  order(): Order {
    const held = this.#levels.flatMap((values, level) => values.map((value) => ({ value, weight: 2 ** level }))).sort((a, b) => a.value - b.value);
    const values = Float64Array.from(held, ({ value }) => value);
    let sum = 0;
    const upTo = Float64Array.from(held, ({ weight }) => (sum += weight));
    return {
      count: this.count,
      exact: false,
      quantile: (share) => values[Math.min(values.length - 1, lowerBound(upTo, Math.max(1, share * this.count)))] ?? NaN,
      below: (x) => upTo[lowerBound(values, x) - 1] ?? 0,
    };
  }
}
