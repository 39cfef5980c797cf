/** Keeps the columns that say most, and takes out the others. */
import { AnnealError } from '../../errors.ts';
import { covarianceOf } from '../covariance.ts';
import { chosenRows } from '../frame.ts';
import type { Frame } from '../frame.ts';
import { random, shuffle, upTo } from '../random.ts';
import { moments } from '../statistics.ts';
import { chosen, isQuantity, requireComplete, requireNumber, requireSquares } from './columns.ts';
import { fStatistic, informationOf, lassoWeights, standardised, targetVariable } from './scores.ts';
import { requireTarget, targetOfRows } from './step.ts';
import type { Fit, StepKind, Target, Training } from './step.ts';

export interface SelectSpec {
  readonly columns?: readonly string[];
  readonly method: 'Variance' | 'MutualInformation' | 'L1' | 'Correlation' | 'FTest';
  /** How many columns of the highest score stay; below 1 a share of them. All above the threshold when unset. */
  readonly keep?: number;
  /** Only higher scores stay; of Correlation: columns correlated higher with one before them go. By method when unset: 0, 0, 0.00001, 0.95, 0. */
  readonly threshold?: number;
  /** L1: weight of the penalty. 0.01 when unset. */
  readonly penalty?: number;
}

export interface FittedSelect {
  readonly kind: 'Select';
  readonly dropped: readonly string[];
  /** What each column scored, for a person to see; of Correlation the highest with one that stays. */
  readonly scores: Readonly<Record<string, number>>;
}

const thresholds: Readonly<Record<SelectSpec['method'], number>> = { Variance: 0, MutualInformation: 0, L1: 1e-5, Correlation: 0.95, FTest: 0 };

/** Neighbours are looked for, and models fitted, among so many rows at most, drawn by chance. */
const mostRows = { MutualInformation: 100_000, L1: 20_000 };

export const select: StepKind<SelectSpec, FittedSelect> = {
  fit,
  apply: (step) => {
    const dropped = new Set(step.dropped);
    return (table) => ({ ...table, columns: table.columns.filter(({ name }) => !dropped.has(name)) });
  },
  reads: ({ dropped }) => dropped,
  joint: false,
};

async function fit(spec: SelectSpec, training: Training): Promise<Fit<FittedSelect>> {
  const { frame, at } = training;
  const names = chosen(frame, spec.columns, isQuantity, at).map(({ name }) => name);
  const threshold = spec.threshold ?? thresholds[spec.method];
  const scores = await scoresOf(spec, names, training);
  const kept = spec.method === 'Correlation' ? names.filter((_, place) => (scores[place] ?? 0) <= threshold) : best(names, scores, threshold, spec.keep);
  if (kept.length === 0) throw new AnnealError('SPEC_CONFLICT', { at: `${at}.threshold`, message: `None of the ${names.length} columns scores above ${threshold}; the highest score is ${Math.max(...scores)}. Lower the threshold, or write keep instead.` });
  const stays = new Set(kept);
  return { step: { kind: 'Select', dropped: names.filter((name) => !stays.has(name)), scores: Object.fromEntries(names.map((name, place) => [name, scores[place] ?? 0])) } };
}

function best(names: readonly string[], scores: readonly number[], threshold: number, keep: number | undefined): string[] {
  const passing = [...names.keys()].filter((place) => (scores[place] ?? 0) > threshold).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const most = keep === undefined ? names.length : keep < 1 ? Math.max(1, Math.round(keep * names.length)) : keep;
  return passing.slice(0, most).map((place) => names[place] ?? '');
}

async function scoresOf(spec: SelectSpec, names: readonly string[], training: Training): Promise<number[]> {
  const { frame: whole, at } = training;
  const wholeTarget = (): Target => requireTarget(training);
  const column = async (frame: Frame, name: string): Promise<Float64Array> => {
    const found = requireNumber(await frame.column(name), 'select', at);
    requireComplete(frame, found, 'select', at);
    requireSquares(frame, found, 'select', at);
    return found.values;
  };
  const each = async (score: (values: Float64Array, name: string) => number, frame = whole): Promise<number[]> => {
    const scores = [];
    for (const name of names) scores.push(score(await column(frame, name), name));
    return scores;
  };
  switch (spec.method) {
    case 'Variance': return each((values) => moments(values).deviation ** 2);
    case 'FTest': {
      const target = wholeTarget();
      return each((values) => fStatistic(values, target));
    }
    case 'Correlation': return correlations(names.length, whole.rows, async (place) => standardised(await column(whole, names[place] ?? '')), spec.threshold ?? thresholds.Correlation);
    case 'MutualInformation': {
      const { frame, target } = sample(whole, wholeTarget(), mostRows.MutualInformation);
      const variable = targetVariable(target);
      return each((values, name) => informationOf(values, name, variable), frame);
    }
    case 'L1': {
      const { frame, target } = sample(whole, wholeTarget(), mostRows.L1);
      const columns = [];
      for (const name of names) columns.push(standardised(await column(frame, name)));
      return lassoWeights(columns, target, spec.penalty ?? 0.01);
    }
  }
}

/** Highest absolute correlation of each column with one before it that stays. */
async function correlations(count: number, rows: number, column: (place: number) => Promise<Float64Array>, threshold: number): Promise<number[]> {
  const { matrix } = await covarianceOf(count, rows, column);
  const scores: number[] = [];
  for (let place = 0; place < count; place++) {
    let highest = 0;
    for (let before = 0; before < place; before++) if ((scores[before] ?? 0) <= threshold) highest = Math.max(highest, Math.abs(matrix[place * count + before] ?? 0));
    scores.push(highest);
  }
  return scores;
}

function sample(frame: Frame, target: Target, most: number): { frame: Frame; target: Target } {
  if (frame.rows <= most) return { frame, target };
  const order = upTo(frame.rows);
  shuffle(order, random(0, 'select'));
  const rows = order.slice(0, most).sort();
  return { frame: chosenRows(frame, rows), target: targetOfRows(target, rows) };
}
