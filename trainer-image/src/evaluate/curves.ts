/** ROC and precision-recall curves of each class against the rest, thinned. */
import type { ClassSample } from './classification.ts';
import { sweep } from './ranking.ts';
import { thin } from './thin.ts';

export interface Curve {
  /** Whose; of the mean over all classes undefined. */
  readonly class?: string;
  /** False positive rate of a ROC curve, recall of a precision-recall curve; rising from 0 to 1. */
  readonly x: readonly number[];
  /** True positive rate, or precision. */
  readonly y: readonly number[];
  /** rocAuc or prAuc of the class, not of the thinned curve; of the mean their mean. */
  readonly area: number;
}

export interface Curves {
  readonly roc: readonly Curve[];
  readonly precisionRecall: readonly Curve[];
}

/** Of more classes, the mean and those with the smallest areas are told. */
const mostClasses = 6;
const mostPoints = 200;
const gridSteps = 100;

interface Points {
  readonly class: string;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly area: number;
}

/** Of two classes the second's; of up to six all; of more their mean and the five worst. Classes for which a curve is not defined are left out. */
export function curvesOf(sample: ClassSample): Curves {
  const { classes } = sample.facts.predictions;
  const places = classes.length === 2 ? [1] : [...classes.keys()];
  const told = (kind: 'roc' | 'precisionRecall', points: (place: number) => Omit<Points, 'class' | 'area'>, valueAt: (points: Points, x: number) => number): Curve[] => {
    const defined = places.map((place) => ({ place, area: sample.areas(place)[kind] })).filter(({ area }) => Number.isFinite(area));
    const full = ({ place, area }: { place: number; area: number }): Points => ({ class: classes[place] ?? '', area, ...points(place) });
    if (defined.length <= mostClasses) return defined.map((of) => thinned(full(of)));
    const worst = defined.toSorted((a, b) => a.area - b.area).slice(0, mostClasses - 1);
    return [meanOf(defined.map((of) => () => full(of)), valueAt), ...worst.map((of) => thinned(full(of)))];
  };
  return {
    roc: told('roc', (place) => rocPoints(sample, place), interpolated),
    precisionRecall: told('precisionRecall', (place) => precisionRecallPoints(sample, place), stepped),
  };
}

/** One point a distinct score, and (0, 0). */
function rocPoints({ facts, weights }: ClassSample, place: number): { x: Float64Array; y: Float64Array } {
  const { hits, misses } = outcomes(facts.ranking(place), weights);
  const share = (counts: readonly number[]): Float64Array => Float64Array.from([0, ...counts], (count) => count / (counts.at(-1) ?? NaN));
  return { x: share(misses), y: share(hits) };
}

/** One point a distinct score at which something is chosen, and the precision of the first at recall 0. */
function precisionRecallPoints({ facts, weights }: ClassSample, place: number): { x: Float64Array; y: Float64Array } {
  const { hits, misses } = outcomes(facts.ranking(place), weights);
  const all = hits.at(-1) ?? NaN;
  const precision = hits.map((hit, at) => hit / (hit + (misses[at] ?? 0)));
  const first = precision.findIndex((value) => !Number.isNaN(value));
  return { x: Float64Array.from([0, ...hits.slice(first).map((hit) => hit / all)]), y: Float64Array.from([precision[first] ?? NaN, ...precision.slice(first)]) };
}

function outcomes(ranking: ReturnType<ClassSample['facts']['ranking']>, weights: Float64Array): { hits: number[]; misses: number[] } {
  const hits: number[] = [];
  const misses: number[] = [];
  sweep(ranking, weights, (truePositives, falsePositives) => {
    hits.push(truePositives);
    misses.push(falsePositives);
  });
  return { hits, misses };
}

function thinned({ class: name, x, y, area }: Points): Curve {
  const kept = thin(x, y, mostPoints);
  return { class: name, area, x: kept.map((at) => rounded(x[at] ?? NaN)), y: kept.map((at) => rounded(y[at] ?? NaN)) };
}

/** Fawcett (2006), algorithm 4: vertical averaging. One class at a time: the points of all would not fit memory. */
function meanOf(curves: readonly (() => Points)[], valueAt: (points: Points, x: number) => number): Curve {
  const x = Array.from({ length: gridSteps + 1 }, (_, step) => step / gridSteps);
  const y = new Float64Array(x.length);
  let area = 0;
  for (const make of curves) {
    const points = make();
    area += points.area / curves.length;
    x.forEach((at, step) => (y[step] = (y[step] ?? 0) + valueAt(points, at) / curves.length));
  }
  return { area, x, y: Array.from(y, rounded) };
}

/** Place of the first x that is at least `at`; x rises. */
function firstFrom(x: Float64Array, at: number): number {
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < at) low = middle + 1; else high = middle;
  }
  return low;
}

/** On the line between two points; of several at this x the highest, which comes last. */
function interpolated({ x, y }: Points, at: number): number {
  let place = firstFrom(x, at);
  while (x[place + 1] === at) place++;
  const right = x[place] ?? 1;
  const left = x[place - 1];
  if (right === at || left === undefined) return y[place] ?? NaN;
  const share = (at - left) / (right - left);
  return (y[place - 1] ?? NaN) * (1 - share) + (y[place] ?? NaN) * share;
}

/** Precision of the strictest decision with at least this recall, as average precision counts it. */
const stepped = ({ x, y }: Points, at: number): number => y[firstFrom(x, at)] ?? NaN;

const rounded = (value: number): number => Number(value.toPrecision(5));
