/** Powers that make a distribution more normal, and the power that does so best, by maximum likelihood. */
import { minimise } from '../maths/minimise.ts';
import { moments } from '../statistics.ts';

/** A family of monotone functions of the logarithm of a value, one for each power. */
export interface Powers {
  /** The logarithm that the powers are taken of; also what one power more adds to the logarithm of the slope. */
  readonly logarithm: (value: number) => number;
  readonly of: (logarithm: number, power: number) => number;
}

/** (e^(power * logarithm) - 1) / power, and its limit at 0. */
const boxed = (logarithm: number, power: number): number => (Math.abs(power) < Number.EPSILON ? logarithm : Math.expm1(power * logarithm) / power);

/** Box and Cox (1964): (x^power - 1) / power, for x > 0. */
export const boxCox: Powers = { logarithm: Math.log, of: boxed };

/** Yeo and Johnson (2000): Box and Cox of x + 1, and of negative values the mirror image with power 2 - power. */
export const yeoJohnson: Powers = {
  logarithm: (value) => (value >= 0 ? Math.log1p(value) : -Math.log1p(-value)),
  of: (logarithm, power) => (logarithm >= 0 ? boxed(logarithm, power) : -boxed(-logarithm, 2 - power)),
};

/**
 * The power of the highest likelihood that the changed values are normal:
 * -n/2 log(variance of the changed values) + (power - 1) * sum of logarithms.
 */
export function bestPower(logarithms: Float64Array, of: Powers['of']): number {
  const { length } = logarithms;
  let slopes = 0;
  for (let row = 0; row < length; row++) slopes += logarithms[row] ?? NaN;
  const changed = new Float64Array(length);
  return minimise((power) => {
    for (let row = 0; row < length; row++) changed[row] = of(logarithms[row] ?? NaN, power);
    const { deviation } = moments(changed);
    const cost = length * Math.log(deviation) - (power - 1) * slopes;
    return Number.isNaN(cost) || deviation === 0 ? Infinity : cost;
  }, -2, 2);
}
