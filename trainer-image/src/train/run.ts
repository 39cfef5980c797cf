/** One training run from spec to model directory. Runs in a worker thread; knows no process, no environment and no clock but the given one. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { TrainingResult } from '@anneal/operator/api';
import { volumeLayout } from '@anneal/operator/api';
import type { Prepared } from '../data/prepare.ts';
import { readKey } from '../data/privacy/index.ts';
import type { PseudonymKey } from '../data/privacy/index.ts';
import { AnnealError, toAnnealError } from '../errors.ts';
import { canonicalJson, makeFolder, removeLeftovers, sha256 } from '../files.ts';
import { requireAccelerator } from '../model/backend.ts';
import { inputsReference } from '../reference/inputs.ts';
import { crossValidate, summaryOf } from './cross-validation.ts';
import type { Common } from './cross-validation.ts';
import { trainEpochs } from './epochs.ts';
import type { Run } from './epochs.ts';
import { claimVolume } from './fence.ts';
import { finish, finishedModel } from './finish.ts';
import type { Origin } from './finish.ts';
import { guard } from './guard.ts';
import { failureOf } from './order.ts';
import type { TrainingHooks, TrainingOrder, TrainingOutcome } from './order.ts';
import { savedModel } from './saved-model.ts';
import type { SavedModel } from './saved-model.ts';
import { startRun } from './start.ts';
import { prepareRun } from './prepare-run.ts';
import { openTrainingData } from './training-data.ts';

/** Never throws: a failure is an outcome with a code and a sentence. */
export async function runTraining(order: TrainingOrder, hooks: TrainingHooks): Promise<TrainingOutcome> {
  try {
    return await train(order, hooks);
  } catch (error) {
    if (hooks.signal.aborted) return { kind: 'Stopped' };
    const told = toAnnealError(error);
    hooks.log('error', 'Training failed', { code: told.code, at: told.at, error: told.message, stack: told.code === 'INTERNAL' && error instanceof Error ? error.stack : undefined });
    return failureOf(told);
  }
}

async function train(order: TrainingOrder, hooks: TrainingHooks): Promise<TrainingOutcome> {
  const key = order.pseudonymKey === undefined ? undefined : readKey(order.pseudonymKey);
  // Another key makes other pseudonyms, and so another model; as does another one to go on from.
  const saved = savedModel(order);
  const specDigest = sha256(`${canonicalJson(order.spec)}${key?.id ?? ''}${saved?.digest ?? ''}`);
  requireAccelerator(order.accelerator);
  claim(order);
  if (order.replicas === undefined) removeLeftovers(order.volume);
  const ready = await readied(order, hooks, specDigest, key, saved);
  if ('kind' in ready) return ready;
  const { common, origin } = ready;
  const { folds } = origin;
  using data = ready.data;
  const run = await startRun({ ...common, data, share: { before: folds.length, of: folds.length + 1, isFold: false, metrics: summaryOf(folds) } });
  try {
    for (;;) {
      const end = await trainEpochs(run);
      const turn = end.kind === 'Finished' ? await run.replicas?.conclude(run) ?? 'Lead' : end;
      if (turn === 'Lead') return { kind: 'Succeeded', result: await conclude(run, origin) };
      if (turn.kind === 'Done') return { kind: 'Succeeded', result: turn.result, byAnother: true };
      if (turn.kind === 'Stopped') return stopped(run);
    }
  } finally {
    run.replicas?.close();
    run.learner.dispose();
  }
}

interface Ready {
  readonly data: Prepared;
  readonly origin: Origin;
  readonly common: Common;
}

/** All that is made of the rows; they are let go of before the long part begins. */
async function readied(order: TrainingOrder, hooks: TrainingHooks, specDigest: string, key: PseudonymKey | undefined, saved: SavedModel | undefined): Promise<Ready | TrainingOutcome> {
  const { spec } = order;
  await using opened = await openTrainingData(order, hooks);
  const { rows: raw, sha256: dataDigest } = opened;
  const finished = (): TrainingResult | undefined => finishedModel(order, specDigest, dataDigest, hooks);
  const before = finished();
  if (before !== undefined) return { kind: 'Succeeded', result: before };
  const common = { order, hooks, runDigest: sha256(`${specDigest} ${dataDigest}`), dataDigest: key === undefined ? dataDigest : sha256(`${dataDigest} ${key.id}`), finished, ...(saved === undefined ? {} : { saved }) };
  const guarded = await guard(order, hooks, raw, key, saved?.preprocessing);
  const folds = await crossValidate(common, guarded.rows);
  if (folds === 'Stopped') return { kind: 'Stopped' };
  const inputs = await inputsReference(guarded.subject, spec.data.privacy?.kAnonymity?.k);
  const data = await prepareRun(order, raw, guarded, saved);
  told(data, hooks);
  return { data, origin: { specDigest, dataDigest, folds, inputs }, common };
}

function told({ preprocessing, train, validation, test }: Prepared, { log }: TrainingHooks): void {
  log('info', 'Data prepared', { task: preprocessing.target.task, features: preprocessing.features.length, train: train.rows, validation: validation.rows, test: test.rows });
}

async function conclude(run: Run, origin: Origin): Promise<TrainingResult> {
  if (run.replicas !== undefined) removeLeftovers(run.order.volume);
  const result = await finish(run, origin);
  run.replicas?.announce(result);
  return result;
}

function stopped(run: Run): TrainingOutcome {
  run.replicas?.leave();
  return { kind: 'Stopped', ...(run.lastCheckpoint === undefined ? {} : { checkpoint: run.lastCheckpoint }) };
}

/** Before any time is spent: a model that cannot be written would only be noticed at the end. */
function claim({ volume, fence }: TrainingOrder): void {
  try {
    makeFolder(path.join(volume, volumeLayout.checkpoints));
    accessSync(volume, constants.W_OK);
    claimVolume(volume, fence);
  } catch (error) {
    if (error instanceof AnnealError) throw error;
    throw new AnnealError('VOLUME_WRITE', { message: `The job's volume cannot be written to: ${String(error)}. Check its access mode, and that it is not mounted read-only.`, cause: error });
  }
}
