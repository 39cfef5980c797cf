/** `training`: the trainer's steps beside those of Keras, and of TensorFlow.js by itself, on one TensorFlow library, in the same run. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { countOption, textOptions } from './options.ts';
import { table } from './table.ts';
import { startContestant } from './training/contestant.ts';
import type { Contestant, Round } from './training/contestant.ts';
import { contestants } from './training/contestants.ts';
import { stepsPerRound, tasks, writeTask } from './training/task.ts';
import type { TaskName } from './training/task.ts';
import type { Benchmark, Say } from './usage.ts';

export const training: Benchmark = {
  name: 'training',
  about: 'Steps per second of an MLP and a CNN at batch 128, loading of the rows included, beside Keras and plain TensorFlow.js',
  options: ['--rounds N       rounds of each, in turns, after one that does not count (7)', '--threads LIST   numbers of threads, each on as many CPUs (1,2)'],
  run: async (args, say) => measure(optionsOf(args), say),
};

interface Options {
  readonly rounds: number;
  readonly threads: readonly number[];
}

/** Medians over the rounds. */
interface Figures {
  readonly stepsPerSecond: number;
  readonly cpuMsPerStep: number;
  /** Mean over the last round's batches, before each step. */
  readonly loss: number;
}

type ByContestant = Readonly<Record<string, Figures>>;

interface TaskResult {
  /** Of the first number of threads. */
  readonly ratioToKeras: number;
  readonly ratioToTfjs: number;
  readonly threads: Readonly<Record<string, ByContestant & { readonly ratioToKeras: number; readonly ratioToTfjs: number }>>;
}

async function measure({ rounds, threads }: Options, say: Say): Promise<Record<TaskName, TaskResult>> {
  say("The trainer's native TensorFlow (about a minute the first time) ...");
  // Standard output is for the result.
  execFileSync(process.execPath, [path.join(import.meta.dirname, '../../trainer-image/native/install.ts')], { stdio: ['ignore', 2, 'inherit'] });
  const folder = await mkdtemp(path.join(tmpdir(), 'anneal-bench-'));
  try {
    const results: Partial<Record<TaskName, TaskResult>> = {};
    for (const task of tasks) {
      writeTask(task, folder);
      const entries: [string, TaskResult['threads'][string]][] = [];
      for (const count of threads) {
        say(`${task}, ${count} thread${count === 1 ? '' : 's'} ...`);
        const figures = await figuresOf(task, folder, count, rounds);
        say(`\n${tableOf(figures)}\n`);
        entries.push([String(count), { ...figures, ...ratiosOf(figures) } as TaskResult['threads'][string]]);
      }
      const first = entries[0]?.[1];
      results[task] = { ratioToKeras: first?.ratioToKeras ?? NaN, ratioToTfjs: first?.ratioToTfjs ?? NaN, threads: Object.fromEntries(entries) };
    }
    return results as Record<TaskName, TaskResult>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All are started and warm before the first round counts; then they take turns, so that what drifts on the machine hits all alike. */
async function figuresOf(task: TaskName, folder: string, threads: number, rounds: number): Promise<ByContestant> {
  const started: Contestant[] = [];
  try {
    for (const one of contestants) started.push(await startContestant(one, { task, folder, threads }));
    const done = new Map<string, Round[]>(started.map(({ name }) => [name, []]));
    for (const contestant of started) await contestant.round();
    for (let round = 0; round < rounds; round++) {
      for (const contestant of started) done.get(contestant.name)?.push(await contestant.round());
    }
    return Object.fromEntries([...done].map(([name, all]) => [name, summary(all)]));
  } finally {
    for (const contestant of started) await contestant.end();
  }
}

function summary(rounds: readonly Round[]): Figures {
  return {
    stepsPerSecond: rounded(stepsPerRound / median(rounds.map(({ seconds }) => seconds))),
    cpuMsPerStep: rounded((1000 * median(rounds.map(({ cpuSeconds }) => cpuSeconds))) / stepsPerRound),
    loss: rounds.at(-1)?.loss ?? NaN,
  };
}

/** Beside the faster of Keras' two settings. */
function ratiosOf(figures: ByContestant): { ratioToKeras: number; ratioToTfjs: number } {
  const speed = (name: string): number => figures[name]?.stepsPerSecond ?? NaN;
  const ours = speed('anneal');
  return { ratioToKeras: rounded(ours / Math.max(speed('keras'), speed('kerasAsInstalled'))), ratioToTfjs: rounded(ours / speed('tfjs')) };
}

function tableOf(figures: ByContestant): string {
  const head = ['', 'steps/s', 'CPU ms/step', 'final loss'];
  return table(head, contestants.map(({ name, title }) => {
    const { stepsPerSecond = NaN, cpuMsPerStep = NaN, loss = NaN } = figures[name] ?? {};
    return [title, stepsPerSecond.toFixed(1), cpuMsPerStep.toFixed(2), loss.toFixed(6)];
  }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

function optionsOf(args: readonly string[]): Options {
  const { rounds = '7', threads = '1,2' } = textOptions(args, ['rounds', 'threads']);
  return { rounds: countOption('--rounds', rounds, 100), threads: threads.split(',').map((count) => countOption('--threads', count, 64)) };
}
