/** One training run from spec to model directory. Runs in a worker thread; knows no process, no environment and no clock but the given one. */
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { TrainerSpec, TrainingResult } from '@anneal/operator/api';
import { volumeLayout } from '@anneal/operator/api';
import { openRows } from '../data/ingest/index.ts';
import { prepare, rowsOptions } from '../data/prepare.ts';
import type { Prepared } from '../data/prepare.ts';
import { openSource } from '../data/source.ts';
import type { SourcePlaces } from '../data/source.ts';
import { AnnealError, list, toAnnealError } from '../errors.ts';
import { canonicalJson, removeLeftovers, sha256 } from '../files.ts';
import { requireAccelerator, tensorflowVersion, tf } from '../model/backend.ts';
import { readManifest } from '../model/directory.ts';
import type { StoredModel } from '../model/directory.ts';
import type { ModelSpec } from '../model/spec.ts';
import { assembleModel, writeModel } from '../model/save.ts';
import type { ModelFolder, ModelParts } from '../model/save.ts';
import { version } from '../version.ts';
import { readNewest } from './checkpoint.ts';
import type { Checkpoint, CheckpointStore, Kinship } from './checkpoint.ts';
import { startState, trainEpochs } from './epochs.ts';
import type { Run } from './epochs.ts';
import { Replicas } from './collective/replicas.ts';
import { claimVolume, requireOwnVolume } from './fence.ts';
import { createLearner } from './learner.ts';
import { metricsOf, metricsOfTask, perClass, suitsTask } from './metrics.ts';
import type { Metrics, Tally } from './metrics.ts';
import { failureOf } from './order.ts';
import type { TrainingHooks, TrainingOrder, TrainingOutcome } from './order.ts';
import { restore } from './restore.ts';

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
  const specDigest = sha256(canonicalJson(order.spec));
  requireAccelerator(order.accelerator);
  claim(order);
  if (order.replicas === undefined) removeLeftovers(order.volume);
  const { data: loaded, dataDigest } = await loadData(order, hooks);
  using data = loaded;
  const finished = (): TrainingResult | undefined => finishedModel(order, specDigest, dataDigest, hooks);
  const before = finished();
  if (before !== undefined) return { kind: 'Succeeded', result: before };
  const run = startRun(order, hooks, data, sha256(`${specDigest} ${dataDigest}`), dataDigest, finished);
  try {
    for (;;) {
      const end = await trainEpochs(run);
      const turn = end.kind === 'Finished' ? await run.replicas?.conclude(run) ?? 'Lead' : end;
      if (turn === 'Lead') return { kind: 'Succeeded', result: await conclude(run, specDigest, dataDigest) };
      if (turn.kind === 'Done') return { kind: 'Succeeded', result: turn.result, byAnother: true };
      if (turn.kind === 'Stopped') return stopped(run);
    }
  } finally {
    run.replicas?.close();
    run.learner.dispose();
  }
}

async function conclude(run: Run, specDigest: string, dataDigest: string): Promise<TrainingResult> {
  if (run.replicas !== undefined) removeLeftovers(run.order.volume);
  const result = resultOf(await finish(run, specDigest, dataDigest));
  run.replicas?.announce(result);
  return result;
}

function stopped(run: Run): TrainingOutcome {
  run.replicas?.leave();
  return { kind: 'Stopped', ...(run.lastCheckpoint === undefined ? {} : { checkpoint: run.lastCheckpoint }) };
}

/**
 * The model that an attempt before this one finished, when it was not told of in time. The data count too: on a volume that outlives its job,
 * a new job of that name may find the model of the last one, and be meant to train on what has changed since.
 */
function finishedModel(order: TrainingOrder, specDigest: string, dataDigest: string, hooks: TrainingHooks): TrainingResult | undefined {
  try {
    const found = readManifest(path.join(order.volume, volumeLayout.model));
    if (found?.manifest.specDigest !== specDigest || found.manifest.data.sha256 !== dataDigest) return undefined;
    hooks.log('info', 'Found the finished model of this spec and these data', { digest: found.digest });
    return resultOf(found);
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    hooks.log('warn', 'Model on the volume could not be used and will be replaced', { error: error.message });
    return undefined;
  }
}

