/** What the model learns to predict, as numbers: class places, or values brought to mean 0 and standard deviation 1. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { mean, standardDeviation } from './statistics.ts';
import { firstMissing, rowNumber } from './table.ts';
import type { Column, NumberColumn, Table } from './table.ts';

export type Task = 'Classification' | 'Regression';

/** How to read the network's output; stored with the model. */
export type TargetCoding =
  | { readonly task: 'Classification'; readonly name: string; readonly classes: readonly string[] }
  /** value = output * scale + mean */
  | { readonly task: 'Regression'; readonly name: string; readonly mean: number; readonly scale: number };

/** What is learnt: a target, or the rows themselves. */
export type Learning = TargetCoding | { readonly task: 'Reconstruction' };

const at = 'spec.trainer.data.target';
/** More whole numbers than this are a quantity; the CRD says so too. */
const mostWholeNumberClasses = 50;
const mostClasses = 1000;

/** @throws AnnealError `DATA_TARGET` for a row without target; `SPEC_TASK_MISMATCH` for a text to regress on */
export function taskOf(spec: TrainerSpec['data'], table: Table, target: Column): Task {
  const row = firstMissing(target);
  if (row >= 0) throw new AnnealError('DATA_TARGET', { at, message: `Row ${rowNumber(table, row)} has no value in the target column "${target.name}". Remove such rows, or fill them in.` });
  if (spec.task === 'Regression' && target.kind === 'Text') {
    const text = target.values.find((value) => value !== null && Number.isNaN(Number(value))) ?? '';
    throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.task', message: `Regression needs a target of numbers, and column "${target.name}" has "${text}". Correct the data, or write task: Classification.` });
  }
  return spec.task ?? (target.kind === 'Text' || areFewWholeNumbers(target) ? 'Classification' : 'Regression');
}

function areFewWholeNumbers(target: NumberColumn): boolean {
  const different = new Set<number>();
  for (const value of target.values) {
    if (!Number.isInteger(value) || different.add(value).size > mostWholeNumberClasses) return false;
  }
  return true;
}

/** Classes in order, numbers by size and texts by code unit. @throws AnnealError `DATA_TARGET` for one class, or over 1,000 */
export function classesOf(target: Column): string[] {
  const classes = target.kind === 'Number'
    ? [...new Set(target.values.slice().sort())].map(String)
    : [...new Set(target.values.map(String))].sort();
  if (classes.length > mostClasses) throw new AnnealError('DATA_TARGET', { at, message: `The target "${target.name}" has ${classes.length} classes, and at most ${mostClasses} can be learnt. Write task: Regression, or choose another target.` });
  if (classes.length < 2) throw new AnnealError('DATA_TARGET', { at, message: `The target "${target.name}" is "${classes[0] ?? ''}" in every row, so there is nothing to learn. Give rows of at least two classes.` });
  return classes;
}

/** Place of each row's class. */
export function classCodes(target: Column, classes: readonly string[]): Int32Array {
  const places = new Map(classes.map((name, place) => [name, place]));
  return Int32Array.from({ length: target.values.length }, (_, row) => places.get(String(target.values[row])) ?? -1);
}

/** Fitted on training rows, so that learning rates mean the same for prices and for temperatures. */
export function fitValues(target: NumberColumn, training: Int32Array): { mean: number; scale: number } {
  const values = Float64Array.from(training, (row) => target.values[row] ?? NaN);
  const spread = standardDeviation(values);
  return { mean: mean(values), scale: spread > 0 ? spread : 1 };
}
