/** What a model answers for rows of its own time. */
import type { PartName } from '../data/profile/evidence.ts';
import { NumberSummary } from '../data/profile/numbers.ts';
import { random } from '../data/random.ts';
import type { ClassPredictions, Predictions } from '../evaluate/predictions.ts';
import { decide } from '../evaluate/thresholds.ts';
import type { DecisionThreshold } from '../evaluate/thresholds.ts';
import type { PredictionsReference, ValuesReference } from './profile.ts';
import { fewestRows, valuesReference } from './values.ts';

/** @param thresholds  that the model decides by */
export function predictionsReference(part: PartName, predictions: Predictions, thresholds: readonly DecisionThreshold[], seed: number): PredictionsReference {
  const rows = predictions.truth.length;
  if (predictions.task === 'Regression') {
    const values = spread(predictions.predicted, seed);
    return { part, rows, task: 'Regression', ...(values === undefined ? {} : { values }) };
  }
  const labels = predictions.classes.map(() => 0);
  for (const place of decide(predictions, thresholds)) labels[place] = (labels[place] ?? 0) + 1;
  const scores = spread(scoresOf(predictions), seed);
  return { part, rows, task: 'Classification', labels, ...(scores === undefined ? {} : { scores }) };
}

/** Of a reconstruction. @param errors  of each row */
export function errorsReference(part: PartName, errors: Float64Array, threshold: number, seed: number): PredictionsReference {
  const values = spread(errors, seed);
  return { part, rows: errors.length, task: 'Reconstruction', flagged: errors.reduce((count, error) => count + Number(error > threshold), 0), ...(values === undefined ? {} : { values }) };
}

function scoresOf({ classes: { length: width }, probabilities, truth: { length } }: ClassPredictions): Float64Array {
  return Float64Array.from({ length }, (_, row) => {
    const ofRow = probabilities.subarray(row * width, (row + 1) * width);
    return width === 2 ? ofRow[1] ?? NaN : Math.max(...ofRow);
  });
}

function spread(values: Float64Array, seed: number): ValuesReference | undefined {
  const summary = new NumberSummary('Number', values.length, random(seed, 'predictions'));
  summary.add(values);
  return valuesReference(summary, summary.profile(), fewestRows);
}
