/** The evaluation of a network that gives rows back: how far it is off, which rows that flags, and whether these are the anomalies where a column tells. */
import type { AnomalyRule } from '../data/anomalies.ts';
import { AnnealError } from '../errors.ts';
import { valueHistogram } from './distribution.ts';
import type { ReconstructionEvaluation } from './evaluation.ts';
import { told } from './measure.ts';
import type { Metrics } from './measure.ts';
import { areas, rankBy } from './ranking.ts';

export interface ReconstructionRequest {
  readonly part: string;
  /** Of each row. */
  readonly errors: Float64Array;
  readonly rule: AnomalyRule;
  /** 1 for each row that is known to be an anomaly. */
  readonly anomalies?: Uint8Array;
}

/** @throws AnnealError `TRAINING_DIVERGED` for an error that is no finite number */
export function evaluateReconstruction({ part, errors, rule, anomalies }: ReconstructionRequest): ReconstructionEvaluation {
  const bad = errors.findIndex((error) => !Number.isFinite(error));
  if (bad >= 0) throw new AnnealError('TRAINING_DIVERGED', { at: 'spec.trainer.fit.optimizer.learningRate', message: `The network is off by ${String(errors[bad])} in row ${bad} of the ${part} part. Lower the learning rate, or scale the columns in the pipeline.` });
  const isAnomaly = (row: number): boolean => anomalies?.[row] === 1;
  return {
    task: 'Reconstruction',
    part,
    rows: errors.length,
    metrics: Object.entries(metricsOf(errors, rule, anomalies)).reduce((all, [name, value]) => ({ ...all, [name]: { value } }), {}),
    slices: [],
    rule,
    flagged: count(errors, (error) => error > rule.threshold),
    ...(anomalies === undefined ? {} : { anomalies: count(anomalies, (mark) => mark === 1) }),
    errors: anomalies === undefined ? valueHistogram(errors, ['rows'], () => 0) : valueHistogram(errors, ['others', 'anomalies'], (row) => Number(isAnomaly(row))),
  };
}

/** `loss` is the mean error; precision, recall and f1 are those of the flag, for anomalies. */
function metricsOf(errors: Float64Array, { threshold }: AnomalyRule, anomalies: Uint8Array | undefined): Metrics {
  const loss = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  if (anomalies === undefined) return { loss };
  const { roc, precisionRecall } = areas(rankBy(Float32Array.from(errors), (row) => anomalies[row] === 1), new Float64Array(errors.length).fill(1));
  const flagged = count(errors, (error) => error > threshold);
  const hits = count(errors, (error, row) => error > threshold && anomalies[row] === 1);
  const all = count(anomalies, (mark) => mark === 1);
  const values: Metrics = { loss, rocAuc: roc, prAuc: precisionRecall, precision: hits / flagged, recall: hits / all, f1: (2 * hits) / (flagged + all) };
  return told(Object.keys(values), (name) => values[name] ?? NaN);
}

function count(values: Float64Array | Uint8Array, holds: (value: number, row: number) => boolean): number {
  let found = 0;
  for (let row = 0; row < values.length; row++) if (holds(values[row] ?? NaN, row)) found++;
  return found;
}