/** Before any time is spent: a model that cannot be written would only be noticed at the end. */
function claim({ volume, fence }: TrainingOrder): void {
  try {
    mkdirSync(path.join(volume, volumeLayout.checkpoints), { recursive: true });
    accessSync(volume, constants.W_OK);
    claimVolume(volume, fence);
  } catch (error) {
    if (error instanceof AnnealError) throw error;
    throw new AnnealError('VOLUME_WRITE', { message: `The job's volume cannot be written to: ${String(error)}. Check its access mode, and that it is not mounted read-only.`, cause: error });
  }
}

async function loadData(order: TrainingOrder, hooks: TrainingHooks): Promise<{ data: Prepared; dataDigest: string }> {
  const { spec } = order;
  let toldAt = hooks.now();
  await using source = await openSource(spec.data.source, placesOf(order, hooks), hooks.signal, (progress) => {
    if (hooks.now() - toldAt < 5000) return;
    toldAt = hooks.now();
    hooks.log('info', 'Downloading data', { ...progress });
  });
  const memoryBytes = order.memoryBytes ?? modestMemory;
  await using rows = await openRows(source.files, rowsOptions(spec.data), {
    threads: order.threads, memoryBytes, cache: { ...tablesOf(order), now: hooks.now }, signal: hooks.signal,
  });
  const data = await prepare(spec.data, rows, { bytes: memoryBytes * matrixShare, folder: path.join(order.volume, downloads) });
  const { task } = data.preprocessing.target;
  hooks.log('info', 'Data loaded', {
    files: list(source.files.map(({ name }) => name), 3), sha256: source.sha256, task, features: data.preprocessing.features.length,
    train: data.train.rows, validation: data.validation.rows, test: data.test.rows,
  });
  const watched = spec.fit.earlyStopping?.metric;
  if (watched !== undefined && !suitsTask(watched, task)) {
    throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.fit.earlyStopping.metric', message: `${watched} is no metric of a ${task}. Write one of ${metricsOfTask(task).join(', ')}, with val_ before it for the validation rows.` });
  }
  return { data, dataDigest: source.sha256 };
}

/** Folder of the volume for what was downloaded, unless it is kept elsewhere. */
const downloads = 'data';

/** Of the memory, for the numbers that the network eats. */
const matrixShare = 1 / 2;
/** Memory that is there where nobody says how much. */
const modestMemory = 4 * 1024 ** 3;
/** Room for tables that were read before, where none is given. */
const tableBytes = 64 * 1024 ** 3;

function tablesOf({ volume, dataCache }: TrainingOrder): { readonly folder: string; readonly maxBytes: number } {
  return { folder: path.join(dataCache?.folder ?? path.join(volume, downloads), 'tables'), maxBytes: dataCache?.maxBytes ?? tableBytes };
}

function placesOf({ volume, sourceDirectory, dataCache, sourceCredentials, fence }: TrainingOrder, { now }: TrainingHooks): SourcePlaces {
  return {
    mounted: sourceDirectory,
    cache: dataCache?.folder ?? path.join(volume, downloads),
    ...(dataCache?.maxBytes === undefined ? {} : { cacheBytes: dataCache.maxBytes }),
    note: { folder: path.join(volume, downloads), jobUid: fence.jobUid },
    environment: sourceCredentials ?? {},
    now,
  };
}

function replicasOf(order: TrainingOrder, hooks: TrainingHooks, runDigest: string, finished: () => TrainingResult | undefined): Replicas | undefined {
  const { replicas } = order;
  if (replicas === undefined || hooks.link === undefined) return undefined;
  const { index, peers, minReplicas } = replicas;
  return new Replicas({ link: hooks.link, index, places: peers.length, replicas: replicas.replicas, minReplicas, runDigest, hooks, finished });
}

function startRun(order: TrainingOrder, hooks: TrainingHooks, data: Prepared, runDigest: string, dataDigest: string, finished: () => TrainingResult | undefined): Run {
  const { spec } = order;
  const { shape, target } = data.preprocessing;
  const kinship = kinshipOf(spec, data, dataDigest);
  const store: CheckpointStore = { folder: path.join(order.volume, volumeLayout.checkpoints), keep: order.checkpointKeep, runDigest, kinship, threads: order.threads };
  if (order.replicas === undefined) removeLeftovers(store.folder);
  const found = readNewest(store, (name, why) => hooks.log('warn', 'Passed over a checkpoint', { checkpoint: name, why })) ?? restored(order, kinship, data, hooks);
  if (found !== undefined) hooks.log('info', 'Going on from a checkpoint', { checkpoint: found.name, epoch: found.state.epoch, step: found.state.step });
  const now = hooks.now();
  const replicas = replicasOf(order, hooks, runDigest, finished);
  return {
    order, data, hooks, store,
    ...(replicas === undefined ? {} : { replicas }),
    learner: createLearner({ model: spec.model, fit: spec.fit, target, shape }, found?.learner),
    state: found?.state ?? startState(data),
    checkpointedAt: now,
    reportedAt: now,
    loggedAt: now,
    startedAt: now,
    startedStep: found?.state.step ?? 0,
  };
}

