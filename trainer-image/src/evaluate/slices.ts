/** Named groups of rows, by a column of the data: whether a model that is good on average is good for each. */
import { countAtMost, countBelow } from '../data/maths/search.ts';

export interface Slice {
  readonly column: string;
  /** What the rows have in common there. */
  readonly value: string;
  /** Places in the part. */
  readonly rows: Int32Array;
}

export interface SliceOptions {
  /** Smaller groups are put together as `(other)`: their metrics would say little, or too much about a few people. */
  readonly fewestRows: number;
  readonly mostSlices: number;
  /** How a number reads, where it stands for something else. Else a limit is rounded as far as it stays between the values next to it. */
  readonly show?: (value: number) => string;
}

const defaults: SliceOptions = { fewestRows: 10, mostSlices: 20 };
const missing = '(missing)';
const other = '(other)';
/** More different numbers than this are a quantity, and are cut at its quartiles. */
const mostNumbers = 10;

/**
 * By value; of a quantity by quarters.
 * @param values  of the part's rows; a missing one is null or NaN
 * @returns slices that share no row, by falling size, with `(missing)` and `(other)` last
 */
export function slicesOf(column: string, values: Float64Array | readonly (string | null)[], options: Partial<SliceOptions> = {}): Slice[] {
  const { fewestRows, mostSlices, show } = { ...defaults, ...options };
  const groups = new Map<string, number[]>();
  const nameOf = values instanceof Float64Array ? namesOfNumbers(values, show) : undefined;
  values.forEach((value: number | string | null, row: number) => {
    const name = value === null || Number.isNaN(value) ? missing : typeof value === 'number' ? nameOf?.(value) ?? '' : value;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]); else group.push(row);
  });
  const known = [...groups].filter(([name]) => name !== missing).sort(([a, rows], [b, others]) => others.length - rows.length || (a < b ? -1 : 1));
  const large = known.filter(([, rows], place) => rows.length >= fewestRows && place < mostSlices);
  const rest = known.slice(large.length).flatMap(([, rows]) => rows).sort((a, b) => a - b);
  const absent = groups.get(missing) ?? [];
  return [...large, ...named(missing, absent), ...named(other, rest)].map(([value, rows]) => ({ column, value, rows: Int32Array.from(rows) }));
}

const named = (name: string, rows: readonly number[]): (readonly [string, readonly number[]])[] => (rows.length > 0 ? [[name, rows]] : []);

function namesOfNumbers(values: Float64Array, show?: (value: number) => string): (value: number) => string {
  const present = values.filter((value) => !Number.isNaN(value)).sort();
  const different = new Set(present);
  if (different.size <= mostNumbers) return show ?? String;
  // Values, not means of two, so that a limit reads like the data.
  const limits = [0.25, 0.5, 0.75].map((share) => present[Math.ceil(share * present.length) - 1] ?? NaN);
  const [first = '', second = '', third = ''] = limits.map(show ?? ((limit) => rounded(limit, present)));
  const names = [`up to ${first}`, `over ${first} to ${second}`, `over ${second} to ${third}`, `over ${third}`];
  return (value) => names[limits.filter((limit) => value > limit).length] ?? '';
}

/** To six digits, or so many more that no other value is as near. @param sorted  has the limit */
function rounded(limit: number, sorted: Float64Array): string {
  const [below = -Infinity, above = Infinity] = [sorted[countBelow(sorted, limit) - 1], sorted[countAtMost(sorted, limit)]];
  for (let digits = 6; digits < 17; digits++) {
    const value = Number(limit.toPrecision(digits));
    if (value - below > limit - value && above - value > value - limit) return String(value);
  }
  return String(limit);
}
