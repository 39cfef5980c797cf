/** The hyperparameters of a sweep, and those with countable values as levels 0, 1, 2, … */
import type { HyperparamSweepSpec } from '../../api/index.ts';

export type Parameter = HyperparamSweepSpec['parameters'][number];

/** What decides the values of every trial. The schema keeps it as it is for the life of a sweep. */
export type Search = Pick<HyperparamSweepSpec, 'parameters' | 'algorithm'>;

/** Values by parameter name, in the order in which the sweep declares them. */
export type ParameterValues = Readonly<Record<string, unknown>>;

/** Values that can be counted: `valueAt(0)` to `valueAt(count - 1n)`. */
export interface Levels {
  readonly count: bigint;
  readonly valueAt: (level: bigint) => unknown;
}

/** The bounds of a Float or Int, which the schema requires. */
export function boundsOf({ min = 0, max = min }: Parameter): { readonly min: number; readonly max: number } {
  return { min, max };
}

/** The levels of a parameter; undefined for a Float without a step, whose values cannot be counted. */
export function levelsOf(parameter: Parameter): Levels | undefined {
  if (parameter.type === 'Categorical') {
    const values = parameter.values ?? [];
    return { count: BigInt(values.length), valueAt: (level) => values[Number(level)] };
  }
  const step = parameter.step ?? (parameter.type === 'Int' ? 1 : undefined);
  return step === undefined ? undefined : stepped(boundsOf(parameter), step);
}

/** Takes a quotient as whole when rounding errors alone may keep it from being so: 0.3 / 0.1 is 2.9999999999999996. */
const wholeWithin = 1e-9;

function stepped({ min, max }: { readonly min: number; readonly max: number }, step: number): Levels {
  const quotient = (max - min) / step;
  const nearest = Math.round(quotient);
  const last = Math.abs(quotient - nearest) <= wholeWithin * Math.max(1, nearest) ? nearest : Math.floor(quotient);
  const digits = Math.max(fractionDigits(min), fractionDigits(step));
  return {
    count: BigInt(last) + 1n,
    valueAt: (level) => Math.min(max, roundTo(min + Number(level) * step, digits)),
  };
}

/** Rounds away what binary fractions add to sums of decimal ones, so that a person reads 0.3 and not 0.30000000000000004. */
function roundTo(value: number, digits: number): number {
  return digits > 100 ? value : Number(value.toFixed(digits)) + 0;
}

/** Digits behind the decimal point in the shortest way to write the number: 3 for 0.025, 7 for 1e-7. */
function fractionDigits(value: number): number {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  return Math.max(0, mantissa.replace(/^-?\d\.?/, '').length - Number(exponent));
}