/** Where the job has no checkpoint of its own and names another's. */
function restored({ restoreFrom }: TrainingOrder, kinship: Kinship, data: Prepared, hooks: TrainingHooks): Checkpoint | undefined {
  if (restoreFrom === undefined) return undefined;
  const { kind, checkpoint } = restore(restoreFrom, kinship, (name, why) => hooks.log('warn', 'Passed over a checkpoint', { checkpoint: name, why }));
  hooks.log('info', kind === 'GoneOn' ? 'Beginning where another job stood' : 'Beginning with the weights of another job', { checkpoint: checkpoint.name });
  return kind === 'GoneOn' ? checkpoint : { name: checkpoint.name, state: startState(data), learner: { weights: checkpoint.learner.weights, optimizer: { slots: [], scalars: [] } } };
}

function kinshipOf(spec: TrainerSpec, data: Prepared, dataDigest: string): Kinship {
  const { epochs: _epochs, ...fit } = spec.fit;
  const { dropout: _dropout, l1: _l1, l2: _l2, ...layers }: ModelSpec = spec.model;
  const { shape, target } = data.preprocessing;
  return {
    lineage: sha256(canonicalJson({ ...spec, fit, dataDigest })),
    network: sha256(canonicalJson({ layers, shape, outputs: target.task === 'Classification' ? target.classes : 1 })),
  };
}

async function finish(run: Run, specDigest: string, dataDigest: string): Promise<StoredModel> {
  const { order, data, learner, state } = run;
  if (state.best !== undefined) learner.setWeights(state.best);
  const chosenEpoch = state.best === undefined ? state.epoch : state.stopping.bestEpoch;
  const validation = learner.evaluate(data.validation);
  const test = learner.evaluate(data.test);
  const { target } = data.preprocessing;
  const metrics: Metrics = { ...state.history[chosenEpoch - 1], ...metricsOf(test, target, 'test_') };
  const folder = await assembled(run, (network) => ({
    network,
    preprocessing: data.preprocessing,
    metrics: { metrics, epoch: chosenEpoch, history: state.history, validation: details(validation, run), test: details(test, run) },
    manifest: {
      task: target.task,
      specDigest,
      data: { sha256: dataDigest, rows: { train: data.train.rows, validation: data.validation.rows, test: data.test.rows } },
      versions: { trainer: version, tfjs: tf.version.tfjs, tensorflow: tensorflowVersion(), node: process.versions.node },
      epochs: state.epoch,
      metrics,
    },
    sample: [data.test, data.validation].find(({ rows }) => rows > 0) ?? data.train,
  }));
  requireOwnVolume(order.volume, order.fence);
  try {
    const stored = writeModel(order.volume, volumeLayout.model, folder);
    rmSync(path.join(order.volume, downloads), { recursive: true, force: true });
    return stored;
  } catch (error) {
    throw new AnnealError('VOLUME_WRITE', { message: `The model could not be written to the job's volume: ${String(error)}. Ask for a larger volume; the run goes on from its last checkpoint.`, cause: error });
  }
}

async function assembled({ learner, hooks }: Run, parts: (network: LayersModel) => ModelParts): Promise<ModelFolder> {
  const network = learner.model();
  try {
    return await assembleModel(parts(network), hooks.log);
  } finally {
    network.dispose();
  }
}

/** Confusion matrix ([true][predicted]) and metrics of each class. */
function details(tally: Tally, run: Run): object {
  const { target } = run.data.preprocessing;
  if (tally.task !== 'Classification' || target.task !== 'Classification') return { rows: tally.rows };
  return { rows: tally.rows, classes: target.classes, confusion: tally.confusion, perClass: perClass(tally.confusion) };
}

function resultOf({ manifest, digest, sizeBytes }: StoredModel): TrainingResult {
  return { metrics: manifest.metrics, epochs: manifest.epochs, model: { path: volumeLayout.model, digest, sizeBytes } };
}
