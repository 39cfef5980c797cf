/** What the metrics of a classification are computed from: facts of the part, found once, and sums under the weights of one sample of it. */
import { calibrate, forecasts } from './calibration.ts';
import type { CalibrationBin, Forecasts } from './calibration.ts';
import { confusionOf } from './confusion.ts';
import type { Confusion } from './confusion.ts';
import { lazy, lazyBy } from './lazy.ts';
import type { ClassPredictions } from './predictions.ts';
import { areas, rank } from './ranking.ts';
import type { Areas, Ranking } from './ranking.ts';

/** A ranking takes 5 bytes a row and class, and stays for all samples. */
export interface ClassFacts {
  readonly predictions: ClassPredictions;
  /** Most probable class of each row, the first of several. */
  readonly predicted: () => Int32Array;
  readonly ranking: (place: number) => Ranking;
  readonly forecasts: () => Forecasts;
  /** Of each row. */
  readonly logLosses: () => Float64Array;
  readonly brierScores: () => Float64Array;
}

/** The part as it is, or with other weights: those of a bootstrap sample are how often each row was drawn. */
export interface ClassSample {
  readonly facts: ClassFacts;
  readonly weights: Float64Array;
  readonly confusion: () => Confusion;
  readonly areas: (place: number) => Areas;
  readonly calibration: () => CalibrationBin[];
}

export function classFacts(predictions: ClassPredictions): ClassFacts {
  const predicted = lazy(() => mostProbable(predictions));
  return {
    predictions,
    predicted,
    ranking: lazyBy((place) => rank(predictions, place)),
    forecasts: lazy(() => forecasts(predictions, predicted())),
    logLosses: lazy(() => logLosses(predictions)),
    brierScores: lazy(() => brierScores(predictions)),
  };
}

export function classSample(facts: ClassFacts, weights: Float64Array): ClassSample {
  const { classes, truth } = facts.predictions;
  return {
    facts,
    weights,
    confusion: lazy(() => confusionOf(classes.length, truth, facts.predicted(), weights)),
    areas: lazyBy((place) => areas(facts.ranking(place), weights)),
    calibration: lazy(() => calibrate(facts.forecasts(), weights)),
  };
}

export function mostProbable({ classes, probabilities, truth }: ClassPredictions): Int32Array {
  const width = classes.length;
  const predicted = new Int32Array(truth.length);
  for (let row = 0; row < truth.length; row++) {
    let best = 0;
    for (let place = 1; place < width; place++) {
      if ((probabilities[row * width + place] ?? NaN) > (probabilities[row * width + best] ?? NaN)) best = place;
    }
    predicted[row] = best;
  }
  return predicted;
}

/** Of two classes that of the second; of more the mean over the classes for which it is defined (one against the rest, macro). */
export function overClasses({ facts: { predictions: { classes } } }: ClassSample, of: (place: number) => number): number {
  if (classes.length === 2) return of(1);
  let sum = 0;
  let defined = 0;
  for (let place = 0; place < classes.length; place++) {
    const value = of(place);
    if (Number.isNaN(value)) continue;
    sum += value;
    defined++;
  }
  return sum / defined;
}

export function weightedMean(values: Float64Array, weights: Float64Array): number {
  let sum = 0;
  let all = 0;
  for (let row = 0; row < values.length; row++) {
    const weight = weights[row] ?? 0;
    sum += weight * (values[row] ?? 0);
    all += weight;
  }
  return sum / all;
}

/** Of a Float32, which is what the probabilities are; scikit-learn clips them alike. */
const epsilon = 2 ** -23;

/** -ln of the probability of the true class, clipped to [ε, 1 - ε] so that one sure mistake is not infinite. */
function logLosses({ classes, probabilities, truth }: ClassPredictions): Float64Array {
  const losses = new Float64Array(truth.length);
  for (let row = 0; row < losses.length; row++) {
    const probability = probabilities[row * classes.length + (truth[row] ?? 0)] ?? NaN;
    losses[row] = -Math.log(Math.min(1 - epsilon, Math.max(epsilon, probability)));
  }
  return losses;
}

/** Brier (1950), "Verification of forecasts expressed in terms of probability": squared distance to the true class; of two classes half of it, as is usual. */
function brierScores({ classes, probabilities, truth }: ClassPredictions): Float64Array {
  const width = classes.length;
  const scores = new Float64Array(truth.length);
  for (let row = 0; row < scores.length; row++) {
    let squares = 0;
    for (let place = 0; place < width; place++) squares += ((probabilities[row * width + place] ?? NaN) - (truth[row] === place ? 1 : 0)) ** 2;
    scores[row] = width === 2 ? squares / 2 : squares;
  }
  return scores;
}
