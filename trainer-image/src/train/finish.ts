/** What is made of a run that has learnt: the evaluation, and the model directory. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { TrainingResult } from '@anneal/operator/api';
import { volumeLayout } from '@anneal/operator/api';
import { rowErrors } from '../data/anomalies.ts';
import type { AnomalyRule, ErrorName } from '../data/anomalies.ts';
import type { Part } from '../data/part.ts';
import { mean } from '../data/statistics.ts';
import { AnnealError } from '../errors.ts';
import { measure } from '../evaluate/measure.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import { evaluationPlots } from '../evaluate/plot-files.ts';
import { evaluationPage } from '../evaluate/report.ts';
import type { DecisionThreshold } from '../evaluate/thresholds.ts';
import { tensorflowVersion, tf } from '../model/backend.ts';
import { joined } from '../model/compress/measure.ts';
import type { OutputBlocks } from '../model/compress/measure.ts';
import { readManifest } from '../model/directory.ts';
import type { StoredModel } from '../model/directory.ts';
import { assembleModel, text, writeModel } from '../model/save.ts';
import type { ModelFolder, ModelParts } from '../model/save.ts';
import { errorsReference, predictionsReference } from '../reference/predictions.ts';
import type { Answered } from '../reference/predictions.ts';
import type { InputsReference, PredictionsReference } from '../reference/profile.ts';
import { version } from '../version.ts';
import { summaryOf } from './cross-validation.ts';
import type { FoldScore } from './cross-validation.ts';
import type { Run } from './epochs.ts';
import { requireOwnVolume } from './fence.ts';
import { evaluateFinal } from './final-evaluation.ts';
import type { FinalEvaluation } from './final-evaluation.ts';
import { judge, predictionBlocks, predictionsFrom } from './judging.ts';
import { isLargerBetter, perClass } from './metrics.ts';
import type { Metrics, Tally } from './metrics.ts';
import type { TrainingHooks, TrainingOrder } from './order.ts';
import { errorBlocks, errorOf } from './reconstruction.ts';
import { downloads } from './training-data.ts';

/**
 * The model that an attempt before this one finished, when it was not told of in time. The data count too: on a volume that outlives its job,
 * a new job of that name may find the model of the last one, and be meant to train on what has changed since.
 */
