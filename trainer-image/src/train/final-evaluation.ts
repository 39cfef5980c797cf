/** What is known of a finished model from the rows that it was not trained on: the content of `evaluation.json`. */
import type { TrainerSpec } from '@anneal/operator/api';
import type { AnomalyRule } from '../data/anomalies.ts';
import type { Part } from '../data/part.ts';
import type { Prepared, Preprocessing } from '../data/prepare.ts';
import { matrixOf } from '../data/matrix.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import type { EvaluationRequest } from '../evaluate/evaluate.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import type { FeatureGroup } from '../evaluate/importance.ts';
import { usualMetrics } from '../evaluate/registry.ts';
import { tuneThresholds } from '../evaluate/thresholds.ts';
import type { DecisionThreshold, Objective } from '../evaluate/thresholds.ts';
import { AnnealError } from '../errors.ts';
import { predictionsOf } from './judging.ts';
import type { PredictedTarget } from './judging.ts';
import type { Learner } from './learner.ts';
import { evaluateAnomalies } from './reconstruction.ts';
import { sizeOf } from '../shape.ts';

type EvaluationSpec = TrainerSpec['evaluation'];

export interface FinalEvaluation {
  readonly validation?: Evaluation;
  readonly test?: Evaluation;
  /** Tuned on the validation rows; stored with the model, and applied when it serves. */
  readonly thresholds?: readonly DecisionThreshold[];
  /** Of a reconstruction, fitted on the validation rows. */
  readonly anomaly?: AnomalyRule;
}

/** @throws AnnealError `DATA_TOO_FEW_ROWS` for thresholds and anomalies without validation rows */
export function evaluateFinal(learner: Learner, data: Prepared, wish: TrainerSpec): FinalEvaluation {
  const { preprocessing: { target }, validation, test } = data;
  if (target.task === 'Reconstruction') return evaluateAnomalies(learner, data, wish);
  const { evaluation: spec, fit: { seed } } = wish;
  const objective = objectiveOf(spec);
  if (objective !== undefined) requireTunable(data);
  const thresholds = objective === undefined ? undefined : tunedOn(predictionsOf(learner, validation, target), objective);
  const of = (part: Part, name: 'validation' | 'test'): Evaluation => evaluate({
    part: name,
    target: target.name,
    predictions: predictionsOf(learner, part, target),
    slices: data.slices?.[name] ?? [],
    ...(spec?.intervals === undefined ? {} : { intervals: { ...spec.intervals, stratify: target.task === 'Classification' } }),
    ...(spec?.importance === undefined ? {} : { importance: importanceOf(learner, data, target, part, spec.importance) }),
    ...(thresholds === undefined || objective === undefined ? {} : { thresholds: name === 'validation' ? { tune: objective } : { apply: thresholds } }),
    seed,
  });
  return {
    ...(validation.rows === 0 ? {} : { validation: of(validation, 'validation') }),
    ...(test.rows === 0 ? {} : { test: of(test, 'test') }),
    ...(thresholds === undefined ? {} : { thresholds }),
  };
}

function requireTunable({ validation }: Prepared): void {
  if (validation.rows === 0) throw new AnnealError('DATA_TOO_FEW_ROWS', { at: 'spec.trainer.evaluation.threshold', message: 'A threshold is tuned on the validation rows, and there are none. Write a data.split.validation above 0, or remove evaluation.threshold.' });
}

function tunedOn(predictions: EvaluationRequest['predictions'], objective: Objective): DecisionThreshold[] {
  return predictions.task === 'Classification' ? tuneThresholds(predictions, objective).map(({ class: name, threshold }) => ({ class: name, threshold })) : [];
}

function objectiveOf(spec: EvaluationSpec): Objective | undefined {
  const { threshold } = spec ?? {};
  if (threshold === undefined) return undefined;
  const { maximise, precision = 0.9, recall = 0.9, falsePositive = 1, falseNegative = 1 } = threshold;
  switch (maximise) {
    case 'F1':
    case 'Youden': return { maximise };
    case 'RecallAtPrecision': return { maximise, precision };
    case 'PrecisionAtRecall': return { maximise, recall };
    case 'Cost': return { maximise, falsePositive, falseNegative };
  }
}

/** More rows say little more, and each feature costs a pass over them for each repeat. */
const mostImportanceRows = 10_000;

function importanceOf(learner: Learner, { preprocessing }: Prepared, target: PredictedTarget, part: Part, { metric, repeats }: { metric?: string; repeats: number }): NonNullable<EvaluationRequest['importance']> {
  return {
    features: part.features.range(0, part.rows),
    groups: groupsOf(preprocessing),
    predict: (features, rows) => {
      const outputs = learner.predict({ rows, features: matrixOf(features, part.features.width), targets: new Float32Array(rows) });
      return target.task === 'Classification' ? outputs : Float64Array.from(outputs, (value) => value * target.scale + target.mean);
    },
    metric: metric ?? usualMetrics(target.task).find((name) => name !== 'loss') ?? 'loss',
    repeats,
    mostRows: mostImportanceRows,
  };
}

/** The columns that came of one column, of the data or derived, by encoding say one thing. */
function groupsOf({ inputs, steps, features, shape }: Preprocessing): FeatureGroup[] {
  const [first] = inputs;
  if (first?.kind === 'Vector') return [{ name: first.name, columns: Array.from({ length: sizeOf(shape) }, (_, column) => column) }];
  const derived = steps.flatMap((step) => (step.kind === 'Derive' ? [step.name] : []));
  const names = [...inputs.map(({ name }) => name), ...derived].sort((a, b) => b.length - a.length);
  const sourceOf = (feature: string): string => names.find((name) => feature === name || ['=', '_', '#', ':'].some((mark) => feature.startsWith(`${name}${mark}`))) ?? feature;
  const groups = new Map<string, number[]>();
  features.forEach((feature, column) => {
    const source = sourceOf(feature);
    groups.set(source, [...groups.get(source) ?? [], column]);
  });
  return [...groups].map(([name, columns]) => ({ name, columns }));
}
