/** Sends images that no training has seen to the deployed model, and compares the answers with the truth. */
import { join } from 'node:path';
import type { TrainerSpec } from '../../operator/src/api/index.ts';
import { readCsv } from '../../trainer-image/src/data/csv.ts';
import { split } from '../../trainer-image/src/data/split.ts';
import { codeClasses } from '../../trainer-image/src/data/target.ts';
import { valueAt } from '../../trainer-image/src/data/table.ts';
import { root } from '../gen/schema.ts';
import { DemoError } from './access.ts';

export const digitsFile = join(root, 'docs/examples/digits/digits.csv');

export interface HeldOut {
  readonly classes: readonly string[];
  readonly images: readonly (readonly number[])[];
  readonly labels: readonly string[];
}

/** The rows that the job's split kept for testing: the split is a function of the data and the seed. */
export async function heldOut(data: TrainerSpec['data'], count: number): Promise<HeldOut> {
  const table = await readCsv(digitsFile, 'digits.csv', data.source.csv, AbortSignal.timeout(60_000));
  const target = table.columns.find(({ name }) => name === data.target);
  if (target?.kind !== 'Number') throw new DemoError(`digits.csv has no numeric column "${data.target}".`);
  const { classes, codes } = codeClasses(target);
  const { test } = split(table.rows, data.split, codes);
  const rows = [...test].slice(0, count);
  const pixels = table.columns.filter(({ name }) => name !== data.target);
  return {
    classes,
    labels: rows.map((row) => String(target.values[row])),
    images: rows.map((row) => pixels.map((pixel) => Number(valueAt(pixel, row)))),
  };
}

interface InferResponse {
  readonly outputs: readonly { readonly name: string; readonly data: readonly (string | number)[] }[];
}

/** Labels in the order of the images, asked for in batches over the Open Inference Protocol V2. */
export async function predict(baseUrl: string, model: string, images: readonly (readonly number[])[], batch = 25): Promise<string[]> {
  const said: string[] = [];
  for (let from = 0; from < images.length; from += batch) {
    const rows = images.slice(from, from + batch);
    const response = await fetch(`${baseUrl}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: [{ name: 'rows', datatype: 'FP32', shape: [rows.length, rows[0]?.length ?? 0], data: rows.flat() }] }),
    });
    if (!response.ok) throw new DemoError(`The model answered ${response.status}: ${await response.text()}`);
    const { outputs } = (await response.json()) as InferResponse;
    said.push(...(outputs.find(({ name }) => name === 'label')?.data ?? []).map(String));
  }
  return said;
}
