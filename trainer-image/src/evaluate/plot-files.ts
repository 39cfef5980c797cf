/** The plots of an evaluation as files of their own, for those who put them elsewhere than on the page. */
import type { Evaluation } from './evaluation.ts';
import type { Metrics } from './measure.ts';
import { histogramPlot } from './plots/bars.ts';
import { confusionPlot, predictedPlot, residualPlot } from './plots/cells.ts';
import { calibrationPlot, learningPlot, precisionRecallPlot, rocPlot } from './plots/lines.ts';

/** @returns SVG by file name, for example `test-roc.svg` */
export function evaluationPlots(evaluations: readonly Evaluation[], history: readonly Metrics[], chosenEpoch: number): Record<string, string> {
  return Object.fromEntries([
    ...evaluations.flatMap((evaluation) => plotsOf(evaluation).map(([name, svg]) => [`${evaluation.part}-${name}.svg`, svg] as const)),
    ...learntMetrics(history).map((metric) => [`learning-${metric}.svg`, learningPlot(history, metric, chosenEpoch)] as const),
  ]);
}

function plotsOf(evaluation: Evaluation): [name: string, svg: string][] {
  if (evaluation.task === 'Regression') return [['predicted', predictedPlot(evaluation.predictedByTrue, evaluation.target)], ['residuals', residualPlot(evaluation.errorByPredicted, evaluation.target)]];
  if (evaluation.task === 'Reconstruction') return [['errors', histogramPlot(evaluation.errors, 'Errors', `${evaluation.rule.error} of a row`)]];
  const { classes, confusion, curves, calibration } = evaluation;
  return [
    ...(confusion === undefined ? [] : [['confusion', confusionPlot(confusion, classes)] as [string, string]]),
    ...(curves.roc.length === 0 ? [] : [['roc', rocPlot(curves.roc)] as [string, string]]),
    ...(curves.precisionRecall.length === 0 ? [] : [['precision-recall', precisionRecallPlot(curves.precisionRecall)] as [string, string]]),
    ['calibration', calibrationPlot(calibration, calibration.class)],
  ];
}

/** Without prefix; each is drawn for training and validation together. */
export const learntMetrics = (history: readonly Metrics[]): string[] => [...new Set(history.flatMap((epoch) => Object.keys(epoch).map((name) => name.replace(/^val_/, ''))))];
