/** Values of metrics by name, from the predictions of a part: after an epoch, of a slice, of a bootstrap sample. */
import { classFacts, classSample } from './classification.ts';
import { requireSound, weightsOf } from './predictions.ts';
import type { Predictions } from './predictions.ts';
import { classMetric, valueMetric } from './registry.ts';
import type { MetricOf } from './registry.ts';
import { valueFacts, valueSample } from './regression.ts';

/** Weights of the rows, then the name of a metric. What does not depend on the weights, such as the order of scores, is found once for all of them. */
export type Measure = (weights: Float64Array) => (name: string) => number;

/**
 * Gives NaN for a metric that is not defined for the rows that count.
 * @throws AnnealError `TRAINING_DIVERGED` for outputs that are not finite
 * @throws Error for a name that is no metric of the task
 */
export function measureOf(predictions: Predictions): Measure {
  requireSound(predictions);
  if (predictions.task === 'Classification') {
    const facts = classFacts(predictions);
    return (weights) => {
      const sample = classSample(facts, weights);
      return (name) => valueOf(name, classMetric(name), sample.confusion, sample);
    };
  }
  const facts = valueFacts(predictions);
  return (weights) => {
    const sample = valueSample(facts, weights);
    return (name) => valueOf(name, valueMetric(name), sample.sums, sample);
  };
}

function valueOf<Tallied, Sample>(name: string, metric: MetricOf<Tallied, Sample> | undefined, tallied: () => Tallied, sample: Sample): number {
  switch (metric?.from.needs) {
    case 'Tally': return metric.from.of(tallied());
    case 'Predictions': return metric.from.of(sample);
    case 'Loss':
    case undefined: throw new Error(`${name} cannot be computed from these predictions.`);
  }
}

export type Metrics = Readonly<Record<string, number>>;

/** Metrics by name, each with `prefix`; one that is not defined for these rows is left out, since JSON has no NaN. */
export function measure(predictions: Predictions, names: readonly string[], prefix = ''): Metrics {
  return told(names, measureOf(predictions)(weightsOf(predictions)), prefix);
}

/** The defined ones among the values. */
export function told(names: readonly string[], valueOf: (name: string) => number, prefix = ''): Metrics {
  return Object.fromEntries(names.map((name) => [`${prefix}${name}`, valueOf(name)] as const).filter(([, value]) => Number.isFinite(value)));
}
