/** What there is in each column of the data. */
import type { Preprocessing } from '../../data/prepare.ts';
import type { Rows } from '../../data/rows.ts';
import type { Column } from '../../data/table.ts';
import { formatTime } from '../../data/time.ts';
import { rounded } from '../text.ts';
import type { ColumnPlan } from './plan.ts';

/** Brings one column at a time into memory. */
export async function columnsOf(rows: Rows, { inputs, target }: Preprocessing): Promise<ColumnPlan[]> {
  const features = new Set(inputs.map(({ name }) => name));
  const plans: ColumnPlan[] = [];
  for (const { name, kind } of rows.columns) {
    const role = target.task !== 'Reconstruction' && name === target.name ? 'Target' : features.has(name) ? 'Feature' : 'Unused';
    plans.push({ name, kind, role, ...(role === 'Unused' ? {} : contentOf(await rows.column(name))) });
  }
  return plans;
}

function contentOf(column: Column): Omit<ColumnPlan, 'name' | 'kind' | 'role'> {
  const { missing, values } = column.kind === 'Text' ? textsOf(column) : numbersOf(column);
  const [from, to] = [values[0], values.at(-1)];
  return { missing, distinct: values.length, ...(from === undefined || to === undefined || column.private !== undefined ? {} : { from: shown(column, from), to: shown(column, to) }) };
}

/** Different values in order. */
function textsOf({ codes, dictionary }: Extract<Column, { kind: 'Text' }>): { missing: number; values: string[] } {
  const seen = new Uint8Array(dictionary.length);
  let missing = 0;
  for (const code of codes) {
    if (code < 0) missing++;
    else seen[code] = 1;
  }
  return { missing, values: dictionary.filter((_, code) => seen[code] === 1).sort() };
}

function numbersOf({ values }: Exclude<Column, { kind: 'Text' }>): { missing: number; values: Float64Array } {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return { missing: values.length - sorted.length, values: sorted.filter((value, index) => index === 0 || value !== sorted[index - 1]) };
}

const mostCharacters = 20;

function shown({ kind }: Column, value: string | number): string {
  if (typeof value === 'number') return kind === 'Time' ? formatTime(value) : rounded(value);
  return value.length > mostCharacters ? `${value.slice(0, mostCharacters)}…` : value;
}
