/** From probabilities to decisions: the score from which on a class is chosen, tuned for what a mistake costs, and how to decide with it. */
import { weightsOf } from './predictions.ts';
import type { ClassPredictions } from './predictions.ts';
import { rank, sweep } from './ranking.ts';

/** What a threshold is chosen for. */
export type Objective =
  | { readonly maximise: 'F1' }
  /** Youden (1950): recall - false positive rate. */
  | { readonly maximise: 'Youden' }
  /** The largest recall among decisions with at least this precision, above 0 and at most 1. */
  | { readonly maximise: 'RecallAtPrecision'; readonly precision: number }
  | { readonly maximise: 'PrecisionAtRecall'; readonly recall: number }
  /** The smallest cost of all rows; right decisions may cost, too. */
  | { readonly maximise: 'Cost'; readonly falsePositive: number; readonly falseNegative: number; readonly truePositive?: number; readonly trueNegative?: number };

/** The class is chosen where its probability is at least the threshold. Stored with the model, and applied when it serves. */
export interface DecisionThreshold {
  readonly class: string;
  /** From 0, always, to over 1, never; between two scores of the rows that it was tuned on. */
  readonly threshold: number;
}

export interface TunedThreshold extends DecisionThreshold {
  /** What was maximised, on the rows that it was tuned on: for a cost the mean over rows, times -1. */
  readonly value: number;
}

/** Weights of the rows that a decision gets right and wrong. */
interface Outcome {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/**
 * Of two classes the threshold of the second, of more one for each class against the rest. Every decision that a threshold can make is looked at;
 * of several that are equally good the most reluctant is taken.
 * @returns none for a class that no decision fulfils the objective of, or that does not occur among the rows, or alone
 */
export function tuneThresholds(predictions: ClassPredictions, objective: Objective): TunedThreshold[] {
  const places = predictions.classes.length === 2 ? [1] : predictions.classes.keys();
  return [...places].flatMap((place) => {
    const tuned = tune(predictions, place, objective);
    return tuned === undefined ? [] : [{ class: predictions.classes[place] ?? '', ...tuned }];
  });
}

function tune(predictions: ClassPredictions, place: number, objective: Objective): { threshold: number; value: number } | undefined {
  const ranking = rank(predictions, place);
  const weights = weightsOf(predictions);
  let positives = 0;
  let negatives = 0;
  sweep(ranking, weights, (truePositives, falsePositives) => ([positives, negatives] = [truePositives, falsePositives]));
  if (!(positives > 0 && negatives > 0)) return undefined;
  const valueOf = (truePositives: number, falsePositives: number): number => (
    worth({ truePositives, falsePositives, falseNegatives: positives - truePositives, trueNegatives: negatives - falsePositives }, objective));
  let best = { after: -1, value: valueOf(0, 0) };
  sweep(ranking, weights, (truePositives, falsePositives, at) => {
    const value = valueOf(truePositives, falsePositives);
    if (value > best.value) best = { after: at, value };
  });
  if (best.value === -Infinity) return undefined;
  const scoreAt = (at: number): number | undefined => (at < 0 || at >= ranking.order.length ? undefined : predictions.probabilities[(ranking.order[at] ?? 0) * predictions.classes.length + place]);
  return { threshold: between(scoreAt(best.after), scoreAt(best.after + 1)), value: best.value };
}

/** Larger is better; -Infinity where the objective's condition is not met. */
function worth({ truePositives, falsePositives, falseNegatives, trueNegatives }: Outcome, objective: Objective): number {
  const positives = truePositives + falseNegatives;
  const negatives = falsePositives + trueNegatives;
  const recall = truePositives / positives;
  const precision = truePositives > 0 ? truePositives / (truePositives + falsePositives) : 0;
  switch (objective.maximise) {
    case 'F1': return (2 * truePositives) / (truePositives + falsePositives + positives);
    case 'Youden': return recall - falsePositives / negatives;
    case 'RecallAtPrecision': return precision >= objective.precision ? recall : -Infinity;
    case 'PrecisionAtRecall': return recall >= objective.recall ? precision : -Infinity;
    case 'Cost': {
      const { falsePositive, falseNegative, truePositive = 0, trueNegative = 0 } = objective;
      return -(falsePositives * falsePositive + falseNegatives * falseNegative + truePositives * truePositive + trueNegatives * trueNegative) / (positives + negatives);
    }
  }
}

const never = 2;

/** Halfway, so that neither rounding nor a slightly different score changes the decision. */
function between(lastChosen: number | undefined, firstLeft: number | undefined): number {
  if (firstLeft === undefined) return 0;
  if (lastChosen !== undefined) return (lastChosen + firstLeft) / 2;
  return firstLeft < 1 ? (1 + firstLeft) / 2 : never;
}

/**
 * Places of the chosen classes, of each row. Of two classes the one with a threshold is chosen where it reaches it. Of more, the one that is farthest above its threshold,
 * or least below where none reaches its own; a class without one has 1 / classes, so that without any the most probable class is chosen.
 */
export function decide({ classes, probabilities }: Pick<ClassPredictions, 'classes' | 'probabilities'>, thresholds: readonly DecisionThreshold[]): Int32Array {
  const given = new Map(thresholds.map((of) => [of.class, of.threshold]));
  const width = classes.length;
  const rows = { length: probabilities.length / width };
  const [only] = width === 2 && given.size === 1 ? given : [];
  if (only !== undefined) {
    const place = classes.indexOf(only[0]);
    return Int32Array.from(rows, (_, row) => ((probabilities[row * width + place] ?? NaN) >= only[1] ? place : 1 - place));
  }
  const margins = Float64Array.from(classes, (name) => given.get(name) ?? 1 / width);
  return Int32Array.from(rows, (_, row) => {
    let best = 0;
    let most = -Infinity;
    for (let place = 0; place < width; place++) {
      const margin = (probabilities[row * width + place] ?? NaN) - (margins[place] ?? NaN);
      if (margin > most) [best, most] = [place, margin];
    }
    return best;
  });
}
