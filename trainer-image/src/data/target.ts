/** What the model learns to predict, as numbers: class places, or values brought to mean 0 and standard deviation 1. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import { mean, standardDeviation } from './statistics.ts';
import { firstMissing, shownAt } from './table.ts';
import type { Column, NumberColumn } from './table.ts';

/** A reconstruction learns to give back the rows themselves, and has no target. */
export type Task = 'Classification' | 'Regression' | 'Reconstruction';

/** How to read the network's output; stored with the model. */
export type TargetCoding =
  | { readonly task: 'Classification'; readonly name: string; readonly classes: readonly string[] }
  /** value = output * scale + mean */
  | { readonly task: 'Regression'; readonly name: string; readonly mean: number; readonly scale: number }
  | { readonly task: 'Reconstruction' };

const at = 'spec.trainer.data.target';
/** More whole numbers than this are a quantity; the CRD says so too. */
const mostWholeNumberClasses = 50;
const mostClasses = 1000;

/** @throws AnnealError `DATA_TARGET` for a row without target, or a time; `SPEC_TASK_MISMATCH` for a text to regress on */
export function taskOf(spec: TrainerSpec['data'], target: Column): Exclude<Task, 'Reconstruction'> {
  const row = firstMissing(target);
  if (row >= 0) throw new AnnealError('DATA_TARGET', { at, message: `Row ${row + 1} has no value in the target column "${target.name}". Remove such rows, or fill them in.` });
  if (target.kind === 'Time') throw new AnnealError('DATA_TARGET', { at, message: `The target "${target.name}" is a time, which cannot be learnt. Give a column with what is to be predicted, for example a number of days.` });
  const infinite = target.kind === 'Number' ? firstInfinite(target.values) : -1;
  if (infinite >= 0) throw new AnnealError('DATA_TARGET', { at, message: `Row ${infinite + 1} has ${shownAt(target, infinite)} in the target column "${target.name}", which cannot be learnt. Correct such rows, or remove them.` });
  if (spec.task === 'Regression' && target.kind === 'Text') {
    const row = target.codes.findIndex((code) => Number.isNaN(Number(target.dictionary[code])));
    throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.task', message: `Regression needs a target of numbers, and column "${target.name}" has "${shownAt(target, row)}". Correct the data, or write task: Classification.` });
  }
  return spec.task ?? (target.kind === 'Text' || areFewWholeNumbers(target) ? 'Classification' : 'Regression');
}

function firstInfinite(values: Float64Array): number {
  for (let row = 0; row < values.length; row++) if (Math.abs(values[row] ?? NaN) === Infinity) return row;
  return -1;
}

function areFewWholeNumbers({ values }: NumberColumn): boolean {
  const different = new Set<number>();
  for (const value of values) {
    if (different.has(value)) continue;
    if (!Number.isInteger(value) || different.add(value).size > mostWholeNumberClasses) return false;
  }
  return true;
}

/** @throws AnnealError `DATA_TARGET` where all values are equal */
export function requireDifferent(target: NumberColumn): void {
  const [first] = target.values;
  if (!target.values.every((value) => value === first)) return;
  throw sameInEveryRow(target, 'at least two different values');
}

const sameInEveryRow = (target: Column, instead: string): AnnealError => (
  new AnnealError('DATA_TARGET', { at, message: `The target "${target.name}" is "${shownAt(target, 0)}" in every row, so there is nothing to learn. Give rows of ${instead}.` }));

/** Classes in order, numbers by size and texts by code unit, and the place of each row's class. @throws AnnealError `DATA_TARGET` for one class, or over 1,000 */
export function codeClasses(target: Column): { classes: string[]; codes: Int32Array } {
  const { classes, codes } = target.kind === 'Text' ? codeTexts(target.codes, target.dictionary) : codeNumbers(target.values);
  if (classes.length > mostClasses) throw new AnnealError('DATA_TARGET', { at, message: `The target "${target.name}" has ${classes.length} classes, and at most ${mostClasses} can be learnt. Write task: Regression, or choose another target.` });
  if (classes.length < 2) throw sameInEveryRow(target, 'at least two classes');
  return { classes, codes };
}

function codeTexts(codes: Int32Array, dictionary: readonly string[]): { classes: string[]; codes: Int32Array } {
  const classes = [...new Set(codes)].map((code) => dictionary[code] ?? '').sort();
  const places = new Map(classes.map((name, place) => [name, place]));
  const placeOf = Int32Array.from(dictionary, (text) => places.get(text) ?? -1);
  return { classes, codes: codes.map((code) => placeOf[code] ?? -1) };
}

function codeNumbers(values: Float64Array): { classes: string[]; codes: Int32Array } {
  const found = new Map<number, number>();
  const codes = new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? NaN;
    const code = found.get(value) ?? found.size;
    if (code === found.size) found.set(value, code);
    codes[row] = code;
  }
  const numbers = [...found.keys()].sort((a, b) => a - b);
  const placeOf = new Int32Array(numbers.length);
  numbers.forEach((number, place) => (placeOf[found.get(number) ?? 0] = place));
  for (let row = 0; row < codes.length; row++) codes[row] = placeOf[codes[row] ?? 0] ?? 0;
  return { classes: numbers.map(String), codes };
}

/** The place of each row's class among those that a model knows. @throws AnnealError `DATA_TARGET` for another */
export function codesAmong(classes: readonly string[], target: Column): Int32Array {
  const places = new Map(classes.map((name, place) => [name, place]));
  const named = target.kind === 'Text' ? codeTexts(target.codes, target.dictionary) : codeNumbers(target.values);
  const stranger = named.classes.find((name) => !places.has(name));
  if (stranger !== undefined) throw new AnnealError('DATA_TARGET', { at, message: `The target "${target.name}" has the class "${stranger}", which the saved model does not know; it knows ${list(classes)}. Leave such rows out, or train anew with a preset.` });
  const placeOf = Int32Array.from(named.classes, (name) => places.get(name) ?? -1);
  return named.codes.map((code) => placeOf[code] ?? -1);
}

/**
 * Fitted on training rows, so that learning rates mean the same for prices and for temperatures.
 * @throws AnnealError `DATA_TARGET` for values whose squares no number holds, which metrics are made of
 */
export function fitValues(target: NumberColumn, training: Int32Array): { mean: number; scale: number } {
  const values = Float64Array.from(training, (row) => target.values[row] ?? NaN);
  const spread = standardDeviation(values);
  const [first] = values;
  if (values.every((value) => value === first)) return { mean: mean(values), scale: 1 };
  if (spread ** 2 > 0 && spread ** 2 < Infinity) return { mean: mean(values), scale: spread };
  throw new AnnealError('DATA_TARGET', { at, message: `The values of the target "${target.name}" lie too ${spread ** 2 === 0 ? 'close together' : 'far apart'} for their variance to be computed; one is ${shownAt(target, training[0] ?? 0)}. Write the target in another unit.` });
}
