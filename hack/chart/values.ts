/** `sh hack/run.sh hack/chart/values.ts`: writes the table of values in the chart's README from its schema and defaults. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { load } from 'js-yaml';

import { chart } from './helm.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

export interface ValueRow {
  /** Path with dots, as after `--set`. */
  readonly name: string;
  readonly description: string;
  readonly value: unknown;
}

const start = '<!-- values: start -->';
const end = '<!-- values: end -->';

/** Every value that can be set, in the schema's order. */
export async function valueRows(): Promise<readonly ValueRow[]> {
  const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as Schema;
  const defaults = load(await readFile(join(chart, 'values.yaml'), 'utf8'));
  return rowsOf(schema, defaults, []).filter(({ name }) => name !== 'global');
}

function rowsOf(schema: Schema, value: unknown, path: readonly string[]): readonly ValueRow[] {
  const name = path.join('.');
  // A Kubernetes type such as resources is one value, whatever it holds.
  if (schema.properties === undefined || name === 'resources') return [{ name, description: schema.description ?? '', value }];
  return Object.entries(schema.properties).flatMap(([key, child]) => rowsOf(child, (value as Record<string, unknown> | undefined)?.[key], [...path, key]));
}

/** The README with its table as the schema and the defaults have it now. */
export async function readmeWithValues(): Promise<string> {
  const text = await readFile(join(chart, 'README.md'), 'utf8');
  const rows = (await valueRows()).map(({ name, description, value }) => `| \`${name}\` | ${description} | \`${JSON.stringify(value)}\` |`);
  const table = ['| Value | What it is | Default |', '|---|---|---|', ...rows].join('\n');
  return `${text.slice(0, text.indexOf(start) + start.length)}\n${table}\n${text.slice(text.indexOf(end))}`;
}

if (import.meta.main) await writeFile(join(chart, 'README.md'), await readmeWithValues());
