/** A network that gives rows back, as a judge of what is odd. */
import type { TrainerSpec } from '@anneal/operator/api';
import { rowErrors } from '../data/anomalies.ts';
import type { AnomalyRule, ErrorName } from '../data/anomalies.ts';
import { matrixOf } from '../data/matrix.ts';
import type { Part } from '../data/part.ts';
import type { Prepared } from '../data/prepare.ts';
import { quantile } from '../data/statistics.ts';
import type { Task } from '../data/target.ts';
import { AnnealError } from '../errors.ts';
import { evaluateReconstruction } from '../evaluate/reconstruction.ts';
import type { ReconstructionEvaluation } from '../evaluate/evaluation.ts';
import type { Learner } from './learner.ts';

/** Share of the validation rows that are not flagged, where the manifest does not say. */
const usualQuantile = 0.99;
/** Bounds the memory that what is given back takes. */
const rowsAtOnce = 1024;

/** What a row's error is: the loss that is descended. */
export const errorOf = ({ loss }: TrainerSpec['fit']): ErrorName => (loss === undefined || loss === 'CrossEntropy' ? 'MSE' : loss);

/** Block by block. */
export function* errorBlocks(learner: Pick<Learner, 'predict'>, { rows, features }: Part, error: ErrorName): Generator<Float64Array> {
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const to = Math.min(rows, from + rowsAtOnce);
    const values = features.range(from, to);
    yield rowErrors(error, values, learner.predict({ rows: to - from, features: matrixOf(values, features.width), targets: new Float32Array(to - from) }), features.width);
  }
}

export function errorsOf(learner: Pick<Learner, 'predict'>, part: Part, error: ErrorName): Float64Array {
  const errors = new Float64Array(part.rows);
  let at = 0;
  for (const block of errorBlocks(learner, part, error)) {
    errors.set(block, at);
    at += block.length;
  }
  return errors;
}

/** What the manifest's rules cannot know of a saved model. @throws AnnealError `SPEC_TASK_MISMATCH` */
export function requireEvaluation(evaluation: TrainerSpec['evaluation'], task: Task): void {
  const unfit = task === 'Reconstruction' ? (['slices', 'intervals', 'importance', 'threshold'] as const) : (['anomaly'] as const);
  const found = unfit.find((field) => evaluation?.[field] !== undefined);
  if (found !== undefined) throw new AnnealError('SPEC_TASK_MISMATCH', { at: `spec.trainer.evaluation.${found}`, message: `${found} says nothing of a ${task}. Remove it.` });
}

export interface AnomalyEvaluation {
  readonly validation: ReconstructionEvaluation;
  readonly test?: ReconstructionEvaluation;
  /** Stored with the model, and applied when it serves. */
  readonly anomaly: AnomalyRule;
}

/** @throws AnnealError `DATA_TOO_FEW_ROWS` without validation rows */
export function evaluateAnomalies(learner: Learner, { validation, test, anomalies }: Prepared, { evaluation, fit }: TrainerSpec): AnomalyEvaluation {
  if (validation.rows === 0) throw new AnnealError('DATA_TOO_FEW_ROWS', { at: 'spec.trainer.data.split.validation', message: 'The threshold of an Autoencoder is fitted on the validation rows, and there are none. Write a data.split.validation above 0.' });
  const error = errorOf(fit);
  const errors = errorsOf(learner, validation, error);
  const share = evaluation?.anomaly?.quantile ?? usualQuantile;
  const anomaly: AnomalyRule = { error, quantile: share, threshold: quantile(errors.toSorted(), share) };
  const of = (part: 'validation' | 'test', its: Float64Array): ReconstructionEvaluation => evaluateReconstruction({ part, errors: its, rule: anomaly, ...(anomalies === undefined ? {} : { anomalies: anomalies[part] }) });
  return { anomaly, validation: of('validation', errors), ...(test.rows === 0 ? {} : { test: of('test', errorsOf(learner, test, error)) }) };
}
