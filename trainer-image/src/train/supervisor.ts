/** Runs the training thread, passes on what it tells, and stops it within a grace time. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { ProgressReply, ProgressReport } from '@anneal/operator/api';
import { AnnealError, toAnnealError } from '../errors.ts';
import type { Log } from '../log.ts';
import { serveLink } from './collective/link.ts';
import { openMesh } from './collective/mesh.ts';
import { readPeerTls } from './collective/tls.ts';
import { speakControl } from './control.ts';
import { failureOf } from './order.ts';
import type { ReplicasOrder, TrainingEvent, TrainingOrder, TrainingOutcome } from './order.ts';
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
  const peers = order.replicas === undefined ? undefined : joinPeers(order.replicas, options.log);
  const input: WorkerInput = { order, control: speaker.memory, ...(peers === undefined ? {} : { peers: { port: peers.port, incarnation: peers.incarnation } }) };
  const worker = new Worker(workerUrl, { workerData: input, transferList: peers === undefined ? [] : [peers.port] });
  let killed: NodeJS.Timeout | undefined;
  const ended = new Promise<TrainingOutcome>((resolve) => {
    peers?.failed.catch((error: unknown) => {
      resolve(failureOf(toAnnealError(error)));
      void worker.terminate();
    });
    worker.on('message', (event: TrainingEvent) => {
      switch (event.kind) {
        case 'Progress': options.onProgress(event.report); break;
        case 'Log': options.log(event.level, event.message, event.fields); break;
        case 'Ended': resolve(event.outcome); break;
      }
    });
    worker.on('error', (error) => {
      options.log('error', 'Training thread failed', { error: error instanceof Error ? error.stack : String(error) });
      resolve(failureOf(threadError(error)));
    });
    // After `Ended` this changes nothing; before it, the thread was ended from outside.
    worker.on('exit', (code) => resolve(killed === undefined ? failureOf(toAnnealError(new Error(`the training thread ended with code ${code}`))) : { kind: 'Stopped' }));
  }).finally(async () => {
    await peers?.closed;
    clearTimeout(killed);
  });
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

interface Peers {
  /** For the training thread. */
  readonly port: MessagePort;
  readonly incarnation: string;
  /** Never resolves well; refused when the others can never be reached. */
  readonly failed: Promise<never>;
  /** Resolves when the training thread has nothing more to send and all was sent. */
  readonly closed: Promise<void>;
}

function joinPeers({ tlsDirectory, ...rest }: ReplicasOrder, log: Log): Peers {
  const { port1, port2 } = new MessageChannel();
  const incarnation = randomUUID();
  const threadClosed = once(port1, 'close');
  const open = async () => openMesh({ ...rest, incarnation, tls: readPeerTls(tlsDirectory), log });
  const mesh = open();
  const failed = mesh.then((opened) => {
    serveLink(port1, opened);
    return new Promise<never>(() => undefined);
  });
  const closed = threadClosed.then(async () => (await mesh.catch(() => undefined))?.close());
  return { port: port2, incarnation, failed, closed };
}

/** What ended a thread, as an error that can be told. */
export const threadError = (error: unknown): AnnealError => (isOutOfMemory(error) ? outOfMemory : toAnnealError(error));

const isOutOfMemory = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';

const outOfMemory = new AnnealError('OUT_OF_MEMORY', {
  at: 'spec.pod.resources',
  message: 'The rows do not fit into memory. Raise the memory limit, exclude text columns that are not needed in data.features.exclude, or give fewer rows.',
});
