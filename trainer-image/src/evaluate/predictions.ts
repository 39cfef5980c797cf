/** What a model said about the rows of one part, beside the truth. All of evaluation is a function of this. */
import { AnnealError } from '../errors.ts';

interface Weighted {
  /** Of each row, at least 0; all 1 where unset. A row of weight 0 counts as absent. */
  readonly weights?: Float64Array;
}

export interface ClassPredictions extends Weighted {
  readonly task: 'Classification';
  readonly classes: readonly string[];
  /** Row-major, [rows, classes]; each row adds up to 1. */
  readonly probabilities: Float32Array;
  /** Place of each row's class. */
  readonly truth: Int32Array;
}

export interface ValuePredictions extends Weighted {
  readonly task: 'Regression';
  /** In the target's own unit, as `truth`. */
  readonly predicted: Float64Array;
  readonly truth: Float64Array;
}

export type Predictions = ClassPredictions | ValuePredictions;

/**
 * @throws AnnealError `TRAINING_DIVERGED` for an output that is not a finite number
 * @throws Error for arrays that do not fit together, a defect of the caller
 */
export function requireSound(predictions: Predictions): void {
  const rows = predictions.truth.length;
  const outputs = predictions.task === 'Classification' ? predictions.probabilities : predictions.predicted;
  const width = predictions.task === 'Classification' ? predictions.classes.length : 1;
  if (outputs.length !== rows * width) throw new Error(`${rows} rows need ${rows * width} outputs, not ${outputs.length}.`);
  if (predictions.weights !== undefined && predictions.weights.length !== rows) throw new Error(`${rows} rows need as many weights, not ${predictions.weights.length}.`);
  if (predictions.weights?.every((weight) => weight >= 0) === false) throw new Error('A weight is below 0 or not a number.');
  if (predictions.task === 'Classification' && !predictions.truth.every((place) => place >= 0 && place < width)) throw new Error(`A true class is none of the ${width}.`);
  const bad = outputs.findIndex((output: number) => !Number.isFinite(output));
  if (bad >= 0) {
    throw new AnnealError('TRAINING_DIVERGED', {
      at: 'spec.trainer.fit.optimizer.learningRate',
      message: `The network's output for row ${Math.floor(bad / width)} of a part is ${String(outputs[bad])}. Lower the learning rate, or scale the columns in the pipeline.`,
    });
  }
}

/** The predictions of some rows. */
export function subset(predictions: Predictions, rows: Int32Array): Predictions {
  const weights = predictions.weights === undefined ? {} : { weights: pick(predictions.weights, rows) };
  if (predictions.task === 'Regression') return { task: 'Regression', predicted: pick(predictions.predicted, rows), truth: pick(predictions.truth, rows), ...weights };
  const { classes, probabilities } = predictions;
  const width = classes.length;
  const picked = new Float32Array(rows.length * width);
  rows.forEach((row, place) => picked.set(probabilities.subarray(row * width, (row + 1) * width), place * width));
  return { task: 'Classification', classes, probabilities: picked, truth: Int32Array.from(rows, (row) => predictions.truth[row] ?? 0), ...weights };
}

const pick = (values: Float64Array, rows: Int32Array): Float64Array => Float64Array.from(rows, (row) => values[row] ?? NaN);

/** 1 for each row, where no other weights are given. */
export const weightsOf = ({ weights, truth }: Predictions): Float64Array => weights ?? new Float64Array(truth.length).fill(1);
