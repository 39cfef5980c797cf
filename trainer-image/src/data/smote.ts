/**
 * Rows made up between a row of a rare class and one of its nearest neighbours of that class: SMOTE (Chawla, Bowyer, Hall and Kegelmeyer,
 * 2002). A feature that has no values in between, a flag or a code, is taken from the nearer of the two, and with it all such features,
 * so that what belongs together (the columns of one category) stays together.
 */
import { AnnealError } from '../errors.ts';
import { neighboursAmong } from './maths/neighbours.ts';
import type { NeighbourSearch } from './maths/neighbours.ts';
import type { Matrix } from './matrix.ts';
import type { Part } from './part.ts';
import { random, shuffle } from './random.ts';
import type { Random } from './random.ts';

export interface SmoteSpec {
  /** Among how many neighbours one is drawn. */
  readonly neighbours: number;
  readonly seed: number;
}

/** Neighbours are looked for among so many rows of a class at most, drawn by chance: more would cost hours, and tell little more of where it lies. */
const mostSeeds = 20_000;

/** @param members, wanted  by class: its rows, and how many it is to have. @param classes  their names */
export function synthesised(part: Part & { readonly targets: Int32Array }, members: readonly Int32Array[], wanted: readonly number[], spec: SmoteSpec, nominal: readonly number[], classes: readonly string[]): Part {
  const { width } = part.features;
  const isNominal = nominalFeatures(part.features, nominal);
  const extra: Float32Array[] = [];
  const targets: number[] = [];
  members.forEach((rows, stratum) => {
    const count = (wanted[stratum] ?? 0) - rows.length;
    if (count <= 0) return;
    if (rows.length < 2) throw new AnnealError('DATA_TOO_FEW_ROWS', { at: 'spec.trainer.data.balance', message: `The class "${classes[stratum] ?? stratum}" has one training row, and SMOTE makes up rows between two. Give more rows of it, or write method: Oversample.` });
    const points = part.features.gather(seedsOf(rows, spec.seed, stratum));
    const search = neighboursAmong(points, width, 'Euclidean');
    extra.push(between(points, width, search, count, Math.min(spec.neighbours, points.length / width - 1), isNominal, random(spec.seed, 'smote', stratum)));
    for (let made = 0; made < count; made++) targets.push(stratum);
  });
  const all = new Int32Array(part.rows + targets.length);
  all.set(part.targets);
  all.set(targets, part.rows);
  return { rows: all.length, features: appended(part.features, extra), targets: all };
}

function seedsOf(rows: Int32Array, seed: number, stratum: number): Int32Array {
  if (rows.length <= mostSeeds) return rows;
  const order = rows.slice();
  shuffle(order, random(seed, 'smote seeds', stratum));
  return order.subarray(0, mostSeeds);
}

function between(points: Float32Array, width: number, search: NeighbourSearch, count: number, neighbours: number, isNominal: Uint8Array, source: Random): Float32Array {
  const made = new Float32Array(count * width);
  const known = new Map<number, Int32Array>();
  for (let row = 0; row < count; row++) {
    const seed = source.below(points.length / width);
    let near = known.get(seed);
    if (near === undefined) known.set(seed, (near = search.nearest(seed, neighbours).rows));
    const other = near[source.below(near.length)] ?? seed;
    const share = source.uint32() / 2 ** 32;
    for (let k = 0, from = seed * width, to = other * width, at = row * width; k < width; k++, from++, to++, at++) {
      const [here = 0, there = 0] = [points[from], points[to]];
      made[at] = isNominal[k] === 1 ? (share < 0.5 ? here : there) : here + share * (there - here);
    }
  }
  return made;
}

/** Rows that are looked at together. */
const blockRows = 4096;

/** 1 for a feature that is a code, or has but two values. */
function nominalFeatures(features: Matrix, codes: readonly number[]): Uint8Array {
  const { width, rows } = features;
  const [first, second, more] = [new Float32Array(width).fill(NaN), new Float32Array(width).fill(NaN), new Uint8Array(width)];
  for (let from = 0; from < rows; from += blockRows) {
    const values = features.range(from, Math.min(from + blockRows, rows));
    for (let at = 0, k = 0; at < values.length; at++, k = k + 1 === width ? 0 : k + 1) {
      const value = values[at] ?? NaN;
      if (value === first[k] || value === second[k]) continue;
      if (Number.isNaN(first[k])) first[k] = value;
      else if (Number.isNaN(second[k])) second[k] = value;
      else more[k] = 1;
    }
  }
  const nominal = more.map((several) => 1 - several);
  for (const code of codes) nominal[code] = 1;
  return nominal;
}

/** A matrix with further rows after its own. */
function appended(of: Matrix, extra: readonly Float32Array[]): Matrix {
  const { width } = of;
  const more = new Float32Array(extra.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const rows of extra) {
    more.set(rows, filled);
    filled += rows.length;
  }
  const gather = (rows: Int32Array): Float32Array => {
    const own = of.gather(rows.filter((row) => row < of.rows));
    const done = new Float32Array(rows.length * width);
    let next = 0;
    rows.forEach((row, at) => {
      const start = row < of.rows ? next++ * width : (row - of.rows) * width;
      done.set((row < of.rows ? own : more).subarray(start, start + width), at * width);
    });
    return done;
  };
  return {
    rows: of.rows + more.length / width,
    width,
    gather,
    range: (from, to) => (to <= of.rows ? of.range(from, to) : gather(Int32Array.from({ length: to - from }, (_, at) => from + at))),
  };
}
