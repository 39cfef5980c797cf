/** Our side of `pipeline`, in a process of its own: reads a `Job` as JSON from its arguments, prepares it, and prints an `Outcome`. */
import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { stat } from 'node:fs/promises';
import { openRows } from '../../../trainer-image/src/data/ingest/index.ts';
import { prepare, rowsOptions } from '../../../trainer-image/src/data/prepare.ts';
import { digestOf } from '../../../trainer-image/src/files.ts';
import { peakMiB } from './contender.ts';
import type { Job, Outcome } from './contender.ts';
import { trainerData } from './spec.ts';

const job = JSON.parse(process.argv[2] ?? '{}') as Job & { readonly cache: string; readonly memoryBytes: number };
mkdirSync(job.cache, { recursive: true });
const spec = trainerData(job);
const begin = performance.now();
const file = { path: job.file, name: basename(job.file), bytes: (await stat(job.file)).size, sha256: await digestOf(job.file) };
await using rows = await openRows([file], rowsOptions(spec, job.format, []), {
  threads: job.threads, memoryBytes: job.memoryBytes, cache: { folder: job.cache, maxBytes: 2 ** 40, now: Date.now }, signal: new AbortController().signal,
});
const readSeconds = (performance.now() - begin) / 1000;
using prepared = await prepare(spec, rows, { room: { bytes: job.memoryBytes / 2, folder: job.cache } });
const seconds = (performance.now() - begin) / 1000;
const { train, validation, test, preprocessing } = prepared;
const outcome: Outcome = {
  seconds, readSeconds,
  peakMiB: peakMiB(),
  rows: [train, validation, test].map((part) => part.rows),
  features: preprocessing.features,
  means: [train, validation, test].map(({ features }) => meansOf(features.width, features.rows, (from, to) => features.range(from, to))),
};
process.stdout.write(`${JSON.stringify(outcome)}\n`);

function meansOf(width: number, count: number, range: (from: number, to: number) => Float32Array): number[] {
  const sums = new Float64Array(width);
  const step = 4096;
  for (let from = 0; from < count; from += step) range(from, Math.min(count, from + step)).forEach((value, at) => (sums[at % width] = (sums[at % width] ?? 0) + value));
  return Array.from(sums, (sum) => sum / count);
}
