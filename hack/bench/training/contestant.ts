/** A process that trains a round each time it is told to, and says how long it took. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TaskName } from './task.ts';

/** As the process prints it, one line a round. */
export interface Round {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Mean over the round's batches, before each step. */
  readonly loss: number;
}

export interface ContestantSpec {
  readonly name: string;
  readonly title: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Program and arguments; task and folder are added. */
  readonly command: () => Promise<readonly [string, ...string[]]>;
}

export interface Contestant {
  readonly name: string;
  round(): Promise<Round>;
  end(): Promise<void>;
}

export interface ContestantOptions {
  readonly task: TaskName;
  readonly folder: string;
  /** As many CPUs are given to it, helpers of its runtime included. */
  readonly threads: number;
}

export async function startContestant({ name, title, environment, command }: ContestantSpec, { task, folder, threads }: ContestantOptions): Promise<Contestant> {
  const cpus = threads === 1 ? '0' : `0-${threads - 1}`;
  const child = spawn('taskset', ['--cpu-list', cpus, ...await command(), task, folder], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: String(threads), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exited = once(child, 'close');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    name,
    round: async () => {
      child.stdin.write('round\n');
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`${title} ended: ${errors}`);
      return JSON.parse(value) as Round;
    },
    end: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
