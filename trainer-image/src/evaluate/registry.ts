/** All metrics by name: for which task, which way is better, and whether sums over batches are enough. Training and evaluation share this one table. */
import type { Task } from '../data/target.ts';
import { calibrationError } from './calibration.ts';
import { overClasses, weightedMean } from './classification.ts';
import type { ClassSample } from './classification.ts';
import { accuracy, balancedAccuracy, cohenKappa, macro, matthewsCorrelation } from './confusion.ts';
import type { Confusion } from './confusion.ts';
import { precisionAtRecall, recallAtPrecision } from './ranking.ts';
import { explainedVariance, medianAbsoluteError, r2 } from './regression.ts';
import type { ErrorSums, ValueSample } from './regression.ts';

export interface MetricOf<Tallied, Sample> {
  readonly better: 'Larger' | 'Smaller';
  /** Reported also where nobody asks for it. */
  readonly usual?: true;
  readonly from:
    /** The loss that training minimises, which only training knows. */
    | { readonly needs: 'Loss' }
    /** Sums that can be kept while batches pass. */
    | { readonly needs: 'Tally'; readonly of: (tallied: Tallied) => number }
    /** The predictions of the whole part, since rows are compared with each other. */
    | { readonly needs: 'Predictions'; readonly of: (sample: Sample) => number };
}

export type ClassMetric = MetricOf<Confusion, ClassSample>;
export type ValueMetric = MetricOf<ErrorSums, ValueSample>;

/** Values are NaN where a metric is not defined, for example rocAuc where only one class occurs. */
const classification: ReadonlyMap<string, ClassMetric> = new Map(Object.entries<ClassMetric>({
  loss: { better: 'Smaller', usual: true, from: { needs: 'Loss' } },
  accuracy: { better: 'Larger', usual: true, from: { needs: 'Tally', of: accuracy } },
  precision: { better: 'Larger', usual: true, from: { needs: 'Tally', of: (confusion) => macro(confusion, 'precision') } },
  recall: { better: 'Larger', usual: true, from: { needs: 'Tally', of: (confusion) => macro(confusion, 'recall') } },
  f1: { better: 'Larger', usual: true, from: { needs: 'Tally', of: (confusion) => macro(confusion, 'f1') } },
  balancedAccuracy: { better: 'Larger', from: { needs: 'Tally', of: balancedAccuracy } },
  mcc: { better: 'Larger', from: { needs: 'Tally', of: matthewsCorrelation } },
  cohenKappa: { better: 'Larger', from: { needs: 'Tally', of: cohenKappa } },
  rocAuc: { better: 'Larger', from: { needs: 'Predictions', of: (sample) => overClasses(sample, (place) => sample.areas(place).roc) } },
  prAuc: { better: 'Larger', from: { needs: 'Predictions', of: (sample) => overClasses(sample, (place) => sample.areas(place).precisionRecall) } },
  logLoss: { better: 'Smaller', from: { needs: 'Predictions', of: ({ facts, weights }) => weightedMean(facts.logLosses(), weights) } },
  brier: { better: 'Smaller', from: { needs: 'Predictions', of: ({ facts, weights }) => weightedMean(facts.brierScores(), weights) } },
  calibrationError: { better: 'Smaller', from: { needs: 'Predictions', of: ({ calibration }) => calibrationError(calibration()) } },
}));

const regression: ReadonlyMap<string, ValueMetric> = new Map(Object.entries<ValueMetric>({
  loss: { better: 'Smaller', usual: true, from: { needs: 'Loss' } },
  mae: { better: 'Smaller', usual: true, from: { needs: 'Tally', of: ({ absolute, weight }) => absolute / weight } },
  rmse: { better: 'Smaller', usual: true, from: { needs: 'Tally', of: ({ squared, weight }) => Math.sqrt(squared / weight) } },
  r2: { better: 'Larger', usual: true, from: { needs: 'Tally', of: r2 } },
  mse: { better: 'Smaller', from: { needs: 'Tally', of: ({ squared, weight }) => squared / weight } },
  medianAbsoluteError: { better: 'Smaller', from: { needs: 'Predictions', of: medianAbsoluteError } },
  mape: { better: 'Smaller', from: { needs: 'Predictions', of: ({ facts, weights }) => weightedMean(facts.relativeErrors(), weights) } },
  explainedVariance: { better: 'Larger', from: { needs: 'Predictions', of: explainedVariance } },
}));

/** Rows that are given back are judged by nothing but the loss. */
const reconstruction: ReadonlyMap<string, ValueMetric> = new Map(Object.entries<ValueMetric>({ loss: { better: 'Smaller', usual: true, from: { needs: 'Loss' } } }));

const ofTask = { Classification: classification, Regression: regression, Reconstruction: reconstruction } as const;

/** recallAtPrecision90: the largest recall with a precision of 90 % or more; precisionAtRecall80 likewise. One against the rest, macro. */
const operating = /^(recallAtPrecision|precisionAtRecall)([1-9]\d?)$/;
const operatingNames = ['recallAtPrecision90', 'precisionAtRecall90'];

const bare = (name: string): string => name.replace(/^(val|test)_/, '');

/** @param name  with or without val_ or test_ */
export function classMetric(name: string): ClassMetric | undefined {
  const named = classification.get(bare(name));
  const [, kind, percent] = operating.exec(bare(name)) ?? [];
  if (named !== undefined || kind === undefined) return named;
  const share = Number(percent) / 100;
  const at = kind === 'recallAtPrecision' ? recallAtPrecision : precisionAtRecall;
  return { better: 'Larger', from: { needs: 'Predictions', of: (sample) => overClasses(sample, (place) => at(sample.facts.ranking(place), share, sample.weights)) } };
}

export const valueMetric = (name: string): ValueMetric | undefined => regression.get(bare(name));

function metricOf(name: string, task: Task): ClassMetric | ValueMetric | undefined {
  switch (task) {
    case 'Classification': return classMetric(name);
    case 'Regression': return valueMetric(name);
    case 'Reconstruction': return reconstruction.get(bare(name));
  }
}

export const isLargerBetter = (name: string): boolean => (classMetric(name) ?? valueMetric(name))?.better === 'Larger';
export const suitsTask = (name: string, task: Task): boolean => metricOf(name, task) !== undefined;
/** Whether the predictions of a whole part must be at hand; else a tally is enough. */
export const needsPredictions = (name: string, task: Task): boolean => metricOf(name, task)?.from.needs === 'Predictions';
/** Names to choose from; of the metrics at an operating point one as an example. */
export const metricsOfTask = (task: Task): readonly string[] => [...ofTask[task].keys(), ...(task === 'Classification' ? operatingNames : [])];
/** What is reported also where nobody asks for more. */
export const usualMetrics = (task: Task): readonly string[] => [...ofTask[task]].filter(([, { usual }]) => usual === true).map(([name]) => name);
/** Whether the answers of a finished model are enough to compute it. Its name has no prefix: it is of no part of the rows. */
export const judgesAnswers = (name: string, task: Task): boolean => {
  const metric = name === bare(name) ? metricOf(name, task) : undefined;
  return metric !== undefined && (metric.from.needs !== 'Loss' || task === 'Reconstruction');
};
/** What can be computed from predictions alone. */
export const evaluatedMetrics = (task: Exclude<Task, 'Reconstruction'>): readonly string[] => [...ofTask[task]].filter(([, { from }]) => from.needs !== 'Loss').map(([name]) => name);
