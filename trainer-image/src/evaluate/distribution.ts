/** Histograms: how scores, errors and values are spread, without telling any single one. */
import { scaleLinear } from 'd3-scale';
import { quantile } from '../data/statistics.ts';
import { divisible } from '../report/axes.ts';
import type { ClassSample } from './classification.ts';
import type { ValueSample } from './regression.ts';

export interface Histogram {
  /** Of the bins; one more than there are bins. A value on an edge is in the bin above it, the last edge in the last bin. */
  readonly edges: readonly number[];
  readonly series: readonly { readonly name: string; /** Weight of the rows in each bin. */ readonly rows: readonly number[] }[];
  /** Weight of the rows outside the edges. */
  readonly outside: number;
}

export interface Grid {
  readonly xEdges: readonly number[];
  readonly yEdges: readonly number[];
  /** [y][x], from the lowest: weight of the rows in each cell. */
  readonly rows: readonly (readonly number[])[];
  readonly outside: number;
}

const scoreBins = 20;
/** Of few rows fewer bins, so that each holds some. */
const binsFor = (rows: number): number => Math.min(30, Math.max(10, Math.ceil(Math.sqrt(rows))));

/** Of two classes the probability of the second, by true class; of more that of the predicted class, by whether it was right. */
export function scoreHistogram({ facts, weights }: ClassSample): Histogram {
  const { classes } = facts.predictions;
  const { probabilities, cameTrue } = facts.forecasts();
  const edges = Array.from({ length: scoreBins + 1 }, (_, at) => at / scoreBins);
  const names = classes.length === 2 ? [...classes] : ['right', 'wrong'];
  const seriesOf = (came: number): number => (classes.length === 2 ? came : 1 - came);
  const rows = names.map(() => new Array<number>(scoreBins).fill(0));
  probabilities.forEach((probability, row) => add(rows[seriesOf(cameTrue[row] ?? 0)], binOf(edges, probability), weights[row] ?? 0));
  return { edges, series: names.map((name, at) => ({ name, rows: rows[at] ?? [] })), outside: 0 };
}

export function errorHistogram({ facts, weights }: ValueSample): Histogram {
  return valueHistogram(facts.errors(), ['rows'], () => 0, (row) => weights[row] ?? 0);
}

/** @param seriesOf  place among the names of the series that a row is in */
export function valueHistogram(values: Float64Array, names: readonly string[], seriesOf: (row: number) => number, weightOf: (row: number) => number = () => 1): Histogram {
  const edges = edgesFor([values]);
  const rows = names.map(() => new Array<number>(edges.length - 1).fill(0));
  let outside = 0;
  values.forEach((value, row) => {
    const bin = binOf(edges, value);
    if (bin === undefined) outside += weightOf(row); else add(rows[seriesOf(row)], bin, weightOf(row));
  });
  return { edges, series: names.map((name, at) => ({ name, rows: rows[at] ?? [] })), outside };
}

/** Predicted (y) by true values (x), on the same edges. */
export function predictedByTrue({ facts: { predictions: { predicted, truth } }, weights }: ValueSample): Grid {
  const edges = edgesFor([truth, predicted]);
  return gridOf(truth, predicted, edges, edges, weights);
}

/** Errors (y) by predicted values (x). */
export function errorByPredicted({ facts, weights }: ValueSample): Grid {
  const { predicted } = facts.predictions;
  const errors = facts.errors();
  return gridOf(predicted, errors, edgesFor([predicted]), edgesFor([errors]), weights);
}

function gridOf(x: Float64Array, y: Float64Array, xEdges: readonly number[], yEdges: readonly number[], weights: Float64Array): Grid {
  const rows = yEdges.slice(1).map(() => new Array<number>(xEdges.length - 1).fill(0));
  let outside = 0;
  x.forEach((value, row) => {
    const column = binOf(xEdges, value);
    const line = binOf(yEdges, y[row] ?? NaN);
    if (column === undefined || line === undefined) outside += weights[row] ?? 0; else add(rows[line], column, weights[row] ?? 0);
  });
  return { xEdges, yEdges, rows, outside };
}

const add = (rows: number[] | undefined, bin: number | undefined, weight: number): void => {
  if (rows !== undefined && bin !== undefined) rows[bin] = (rows[bin] ?? 0) + weight;
};

/** Share of the values at each end that must not stretch the bins: a single outlier would leave all others in one. */
const tail = 0.001;

/** Round numbers. */
function edgesFor(series: readonly Float64Array[]): number[] {
  const bins = binsFor(series[0]?.length ?? 0);
  const sorted = series.map((values) => values.slice().sort());
  const [low, high] = divisible(Math.min(...sorted.map((values) => quantile(values, tail))), Math.max(...sorted.map((values) => quantile(values, 1 - tail))));
  // A little wider, so that the largest of few values, which is above its quantile, is not outside.
  const margin = (high - low) * 0.02;
  return scaleLinear().domain([low - margin, high + margin]).nice(bins).ticks(bins);
}

function binOf(edges: readonly number[], value: number): number | undefined {
  const first = edges[0] ?? NaN;
  const last = edges.at(-1) ?? NaN;
  if (!(value >= first && value <= last)) return undefined;
  let bin = Math.min(edges.length - 2, Math.floor(((value - first) / (last - first)) * (edges.length - 1)));
  // The quotient is rounded; the edges decide.
  if (value < (edges[bin] ?? NaN)) bin--;
  else if (bin < edges.length - 2 && value >= (edges[bin + 1] ?? NaN)) bin++;
  return bin;
}
