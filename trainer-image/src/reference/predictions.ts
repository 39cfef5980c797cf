/** What a model answers for rows of its own time. */
import type { PartName } from '../data/profile/evidence.ts';
import { NumberSummary } from '../data/profile/numbers.ts';
import { random } from '../data/random.ts';
import type { ClassPredictions, Predictions } from '../evaluate/predictions.ts';
import { decide } from '../evaluate/thresholds.ts';
import type { DecisionThreshold } from '../evaluate/thresholds.ts';
import type { PredictionsReference, ValuesReference } from './profile.ts';
import { fewestRows, valuesReference } from './values.ts';

/** What was answered, and the stream that a sketch of many answers draws from. */
export interface Answered {
  readonly part: PartName;
  readonly rows: number;
  readonly seed: number;
}

/** @param answers  block by block. @param thresholds  that the model decides by */
export function predictionsReference({ part, rows, seed }: Answered, target: { readonly task: 'Classification'; readonly classes: readonly string[] } | { readonly task: 'Regression' }, answers: Iterable<Predictions>, thresholds: readonly DecisionThreshold[]): PredictionsReference {
  const labels = target.task === 'Classification' ? target.classes.map(() => 0) : [];
  const values = spread(rows, seed, scoresIn(answers, (of) => {
    for (const place of decide(of, thresholds)) labels[place] = (labels[place] ?? 0) + 1;
  }));
  return target.task === 'Regression'
    ? { part, rows, task: 'Regression', ...(values === undefined ? {} : { values }) }
    : { part, rows, task: 'Classification', labels, ...(values === undefined ? {} : { scores: values }) };
}

/** Of a reconstruction. @param errors  of each row, block by block */
export function errorsReference({ part, rows, seed }: Answered, errors: Iterable<Float64Array>, threshold: number): PredictionsReference {
  let flagged = 0;
  const values = spread(rows, seed, each(errors, (error) => (flagged += Number(error > threshold))));
  return { part, rows, task: 'Reconstruction', flagged, ...(values === undefined ? {} : { values }) };
}

function* scoresIn(answers: Iterable<Predictions>, classified: (of: ClassPredictions) => void): Generator<Float64Array> {
  for (const block of answers) {
    if (block.task === 'Classification') classified(block);
    yield block.task === 'Classification' ? scoresOf(block) : block.predicted;
  }
}

function* each(blocks: Iterable<Float64Array>, see: (value: number) => void): Generator<Float64Array> {
  for (const block of blocks) {
    block.forEach(see);
    yield block;
  }
}

function scoresOf({ classes: { length: width }, probabilities, truth: { length } }: ClassPredictions): Float64Array {
  return Float64Array.from({ length }, (_, row) => {
    const ofRow = probabilities.subarray(row * width, (row + 1) * width);
    return width === 2 ? ofRow[1] ?? NaN : Math.max(...ofRow);
  });
}

function spread(rows: number, seed: number, blocks: Iterable<Float64Array>): ValuesReference | undefined {
  const summary = new NumberSummary('Number', rows, random(seed, 'predictions'));
  for (const values of blocks) summary.add(values);
  return valuesReference(summary, summary.profile(), fewestRows);
}
