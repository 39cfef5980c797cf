/** One attempt in its pod: claims, brings back what a lost volume held, trains, and copies what was written to the bucket. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProgressReply, ProgressReport } from '@anneal/operator/api';
import { trainerEnv, volumeLayout } from '@anneal/operator/api';
import { AnnealError, toAnnealError } from '../errors.ts';
import { makeFolder, namesIn } from '../files.ts';
import type { Log } from '../log.ts';
import { openBucket } from '../store/bucket.ts';
import type { Bucket } from '../store/bucket.ts';
import { createCopier } from '../store/copier.ts';
import { copiesIn } from '../store/copies.ts';
import type { Copies } from '../store/copies.ts';
import { isCheckpointName, threadsOfNewest } from './checkpoint.ts';
import { bucketFrom, fenceFrom, orderFrom, restoreSourceFrom, textOf, volumeFrom } from './environment.ts';
import { claimVolume } from './fence.ts';
import { failureOf } from './order.ts';
import type { TrainingOutcome } from './order.ts';
import { candidates } from './restore.ts';
import { supervise } from './supervisor.ts';
import type { Supervision } from './supervisor.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface AttemptOptions {
  readonly environment: Environment;
  readonly log: Log;
  readonly graceMs: number;
  /** Sets up TensorFlow before it is loaded. @param preferred  threads that a checkpoint was made with. @returns the threads it will use */
  readonly tune: (preferred: number | undefined) => number;
  readonly push: (report: ProgressReport) => void;
  /** Memory that the program may use. */
  readonly memoryBytes: number;
}

export interface Attempt {
  readonly ended: Promise<TrainingOutcome>;
  stop(): void;
  heed(reply: ProgressReply): void;
}

/** Folder on the volume for what comes from another job's bucket. */
const restoredFolder = 'restored';

export function beginAttempt(options: AttemptOptions): Attempt {
  let supervision: Supervision | undefined;
  const asked = new AbortController();
  const stop = (): void => {
    asked.abort();
    supervision?.stop();
  };
  const begun = (started: Supervision): void => {
    supervision = started;
    if (asked.signal.aborted) started.stop();
  };
  return {
    // Never throws: a failure is an outcome with a code and a sentence.
    ended: run(options, begun, stop, patienceOf(asked.signal, options.graceMs)).catch((error: unknown) => failureOf(toAnnealError(error))),
    stop,
    heed: (reply) => supervision?.heed(reply),
  };
}

/** How long what the main thread itself does may go on once the attempt was asked to stop. */
interface Patience {
  readonly isStopped: () => boolean;
  /** Work that is lost if it is cut off. @returns what it gives; `Stopped` when the attempt was asked to stop before or meanwhile */
  untilStop<T>(work: () => Promise<T>): Promise<T | 'Stopped'>;
  /** Work that is worth the time that there is. @returns what it gives; `Stopped` when the grace time after the wish to stop is over */
  withinGrace<T>(work: () => Promise<T>): Promise<T | 'Stopped'>;
}

function patienceOf(signal: AbortSignal, graceMs: number): Patience {
  const asked = new Promise<'Stopped'>((resolve) => signal.addEventListener('abort', () => resolve('Stopped'), { once: true }));
  // Does not keep a process alive that has ended before.
  const over = asked.then((stopped) => delay(graceMs, stopped, { ref: false }));
  return {
    isStopped: () => signal.aborted,
    untilStop: (work) => (signal.aborted ? asked : Promise.race([work(), asked])),
    withinGrace: (work) => Promise.race([work(), over]),
  };
}

