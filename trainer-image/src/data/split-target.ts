/** What is to be predicted in each row, and which rows are trained on, validated and tested with; the two depend on each other. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { holdouts } from './holdouts.ts';
import type { Target } from './pipeline/step.ts';
import type { Rows } from './rows.ts';
import type { Split } from './split.ts';
import { splitKeys } from './split-keys.ts';
import type { Column } from './table.ts';
import { takenInto } from './take.ts';
import { codeClasses, codesAmong, fitValues, requireDifferent, taskOf } from './target.ts';
import type { Task, TargetCoding } from './target.ts';

/** One fold of a cross-validation: `validation` is what is held back of it, and `test` is empty. */
export interface FoldSpec {
  readonly kFold: number;
  /** From 0. */
  readonly index: number;
  /** As of the split, unless set. */
  readonly stratified?: boolean;
  readonly groupBy?: string;
}

export interface SplitTarget {
  readonly parts: Split;
  readonly task: Task;
  /** Of the training rows; undefined where the rows themselves are learnt. */
  readonly target: Target | undefined;
  /** @param train  the rows that are trained on in the end. @returns of all rows also the `truth` that the codes of a regression are made of */
  readonly code: (train: Int32Array) => { coding: TargetCoding; codes: Int32Array | Float32Array; truth?: Float64Array };
}

export interface SplitOptions {
  readonly fold?: FoldSpec | undefined;
  /** As the model knows the target that is gone on from. */
  readonly known?: TargetCoding | undefined;
}

/** @throws AnnealError `SPEC_CONFLICT`, `SPEC_TASK_MISMATCH`, `DATA_TARGET` */
export async function splitByTarget(spec: TrainerSpec['data'], data: Rows, target: Column | undefined, { fold, known }: SplitOptions): Promise<SplitTarget> {
  if (known !== undefined) requireKnown(known, target);
  const stratify = fold?.stratified ?? spec.split.stratify;
  if (target === undefined) {
    if (stratify === true) throw withoutClasses('Reconstruction', fold);
    return { task: 'Reconstruction', parts: await partsOf(spec.split, data, undefined, fold), target: undefined, code: () => ({ coding: { task: 'Reconstruction' }, codes: new Float32Array(data.rows) }) };
  }
  const { name } = target;
  if (taskOf(known === undefined || known.task === 'Reconstruction' ? spec : { ...spec, task: known.task }, target) === 'Classification') {
    const { classes, codes } = known?.task === 'Classification' ? { classes: known.classes, codes: codesAmong(known.classes, target) } : codeClasses(target);
    const parts = await partsOf(spec.split, data, stratify ?? spec.split.orderBy === undefined ? codes : undefined, fold);
    return { task: 'Classification', parts, target: { task: 'Classification', classes, codes: takenInto(codes, parts.train, new Int32Array(parts.train.length)) }, code: () => ({ coding: { task: 'Classification', name, classes }, codes }) };
  }
  if (stratify === true) throw withoutClasses('Regression', fold);
  if (target.kind !== 'Number') throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.target', message: `The target "${name}" is text. Write task: Classification.` });
  if (known === undefined) requireDifferent(target);
  const parts = await partsOf(spec.split, data, undefined, fold);
  return {
    task: 'Regression',
    parts,
    target: { task: 'Regression', values: Float64Array.from(parts.train, (row) => target.values[row] ?? NaN) },
    code: (train) => {
      const { mean, scale } = known?.task === 'Regression' ? known : fitValues(target, train);
      return { coding: { task: 'Regression', name, mean, scale }, codes: Float32Array.from(target.values, (value) => (value - mean) / scale), truth: target.values };
    },
  };
}

function requireKnown(known: TargetCoding, target: Column | undefined): void {
  const at = 'spec.trainer.data.target';
  if (known.task === 'Reconstruction' && target !== undefined) throw new AnnealError('SPEC_TASK_MISMATCH', { at, message: 'The saved model gives back the rows themselves and has no target. Remove data.target.' });
  if (known.task !== 'Reconstruction' && target === undefined) throw new AnnealError('SPEC_TASK_MISMATCH', { at, message: `The saved model predicts "${known.name}". Write data.target.` });
}

function withoutClasses(task: Task, fold: FoldSpec | undefined): AnnealError {
  const [path, field] = fold?.stratified === undefined ? ['spec.trainer.data.split', 'stratify'] : ['spec.trainer.validation', 'stratified'];
  return new AnnealError('SPEC_CONFLICT', { at: `${path}.${field}`, message: `${field} needs classes, and the task is ${task}. Remove ${field}${task === 'Regression' ? ', or write task: Classification' : ''}.` });
}

async function partsOf(spec: TrainerSpec['data']['split'], data: Rows, strata: Int32Array | undefined, fold: FoldSpec | undefined): Promise<Split> {
  const keys = await splitKeys(fold?.groupBy === undefined ? spec : { ...spec, groupBy: fold.groupBy }, data, strata);
  const { holdouts: parts, test } = holdouts(data.rows, fold === undefined ? spec : { ...spec, folds: fold.kFold }, keys);
  const holdout = parts[fold?.index ?? 0];
  if (holdout === undefined) throw new Error('The split gave no part to train on.');
  return { ...holdout, test: fold === undefined ? test : new Int32Array(0) };
}
