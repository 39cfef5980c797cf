/** What is measured of a part: the names that the manifest asks for, and their values by the network as it is. */
import type { TrainerSpec } from '@anneal/operator/api';
import { matrixOf } from '../data/matrix.ts';
import type { Part } from '../data/part.ts';
import type { TargetCoding } from '../data/target.ts';
import { AnnealError } from '../errors.ts';
import { measure } from '../evaluate/measure.ts';
import type { Predictions } from '../evaluate/predictions.ts';
import { judgesAnswers, needsPredictions, usualMetrics } from '../evaluate/registry.ts';
import { consecutive } from './batches.ts';
import type { Learner } from './learner.ts';
import { metricsOf, metricsOfTask, suitsTask } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import { watchedBy } from './schedule.ts';

/** One that there is a truth for in each row. */
export type PredictedTarget = Exclude<TargetCoding, { readonly task: 'Reconstruction' }>;

/** What the network says of each row, and the truth. */
export const predictionsOf = (learner: Pick<Learner, 'predict'>, part: Part, target: PredictedTarget): Predictions => predictionsFrom(learner.predict(part), part, target);

/** Where the answers are not needed all at once, so many are held. */
const answersAtOnce = 8192;

/** As `predictionsOf`, block by block. */
export function* predictionBlocks(learner: Pick<Learner, 'predict'>, part: Part, target: PredictedTarget): Generator<Predictions> {
  for (let from = 0; from < part.rows; from += answersAtOnce) {
    const { features, ...rows } = consecutive(part, from, Math.min(part.rows, from + answersAtOnce));
    yield predictionsOf(learner, { ...rows, features: matrixOf(features, part.features.width) }, target);
  }
}

/** @param outputs  of the network for the rows of the part: probabilities, or standardised values */
export function predictionsFrom(outputs: Float32Array, part: Part, target: PredictedTarget): Predictions {
  if (target.task === 'Classification') return { task: 'Classification', classes: target.classes, probabilities: outputs, truth: Int32Array.from(part.targets) };
  const inUnits = (values: ArrayLike<number>): Float64Array => Float64Array.from(values, (value) => value * target.scale + target.mean);
  return { task: 'Regression', predicted: inUnits(outputs), truth: part.truth ?? inUnits(part.targets) };
}

/** @param names  without prefix. @returns those that are defined for the part, named with `prefix`; nothing for no rows */
export function judge(learner: Learner, part: Part, target: TargetCoding, names: readonly string[], prefix: string): Metrics {
  if (part.rows === 0) return {};
  const tallied = metricsOf(learner.evaluate(part), target, prefix, names);
  const whole = names.filter((name) => needsPredictions(name, target.task));
  return whole.length === 0 || target.task === 'Reconstruction' ? tallied : { ...tallied, ...measure(predictionsOf(learner, part, target), whole, prefix) };
}

/**
 * Names without prefix: the usual ones of the task, those of `fit.metrics`, and those that early stopping and the schedule watch.
 * @throws AnnealError `SPEC_TASK_MISMATCH` for a metric of another task, `SPEC_INVALID` for one that there is not
 */
export function metricNames({ metrics = [], earlyStopping, schedule }: TrainerSpec['fit'], task: TargetCoding['task']): readonly string[] {
  const asked = metrics.map((item, index) => nameOf(item, `spec.trainer.fit.metrics[${index}]`));
  asked.forEach((name, index) => requireSuits(name, task, `spec.trainer.fit.metrics[${index}]`, ''));
  const watched = [
    ...(earlyStopping === undefined ? [] : [{ name: earlyStopping.metric, at: 'spec.trainer.fit.earlyStopping.metric' }]),
    ...(schedule?.name === 'ReduceLROnPlateau' ? [{ name: watchedBy(schedule), at: 'spec.trainer.fit.schedule.metric' }] : []),
  ];
  for (const { name, at } of watched) requireSuits(name, task, at, 'val_');
  return [...new Set([...usualMetrics(task), ...asked, ...watched.map(({ name }) => name.replace(/^val_/, ''))])];
}

/**
 * What a finished model is asked for, told before its first epoch rather than after its last.
 * @throws AnnealError `SPEC_TASK_MISMATCH`
 */
export function requireJudgeable({ evaluation, compress }: Pick<TrainerSpec, 'evaluation' | 'compress'>, task: TargetCoding['task']): void {
  if (evaluation?.threshold !== undefined && task !== 'Classification') throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.evaluation.threshold', message: `A threshold decides between classes, and the task is ${task}. Remove evaluation.threshold, or write task: Classification.` });
  const named = [
    { name: evaluation?.importance?.metric, at: 'spec.trainer.evaluation.importance.metric' },
    { name: compress?.maxLoss?.metric, at: 'spec.trainer.compress.maxLoss.metric' },
  ];
  for (const { name, at } of named) {
    if (name === undefined || judgesAnswers(name, task)) continue;
    const names = metricsOfTask(task).filter((metric) => judgesAnswers(metric, task));
    throw new AnnealError('SPEC_TASK_MISMATCH', { at, message: `${name} cannot be computed from what a finished model of a ${task} answers. Write one of ${names.join(', ')}.` });
  }
}

/** @param prefix  that the name may have */
function requireSuits(name: string, task: TargetCoding['task'], at: string, prefix: '' | 'val_'): void {
  if (suitsTask(name, task) && !/^(val|test)_/.test(name.replace(prefix, ''))) return;
  throw new AnnealError('SPEC_TASK_MISMATCH', { at, message: `${name} is no metric of a ${task}. Write one of ${metricsOfTask(task).join(', ')}; those of earlyStopping and schedule take val_ before it for the validation rows.` });
}

/** `prAuc`, or `{recallAt: {precision: 0.9}}`, which is `recallAtPrecision90`. */
function nameOf(item: unknown, at: string): string {
  if (typeof item === 'string') return item;
  const [of, bound] = soleEntry(item) ?? [];
  const [by, share] = soleEntry(bound) ?? [];
  // A share of 0.29 is 28.999999999999996 hundredths.
  const percent = typeof share === 'number' ? Number((share * 100).toFixed(9)) : NaN;
  if (Number.isInteger(percent) && percent >= 1 && percent <= 99) {
    if (of === 'recallAt' && by === 'precision') return `recallAtPrecision${percent}`;
    if (of === 'precisionAt' && by === 'recall') return `precisionAtRecall${percent}`;
  }
  throw new AnnealError('SPEC_INVALID', { at, message: `${JSON.stringify(item)} is no metric. Write a name, for example prAuc, or {recallAt: {precision: 0.9}} or {precisionAt: {recall: 0.9}}, with a share of whole hundredths from 0.01 to 0.99.` });
}

function soleEntry(value: unknown): [string, unknown] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const [entry, ...more] = Object.entries(value);
  return more.length === 0 ? entry : undefined;
}
