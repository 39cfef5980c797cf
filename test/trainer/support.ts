/** Builders for tests of the trainer: a spec as the API server would default it, data in a folder of its own, a run in this process. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { load } from 'js-yaml';
import type { ProgressReport, TrainerSpec, TrainingResult } from '@anneal/operator/api';
import type { AnnealError, ErrorCode } from '../../trainer-image/src/errors.ts';
import { admit } from '../../trainer-image/src/spec/admit.ts';
import { trainerSchema, trainingJobSchema } from '../../trainer-image/src/spec/crd.ts';
import { withDefaults } from '../../trainer-image/src/spec/defaults.ts';
import type { JsonObject } from '../../trainer-image/src/spec/schema.ts';
import { runTraining } from '../../trainer-image/src/train/run.ts';
import type { TrainingHooks, TrainingOrder, TrainingOutcome } from '../../trainer-image/src/train/order.ts';

export const root = path.join(import.meta.dirname, '../..');
export const digitsCsv = path.join(root, 'docs/examples/digits/digits.csv');

/** `spec.trainer` of the CRD as the API server takes it. */
export const schema = trainerSchema();

/** `spec.trainer` as a user writes it, with the schema's defaults filled in. */
export const trainerSpec = (written: object): TrainerSpec => withDefaults(JSON.parse(JSON.stringify(written)) as JsonObject, schema) as unknown as TrainerSpec;

/** `spec.trainer` of a manifest in YAML, as an API server would take it: unknown fields and broken rules refused, defaults filled in. */
export function admitted(trainer: string): TrainerSpec {
  const admission = admit({ apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { name: 'a' }, spec: { trainer: load(trainer) as JsonObject } }, trainingJobSchema());
  if (admission.kind === 'Refused') throw new Error(admission.violations.map(({ at, message }) => `${at}: ${message}`).join('\n'));
  return (admission.object.spec as JsonObject).trainer as unknown as TrainerSpec;
}

export interface Folder extends AsyncDisposable {
  readonly path: string;
  /** Writes a file and gives its `file://` uri. */
  write(name: string, content: string | Buffer): string;
}

export async function folder(): Promise<Folder> {
  const at = await mkdtemp(path.join(tmpdir(), 'anneal-trainer-test-'));
  return {
    path: at,
    write: (name, content) => {
      writeFileSync(path.join(at, name), content);
      return pathToFileURL(path.join(at, name)).href;
    },
    [Symbol.asyncDispose]: () => rm(at, { recursive: true, force: true }),
  };
}

export interface RunOptions extends Partial<Omit<TrainingOrder, 'spec' | 'volume'>> {
  readonly stopRequested?: () => boolean;
  readonly checkpointRequested?: () => boolean;
  readonly checkpointInterval?: () => number | undefined;
  readonly onReport?: (report: ProgressReport) => void;
  readonly onLog?: TrainingHooks['log'];
}

/** Trains in this process, on a volume that is a plain folder. */
export function train(spec: TrainerSpec, volume: string, { stopRequested, checkpointRequested, checkpointInterval, onReport, onLog, ...order }: RunOptions = {}): Promise<TrainingOutcome> {
  return runTraining({ spec, volume, attempt: 1, threads: 1, checkpointIntervalSeconds: 0, checkpointKeep: 2, fence: { jobUid: 'uid', place: 'trainer-0', attempt: order.attempt ?? 1 }, ...order }, {
    stopRequested: stopRequested ?? (() => false),
    checkpointRequested: checkpointRequested ?? (() => false),
    checkpointInterval: checkpointInterval ?? (() => undefined),
    signal: new AbortController().signal,
    now: Date.now,
    report: onReport ?? (() => undefined),
    log: onLog ?? (() => undefined),
  });
}

/** The result, or the failure as an error that a test shows. */
export function succeeded(outcome: TrainingOutcome): TrainingResult {
  if (outcome.kind === 'Succeeded') return outcome.result;
  throw new Error(`The run did not succeed: ${JSON.stringify(outcome)}`);
}

/** Two clouds of points that a small network separates at once. */
export function blobs(rows: number): string {
  const lines = ['x,y,colour'];
  for (let row = 0; row < rows; row++) {
    const side = row % 2 === 0 ? 1 : -1;
    lines.push(`${side * (1 + (row % 7) / 10)},${side * (1 + (row % 5) / 10)},${side > 0 ? 'red' : 'blue'}`);
  }
  return `${lines.join('\n')}\n`;
}

/** y = 3 a - 2 b + 100, exactly. */
export function line(rows: number): string {
  const lines = ['a,b,y'];
  for (let row = 0; row < rows; row++) {
    const [a, b] = [(row * 37) % 101, (row * 61) % 89];
    lines.push(`${a},${b},${3 * a - 2 * b + 100}`);
  }
  return `${lines.join('\n')}\n`;
}

export interface Process {
  readonly child: ChildProcess;
  /** What it printed so far, both streams. */
  readonly output: () => string;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** The trainer as its image runs it. `prefix` is a command that runs it, for example with limits. */
export function trainer(args: readonly string[], environment: NodeJS.ProcessEnv, prefix: readonly string[] = []): Process {
  const [program = process.execPath, ...rest] = [...prefix, process.execPath, path.join(root, 'trainer-image/src/main.ts'), ...args];
  const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, output: () => output, exit };
}

/** Resolves when the condition holds; the deadline is for a test that would otherwise hang. */
export async function until(holds: () => boolean, what: string, seconds = 30): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The error that a function throws, by its code. */
export async function codeOf(work: () => unknown): Promise<{ code: ErrorCode | undefined; message: string; at: string | undefined }> {
  try {
    await work();
  } catch (error) {
    const { code, message, at } = error as AnnealError;
    return { code, message, at };
  }
  throw new Error('Nothing was thrown.');
}
