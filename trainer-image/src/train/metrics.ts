/** Metrics of a run, from sums that are kept while batches pass. The sums are plain data: a checkpoint in mid-epoch holds them. */
import type { Learning } from '../data/target.ts';

/** `rows` and `lossSum` in every task; the rest by task. */
export type Tally =
  | { readonly task: 'Classification'; rows: number; lossSum: number; /** [true class][predicted class] */ readonly confusion: number[][] }
  /** Sums over standardised errors e and targets y. */
  | { readonly task: 'Regression'; rows: number; lossSum: number; absolute: number; squared: number; targets: number; targetsSquared: number }
  | { readonly task: 'Reconstruction'; rows: number; lossSum: number };

export type Metrics = Readonly<Record<string, number>>;

export function emptyTally(target: Learning): Tally {
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

/** @returns loss and the task's metrics, named with `prefix`; nothing for no rows */
export function metricsOf(tally: Tally, target: Learning, prefix = ''): Metrics {
  if (tally.rows === 0) return {};
  const values = { loss: tally.lossSum / tally.rows, ...ofItsTask(tally, target) };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}

function ofItsTask(tally: Tally, target: Learning): Metrics {
  switch (tally.task) {
    case 'Classification': return classification(tally.confusion, tally.rows);
    case 'Regression': return regression(tally, target);
    case 'Reconstruction': return {};
  }
}

export interface ClassMetrics {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** True rows of the class. */
  readonly support: number;
}

/** Of each class. 0 where a quotient has no denominator, as scikit-learn's `zero_division=0`. */
export function perClass(confusion: readonly (readonly number[])[]): ClassMetrics[] {
  return confusion.map((row, place) => {
    const hit = row[place] ?? 0;
    const support = total(row);
    const predicted = total(confusion.map((other) => other[place] ?? 0));
    const precision = ratio(hit, predicted);
    const recall = ratio(hit, support);
    return { precision, recall, f1: ratio(2 * hit, support + predicted), support };
  });
}

/** Macro averages over the classes that occur, in truth or in prediction. */
function classification(confusion: readonly (readonly number[])[], rows: number): Metrics {
  const hits = total(confusion.map((row, place) => row[place] ?? 0));
  const occurring = perClass(confusion).filter((metrics, place) => metrics.support > 0 || confusion.some((row) => (row[place] ?? 0) > 0));
  const macro = (name: 'precision' | 'recall' | 'f1'): number => total(occurring.map((metrics) => metrics[name])) / occurring.length;
  return { accuracy: hits / rows, precision: macro('precision'), recall: macro('recall'), f1: macro('f1') };
}

/** mae and rmse in units of the target; r2 is 0 where all targets are equal. */
function regression(tally: Extract<Tally, { task: 'Regression' }>, target: Learning): Metrics {
  const scale = target.task === 'Regression' ? target.scale : 1;
  const spread = tally.targetsSquared - tally.targets ** 2 / tally.rows;
  return { mae: (scale * tally.absolute) / tally.rows, rmse: scale * Math.sqrt(tally.squared / tally.rows), r2: spread > 0 ? 1 - tally.squared / spread : 0 };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const ratio = (over: number, under: number): number => (under === 0 ? 0 : over / under);

/** Metrics that are better when larger; all others are better when smaller. */
const larger = new Set(['accuracy', 'precision', 'recall', 'f1', 'r2']);
const ofTask = { Classification: ['loss', 'accuracy', 'precision', 'recall', 'f1'], Regression: ['loss', 'mae', 'rmse', 'r2'], Reconstruction: ['loss'] } as const;

const bare = (metric: string): string => metric.replace(/^(val|test)_/, '');

export const isLargerBetter = (metric: string): boolean => larger.has(bare(metric));
export const metricsOfTask = (task: Learning['task']): readonly string[] => ofTask[task];
export const suitsTask = (metric: string, task: Learning['task']): boolean => metricsOfTask(task).includes(bare(metric));
