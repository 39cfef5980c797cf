/**
 * Cross-validation: the rows that are not for testing are cut into folds, and each is validated on by a network that was trained on the others.
 * The scores say how well such a network does, and how much that depends on the rows at hand; the model itself is trained afterwards.
 */
import path from 'node:path';
import type { TrainingResult } from '@anneal/operator/api';
import { keyColumns } from '../data/key-columns.ts';
import { prepare } from '../data/prepare.ts';
import type { Rows } from '../data/rows.ts';
import { AnnealError } from '../errors.ts';
import { readIfThere, sha256, writeFile } from '../files.ts';
import { removeCheckpoints } from './checkpoint.ts';
import { trainEpochs } from './epochs.ts';
import { requireOwnVolume } from './fence.ts';
import { judge } from './judging.ts';
import type { Metrics } from './metrics.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';
import type { SavedModel } from './saved-model.ts';
import { startRun } from './start.ts';
import { roomOf } from './training-data.ts';

/** What one fold's network said of the rows that were held back from it. */
export interface FoldScore {
  /** From 1. */
  readonly fold: number;
  /** Named with `val_`. */
  readonly metrics: Metrics;
}

/** What the folds of a job and its model have in common. */
export interface Common {
  readonly order: TrainingOrder;
  readonly hooks: TrainingHooks;
  readonly runDigest: string;
  readonly dataDigest: string;
  readonly finished: () => TrainingResult | undefined;
  /** Where the job goes on from one. */
  readonly saved?: SavedModel;
}

const scoresFile = 'folds.json';

/**
 * Trains on each fold that has no score yet; an attempt after a restart goes on with the fold that was at work, from its checkpoint.
 * @returns the scores, none where no cross-validation is asked for; `Stopped` when it was asked to stop
 */
export async function crossValidate(common: Common, rows: Rows): Promise<readonly FoldScore[] | 'Stopped'> {
  const { order, hooks, runDigest } = common;
  const { spec: { validation, data: spec }, replicas } = order;
  if (validation === undefined) return [];
  if (replicas !== undefined) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.validation', message: 'Cross-validation trains in one pod. Remove validation, or replicas, minReplicas and maxReplicas.' });
  const { kFold } = validation;
  let scores = scoresIn(order.volume, runDigest);
  for (let fold = scores.length + 1; fold <= kFold; fold++) {
    using data = await prepare(spec, rows, { fold: { ...validation, index: fold - 1 }, keys: keyColumns(spec, order.spec), room: roomOf(order) });
    const share = { before: fold - 1, of: kFold + 1, isFold: true, metrics: summaryOf(scores) };
    const run = await startRun({ ...common, data, share, runDigest: sha256(`${runDigest} fold ${fold}`) });
    try {
      if ((await trainEpochs(run)).kind === 'Stopped') return 'Stopped';
      if (run.state.best !== undefined) run.learner.setWeights(run.state.best);
      const metrics = judge(run.learner, data.validation, data.preprocessing.target, run.metrics, 'val_');
      scores = [...scores, { fold, metrics }];
      hooks.log('info', 'Fold ended', { fold, of: kFold, ...metrics });
      requireOwnVolume(order.volume, order.fence);
      writeFile(order.volume, scoresFile, JSON.stringify({ runDigest, scores }));
      removeCheckpoints(run.store);
    } finally {
      run.learner.dispose();
    }
  }
  return scores;
}

/** `cv_accuracy`: the mean over the folds of their `val_accuracy`; `cv_accuracy_std`: the standard deviation of one fold (n - 1). Only of metrics that each fold has. */
export function summaryOf(scores: readonly FoldScore[]): Metrics {
  const [first] = scores;
  const summary: Record<string, number> = {};
  for (const name of Object.keys(first?.metrics ?? {})) {
    const values = scores.flatMap(({ metrics }) => metrics[name] ?? []);
    if (values.length < scores.length) continue;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const told = name.replace(/^val_/, 'cv_');
    summary[told] = mean;
    if (values.length > 1) summary[`${told}_std`] = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  }
  return summary;
}

function scoresIn(volume: string, runDigest: string): readonly FoldScore[] {
  const json = readIfThere(path.join(volume, scoresFile));
  if (json === undefined) return [];
  const written = JSON.parse(json.toString()) as { readonly runDigest: string; readonly scores: readonly FoldScore[] };
  return written.runDigest === runDigest ? written.scores : [];
}
