/** Has a plan made by a thread of its own, in a folder that is removed again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { AnnealError, toAnnealError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { TrainingOrder } from '../../train/order.ts';
import { threadError } from '../../train/supervisor.ts';
import type { PlanEvent, PlanInput } from './messages.ts';
import type { Plan } from './plan.ts';

export interface Planning {
  readonly name: string;
  /** @param volume  folder for what a run writes */
  readonly order: (volume: string) => TrainingOrder;
  readonly log: Log;
  readonly begun: number;
  readonly signal: AbortSignal;
}

/** Beside the bundle as `plan-worker.js`; a module of its own when run from source. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './plan-worker.js', import.meta.url);

/** @returns undefined when it was stopped. @throws AnnealError as of a run */
export async function planInThread({ name, order, log, begun, signal }: Planning): Promise<Plan | undefined> {
  const volume = await mkdtemp(path.join(tmpdir(), 'anneal-plan-'));
  try {
    return await planOf({ name, order: order(volume), begun }, log, signal);
  } finally {
    await rm(volume, { recursive: true, force: true });
  }
}

function planOf(input: PlanInput, log: Log, signal: AbortSignal): Promise<Plan | undefined> {
  const worker = new Worker(workerUrl, { workerData: input });
  // Steps hear no message, so that a stop in the middle of them ends the thread.
  signal.addEventListener('abort', () => void worker.terminate());
  return new Promise((resolve, reject) => {
    worker.on('message', (event: PlanEvent) => {
      switch (event.kind) {
        case 'Log': log(event.level, event.message, event.fields); break;
        case 'Planned': resolve(event.plan); break;
        case 'Stopped': resolve(undefined); break;
        case 'Failed': reject(new AnnealError(event.code, event)); break;
      }
    });
    worker.on('error', (error) => reject(threadError(error)));
    // After the plan this changes nothing; before it, the thread was ended from outside.
    worker.on('exit', (code) => {
      if (signal.aborted) resolve(undefined);
      else reject(toAnnealError(new Error(`the planning thread ended with code ${code}`)));
    });
  });
}
