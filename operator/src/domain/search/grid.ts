/** Every combination of the parameters' values, in order, without a list of them. */
import { levelsOf, type Levels, type Parameter, type ParameterValues } from './parameters.ts';

/** How many combinations there are; the product may exceed every number that a double holds. */
export function gridSize(parameters: readonly Parameter[]): bigint {
  return parameters.reduce((size, parameter) => size * levelsFor(parameter).count, 1n);
}

/**
 * The combination at a place in the order of nested loops: the parameter declared last varies fastest. The place is a
 * number in the mixed radix whose digits are the levels of the parameters.
 *
 * @param place  from 0; undefined is returned from `gridSize` on
 */
export function gridPoint(parameters: readonly Parameter[], place: number): ParameterValues | undefined {
  let rest = BigInt(place);
  const values: [string, unknown][] = [];
  for (const parameter of parameters.toReversed()) {
    const { count, valueAt } = levelsFor(parameter);
    values.unshift([parameter.name, valueAt(rest % count)]);
    rest /= count;
  }
  return rest === 0n ? Object.fromEntries(values) : undefined;
}

function levelsFor(parameter: Parameter): Levels {
  const levels = levelsOf(parameter);
  if (levels === undefined) throw new RangeError(`Grid needs a step for the Float parameter ${parameter.name}.`);
  return levels;
}
