/**
 * Fewer training rows, or more of the rare classes. After the pipeline, on the training part alone: validation and test stay as the
 * world is. Counts are those of imbalanced-learn.
 */
import { AnnealError } from '../errors.ts';
import { countCodes } from './statistics.ts';
import { selection } from './matrix.ts';
import type { Part } from './part.ts';
import { random, shuffle, upTo } from './random.ts';
import type { Random } from './random.ts';
import { synthesised } from './smote.ts';
import type { SmoteSpec } from './smote.ts';

export interface SampleSpec {
  /** Share of the training rows that is trained on, above 0. */
  readonly fraction: number;
  /** Whether each class keeps its share. */
  readonly stratified: boolean;
  readonly seed: number;
}

export interface BalanceSpec extends SmoteSpec {
  /** Oversample repeats rows of rare classes, Undersample leaves out rows of frequent ones, SMOTE makes up rows between neighbours of a rare class. */
  readonly method: 'Oversample' | 'Undersample' | 'SMOTE';
  /** Rows that the rarest class has then for each row of the most frequent one; 1 makes all equal. */
  readonly ratio: number;
}

/** Some of the rows, drawn without replacement, in their order; of each class its share to the nearest row, and at least one. @throws AnnealError `SPEC_CONFLICT` for strata of numbers */
export function sampled(part: Part, { fraction, stratified, seed }: SampleSpec): Part {
  const { targets } = part;
  if (stratified && !(targets instanceof Int32Array)) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.sample.stratify', message: 'stratify needs classes, and the task is Regression. Remove stratify, or write task: Classification.' });
  const strata = stratified && targets instanceof Int32Array ? membersOf(targets) : [upTo(part.rows)];
  return chosen(part, joined(strata.map((rows, stratum) => drawn(rows, Math.max(1, Math.round(fraction * rows.length)), random(seed, 'sample', stratum)))).sort());
}

/** @param nominal  places of features that are codes and not quantities. @param classes  names, for what is told of one. @throws AnnealError `SPEC_CONFLICT` in a regression, `DATA_TOO_FEW_ROWS` where SMOTE has nothing to go by */
export function balanced(part: Part, spec: BalanceSpec, nominal: readonly number[] = [], classes: readonly string[] = []): Part {
  const { targets } = part;
  if (!(targets instanceof Int32Array)) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.balance', message: 'balance needs classes, and the task is Regression. Remove balance, or write task: Classification.' });
  const members = membersOf(targets);
  const wanted = wantedRows(members.map((rows) => rows.length), spec);
  switch (spec.method) {
    case 'Undersample': return chosen(part, joined(members.map((rows, stratum) => drawn(rows, wanted[stratum] ?? 0, random(spec.seed, 'undersample', stratum)))).sort());
    case 'Oversample': return chosen(part, joined([upTo(part.rows), ...members.map((rows, stratum) => repeated(rows, (wanted[stratum] ?? 0) - rows.length, spec.seed, stratum))]));
    case 'SMOTE': return synthesised({ ...part, targets }, members, wanted, spec, nominal, classes);
  }
}

/** How many rows each class has afterwards; a class without rows stays so. */
function wantedRows(counts: readonly number[], { method, ratio }: BalanceSpec): number[] {
  const there = counts.filter((count) => count > 0);
  if (method === 'Undersample') {
    const most = Math.floor(Math.min(...there) / ratio);
    return counts.map((count) => Math.min(count, most));
  }
  const fewest = Math.floor(Math.max(...there) * ratio);
  return counts.map((count) => (count === 0 ? 0 : Math.max(count, fewest)));
}

function membersOf(codes: Int32Array): Int32Array[] {
  let classes = 0;
  for (const code of codes) classes = Math.max(classes, code + 1);
  const members = Array.from(countCodes(codes, classes), (count) => new Int32Array(count));
  const filled = new Int32Array(classes);
  codes.forEach((code, row) => {
    const at = filled[code] ?? 0;
    const own = members[code];
    if (own !== undefined) own[at] = row;
    filled[code] = at + 1;
  });
  return members;
}

function drawn(rows: Int32Array, count: number, source: Random): Int32Array {
  const order = rows.slice();
  shuffle(order, source);
  return order.slice(0, count);
}

function repeated(rows: Int32Array, count: number, seed: number, stratum: number): Int32Array {
  const source = random(seed, 'oversample', stratum);
  return Int32Array.from({ length: Math.max(0, count) }, () => rows[source.below(rows.length)] ?? 0);
}

function joined(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function chosen(part: Part, rows: Int32Array): Part {
  const { targets } = part;
  return {
    rows: rows.length,
    features: selection(part.features, rows),
    targets: targets instanceof Int32Array ? rows.map((row) => targets[row] ?? 0) : Float32Array.from(rows, (row) => targets[row] ?? NaN),
  };
}
