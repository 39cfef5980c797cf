/** Comparison with the Python packages that others use for the same. */
import { expect } from 'chai';
import { askPython } from '../../../hack/python/venv.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Random } from '../../../trainer-image/src/data/random.ts';
import { textColumn } from '../../../trainer-image/src/data/table.ts';
import type { Column, Table } from '../../../trainer-image/src/data/table.ts';
import { normalQuantile } from '../../../trainer-image/src/data/maths/special.ts';

/** Reads `given` from the input, where null is a missing value; `answer(value)` prints, where NaN becomes null. */
const frame = `
import json, sys, math, warnings
import numpy as np
warnings.simplefilter("ignore")
given = json.load(sys.stdin)
def numbers(values): return np.array(values, dtype=float)
def plain(value):
    if isinstance(value, dict): return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    if isinstance(value, np.ndarray): return plain(value.tolist())
    if isinstance(value, np.generic): return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value): return None
    return value
def answer(value): print(json.dumps(plain(value)))
`;

/** @param program  of Python; ends by calling answer(…) */
export async function science<T>(program: string, given: unknown = {}): Promise<T> {
  return await askPython('science', `${frame}\n${program}`, given) as T;
}

/**
 * Equal, or both missing.
 * @param unit      size of a value that differences are measured by where a value itself is smaller; of a column that crosses 0 its deviation
 * @param relative  to the value
 */
export function expectClose(actual: Iterable<number>, expected: Iterable<number | null>, what: string, unit = 1e-6, relative = 1e-6): void {
  const [a, b] = [[...actual], [...expected]];
  expect(a.length, what).to.equal(b.length);
  a.forEach((value, at) => {
    const other = b[at] ?? NaN;
    const same = Number.isNaN(value) ? Number.isNaN(other) : Math.abs(value - other) <= relative * Math.max(Math.abs(value), Math.abs(other), unit);
    if (!same) expect.fail(`${what}: value ${at} is ${value}, expected ${other}`);
  });
}

/** Root of the mean square. */
export const sizeOf = (values: readonly (number | null)[]): number => Math.sqrt(values.reduce<number>((sum, value) => sum + (value ?? 0) ** 2, 0) / values.length);

export const valuesOf = (table: Table, name: string): Float64Array => {
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined || column.kind === 'Text') throw new Error(`There is no number column "${name}" among ${table.columns.map((each) => each.name).join(', ')}.`);
  return column.values;
};

const normal = (source: Random): number => normalQuantile((source.uint32() + 0.5) / 2 ** 32);

export interface Survey {
  readonly table: Table;
  readonly classes: Int32Array;
  readonly amounts: Float64Array;
}

const cities = ['Aarhus', 'Bergen', 'Cádiz', 'Dresden', 'Évora', 'Gdańsk', 'Łódź', 'Málaga', 'Ōsaka', 'Zürich'];

/** People with missing values, skewed incomes, outliers and categories of very different frequency; three classes and an amount that depend on some of it. */
export function survey(rows: number, seed = 1): Survey {
  const source = random(seed, 'survey');
  const missing = (share: number): boolean => source.below(1000) < share * 1000;
  const numbers = { age: new Float64Array(rows), income: new Float64Array(rows), height: new Float64Array(rows), balance: new Float64Array(rows) };
  const [city, plan]: [(string | null)[], string[]] = [[], []];
  const [classes, amounts, joined] = [new Int32Array(rows), new Float64Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    const drive = normal(source);
    numbers.age[row] = missing(0.05) ? NaN : 18 + source.below(70);
    numbers.income[row] = missing(0.08) ? NaN : Math.exp(10 + 0.6 * drive + 0.3 * normal(source)) * (source.below(500) === 0 ? 100 : 1);
    numbers.height[row] = 170 + 9 * normal(source);
    numbers.balance[row] = 50 * normal(source) ** 3;
    const place = Math.min(source.below(20), source.below(20), source.below(20), cities.length - 1);
    city.push(missing(0.03) ? null : cities[place] ?? '');
    plan.push(`plan ${Math.floor(Math.abs(normal(source)) * 8)}`);
    classes[row] = drive + 0.1 * place + 0.5 * normal(source) < -0.3 ? 0 : drive < 0.9 ? 1 : 2;
    amounts[row] = 100 + 20 * drive + 3 * place + 5 * normal(source);
    joined[row] = missing(0.02) ? NaN : 1.4e15 + source.uint32() * 1e5;
  }
  const columns: Column[] = [
    ...Object.entries(numbers).map(([name, values]): Column => ({ kind: 'Number', name, values })),
    textColumn('city', city), textColumn('plan', plan), { kind: 'Time', name: 'joined', values: joined },
  ];
  return { table: { rows, columns }, classes, amounts };
}
