/** Powers that make a distribution more normal, and the power that does so best, by maximum likelihood. */
import { minimise } from '../maths/minimise.ts';
import { moments } from '../statistics.ts';

/** A family of monotone functions, one for each power. */
export interface Powers {
  readonly of: (value: number, power: number) => number;
  /** What a power adds to the logarithm of the slope at `value`: (power - 1) times this. */
  readonly logSlope: (value: number) => number;
}

/** (e^(power * logarithm) - 1) / power, and its limit at 0. */
const boxed = (logarithm: number, power: number): number => (Math.abs(power) < Number.EPSILON ? logarithm : Math.expm1(power * logarithm) / power);

/** Box and Cox (1964): (x^power - 1) / power, for x > 0. */
export const boxCox: Powers = {
  of: (value, power) => boxed(Math.log(value), power),
  logSlope: Math.log,
};

/** Yeo and Johnson (2000): Box and Cox of x + 1, and of negative values the mirror image with power 2 - power. */
export const yeoJohnson: Powers = {
  of: (value, power) => (value >= 0 ? boxed(Math.log1p(value), power) : -boxed(Math.log1p(-value), 2 - power)),
  logSlope: (value) => Math.sign(value) * Math.log1p(Math.abs(value)),
};

/**
 * The power of the highest likelihood that the changed values are normal:
 * -n/2 log(variance of the changed values) + (power - 1) * sum of log slopes.
 */
export function bestPower(values: Float64Array, { of, logSlope }: Powers): number {
  const { length } = values;
  let slopes = 0;
  for (let row = 0; row < length; row++) slopes += logSlope(values[row] ?? NaN);
  const changed = new Float64Array(length);
  return minimise((power) => {
    for (let row = 0; row < length; row++) changed[row] = of(values[row] ?? NaN, power);
    const { deviation } = moments(changed);
    const cost = length * Math.log(deviation) - (power - 1) * slopes;
    return Number.isNaN(cost) || deviation === 0 ? Infinity : cost;
  }, -2, 2);
}
