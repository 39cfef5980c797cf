/** What a column of numbers or times is like, from its values block by block. */
import type { Random } from '../random.ts';
import { RowHasher, hashWords } from '../rowhash/hash.ts';
import { binsOf } from './bins.ts';
import type { Bins } from './bins.ts';
import { DistinctSketch } from './distinct.ts';
import { histogramOf } from './histogram.ts';
import type { Histogram } from './histogram.ts';
import { QuantileSketch, sortedOrder } from './order.ts';
import type { Order } from './order.ts';

/** Of the finite values; microseconds since 1970 for times. */
export interface NumberStatistics {
  readonly least: number;
  readonly greatest: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly deviation: number;
  readonly q05: number;
  readonly q25: number;
  readonly median: number;
  readonly q75: number;
  readonly q95: number;
  /** Whether all are whole numbers. */
  readonly whole: boolean;
  readonly histogram: Histogram;
}

export interface NumberProfile {
  readonly kind: 'Number' | 'Time';
  readonly rows: number;
  readonly missing: number;
  readonly infinite: number;
  readonly distinct: number;
  /** Whether quantiles, histogram and `distinct` are exact. */
  readonly exact: boolean;
  /** Left out where no value is finite. */
  readonly statistics?: NumberStatistics;
}

/** Up to so many values are held and sorted (128 MiB); of more there are sketches. */
export const mostHeld = 16 * 1024 * 1024;

/** Count, mean and sum of squared deviations of blocks, put together as in Chan, Golub and LeVeque (1983), which loses no digits to large means. */
class Moments {
  count = 0;
  mean = 0;
  squares = 0;

  add(values: Float64Array): void {
    if (values.length === 0) return;
    let sum = 0;
    for (const value of values) sum += value;
    const mean = sum / values.length;
    let squares = 0;
    for (const value of values) squares += (value - mean) ** 2;
    const count = this.count + values.length;
    const difference = mean - this.mean;
    this.mean += difference * values.length / count;
    this.squares += squares + difference ** 2 * this.count * values.length / count;
    this.count = count;
  }
}

export class NumberSummary {
  #missing = 0;
  #infinite = 0;
  #rows = 0;
  #least = Infinity;
  #greatest = -Infinity;
  #whole = true;
  readonly #moments = new Moments();
  readonly #kind: 'Number' | 'Time';
  readonly #held: Float64Array | undefined;
  readonly #sketch: QuantileSketch;
  readonly #distinct = new DistinctSketch();
  readonly #hasher = new RowHasher();

  /** @param rows  of the whole column; decides whether it is held */
  constructor(kind: 'Number' | 'Time', rows: number, random: Random, most = mostHeld) {
    this.#kind = kind;
    this.#held = rows <= most ? new Float64Array(rows) : undefined;
    this.#sketch = new QuantileSketch(random);
  }

  add(values: Float64Array): void {
    const finite = this.#finite(values);
    if (this.#held !== undefined) {
      this.#held.set(finite, this.#moments.count);
    } else {
      for (const value of finite) this.#sketch.add(value);
      const hashes = this.#hasher.hash([{ kind: 'Number', name: '', values: finite }], finite.length);
      for (let at = 0; at < hashes.length; at += hashWords) this.#distinct.add(hashes, at);
    }
    this.#moments.add(finite);
  }

  #finite(values: Float64Array): Float64Array {
    const finite = new Float64Array(values.length);
    let count = 0;
    for (const value of values) {
      if (Number.isNaN(value)) {
        this.#missing++;
      } else if (value === Infinity || value === -Infinity) {
        this.#infinite++;
      } else {
        finite[count++] = value;
        if (value < this.#least) this.#least = value;
        if (value > this.#greatest) this.#greatest = value;
        if (this.#whole && !Number.isInteger(value)) this.#whole = false;
      }
    }
    this.#rows += values.length;
    return finite.subarray(0, count);
  }

  profile(): NumberProfile {
    const { count } = this.#moments;
    const sorted = this.#sorted();
    const order = this.#orderOf(sorted);
    return {
      kind: this.#kind, rows: this.#rows, missing: this.#missing, infinite: this.#infinite,
      distinct: sorted === undefined ? this.#distinct.estimate() : differentIn(sorted),
      exact: order.exact,
      ...(count === 0 ? {} : { statistics: this.#statistics(order) }),
    };
  }

  /** Bins of the finite values; as `binsOf`. */
  bins(most: number, fewest: number): Bins {
    return binsOf(this.#orderOf(this.#sorted()), most, fewest);
  }

  #sorted(): Float64Array | undefined {
    return this.#held?.subarray(0, this.#moments.count).sort();
  }

  #orderOf(sorted: Float64Array | undefined): Order {
    return sorted === undefined ? this.#sketch.order() : sortedOrder(sorted);
  }

  #statistics(order: Order): NumberStatistics {
    const [least, greatest, whole] = [this.#least, this.#greatest, this.#whole];
    const { mean, squares, count } = this.#moments;
    return {
      least, greatest, mean, deviation: Math.sqrt(squares / count),
      q05: order.quantile(0.05), q25: order.quantile(0.25), median: order.quantile(0.5), q75: order.quantile(0.75), q95: order.quantile(0.95),
      whole,
      histogram: histogramOf(order, { least, greatest, kind: this.#kind, whole }),
    };
  }
}

function differentIn(sorted: Float64Array): number {
  let different = 0;
  for (let at = 0; at < sorted.length; at++) if (at === 0 || sorted[at] !== sorted[at - 1]) different++;
  return different;
}