async function run(options: AttemptOptions, begun: (supervision: Supervision) => void, stop: () => void, patience: Patience): Promise<TrainingOutcome> {
  const { environment, log } = options;
  const volume = volumeFrom(environment);
  using bucket = bucketOf(environment);
  const copies = bucket === undefined ? undefined : copiesIn(bucket, volume, fenceFrom(environment));
  // Replicas share the volume, and two must not write one folder: the first brings what there is, and the others get it from that one.
  const isFirst = textOf(environment, trainerEnv.peers) === undefined || fenceFrom(environment).place.endsWith('-0');
  if (copies !== undefined && isFirst) await patience.untilStop(() => prepareVolume(copies, volume, environment, log));
  const restoreFrom = isFirst ? await patience.untilStop(() => restoreFolder(environment, volume, log)) : undefined;
  if (restoreFrom === 'Stopped' || patience.isStopped()) return { kind: 'Stopped' };
  const order = { ...orderFrom(environment, () => options.tune(threadsOf(volume, restoreFrom)), restoreFrom), memoryBytes: options.memoryBytes };

  let last: ProgressReport | undefined;
  const fenced = new AbortController();
  const tell = (): void => {
    if (last !== undefined) options.push(withCopy(last));
  };
  const copier = copies === undefined ? undefined : createCopier({
    copies, log,
    keep: order.checkpointKeep,
    onCopied: tell,
    onSuperseded: () => {
      fenced.abort();
      stop();
    },
  });
  const withCopy = (report: ProgressReport): ProgressReport => {
    if (copier === undefined || report.checkpoint === undefined) return report;
    return { ...report, checkpoint: { ...report.checkpoint, copied: copier.offer(report.checkpoint) } };
  };
  const supervision = supervise(order, {
    log,
    graceMs: options.graceMs,
    onProgress: (report) => {
      last = report;
      tell();
    },
  });
  begun(supervision);
  const outcome = await supervision.ended;
  await patience.withinGrace(async () => copier?.settle(options.graceMs));
  if (fenced.signal.aborted) throw new AnnealError('SUPERSEDED', { message: 'A later attempt writes to the bucket; this one has ended.' });
  if (outcome.kind === 'Succeeded' && outcome.byAnother !== true) {
    if (copies !== undefined && await patience.withinGrace(() => copyModel(copies, log)) === 'Stopped') return { kind: 'Stopped' };
    rmSync(path.join(volume, restoredFolder), { recursive: true, force: true });
  }
  return outcome;
}

function bucketOf(environment: Environment): Bucket | undefined {
  const place = bucketFrom(environment);
  return place === undefined ? undefined : openBucket(place, environment, 'spec.checkpoint.s3');
}

/** Claims volume and bucket, and brings the newest copy to a volume that has no checkpoint. */
async function prepareVolume(copies: Copies, volume: string, environment: Environment, log: Log): Promise<void> {
  claimVolume(volume, fenceFrom(environment));
  await copies.claim();
  if (namesIn(path.join(volume, volumeLayout.checkpoints)).some(isCheckpointName) || namesIn(volume).includes(volumeLayout.model)) return;
  const name = await copies.bringNewest(volume, (passed, why) => log('warn', 'Passed over a copy', { checkpoint: passed, bucket: copies.uri, why }));
  if (name !== undefined) log('info', 'Brought a checkpoint from the bucket', { checkpoint: name, bucket: copies.uri });
}

/** Folder with another job's checkpoints; undefined where none is asked for, or this job has its own. */
async function restoreFolder(environment: Environment, volume: string, log: Log): Promise<string | undefined> {
  const source = restoreSourceFrom(environment);
  if (source === undefined || namesIn(path.join(volume, volumeLayout.checkpoints)).some(isCheckpointName)) return undefined;
  if ('path' in source) return source.path;
  const to = path.join(volume, restoredFolder);
  rmSync(to, { recursive: true, force: true });
  makeFolder(to);
  using bucket = openBucket(source.bucket, environment, 'spec.checkpoint.restoreFrom');
  await copiesIn(bucket, to, undefined).bringNewest(to, (passed, why) => log('warn', 'Passed over a copy', { checkpoint: passed, bucket: bucket.uri, why }));
  return to;
}

function threadsOf(volume: string, restoreFrom: string | undefined): number | undefined {
  return threadsOfNewest(path.join(volume, volumeLayout.checkpoints)) ?? (restoreFrom === undefined ? undefined : threadsOfNewest(candidates(restoreFrom)[0]));
}

const modelTries = 6;

/** Without the copy the job has not done what it was asked to; a restarted attempt finds the model and tries again. */
async function copyModel(copies: Copies, log: Log): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await copies.copyModel();
      return;
    } catch (error) {
      if (tried === modelTries || (error instanceof AnnealError && error.code !== 'BUCKET_FAILED')) throw error;
      log('warn', 'Model could not be copied to the bucket, will try again', { bucket: copies.uri, error: error instanceof Error ? error.message : String(error) });
      await delay(500 * 2 ** tried);
    }
  }
}
