/** Who takes part in `pipeline`, and how each is run: in a process of its own, with the same job, on the same threads. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonWith } from '../../python/venv.ts';

export interface Job {
  readonly file: string;
  readonly format: 'CSV' | 'Parquet';
  /** Shares of the rows. */
  readonly validation: number;
  readonly test: number;
  readonly seed: number;
  readonly threads: number;
  /** A file with the rows of each part, for those who draw them in a way of their own. */
  readonly parts?: string;
}

export interface Outcome {
  /** From before the first byte is read until the parts can be trained on. */
  readonly seconds: number;
  /** How much of it went into reading, where that is a step by itself. */
  readonly readSeconds?: number;
  /** Most memory that the process ever had. */
  readonly peakMiB: number;
  /** Of training, validation and test part. */
  readonly rows: readonly number[];
  readonly features: readonly string[];
  /** Of each part, the mean of each feature. */
  readonly means: readonly (readonly number[])[];
}

export type Name = 'anneal' | 'annealCached' | 'sklearn' | 'polars';

export const titles: Readonly<Record<Name, string>> = { anneal: 'Anneal', annealCached: 'Anneal, table in the cache', sklearn: 'pandas + scikit-learn', polars: 'polars' };

/** @param cache  folder for our tables */
export async function run(name: Name, job: Job, cache: string, memoryBytes: number): Promise<Outcome> {
  const environment = { ...process.env, OMP_NUM_THREADS: String(job.threads), OPENBLAS_NUM_THREADS: String(job.threads), POLARS_MAX_THREADS: String(job.threads), UV_THREADPOOL_SIZE: String(job.threads) };
  const ours = name === 'anneal' || name === 'annealCached';
  const [program, ...args] = ours
    ? [process.execPath, join(import.meta.dirname, 'anneal-side.ts'), JSON.stringify({ ...job, cache, memoryBytes })]
    : [await pythonWith('science'), join(import.meta.dirname, `${name}-side.py`), JSON.stringify(job)];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: environment });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${titles[name]} ended with ${String(code)}.`);
  return JSON.parse(output) as Outcome;
}

/** Of this process, as the kernel counted it. */
export function peakMiB(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? NaN) / 1024;
}
