/** `pipeline`: from a file to matrices that a network can be trained on, beside pandas with scikit-learn and beside polars. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { totalmem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { requireAgreement } from './pipeline/agreement.ts';
import { run, titles } from './pipeline/contender.ts';
import type { Job, Name, Outcome } from './pipeline/contender.ts';
import { rowFiles } from './pipeline/rows.ts';
import type { Files } from './pipeline/rows.ts';
import { countOption, textOptions } from './options.ts';
import { table } from './table.ts';
import type { Benchmark, Say } from './usage.ts';

interface FormatResult {
  readonly ratioToSklearn: number;
  readonly ratioToPolars: number;
  readonly peakMemoryRatio: number;
}

export interface PipelineResult extends FormatResult {
  readonly rows: number;
  readonly csv: FormatResult;
  readonly parquet: FormatResult;
}

interface Options {
  readonly rows: number;
  readonly rounds: number;
}

export const pipeline: Benchmark = {
  name: 'pipeline',
  about: 'rows of a file to numbers for a network, beside pandas + scikit-learn and beside polars',
  options: ['--rows N       rows of 20 columns (5000000)', '--rounds N     rounds of each kind, in the order ABC CBA (2)'],
  run: async (args, say) => measure(optionsOf(args), say),
};

const formats = ['CSV', 'Parquet'] as const;
type Format = (typeof formats)[number];

/** As many as the smallest machine has that anyone trains on. */
const threads = 2;
const shares = { validation: 0.1, test: 0.1, seed: 42, threads };
const timed = ['anneal', 'sklearn', 'polars'] as const satisfies readonly Name[];

type Results = Map<`${Format} ${Name}`, Outcome[]>;

async function measure({ rows, rounds }: Options, say: Say): Promise<PipelineResult> {
  const files = await rowFiles(rows, say);
  say('Checking that all come to the same numbers ...');
  await requireAgreement(shares, ['sklearn', 'polars'], totalmem(), say);
  const results: Results = new Map();
  for (const format of formats) {
    await readThrough(fileOf(files, format));
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? timed : timed.toReversed()) await once(name, { ...shares, format, file: fileOf(files, format) }, results, `Round ${round + 1} of ${rounds}`, say);
    }
  }
  return report(rows, results, say);
}

/** A run of ours begins without a cache; what it leaves there serves the run after it, which is only shown. */
async function once(name: Name, job: Job, results: Results, round: string, say: Say): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), 'anneal-bench-pipeline-'));
  try {
    for (const each of name === 'anneal' ? ['anneal', 'annealCached'] as const : [name]) {
      say(`${round}, ${job.format}: ${titles[each]} ...`);
      const outcome = await run(each, job, cache, totalmem());
      const key = `${job.format} ${each}` as const;
      results.set(key, [...results.get(key) ?? [], outcome]);
      say(`  ${outcome.seconds.toFixed(1)} s, ${outcome.peakMiB.toFixed(0)} MiB`);
    }
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

const fileOf = ({ csv, parquet }: Files, format: Format): string => (format === 'CSV' ? csv : parquet);

/** Into the memory of the kernel, so that the first contender does not pay for the disk. */
async function readThrough(file: string): Promise<void> {
  await finished(createReadStream(file, { highWaterMark: 4 * 1024 * 1024 }).resume());
}

function report(rows: number, results: Results, say: Say): PipelineResult {
  const shown: string[][] = [];
  const of = (format: Format): FormatResult => {
    const [ours, sklearn, polars] = timed.map((name) => summary(results.get(`${format} ${name}`)));
    for (const name of ['anneal', 'annealCached', 'sklearn', 'polars'] as const) {
      const { seconds, readSeconds, peakMiB } = summary(results.get(`${format} ${name}`));
      shown.push([`${format}: ${titles[name]}`, (rows / seconds / 1e6).toFixed(2), seconds.toFixed(1), readSeconds.toFixed(1), peakMiB.toFixed(0)]);
    }
    const ratio = (other: Summary | undefined): number => rounded((other?.seconds ?? NaN) / (ours?.seconds ?? NaN));
    return { ratioToSklearn: ratio(sklearn), ratioToPolars: ratio(polars), peakMemoryRatio: rounded((ours?.peakMiB ?? NaN) / (sklearn?.peakMiB ?? NaN)) };
  };
  const [csv, parquet] = [of('CSV'), of('Parquet')];
  say(`\n${table(['', 'million rows/s', 's', 'reading s', 'peak MiB'], shown)}\n`);
  return {
    rows, csv, parquet,
    ratioToSklearn: Math.min(csv.ratioToSklearn, parquet.ratioToSklearn),
    ratioToPolars: Math.min(csv.ratioToPolars, parquet.ratioToPolars),
    peakMemoryRatio: Math.max(csv.peakMemoryRatio, parquet.peakMemoryRatio),
  };
}

interface Summary {
  readonly seconds: number;
  readonly readSeconds: number;
  readonly peakMiB: number;
}

/** Means of the rounds. */
function summary(outcomes: readonly Outcome[] = []): Summary {
  const mean = (value: (outcome: Outcome) => number): number => outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / outcomes.length;
  return { seconds: mean(({ seconds }) => seconds), readSeconds: mean(({ readSeconds }) => readSeconds ?? NaN), peakMiB: mean(({ peakMiB }) => peakMiB) };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

function optionsOf(args: readonly string[]): Options {
  const { rows = '5000000', rounds = '2' } = textOptions(args, ['rows', 'rounds']);
  return { rows: countOption('--rows', rows, 100_000_000), rounds: countOption('--rounds', rounds, 20) };
}
