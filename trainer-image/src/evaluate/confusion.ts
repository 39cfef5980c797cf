/** Counts of true against predicted classes, and the metrics that are functions of them. Definitions are scikit-learn's. */

export interface Confusion {
  readonly classes: number;
  /** Row-major, [true class, predicted class]: weight of the rows. */
  readonly cells: Float64Array;
  /** Of each class: weight of the rows that are of it, that are predicted as it, and both. */
  readonly truths: Float64Array;
  readonly predictions: Float64Array;
  readonly hits: Float64Array;
  readonly all: number;
}

export function confusionOf(classes: number, truth: Int32Array, predicted: Int32Array, weights: Float64Array): Confusion {
  const cells = new Float64Array(classes * classes);
  for (let row = 0; row < truth.length; row++) {
    const cell = (truth[row] ?? 0) * classes + (predicted[row] ?? 0);
    cells[cell] = (cells[cell] ?? 0) + (weights[row] ?? 0);
  }
  return withMargins(classes, cells);
}

/** @param table  [true class][predicted class] */
export const confusionFrom = (table: readonly (readonly number[])[]): Confusion => withMargins(table.length, Float64Array.from(table.flat()));

/** As [true class][predicted class]. */
export const tableOf = ({ classes, cells }: Confusion): number[][] => Array.from({ length: classes }, (_, place) => Array.from(cells.subarray(place * classes, (place + 1) * classes)));

function withMargins(classes: number, cells: Float64Array): Confusion {
  const truths = new Float64Array(classes);
  const predictions = new Float64Array(classes);
  const hits = new Float64Array(classes);
  for (let truth = 0; truth < classes; truth++) {
    for (let predicted = 0; predicted < classes; predicted++) {
      const weight = cells[truth * classes + predicted] ?? 0;
      truths[truth] = (truths[truth] ?? 0) + weight;
      predictions[predicted] = (predictions[predicted] ?? 0) + weight;
      if (truth === predicted) hits[truth] = weight;
    }
  }
  return { classes, cells, truths, predictions, hits, all: total(truths) };
}

export interface ClassMetrics {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** True rows of the class. */
  readonly support: number;
}

/** Of each class. 0 where a quotient has no denominator, as scikit-learn's `zero_division=0`. */
export function perClass({ hits, truths, predictions }: Confusion): ClassMetrics[] {
  return Array.from(hits, (hit, place) => {
    const support = truths[place] ?? 0;
    const predicted = predictions[place] ?? 0;
    return { precision: ratio(hit, predicted), recall: ratio(hit, support), f1: ratio(2 * hit, support + predicted), support };
  });
}

export const accuracy = ({ hits, all }: Confusion): number => total(hits) / all;

/** Mean of a class metric over the classes that occur, in truth or in prediction. */
export function macro(confusion: Confusion, metric: 'precision' | 'recall' | 'f1'): number {
  const occurring = perClass(confusion).filter(({ support }, place) => support > 0 || (confusion.predictions[place] ?? 0) > 0);
  return mean(occurring.map((metrics) => metrics[metric]));
}

/** Mean recall over the classes that occur in truth. */
export const balancedAccuracy = (confusion: Confusion): number => mean(perClass(confusion).filter(({ support }) => support > 0).map(({ recall }) => recall));

/**
 * Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient", eq. 8; of two classes Matthews' coefficient.
 * 0 where all rows are of one class, or predicted as one.
 */
export function matthewsCorrelation({ hits, truths, predictions, all }: Confusion): number {
  const spread = (all ** 2 - dot(truths, truths)) * (all ** 2 - dot(predictions, predictions));
  if (all === 0) return NaN;
  return spread > 0 ? (total(hits) * all - dot(truths, predictions)) / Math.sqrt(spread) : 0;
}

/** Cohen (1960), "A coefficient of agreement for nominal scales", eq. 1; NaN where truth and prediction are one and the same class in every row. */
export function cohenKappa({ hits, truths, predictions, all }: Confusion): number {
  if (truths.some((weight, place) => weight === all && predictions[place] === all)) return NaN;
  const byChance = dot(truths, predictions) / all;
  return (total(hits) - byChance) / (all - byChance);
}

const total = (values: Iterable<number>): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};
const mean = (values: readonly number[]): number => total(values) / values.length;
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
const ratio = (over: number, under: number): number => (under === 0 ? 0 : over / under);
