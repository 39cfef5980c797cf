/** Predictions for tests of the evaluation: random, and of the kinds that break careless code. */
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Random } from '../../../trainer-image/src/data/random.ts';
import type { ClassPredictions, ValuePredictions } from '../../../trainer-image/src/evaluate/predictions.ts';

export const uniform = (source: Random): number => source.uint32() / 2 ** 32;

/** Box and Muller (1958). */
export const normal = (source: Random): number => Math.sqrt(-2 * Math.log(1 - uniform(source))) * Math.cos(2 * Math.PI * uniform(source));

export interface ClassOptions {
  readonly rows: number;
  readonly classes?: number;
  readonly seed?: number;
  /** Probabilities are multiples of one part in so many, which makes ties, zeros and ones. */
  readonly steps?: number;
  /** How much the scores know of the truth. */
  readonly skill?: number;
  /** Classes that are never true. */
  readonly absent?: readonly number[];
  readonly weights?: boolean;
}

/** Softmax of normal scores, shifted towards the true class. */
export function classPredictions({ rows, classes = 2, seed = 1, steps, skill = 1, absent = [], weights = false }: ClassOptions): ClassPredictions {
  const source = random(seed, 'predictions', rows, classes);
  const present = Array.from({ length: classes }, (_, place) => place).filter((place) => !absent.includes(place));
  const truth = Int32Array.from({ length: rows }, () => present[Math.floor(uniform(source) ** 1.5 * present.length)] ?? 0);
  const probabilities = new Float32Array(rows * classes);
  truth.forEach((place, row) => {
    const odds = Array.from({ length: classes }, (_, other) => Math.exp(1.2 * normal(source) + (other === place ? skill : 0)));
    const all = odds.reduce((sum, value) => sum + value, 0);
    probabilities.set(steps === undefined ? odds.map((value) => value / all) : stepped(odds.map((value) => value / all), steps), row * classes);
  });
  return {
    task: 'Classification', truth, probabilities,
    classes: Array.from({ length: classes }, (_, place) => `class ${place}`),
    ...(weights ? { weights: randomWeights(rows, source) } : {}),
  };
}

/** Rounded down to multiples of 1 / steps; the rest goes to the largest. */
function stepped(shares: readonly number[], steps: number): number[] {
  const whole = shares.map((share) => Math.floor(share * steps));
  const largest = whole.indexOf(Math.max(...whole));
  whole[largest] = (whole[largest] ?? 0) + steps - whole.reduce((sum, value) => sum + value, 0);
  return whole.map((value) => value / steps);
}

/** Some are 0. */
const randomWeights = (rows: number, source: Random): Float64Array => Float64Array.from({ length: rows }, () => (source.below(5) === 0 ? 0 : 3 * uniform(source)));

export interface ValueOptions {
  readonly rows: number;
  readonly seed?: number;
  readonly noise?: number;
  readonly weights?: boolean;
}

export function valuePredictions({ rows, seed = 1, noise = 1, weights = false }: ValueOptions): ValuePredictions {
  const source = random(seed, 'values', rows);
  const truth = Float64Array.from({ length: rows }, () => 50 + 10 * normal(source));
  return {
    task: 'Regression', truth,
    predicted: truth.map((value) => value + noise * (normal(source) + 0.3)),
    ...(weights ? { weights: randomWeights(rows, source) } : {}),
  };
}

/** What Python is told: plain lists, rows of weight 0 left out, as they count as absent. */
export function classesForPython({ classes, probabilities, truth, weights }: ClassPredictions): object {
  const rows = Array.from(truth, (_, row) => row).filter((row) => weights?.[row] !== 0);
  return {
    classes: classes.length,
    truth: rows.map((row) => truth[row]),
    probabilities: rows.map((row) => Array.from(probabilities.subarray(row * classes.length, (row + 1) * classes.length))),
    weights: weights === undefined ? null : rows.map((row) => weights[row]),
  };
}

export const valuesForPython = ({ predicted, truth, weights }: ValuePredictions): object => ({ predicted: [...predicted], truth: [...truth], weights: weights === undefined ? null : [...weights] });
