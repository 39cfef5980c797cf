/** From a table to what the network eats: parts of float32 rows, and the preprocessing that made them, as data. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import { applyPipeline, fitPipeline } from './pipeline/index.ts';
import type { FittedStep } from './pipeline/index.ts';
import { split } from './split.ts';
import type { Split } from './split.ts';
import { firstMissing, pick, rowNumber, take } from './table.ts';
import type { Column, Table } from './table.ts';
import { classCodes, classesOf, fitValues, taskOf } from './target.ts';
import type { TargetCoding } from './target.ts';

/** Everything that turns raw rows into the network's input and its output into an answer; `preprocessing.json` of a model. */
export interface Preprocessing {
  readonly inputs: readonly { readonly name: string; readonly kind: Column['kind'] }[];
  /** Texts that stood for a missing value in the file, and do so in a request. */
  readonly missing: readonly string[];
  readonly steps: readonly FittedStep[];
  /** Names of the numbers of one row, after the steps. */
  readonly features: readonly string[];
  /** Shape of one row. */
  readonly shape: readonly number[];
  readonly target: TargetCoding;
}

/** Rows for the network, row after row. */
export interface Part {
  readonly rows: number;
  readonly features: Float32Array;
  /** Class places, or standardised values. */
  readonly targets: Int32Array | Float32Array;
  /** How much each row counts; 1 where absent. */
  readonly weights?: Float32Array;
}

export interface Prepared {
  readonly preprocessing: Preprocessing;
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
}

/** Pure. @throws AnnealError of what is wrong with spec or data, before any time is spent on training */
export function prepare(spec: TrainerSpec['data'], table: Table): Prepared {
  const [target] = pick(table.columns, [spec.target], 'spec.trainer.data.target');
  if (target === undefined) throw new AnnealError('SPEC_COLUMN_MISSING', { at: 'spec.trainer.data.target', message: 'Name the target column.' });
  const raw: Table = { rows: table.rows, columns: inputsOf(spec, table) };
  const { coding, codes, parts } = codeTarget(spec, table, target);
  const steps = fitPipeline(spec.pipeline, take(raw, parts.train));
  const done = applyPipeline(steps, raw);
  const preprocessing: Preprocessing = {
    inputs: raw.columns.map(({ name, kind }) => ({ name, kind })),
    missing: spec.source.csv.missing,
    steps,
    features: done.columns.map(({ name }) => name),
    shape: shapeOf(spec, done.columns),
    target: coding,
  };
  const matrix = toMatrix(done);
  const part = (rows: Int32Array): Part => partOf(matrix, done.columns.length, codes, rows);
  return { preprocessing, train: part(parts.train), validation: part(parts.validation), test: part(parts.test) };
}

/** Raw rows to the network's input, as in training. @throws AnnealError `DATA_NOT_NUMERIC`, `DATA_CATEGORIES` */
export function preprocess(preprocessing: Preprocessing, raw: Table): Float32Array {
  return toMatrix(applyPipeline(preprocessing.steps, raw));
}

function inputsOf(spec: TrainerSpec['data'], table: Table): Column[] {
  const { columns, exclude = [] } = spec.features ?? {};
  if (columns?.includes(spec.target)) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.features.columns', message: `The target "${spec.target}" is among the features, so the model would see the answer. Remove it from features.columns.` });
  if (columns !== undefined) return pick(table.columns, columns, 'spec.trainer.data.features.columns');
  pick(table.columns, exclude, 'spec.trainer.data.features.exclude');
  const left = table.columns.filter(({ name }) => name !== spec.target && !exclude.includes(name));
  if (left.length === 0) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.features', message: 'No column is left for the model to see. Exclude fewer, or give data with more columns.' });
  return left;
}

function codeTarget(spec: TrainerSpec['data'], table: Table, target: Column): { coding: TargetCoding; codes: Int32Array | Float32Array; parts: Split } {
  if (taskOf(spec, table, target) === 'Classification') {
    const classes = classesOf(target);
    const codes = classCodes(target, classes);
    const parts = split(table.rows, spec.split, spec.split.stratify ?? true ? codes : undefined);
    return { coding: { task: 'Classification', name: target.name, classes }, codes, parts };
  }
  if (spec.split.stratify === true) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.split.stratify', message: 'stratify needs classes, and the task is Regression. Remove stratify, or write task: Classification.' });
  if (target.kind === 'Text') throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.target', message: `The target "${target.name}" is text. Write task: Classification.` });
  const parts = split(table.rows, spec.split);
  const { mean, scale } = fitValues(target, parts.train);
  return { coding: { task: 'Regression', name: target.name, mean, scale }, codes: Float32Array.from(target.values, (value) => (value - mean) / scale), parts };
}

function shapeOf(spec: TrainerSpec['data'], columns: readonly Column[]): readonly number[] {
  const shape = spec.features?.shape;
  if (shape === undefined) return [columns.length];
  const size = shape.reduce((product, length) => product * length, 1);
  if (size === columns.length) return shape;
  throw new AnnealError('SPEC_SHAPE_MISMATCH', {
    at: 'spec.trainer.data.features.shape',
    message: `features.shape [${shape.join(', ')}] holds ${size} values, but a row has ${columns.length} after the pipeline: ${list(columns.map(({ name }) => name))}. Correct the shape, or choose the columns.`,
  });
}

/** Row-major float32. The one place where a text or a missing value is noticed that no step took care of. */
function toMatrix(table: Table): Float32Array {
  const width = table.columns.length;
  const matrix = new Float32Array(table.rows * width);
  table.columns.forEach((column, place) => {
    if (column.kind === 'Text') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is text, and a network needs numbers. Add a step - encode: {columns: [${column.name}]}, or exclude the column in features.exclude.` });
    const row = firstMissing(column);
    if (row >= 0) throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" has no value in row ${rowNumber(table, row)}. Add a step - impute: {columns: [${column.name}]} before the others, or exclude the column in features.exclude.` });
    column.values.forEach((value, at) => (matrix[at * width + place] = value));
  });
  return matrix;
}

function partOf(matrix: Float32Array, width: number, codes: Int32Array | Float32Array, rows: Int32Array): Part {
  const features = new Float32Array(rows.length * width);
  rows.forEach((row, at) => features.set(matrix.subarray(row * width, (row + 1) * width), at * width));
  const targets = codes instanceof Int32Array ? Int32Array.from(rows, (row) => codes[row] ?? -1) : Float32Array.from(rows, (row) => codes[row] ?? NaN);
  return { rows: rows.length, features, targets };
}
