/** Runs the training thread, passes on what it tells, and stops it within a grace time. */
import { Worker } from 'node:worker_threads';
import type { ProgressReply, ProgressReport } from '@anneal/operator/api';
import { AnnealError, toAnnealError } from '../errors.ts';
import type { Log } from '../log.ts';
import { speakControl } from './control.ts';
import { failureOf } from './order.ts';
import type { TrainingEvent, TrainingOrder, TrainingOutcome } from './order.ts';
import type { WorkerInput } from './worker.ts';

export interface Supervision {
  readonly ended: Promise<TrainingOutcome>;
  /** Asks for a checkpoint and an end; after the grace time the thread is ended as it is. May be called again. */
  stop(): void;
  /** Passes on what the operator answered. */
  heed(reply: ProgressReply): void;
}

export interface SupervisorOptions {
  readonly log: Log;
  readonly onProgress: (report: ProgressReport) => void;
  /** Longest wait for the step at hand and its checkpoint; must end before the kubelet kills. */
  readonly graceMs: number;
}

/** Beside the bundle as `worker.js`; a module of its own when run from source. */
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

export function supervise(order: TrainingOrder, options: SupervisorOptions): Supervision {
  const speaker = speakControl();
  const worker = new Worker(workerUrl, { workerData: { order, control: speaker.memory } satisfies WorkerInput });
  let killed: NodeJS.Timeout | undefined;
  const ended = new Promise<TrainingOutcome>((resolve) => {
    worker.on('message', (event: TrainingEvent) => {
      switch (event.kind) {
        case 'Progress': options.onProgress(event.report); break;
        case 'Log': options.log(event.level, event.message, event.fields); break;
        case 'Ended': resolve(event.outcome); break;
      }
    });
    worker.on('error', (error) => {
      options.log('error', 'Training thread failed', { error: error instanceof Error ? error.stack : String(error) });
      resolve(failureOf(isOutOfMemory(error) ? outOfMemory : toAnnealError(error)));
    });
    // After `Ended` this changes nothing; before it, the thread was ended from outside.
    worker.on('exit', (code) => resolve(killed === undefined ? failureOf(toAnnealError(new Error(`the training thread ended with code ${code}`))) : { kind: 'Stopped' }));
  }).finally(() => clearTimeout(killed));
  return {
    ended,
    stop: () => {
      speaker.stop();
      worker.postMessage('stop');
      killed ??= setTimeout(() => {
        options.log('warn', 'Training thread did not stop in time and was ended', { graceMs: options.graceMs });
        void worker.terminate();
      }, options.graceMs);
    },
    heed: (reply) => speaker.heed(reply),
  };
}

const isOutOfMemory = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

const outOfMemory = new AnnealError('OUT_OF_MEMORY', {
  at: 'spec.pod.resources',
  message: 'The rows do not fit into memory. Raise the memory limit, exclude text columns that are not needed in data.features.exclude, or give fewer rows.',
});
