/** The evaluation as a page to read: the same figures as `evaluation.json`, with plots. */
import { page } from '../report/page.ts';
import type { Block, Section } from '../report/page.ts';
import type { ClassificationEvaluation, Evaluation, ReconstructionEvaluation, RegressionEvaluation } from './evaluation.ts';
import type { Metrics } from './measure.ts';
import { histogramPlot, importancePlot } from './plots/bars.ts';
import { confusionPlot, predictedPlot, residualPlot } from './plots/cells.ts';
import { calibrationPlot, learningPlot, precisionRecallPlot, rocPlot } from './plots/lines.ts';
import { learntMetrics } from './plot-files.ts';
import { isLargerBetter } from './registry.ts';
import type { Objective } from './thresholds.ts';

export interface EvaluationReport {
  readonly title: string;
  /** Metrics of each epoch, from the first; none where the model was not trained in epochs. */
  readonly history: readonly Metrics[];
  /** From 1. */
  readonly chosenEpoch?: number;
  /** One for each part, the most important first. */
  readonly evaluations: readonly Evaluation[];
}

/** @returns an HTML document */
export function evaluationPage({ title, history, chosenEpoch, evaluations }: EvaluationReport): string {
  return page(title, [...evaluations.map(partSection), ...learningSection(history, chosenEpoch)]);
}

function learningSection(history: readonly Metrics[], chosenEpoch: number | undefined): Section[] {
  const metrics = learntMetrics(history);
  if (metrics.length === 0) return [];
  return [{ title: 'Learning', blocks: [{ kind: 'Plots', plots: metrics.map((metric) => learningPlot(history, metric, chosenEpoch)) }] }];
}

function partSection(evaluation: Evaluation): Section {
  return {
    title: `The ${evaluation.part} part: ${evaluation.rows} rows`,
    blocks: [
      metricTable(evaluation),
      ...taskBlocks(evaluation),
      ...importanceBlocks(evaluation),
      ...sliceBlocks(evaluation),
    ],
  };
}

function taskBlocks(evaluation: Evaluation): Block[] {
  switch (evaluation.task) {
    case 'Classification': return classificationBlocks(evaluation);
    case 'Regression': return regressionBlocks(evaluation);
    case 'Reconstruction': return reconstructionBlocks(evaluation);
  }
}

function metricTable({ metrics, intervals }: Evaluation): Block {
  const bounds = intervals === undefined ? [] : [`${Number((intervals.confidence * 100).toPrecision(6))} % from`, 'to'];
  return {
    kind: 'Table',
    head: ['Metric', 'Value', ...bounds, 'Better'],
    rows: Object.entries(metrics).map(([name, { value, low, high }]) => [name, value, ...(intervals === undefined ? [] : [low ?? '', high ?? '']), isLargerBetter(name) ? 'larger' : 'smaller']),
  };
}

/** Of more classes than this those with the lowest f1 are listed. */
const mostClasses = 50;

function classificationBlocks(evaluation: ClassificationEvaluation): Block[] {
  const { classes, perClass, confusion, curves, calibration, scores, mistakes, decisions } = evaluation;
  const all = perClass.reduce((sum, { support }) => sum + support, 0);
  const prevalence = classes.length === 2 ? (perClass[1]?.support ?? 0) / all : undefined;
  const worst = perClass.length <= mostClasses ? perClass : perClass.toSorted((a, b) => a.f1 - b.f1).slice(0, mostClasses);
  const of = calibration.class === undefined ? 'the predicted class' : `"${calibration.class}"`;
  return [
    {
      kind: 'Plots',
      plots: [
        ...(confusion === undefined ? [] : [confusionPlot(confusion, classes)]),
        ...(curves.roc.length > 0 ? [rocPlot(curves.roc)] : []),
        ...(curves.precisionRecall.length > 0 ? [precisionRecallPlot(curves.precisionRecall, prevalence)] : []),
        calibrationPlot(calibration, calibration.class),
        histogramPlot(scores, 'Scores', `probability of ${of}`),
      ],
    },
    ...(worst.length < perClass.length ? [{ kind: 'Text', text: `The ${worst.length} of ${perClass.length} classes with the lowest f1:` } as const] : []),
    {
      kind: 'Table',
      head: ['Class', 'Rows', 'Precision', 'Recall', 'F1', 'ROC AUC', 'Average precision'],
      rows: worst.map(({ class: name, support, precision, recall, f1, rocAuc, prAuc }) => [name, support, precision, recall, f1, rocAuc ?? '', prAuc ?? '']),
    },
    ...(classes.length > 2 && mistakes.length > 0 ? [{ kind: 'Table', head: ['Most frequent mistakes: true class', 'Predicted as', 'Rows'], rows: mistakes.map(({ truth, predicted, rows }) => [truth, predicted, rows]) } as const] : []),
    ...(decisions === undefined ? [] : decisionBlocks(decisions)),
  ];
}

