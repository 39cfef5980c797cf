/**
 * Replaces number columns by their principal components: the directions of largest variance, uncorrelated with each other. As
 * scikit-learn's PCA, with its choice of sign: the largest element of each direction is positive.
 */
import { AnnealError } from '../../errors.ts';
import { covarianceOf } from '../covariance.ts';
import { eigen } from '../maths/eigen.ts';
import type { Eigen } from '../maths/eigen.ts';
import type { NumberColumn, Table } from '../table.ts';
import { chosen, columnsOf, isNumber, isQuantity, requireComplete, requireNumber, requireSquares } from './columns.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface PcaSpec {
  readonly columns?: readonly string[];
  /** How many, or below 1 the share of the variance that they must exceed together. */
  readonly components: number;
  /** Whether each gets variance 1. */
  readonly whiten: boolean;
  /** What the new columns are called: NAME_0, NAME_1 and so on. "pca" when unset. */
  readonly name?: string;
}

export interface FittedPca {
  readonly kind: 'Pca';
  readonly name: string;
  readonly columns: readonly string[];
  readonly means: readonly number[];
  /** One list for each component: the weight of each column. */
  readonly components: readonly (readonly number[])[];
  /** What each component is divided by; left out where it is not whitened. */
  readonly divisors?: readonly number[];
}

/** The covariances of more would take gigabytes, and their eigenvectors hours. */
const mostColumns = 4096;

export const pca: StepKind<PcaSpec, FittedPca> = {
  fit,
  apply: (step) => {
    const replaced = new Set(step.columns);
    const components = step.components.map((weights) => Float64Array.from(weights));
    return (table) => {
      const columns = columnsOf(table, step.columns)?.filter(isNumber);
      if (columns === undefined) return table;
      for (const column of columns) requireComplete(table, column, 'pca', 'pca');
      const projected = components.map((weights, index): NumberColumn => ({ kind: 'Number', name: `${step.name}_${index}`, values: projection(table, columns, step.means, weights, step.divisors?.[index]) }));
      return { ...table, columns: [...table.columns.filter(({ name }) => !replaced.has(name)), ...projected] };
    };
  },
  reads: ({ columns }) => columns,
  joint: true,
};

async function fit(spec: PcaSpec, { frame, at }: Training): Promise<Fit<FittedPca>> {
  const columns = chosen(frame, spec.columns, isQuantity, at).map(({ name }) => name);
  const most = Math.min(columns.length, frame.rows);
  if (columns.length > mostColumns) throw new AnnealError('SPEC_CONFLICT', { at, message: `pca of ${columns.length} columns would take too long, at most ${mostColumns} can be. Name fewer, or take out some by a step - select before.` });
  if (spec.components >= 1 && !Number.isInteger(spec.components)) throw new AnnealError('SPEC_CONFLICT', { at: `${at}.components`, message: `${spec.components} is no number of components. Write a whole number, or a share of the variance below 1.` });
  if (spec.components > most) throw new AnnealError('SPEC_CONFLICT', { at: `${at}.components`, message: `${columns.length} columns of ${frame.rows} training rows have at most ${most} principal components, not ${spec.components}. Write fewer.` });
  const { means, matrix } = await covarianceOf(columns.length, frame.rows, async (place) => {
    const column = requireNumber(await frame.column(columns[place] ?? ''), 'pca', at);
    requireComplete(frame, column, 'pca', at);
    requireSquares(frame, column, 'pca', at);
    return column.values;
  });
  const found = eigen(matrix, columns.length);
  const count = spec.components < 1 ? enoughFor(spec.components, found.values) : spec.components;
  // Divided by n - 1, which is what scikit-learn whitens by.
  const unbiased = frame.rows / (frame.rows - 1);
  const divisors = Array.from(found.values.subarray(0, count), (variance) => Math.sqrt(variance > 0 ? variance * unbiased : 1));
  const step: FittedPca = { kind: 'Pca', name: spec.name ?? 'pca', columns, means: [...means], components: directions(found, columns.length, count), ...(spec.whiten ? { divisors } : {}) };
  return { step };
}

/** The fewest components whose variances together are more than `share` of all. */
function enoughFor(share: number, variances: Float64Array): number {
  const total = variances.reduce((sum, variance) => sum + Math.max(0, variance), 0);
  let reached = 0;
  for (let count = 0; count < variances.length; count++) {
    reached += Math.max(0, variances[count] ?? 0) / total;
    if (reached > share) return count + 1;
  }
  return variances.length;
}

function directions({ vectors }: Eigen, size: number, count: number): number[][] {
  return Array.from({ length: count }, (_, k) => {
    const vector = vectors.subarray(k * size, (k + 1) * size);
    let largest = 0;
    for (const weight of vector) if (Math.abs(weight) > Math.abs(largest)) largest = weight;
    return Array.from(vector, (weight) => (largest < 0 ? -weight : weight));
  });
}

/** Column by column, so that a row's sum has the same order of terms in a table of any size. */
function projection({ rows }: Table, columns: readonly NumberColumn[], means: readonly number[], weights: Float64Array, divisor: number | undefined): Float64Array {
  const sums = new Float64Array(rows);
  columns.forEach(({ values }, place) => {
    const [mean = 0, weight = 0] = [means[place], weights[place]];
    for (let row = 0; row < rows; row++) sums[row] = (sums[row] ?? 0) + ((values[row] ?? NaN) - mean) * weight;
  });
  if (divisor !== undefined) for (let row = 0; row < rows; row++) sums[row] = (sums[row] ?? 0) / divisor;
  return sums;
}
