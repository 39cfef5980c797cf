/** The evaluation of one part, from predictions alone. */
import { AnnealError } from '../errors.ts';
import { intervals } from './bootstrap.ts';
import type { IntervalOptions } from './bootstrap.ts';
import { calibrationError } from './calibration.ts';
import { classFacts, classSample } from './classification.ts';
import type { ClassSample } from './classification.ts';
import { confusionOf, perClass, tableOf } from './confusion.ts';
import type { Confusion } from './confusion.ts';
import { curvesOf } from './curves.ts';
import { errorByPredicted, errorHistogram, predictedByTrue, scoreHistogram } from './distribution.ts';
import type { ClassEvaluation, ClassificationEvaluation, DecisionEvaluation, Estimate, RegressionEvaluation, SliceEvaluation } from './evaluation.ts';
import { permutationImportance } from './importance.ts';
import type { ImportanceRequest } from './importance.ts';
import { measure, told } from './measure.ts';
import type { Metrics } from './measure.ts';
import { requireSound, subset, weightsOf } from './predictions.ts';
import type { ClassPredictions, Predictions, ValuePredictions } from './predictions.ts';
import { classMetric, evaluatedMetrics } from './registry.ts';
import { valueFacts, valueSample } from './regression.ts';
import type { Slice } from './slices.ts';
import { decide, tuneThresholds } from './thresholds.ts';
import type { DecisionThreshold, Objective } from './thresholds.ts';

export interface EvaluationRequest {
  /** Name of the part, for example `test`. */
  readonly part: string;
  /** Name of the target column. */
  readonly target: string;
  readonly predictions: Predictions;
  /** Names without prefix; all that are defined for the task where unset. */
  readonly metrics?: readonly string[];
  readonly slices?: readonly Slice[];
  readonly intervals?: Omit<IntervalOptions, 'seed'>;
  readonly importance?: Omit<ImportanceRequest, 'seed'>;
  /** Of a classification: tune on this part, or apply what was tuned on another. */
  readonly thresholds?: { readonly tune: Objective } | { readonly apply: readonly DecisionThreshold[] };
  /** Of resampling and permutations. Equal requests give equal evaluations. */
  readonly seed: number;
}

const mostClassesOfConfusion = 100;
const mostMistakes = 20;

/** @throws AnnealError `DATA_TOO_FEW_ROWS` for a part without rows; `TRAINING_DIVERGED` for outputs that are not finite */
export function evaluate(request: EvaluationRequest): ClassificationEvaluation | RegressionEvaluation {
  const { predictions } = request;
  requireSound(predictions);
  if (!weightsOf(predictions).some((weight) => weight > 0)) throw new AnnealError('DATA_TOO_FEW_ROWS', { at: 'spec.trainer.data.split', message: `The ${request.part} part has no rows to evaluate the model on. Give it a share above 0.` });
  return predictions.task === 'Classification' ? classification(request, predictions) : regression(request, predictions);
}

type Common = Pick<RegressionEvaluation, 'part' | 'target' | 'rows' | 'metrics' | 'slices'> & Partial<Pick<RegressionEvaluation, 'intervals' | 'importance'>>;

function common(request: EvaluationRequest): Common {
  const { part, target, predictions, seed, importance } = request;
  const names = request.metrics ?? evaluatedMetrics(predictions.task);
  return {
    part,
    target,
    rows: predictions.truth.length,
    metrics: estimates(request, names),
    ...(request.intervals === undefined ? {} : { intervals: request.intervals }),
    slices: (request.slices ?? []).map((slice) => sliceOf(predictions, slice, names)),
    ...(importance === undefined ? {} : {
      importance: {
        metric: importance.metric,
        repeats: importance.repeats,
        rows: Math.min(importance.mostRows, predictions.truth.length),
        features: permutationImportance(predictions, { ...importance, seed }),
      },
    }),
  };
}

