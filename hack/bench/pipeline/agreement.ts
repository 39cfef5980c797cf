/** Whether all contenders do the same work: given the same rows to fit on, they must come to the same numbers. */
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCsv } from '../../../trainer-image/src/data/csv.ts';
import { split } from '../../../trainer-image/src/data/split.ts';
import { codeClasses } from '../../../trainer-image/src/data/target.ts';
import { run, titles } from './contender.ts';
import type { Job, Name, Outcome } from './contender.ts';
import { rowFiles, target } from './rows.ts';

/** Few, so that it costs nothing, and enough that each category is met. */
const checkedRows = 20_000;
/** Of a mean of float32 values of size 1. */
const tolerance = 2e-6;

/** @throws Error that names the contender and the feature that differs */
export async function requireAgreement(job: Omit<Job, 'file' | 'format'>, others: readonly Name[], memoryBytes: number, say: (line: string) => void): Promise<void> {
  const files = await rowFiles(checkedRows, say);
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-pipeline-'));
  try {
    const parts = join(folder, 'parts.json');
    writeFileSync(parts, JSON.stringify(await partsOf(files.csv, job)));
    for (const format of ['CSV', 'Parquet'] as const) {
      const each = { ...job, parts, format, file: format === 'CSV' ? files.csv : files.parquet };
      const ours = await run('anneal', each, join(folder, format), memoryBytes);
      for (const name of others) requireEqual(ours, await run(name, each, folder, memoryBytes), `${titles[name]}, ${format}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As our own side draws them. */
async function partsOf(csv: string, shares: Omit<Job, 'file' | 'format'>): Promise<number[][]> {
  const table = await readCsv(csv, 'rows.csv', { delimiter: ',', header: 'Present', missing: [''] }, AbortSignal.timeout(600_000));
  const column = table.columns.find(({ name }) => name === target);
  if (column === undefined) throw new Error(`The rows have no column "${target}".`);
  const { train, validation, test } = split(table.rows, shares, codeClasses(column).codes);
  return [train, validation, test].map((rows) => [...rows]);
}

function requireEqual(ours: Outcome, theirs: Outcome, who: string): void {
  if (ours.rows.join() !== theirs.rows.join()) throw new Error(`${who}: the parts have ${theirs.rows.join(', ')} rows, and ours ${ours.rows.join(', ')}.`);
  const places = new Map(theirs.features.map((name, place) => [name, place]));
  if (places.size !== ours.features.length) throw new Error(`${who}: there are ${places.size} features, and ours are ${ours.features.length}.`);
  ours.features.forEach((name, place) => {
    // Only how a category is put behind its column differs.
    const theirPlace = places.get(name.replace('=', '_'));
    if (theirPlace === undefined) throw new Error(`${who}: there is no feature "${name}".`);
    for (const part of [0, 1, 2]) {
      const [mine = NaN, their = NaN] = [ours.means[part]?.[place], theirs.means[part]?.[theirPlace]];
      if (!(Math.abs(mine - their) <= tolerance)) throw new Error(`${who}: the mean of "${name}" in part ${part} is ${their}, and ours is ${mine}.`);
    }
  });
}
