/** How much a metric loses when the model no longer sees a feature (Breiman 2001, "Random forests", section 10, for any model). */
import { random, shuffle } from '../data/random.ts';
import { measureOf } from './measure.ts';
import { subset, weightsOf } from './predictions.ts';
import type { Predictions } from './predictions.ts';
import { isLargerBetter } from './registry.ts';

/** Columns that say one thing, such as the one-hot columns of one source column: permuted together, so that no row is torn apart. */
export interface FeatureGroup {
  readonly name: string;
  readonly columns: readonly number[];
}

export interface ImportanceRequest {
  /** Row-major, [rows, columns]: what the model gets. Not changed. */
  readonly features: Float32Array;
  readonly groups: readonly FeatureGroup[];
  /** The model: probabilities [rows, classes], or values in the target's own unit. Called once, and once for each group and repeat. */
  readonly predict: (features: Float32Array, rows: number) => Float32Array | Float64Array;
  readonly metric: string;
  readonly repeats: number;
  readonly seed: number;
  /** Of more rows than this a random part is looked at. */
  readonly mostRows: number;
}

export interface Importance {
  readonly name: string;
  /** How much worse the metric gets, over the repeats, in its own unit; below 0 where it gets better. */
  readonly mean: number;
  /** Population standard deviation over the repeats. */
  readonly deviation: number;
}

/** @returns the groups by falling mean. @throws Error for features that do not fit the rows */
export function permutationImportance(predictions: Predictions, request: ImportanceRequest): Importance[] {
  const { groups, metric, repeats, seed } = request;
  const width = request.features.length / predictions.truth.length;
  if (!Number.isInteger(width)) throw new Error(`${request.features.length} features are no whole number for each of ${predictions.truth.length} rows.`);
  const rows = someRows(predictions.truth.length, request);
  const part = subset(predictions, rows);
  const features = new Float32Array(rows.length * width);
  rows.forEach((row, place) => features.set(request.features.subarray(row * width, (row + 1) * width), place * width));
  const score = (): number => {
    const outputs = request.predict(features, rows.length);
    const predicted = part.task === 'Classification' ? { ...part, probabilities: Float32Array.from(outputs) } : { ...part, predicted: Float64Array.from(outputs) };
    return measureOf(predicted)(weightsOf(part))(metric);
  };
  const before = score();
  const sign = isLargerBetter(metric) ? 1 : -1;
  const found = groups.map(({ name, columns }) => {
    const drops = Array.from({ length: repeats }, (_, repeat) => {
      const restore = permute(features, width, columns, permutation(rows.length, seed, name, repeat));
      const drop = sign * (before - score());
      restore();
      return drop;
    });
    return { name, ...spread(drops) };
  });
  return found.sort((a, b) => b.mean - a.mean || (a.name < b.name ? -1 : 1));
}

function someRows(rows: number, { mostRows, seed }: ImportanceRequest): Int32Array {
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  if (rows <= mostRows) return all;
  shuffle(all, random(seed, 'importance rows'));
  return all.slice(0, mostRows).sort();
}

function permutation(rows: number, seed: number, name: string, repeat: number): Int32Array {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  shuffle(order, random(seed, 'importance', name, repeat));
  return order;
}

/** Gives each row the columns of another. @returns what puts them back */
function permute(features: Float32Array, width: number, columns: readonly number[], order: Int32Array): () => void {
  const held = columns.map((column) => Float32Array.from(order, (_, row) => features[row * width + column] ?? 0));
  columns.forEach((column, at) => order.forEach((from, row) => (features[row * width + column] = held[at]?.[from] ?? 0)));
  return () => columns.forEach((column, at) => held[at]?.forEach((value, row) => (features[row * width + column] = value)));
}

function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}
