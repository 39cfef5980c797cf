/** Metrics of a run, from sums that are kept while batches pass. The sums are plain data: a checkpoint in mid-epoch holds them. */
import type { TargetCoding } from '../data/target.ts';
import { confusionFrom, perClass as ofConfusion } from '../evaluate/confusion.ts';
import type { ClassMetrics } from '../evaluate/confusion.ts';
import type { Metrics } from '../evaluate/measure.ts';
import { classMetric, usualMetrics, valueMetric } from '../evaluate/registry.ts';
import type { MetricOf } from '../evaluate/registry.ts';
import type { ErrorSums } from '../evaluate/regression.ts';

export type { Metrics } from '../evaluate/measure.ts';

/** `rows` and `lossSum` in every task; the rest by task. */
export type Tally =
  | { readonly task: 'Classification'; rows: number; lossSum: number; /** [true class][predicted class] */ readonly confusion: number[][] }
  /** Sums over standardised errors e and targets y. */
  | { readonly task: 'Regression'; rows: number; lossSum: number; absolute: number; squared: number; targets: number; targetsSquared: number }
  | { readonly task: 'Reconstruction'; rows: number; lossSum: number };

export function emptyTally(target: TargetCoding): Tally {
  if (target.task === 'Regression') return { task: 'Regression', rows: 0, lossSum: 0, absolute: 0, squared: 0, targets: 0, targetsSquared: 0 };
  if (target.task === 'Reconstruction') return { task: 'Reconstruction', rows: 0, lossSum: 0 };
  return { task: 'Classification', rows: 0, lossSum: 0, confusion: target.classes.map(() => target.classes.map(() => 0)) };
}

/**
 * Adds one batch.
 * @param outputs  predicted class places, or standardised values; of reconstructions, the loss of each row
 * @param loss     mean over the batch
 */
export function addBatch(tally: Tally, targets: ArrayLike<number>, outputs: ArrayLike<number>, loss: number): void {
  tally.rows += targets.length;
  tally.lossSum += loss * targets.length;
  for (let row = 0; row < targets.length; row++) addRow(tally, targets[row] ?? NaN, outputs[row] ?? NaN);
}

function addRow(tally: Tally, target: number, output: number): void {
  if (tally.task === 'Classification') {
    const predictions = tally.confusion[target];
    if (predictions !== undefined) predictions[output] = (predictions[output] ?? 0) + 1;
    return;
  }
  if (tally.task === 'Reconstruction') return;
  const error = output - target;
  tally.absolute += Math.abs(error);
  tally.squared += error * error;
  tally.targets += target;
  tally.targetsSquared += target * target;
}

/**
 * @param names  metrics that a tally is enough for; others are left out, as is one that is not defined for these rows
 * @returns their values, named with `prefix`; nothing for no rows
 */
export function metricsOf(tally: Tally, target: TargetCoding, prefix = '', names: readonly string[] = usualMetrics(target.task)): Metrics {
  if (tally.rows === 0) return {};
  const values = ofItsTask(tally, target, names);
  return Object.fromEntries(values.filter(([, value]) => Number.isFinite(value)).map(([name, value]) => [`${prefix}${name}`, value]));
}

function ofItsTask(tally: Tally, target: TargetCoding, names: readonly string[]): [string, number][] {
  switch (tally.task) {
    case 'Classification': return tallied(names, tally, classMetric, confusionFrom(tally.confusion));
    case 'Regression': return tallied(names, tally, valueMetric, errorSums(tally, target.task === 'Regression' ? target.scale : 1));
    case 'Reconstruction': return names.includes('loss') ? [['loss', tally.lossSum / tally.rows]] : [];
  }
}

function tallied<T>(names: readonly string[], tally: Tally, metric: (name: string) => MetricOf<T, never> | undefined, sums: T): [string, number][] {
  return names.flatMap((name): [string, number][] => {
    const from = metric(name)?.from;
    if (from?.needs === 'Loss') return [[name, tally.lossSum / tally.rows]];
    return from?.needs === 'Tally' ? [[name, from.of(sums)]] : [];
  });
}

/** In units of the target. */
function errorSums(tally: Extract<Tally, { task: 'Regression' }>, scale: number): ErrorSums {
  const spread = tally.targetsSquared - tally.targets ** 2 / tally.rows;
  // Of equal targets the difference leaves rounding errors, which are no spread.
  const truthSpread = spread > 1e-12 * tally.targetsSquared ? scale ** 2 * spread : 0;
  return { rows: tally.rows, weight: tally.rows, absolute: scale * tally.absolute, squared: scale ** 2 * tally.squared, truthSpread };
}

/** Of each class, from [true class][predicted class]. */
export const perClass = (confusion: readonly (readonly number[])[]): ClassMetrics[] => ofConfusion(confusionFrom(confusion));

export { isLargerBetter, metricsOfTask, suitsTask } from '../evaluate/registry.ts';