function decisionBlocks({ thresholds, tunedFor, metrics }: NonNullable<ClassificationEvaluation['decisions']>): Block[] {
  if (thresholds.length === 0) return [{ kind: 'Text', text: `No threshold${tunedFor === undefined ? '' : ` reaches ${wordsFor(tunedFor)}`}; the most probable class is chosen.` }];
  const how = tunedFor === undefined ? '' : ` They were tuned on this very part for ${wordsFor(tunedFor)}, which flatters the metrics below.`;
  return [
    { kind: 'Text', text: `Decisions by thresholds: a class is chosen where its probability reaches its own.${how}` },
    { kind: 'Table', head: ['Class', 'Threshold'], rows: thresholds.map(({ class: name, threshold }) => [name, threshold]) },
    { kind: 'Table', head: ['Metric of these decisions', 'Value'], rows: Object.entries(metrics) },
  ];
}

function wordsFor(objective: Objective): string {
  switch (objective.maximise) {
    case 'F1': return 'the largest f1';
    case 'Youden': return 'the largest recall less false positive rate';
    case 'RecallAtPrecision': return `the largest recall with a precision of at least ${objective.precision}`;
    case 'PrecisionAtRecall': return `the largest precision with a recall of at least ${objective.recall}`;
    case 'Cost': return 'the smallest cost';
  }
}

const regressionBlocks = ({ target, errors, predictedByTrue, errorByPredicted }: RegressionEvaluation): Block[] => [{
  kind: 'Plots',
  plots: [predictedPlot(predictedByTrue, target), residualPlot(errorByPredicted, target), histogramPlot(errors, 'Errors', `error of ${target}, predicted − true`)],
}];

function reconstructionBlocks({ rule: { error, quantile, threshold }, flagged, anomalies, errors }: ReconstructionEvaluation): Block[] {
  const known = anomalies === undefined ? '' : ` Rows known to be anomalies: ${anomalies}; precision, recall and f1 are those of the flag.`;
  return [
    { kind: 'Text', text: `Flagged rows: ${flagged}. Their error is above ${Number(threshold.toPrecision(6))}, the quantile ${quantile} of the validation rows' errors.${known}` },
    { kind: 'Plots', plots: [histogramPlot(errors, 'Errors', `${error} of a row`)] },
  ];
}

const importanceBlocks = ({ importance }: Evaluation): Block[] => (importance === undefined || importance.features.length === 0 ? [] : [{ kind: 'Plots', plots: [importancePlot(importance.features, importance.metric)] }]);

function sliceBlocks({ slices }: Evaluation): Block[] {
  const names = [...new Set(slices.flatMap(({ metrics }) => Object.keys(metrics)))];
  return slices.length === 0 ? [] : [{
    kind: 'Table',
    head: ['Slice', '', 'Rows', ...names],
    rows: slices.map(({ column, value, rows, metrics }) => [column, value, rows, ...names.map((name) => metrics[name] ?? '')]),
  }];
}
