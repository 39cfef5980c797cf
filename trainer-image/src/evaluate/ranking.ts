/** One class against the rest, by falling score: sorted once, then swept with any weights in one pass. */
import { sort } from './order.ts';
import type { ClassPredictions } from './predictions.ts';

export interface Ranking {
  /** Rows by falling score. */
  readonly order: Int32Array;
  /** For each place in `order`: bit 0 for a row of the class, bit 1 for the last row of its score. */
  readonly marks: Uint8Array;
}

const ofClass = 1;
const lastOfScore = 2;

export function rank({ classes, probabilities, truth }: ClassPredictions, place: number): Ranking {
  const scores = new Float32Array(truth.length);
  for (let row = 0; row < scores.length; row++) scores[row] = probabilities[row * classes.length + place] ?? NaN;
  return rankBy(scores, (row) => truth[row] === place);
}

/** @param isOfClass  whether the row in that place is */
export function rankBy(scores: Float32Array, isOfClass: (row: number) => boolean): Ranking {
  const rows = scores.length;
  const { order, keys } = sort(scores);
  const marks = new Uint8Array(rows);
  order.reverse();
  keys.reverse();
  for (let at = 0; at < rows; at++) {
    marks[at] = (isOfClass(order[at] ?? 0) ? ofClass : 0) | (keys[at + 1] === keys[at] ? 0 : lastOfScore);
  }
  return { order, marks };
}

/**
 * Visits each decision "of the class where the score is at least s", for the distinct scores s from the highest down.
 * @param visit  gets the weight of true and of false positives, and the place in `order` of the last row that is predicted positive
 */
export function sweep({ order, marks }: Ranking, weights: Float64Array, visit: (truePositives: number, falsePositives: number, at: number) => void): void {
  let truePositives = 0;
  let falsePositives = 0;
  for (let at = 0; at < order.length; at++) {
    const weight = weights[order[at] ?? 0] ?? 0;
    const mark = marks[at] ?? 0;
    if ((mark & ofClass) === 0) falsePositives += weight; else truePositives += weight;
    if ((mark & lastOfScore) !== 0) visit(truePositives, falsePositives, at);
  }
}

export interface Areas {
  /** Area under the ROC curve; NaN where all rows are of the class, or none is. */
  readonly roc: number;
  /** Average precision; NaN where no row is of the class. */
  readonly precisionRecall: number;
}

/**
 * Fawcett (2006), "An introduction to ROC analysis", algorithm 3 (trapezoids, so that ties count half), and
 * average precision as scikit-learn defines it, the sum of (R_k - R_k-1) P_k, which does not interpolate.
 */
export function areas(ranking: Ranking, weights: Float64Array): Areas {
  let hits = 0;
  let misses = 0;
  let under = 0;
  let precisions = 0;
  sweep(ranking, weights, (truePositives, falsePositives) => {
    under += ((falsePositives - misses) * (truePositives + hits)) / 2;
    if (truePositives > hits) precisions += ((truePositives - hits) * truePositives) / (truePositives + falsePositives);
    hits = truePositives;
    misses = falsePositives;
  });
  return { roc: under / (hits * misses), precisionRecall: precisions / hits };
}

/** The largest share of the class that is found by a decision whose precision is at least `precision`; 0 where none has it. */
export function recallAtPrecision(ranking: Ranking, precision: number, weights: Float64Array): number {
  let found = 0;
  let all = 0;
  sweep(ranking, weights, (truePositives, falsePositives) => {
    all = truePositives;
    if (truePositives / (truePositives + falsePositives) >= precision) found = truePositives;
  });
  return found / all;
}

/** The highest precision of a decision that finds at least the share `recall` of the class. */
export function precisionAtRecall(ranking: Ranking, recall: number, weights: Float64Array): number {
  let all = 0;
  sweep(ranking, weights, (truePositives) => (all = truePositives));
  let best = 0;
  sweep(ranking, weights, (truePositives, falsePositives) => {
    if (truePositives / all >= recall) best = Math.max(best, truePositives / (truePositives + falsePositives));
  });
  return all > 0 ? best : NaN;
}