export function finishedModel(order: TrainingOrder, specDigest: string, dataDigest: string, hooks: TrainingHooks): TrainingResult | undefined {
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

/** What is told of a model beside what its run knows. */
export interface Origin {
  readonly specDigest: string;
  readonly dataDigest: string;
  /** Scores of a cross-validation. */
  readonly folds: readonly FoldScore[];
  readonly inputs: InputsReference;
}

/** @throws AnnealError `VOLUME_WRITE`, `SUPERSEDED` */
export async function finish(run: Run, { specDigest, dataDigest, folds, inputs }: Origin): Promise<TrainingResult> {
  const { order, data, learner, state, hooks } = run;
  if (state.best !== undefined) learner.setWeights(state.best);
  const chosenEpoch = state.best === undefined ? state.epoch : state.stopping.bestEpoch;
  const { target } = data.preprocessing;
  const { thresholds, anomaly, ...evaluation } = evaluateFinal(learner, data, order.spec);
  const metrics: Metrics = { ...state.history[chosenEpoch - 1], ...judge(learner, data.test, target, run.metrics, 'test_'), ...foundAnomalies(evaluation), ...summaryOf(folds) };
  hooks.log('info', 'Model evaluated', { validation: data.validation.rows, test: data.test.rows });
  const sample = [data.test, data.validation].find(({ rows }) => rows > 0) ?? data.train;
  const folder = await assembled(run, (network) => ({
    network,
    preprocessing: { ...data.preprocessing, ...(thresholds === undefined ? {} : { thresholds }), ...(anomaly === undefined ? {} : { anomaly }) },
    metrics: { metrics, epoch: chosenEpoch, history: state.history, ...(folds.length === 0 ? {} : { folds }), validation: details(learner.evaluate(data.validation), run), test: details(learner.evaluate(data.test), run) },
    reference: { formatVersion: 1, inputs, predictions: answersOf(run, thresholds ?? [], anomaly) },
    reports: reportsOf(evaluation, state.history, chosenEpoch, order.spec.data.target),
    manifest: {
      task: target.task,
      specDigest,
      data: { sha256: dataDigest, rows: { train: data.train.rows, validation: data.validation.rows, test: data.test.rows } },
      versions: { trainer: version, tfjs: tf.version.tfjs, tensorflow: tensorflowVersion(), node: process.versions.node },
      epochs: state.epoch,
      metrics,
    },
    sample,
    ...compressionOf(run, sample),
  }));
  requireOwnVolume(order.volume, order.fence);
  try {
    const stored = writeModel(order.volume, volumeLayout.model, folder);
    rmSync(path.join(order.volume, downloads), { recursive: true, force: true });
    return resultOf(stored);
  } catch (error) {
    throw new AnnealError('VOLUME_WRITE', { message: `The model could not be written to the job's volume: ${String(error)}. Ask for a larger volume; the run goes on from its last checkpoint.`, cause: error });
  }
}

/** Validation rows are what the model was chosen by; the test rows and even those it was trained on say more than nothing. */
function answersOf({ learner, data, order: { spec: { fit } } }: Run, thresholds: readonly DecisionThreshold[], anomaly: AnomalyRule | undefined): PredictionsReference {
  const name = (['validation', 'test'] as const).find((one) => data[one].rows > 0) ?? 'train';
  const { preprocessing: { target }, [name]: part } = data;
  const answered: Answered = { part: name, rows: part.rows, seed: fit.seed };
  return target.task === 'Reconstruction'
    ? errorsReference(answered, errorBlocks(learner, part, errorOf(fit)), anomaly?.threshold ?? Infinity)
    : predictionsReference(answered, target, predictionBlocks(learner, part, target), thresholds);
}

/** How well the errors tell the anomalies, where a column does. */
function foundAnomalies({ validation, test }: Pick<FinalEvaluation, 'validation' | 'test'>): Metrics {
  const named = (evaluation: Evaluation | undefined, prefix: string): [string, number][] => (evaluation?.task !== 'Reconstruction' ? [] : Object.entries(evaluation.metrics).filter(([name]) => name !== 'loss').map(([name, { value }]) => [`${prefix}${name}`, value]));
  return Object.fromEntries([...named(validation, 'val_'), ...named(test, 'test_')]);
}

function assembled({ learner, hooks }: Run, parts: (network: LayersModel) => ModelParts): Promise<ModelFolder> {
  return assembleModel(parts(learner.model()), hooks.log);
}

function reportsOf(evaluation: Pick<FinalEvaluation, 'validation' | 'test'>, history: readonly Metrics[], chosenEpoch: number, target: string | undefined): ModelParts['reports'] {
  const evaluations = [evaluation.test, evaluation.validation].filter((part) => part !== undefined);
  return {
    'evaluation.json': text(evaluation),
    'evaluation.html': evaluationPage({ title: target === undefined ? 'Evaluation of the model' : `Evaluation of the model of ${target}`, history, chosenEpoch, evaluations }),
    ...evaluationPlots(evaluations, history, chosenEpoch),
  };
}

/** What compression is judged by, unless told. */
const usualLoss = { Classification: 'accuracy', Regression: 'mae', Reconstruction: 'loss' } as const;

function compressionOf({ order: { spec: { compress, fit } }, data: { preprocessing: { target } }, hooks }: Run, sample: Part): Pick<ModelParts, 'compression'> {
  if (compress === undefined) return {};
  const metric = compress.maxLoss?.metric ?? usualLoss[target.task];
  const of = target.task === 'Reconstruction'
    ? (blocks: OutputBlocks): Promise<number> => meanError(errorOf(fit), sample, blocks)
    : async (blocks: OutputBlocks): Promise<number> => measure(predictionsFrom(await joined(blocks), sample, target), [metric])[metric] ?? NaN;
  return { compression: { spec: compress, judge: { metric, isLargerBetter: isLargerBetter(metric), of }, now: hooks.now } };
}

/** Of rows that are given back, block by block: what an autoencoder gives is as large as the data. */
async function meanError(error: ErrorName, { rows, features }: Part, blocks: OutputBlocks): Promise<number> {
  const errors = new Float64Array(rows);
  let at = 0;
  for await (const outputs of blocks) {
    const to = at + outputs.length / features.width;
    errors.set(rowErrors(error, features.range(at, to), outputs, features.width), at);
    at = to;
  }
  return mean(errors);
}

/** Confusion matrix ([true][predicted]) and metrics of each class. */
function details(tally: Tally, run: Run): object {
  const { target } = run.data.preprocessing;
  if (tally.task !== 'Classification' || target.task !== 'Classification') return { rows: tally.rows };
  return { rows: tally.rows, classes: target.classes, confusion: tally.confusion, perClass: perClass(tally.confusion) };
}

function resultOf({ manifest, digest, sizeBytes }: StoredModel): TrainingResult {
  const { metrics, epochs, pseudonymKeyId } = manifest;
  return { metrics, epochs, model: { path: volumeLayout.model, digest, sizeBytes, ...(pseudonymKeyId === undefined ? {} : { pseudonymKeyId }) } };
}
