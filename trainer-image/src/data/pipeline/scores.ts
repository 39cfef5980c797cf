/** How much a column says about the target, by several measures. Columns have no missing values. */
import { covarianceOf } from '../covariance.ts';
import { lasso, logisticLasso } from '../maths/lasso.ts';
import { continuous, mutualInformation } from '../mutual-information.ts';
import type { Variable } from '../mutual-information.ts';
import { random } from '../random.ts';
import { moments } from '../statistics.ts';
import type { Target } from './step.ts';

/** F statistic: of an analysis of variance between the classes, or of a linear regression on the column alone. As scikit-learn's f_classif and f_regression. */
export function fStatistic(values: Float64Array, target: Target): number {
  const { mean, deviation, count } = moments(values);
  if (target.task === 'Regression') {
    const other = moments(target.values);
    let product = 0;
    for (let row = 0; row < count; row++) product += ((values[row] ?? 0) - mean) * ((target.values[row] ?? 0) - other.mean);
    const correlation = product / (count * deviation * other.deviation);
    return orNone((correlation ** 2 / (1 - correlation ** 2)) * (count - 2));
  }
  const classes = target.classes.length;
  const [sums, counts] = [new Float64Array(classes), new Float64Array(classes)];
  for (let row = 0; row < count; row++) {
    const code = target.codes[row] ?? 0;
    sums[code] = (sums[code] ?? 0) + (values[row] ?? 0) - mean;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  let between = 0;
  let seen = 0;
  counts.forEach((rows, code) => {
    if (rows === 0) return;
    between += (sums[code] ?? 0) ** 2 / rows;
    seen++;
  });
  const within = deviation ** 2 * count - between;
  return orNone(between / (seen - 1) / (within / (count - seen)));
}

/** A constant column says nothing. One that tells all would be infinite, which JSON has no number for. */
const orNone = (score: number): number => (Number.isNaN(score) ? 0 : Math.min(score, Number.MAX_VALUE));

/** At most this many different whole numbers are taken for classes, as with a target. */
const mostDiscrete = 50;

/** @param name  names the stream of the noise that tells equal values apart */
export function variableOf(values: Float64Array, name: string): Variable {
  const codes = new Map<number, number>();
  for (const value of values) {
    if (!Number.isInteger(value) || (!codes.has(value) && codes.set(value, codes.size).size > mostDiscrete)) return continuous(values, random(0, 'mutual information', name));
  }
  return { kind: 'Discrete', codes: Int32Array.from(values, (value) => codes.get(value) ?? 0) };
}

export function targetVariable(target: Target): Variable {
  return target.task === 'Classification' ? { kind: 'Discrete', codes: target.codes } : continuous(target.values, random(0, 'mutual information of the target'));
}

export const informationOf = (values: Float64Array, name: string, target: Variable): number => mutualInformation(variableOf(values, name), target);

/** Columns with mean 0 and deviation 1; a constant one is 0. */
export function standardised(values: Float64Array): Float64Array {
  const { mean, deviation } = moments(values);
  const done = new Float64Array(values.length);
  if (deviation <= 10 * Number.EPSILON * Math.abs(mean)) return done;
  for (let row = 0; row < done.length; row++) done[row] = ((values[row] ?? 0) - mean) / deviation;
  return done;
}

/** Absolute weight of each column in a linear model with an L1 penalty, of several classes added up. @param columns  standardised */
export async function lassoWeights(columns: readonly Float64Array[], target: Target, penalty: number): Promise<number[]> {
  const size = columns.length;
  const rows = columns[0]?.length ?? 0;
  const column = (place: number): Promise<Float64Array> => Promise.resolve(columns[place] ?? new Float64Array(rows));
  if (target.task === 'Regression') {
    const wanted = standardised(target.values);
    const { matrix } = await covarianceOf(size + 1, rows, (place) => (place === size ? Promise.resolve(wanted) : column(place)));
    const correlations = new Float64Array(size * size);
    for (let k = 0; k < size; k++) correlations.set(matrix.subarray(k * (size + 1), k * (size + 1) + size), k * size);
    return Array.from(lasso(correlations, matrix.slice(size * (size + 1), size * (size + 1) + size), penalty), Math.abs);
  }
  const { matrix } = await covarianceOf(size, rows, column);
  const weights = logisticLasso(columns, target.codes, target.classes.length, penalty, largestEigenvalue(matrix, size));
  return columns.map((_, place) => weights.reduce((sum, own) => sum + Math.abs(own[place] ?? 0), 0));
}

/** A bound from above: the largest row sum of absolute values (Gershgorin), or the root of the sum of squares (Frobenius). */
function largestEigenvalue(matrix: Float64Array, size: number): number {
  let largest = 0;
  let squares = 0;
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let column = 0; column < size; column++) {
      const value = Math.abs(matrix[row * size + column] ?? 0);
      sum += value;
      squares += value * value;
    }
    largest = Math.max(largest, sum);
  }
  return Math.min(largest, Math.sqrt(squares));
}