function estimates({ predictions, intervals: options, seed }: EvaluationRequest, names: readonly string[]): Record<string, Estimate> {
  const bounds = options === undefined ? {} : intervals(predictions, names, { ...options, seed });
  return Object.fromEntries(Object.entries(measure(predictions, names)).map(([name, value]) => [name, { value, ...bounds[name] }]));
}

const sliceOf = (predictions: Predictions, { column, value, rows }: Slice, names: readonly string[]): SliceEvaluation => ({ column, value, rows: rows.length, metrics: measure(subset(predictions, rows), names) });

function classification(request: EvaluationRequest, predictions: ClassPredictions): ClassificationEvaluation {
  const { classes } = predictions;
  const sample = classSample(classFacts(predictions), weightsOf(predictions));
  const confusion = sample.confusion();
  const bins = sample.calibration();
  const second = classes.length === 2 ? { class: classes[1] ?? '' } : {};
  return {
    task: 'Classification',
    ...common(request),
    classes,
    perClass: ofClasses(sample),
    ...(classes.length <= mostClassesOfConfusion ? { confusion: tableOf(confusion) } : {}),
    mistakes: mistakesOf(confusion, classes),
    curves: curvesOf(sample),
    calibration: { ...second, bins, error: calibrationError(bins) },
    scores: scoreHistogram(sample),
    ...(request.thresholds === undefined ? {} : { decisions: decisionsOf(predictions, request.thresholds) }),
  };
}

function ofClasses(sample: ClassSample): ClassEvaluation[] {
  const { classes } = sample.facts.predictions;
  return perClass(sample.confusion()).map((metrics, place) => {
    const { roc, precisionRecall } = sample.areas(place);
    return { class: classes[place] ?? '', ...metrics, ...told(['rocAuc', 'prAuc'], (name) => (name === 'rocAuc' ? roc : precisionRecall)) };
  });
}

function mistakesOf({ cells, classes: width }: Confusion, classes: readonly string[]): ClassificationEvaluation['mistakes'] {
  const wrong = Array.from(cells, (rows, cell) => ({ rows, cell })).filter(({ rows, cell }) => rows > 0 && cell % (width + 1) !== 0);
  return wrong.sort((a, b) => b.rows - a.rows || a.cell - b.cell).slice(0, mostMistakes).map(({ rows, cell }) => ({ truth: classes[Math.floor(cell / width)] ?? '', predicted: classes[cell % width] ?? '', rows }));
}

function decisionsOf(predictions: ClassPredictions, wish: NonNullable<EvaluationRequest['thresholds']>): DecisionEvaluation {
  const thresholds = 'tune' in wish ? tuneThresholds(predictions, wish.tune).map((tuned) => ({ class: tuned.class, threshold: tuned.threshold })) : wish.apply;
  const confusion = confusionOf(predictions.classes.length, predictions.truth, decide(predictions, thresholds), weightsOf(predictions));
  return {
    ...('tune' in wish ? { tunedFor: wish.tune } : {}),
    thresholds,
    metrics: decisionMetrics(confusion),
    perClass: perClass(confusion).map((metrics, place) => ({ class: predictions.classes[place] ?? '', ...metrics })),
  };
}

/** Those that a confusion is enough for depend on decisions; the others on probabilities. */
function decisionMetrics(confusion: Confusion): Metrics {
  const tallied = evaluatedMetrics('Classification').filter((name) => classMetric(name)?.from.needs === 'Tally');
  return told(tallied, (name) => {
    const from = classMetric(name)?.from;
    return from?.needs === 'Tally' ? from.of(confusion) : NaN;
  });
}

function regression(request: EvaluationRequest, predictions: ValuePredictions): RegressionEvaluation {
  const sample = valueSample(valueFacts(predictions), weightsOf(predictions));
  return {
    task: 'Regression',
    ...common(request),
    errors: errorHistogram(sample),
    predictedByTrue: predictedByTrue(sample),
    errorByPredicted: errorByPredicted(sample),
  };
}
