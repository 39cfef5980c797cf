/** A run at its beginning: new, or where a checkpoint of it, or of another job, stood. */
import path from 'node:path';
import type { TrainerSpec, TrainingResult } from '@anneal/operator/api';
import { volumeLayout } from '@anneal/operator/api';
import { classWeights } from '../data/class-weights.ts';
import type { Prepared } from '../data/prepare.ts';
import { AnnealError } from '../errors.ts';
import { canonicalJson, removeLeftovers, sha256 } from '../files.ts';
import { readKerasLayers } from '../model/keras-layers.ts';
import type { ModelSpec } from '../model/spec.ts';
import { readNewest } from './checkpoint.ts';
import type { Checkpoint, CheckpointStore, Kinship } from './checkpoint.ts';
import { Replicas } from './collective/replicas.ts';
import { startState } from './epochs.ts';
import type { Run, Share } from './epochs.ts';
import { metricNames, requireJudgeable } from './judging.ts';
import type { FitSpec } from './fit.ts';
import { architectureOf, createLearner, networkShape } from './learner.ts';
import type { LearnerSpec } from './learner.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';
import { requireEvaluation } from './reconstruction.ts';
import { restore } from './restore.ts';
import type { SavedModel } from './saved-model.ts';

export interface Beginning {
  readonly order: TrainingOrder;
  readonly hooks: TrainingHooks;
  readonly data: Prepared;
  /** Digest of spec and data, and of the fold where it is one; a checkpoint of another is never gone on from. */
  readonly runDigest: string;
  readonly dataDigest: string;
  /** Which part of the whole job this is. */
  readonly share: Share;
  /** The model that another replica may have finished. */
  readonly finished: () => TrainingResult | undefined;
  readonly saved?: SavedModel;
}

/** @throws AnnealError `SPEC_…` for a network that cannot be, or not learn this; `CHECKPOINT_FOREIGN` */
export async function startRun(beginning: Beginning): Promise<Run> {
  const { order, hooks, data, runDigest, dataDigest, share, saved } = beginning;
  const { spec } = order;
  const { target } = data.preprocessing;
  requireEvaluation(spec.evaluation, target.task);
  requireJudgeable(spec, target.task);
  const learner = await learnerSpec(spec, data, saved);
  const kinship = kinshipOf(spec, learner, dataDigest, saved);
  const store: CheckpointStore = { folder: path.join(order.volume, volumeLayout.checkpoints), keep: order.checkpointKeep, runDigest, kinship, threads: order.threads };
  if (order.replicas === undefined) removeLeftovers(store.folder);
  const found = readNewest(store, (name, why) => hooks.log('warn', 'Passed over a checkpoint', { checkpoint: name, why })) ?? (share.isFold ? undefined : restored(order, kinship, data, hooks));
  if (found !== undefined) hooks.log('info', 'Going on from a checkpoint', { checkpoint: found.name, epoch: found.state.epoch, step: found.state.step });
  const now = hooks.now();
  const replicas = replicasOf(beginning);
  return {
    order, data, hooks, store, share,
    metrics: metricNames(spec.fit, target.task),
    ...(replicas === undefined ? {} : { replicas }),
    learner: createLearner(learner, found?.learner),
    state: found?.state ?? startState(data),
    checkpointedAt: now,
    reportedAt: now,
    loggedAt: now,
    startedAt: now,
    startedStep: found?.state.step ?? 0,
  };
}

function replicasOf({ order: { replicas }, hooks, runDigest, finished }: Beginning): Replicas | undefined {
  if (replicas === undefined || hooks.link === undefined) return undefined;
  const { index, peers, minReplicas } = replicas;
  return new Replicas({ link: hooks.link, index, places: peers.length, replicas: replicas.replicas, minReplicas, runDigest, hooks, finished });
}

async function learnerSpec(spec: TrainerSpec, data: Prepared, saved: SavedModel | undefined): Promise<LearnerSpec> {
  const { model, fit }: { readonly model: ModelSpec; readonly fit: FitSpec } = spec;
  const { shape, target } = data.preprocessing;
  if (saved !== undefined) return { model, fit, target, shape, layers: await saved.layers(), ...weightsOfClasses(spec, data) };
  const columns = codedColumns(spec, data);
  const layers = model.layers === undefined ? {} : { layers: await readKerasLayers(model.layers, networkShape({ target, shape, coded: columns.coded }), fit.seed) };
  return { model, fit, target, shape, ...columns, ...layers, ...weightsOfClasses(spec, data) };
}

function codedColumns({ model }: TrainerSpec, { preprocessing: { embeddings } }: Prepared): Pick<LearnerSpec, 'coded'> {
  if ((embeddings === undefined) !== (model.embedding === undefined)) {
    throw new AnnealError('SPEC_CONFLICT', {
      at: 'spec.trainer.model.embedding',
      message: embeddings === undefined
        ? 'model.embedding needs columns to embed. Add a step - encode: {method: Embedding}, or remove model.embedding.'
        : 'The pipeline codes columns for an embedding, and the model has none. Write model.embedding: {dimension: 8}, or another encode.method.',
    });
  }
  return embeddings === undefined ? {} : { coded: embeddings.map(({ feature, categories }) => ({ place: feature, categories })) };
}

function weightsOfClasses({ fit: { classWeights: method, weights = {} } }: TrainerSpec, { preprocessing: { target }, train: { targets } }: Prepared): Pick<LearnerSpec, 'classWeights'> {
  if (method === undefined) return {};
  if (target.task !== 'Classification' || !(targets instanceof Int32Array)) throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.fit.classWeights', message: `classWeights need classes, and the task is ${target.task}. Remove classWeights, or write task: Classification.` });
  return { classWeights: [...classWeights(method === 'Balanced' ? 'Balanced' : weights, target.classes, targets)] };
}

/** Where the job has no checkpoint of its own and names another's. */
function restored({ restoreFrom }: TrainingOrder, kinship: Kinship, data: Prepared, hooks: TrainingHooks): Checkpoint | undefined {
  if (restoreFrom === undefined) return undefined;
  const { kind, checkpoint } = restore(restoreFrom, kinship, (name, why) => hooks.log('warn', 'Passed over a checkpoint', { checkpoint: name, why }));
  hooks.log('info', kind === 'GoneOn' ? 'Beginning where another job stood' : 'Beginning with the weights of another job', { checkpoint: checkpoint.name });
  return kind === 'GoneOn' ? checkpoint : { name: checkpoint.name, state: startState(data), learner: { weights: checkpoint.learner.weights, optimizer: { slots: [], scalars: [] } } };
}

function kinshipOf(spec: TrainerSpec, learner: LearnerSpec, dataDigest: string, saved: SavedModel | undefined): Kinship {
  const { epochs: _epochs, ...fit } = spec.fit;
  return { lineage: sha256(canonicalJson({ ...spec, fit, dataDigest })), network: saved === undefined ? sha256(canonicalJson(architectureOf(learner))) : saved.digest };
}
