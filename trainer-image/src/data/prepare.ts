/** From a table to what the network eats: parts of float32 rows, and the preprocessing that made them, as data. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import { matrixOf, selection } from './matrix.ts';
import type { Matrix } from './matrix.ts';
import { applyPipeline, fitPipeline } from './pipeline/index.ts';
import type { FittedStep } from './pipeline/index.ts';
import { emptyTable } from './frame.ts';
import { frameOfRows } from './rows.ts';
import type { Rows } from './rows.ts';
import { inspect } from './inspect.ts';
import type { GuardedData, Guards } from './inspect.ts';
import { protect, stepsOf } from './privacy/index.ts';
import type { PrivacyStep } from './privacy/index.ts';
import { split } from './split.ts';
import type { Split } from './split.ts';
import { firstMissing, pick, rowNumber } from './table.ts';
import type { Column, ColumnInfo, Table } from './table.ts';
import { codeClasses, fitValues, taskOf } from './target.ts';
import type { TargetCoding } from './target.ts';

/** Everything that turns raw rows into the network's input and its output into an answer; `preprocessing.json` of a model. */
export interface Preprocessing {
  readonly inputs: readonly { readonly name: string; readonly kind: Column['kind'] }[];
  /** Texts that stood for a missing value in the file, and do so in a request. */
  readonly missing: readonly string[];
  /** What is done to personal data before the steps; left out where nothing is. */
  readonly privacy?: readonly PrivacyStep[];
  readonly steps: readonly FittedStep[];
  /** Names of the numbers of one row, after the steps. */
  readonly features: readonly string[];
  /** Shape of one row. */
  readonly shape: readonly number[];
  readonly target: TargetCoding;
}

/** Rows for the network. */
export interface Part {
  readonly rows: number;
  readonly features: Matrix;
  /** Class places, or standardised values. */
  readonly targets: Int32Array | Float32Array;
}

export interface Prepared {
  readonly preprocessing: Preprocessing;
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
}

/** @throws AnnealError of what is wrong with spec or data, before any time is spent on training */
export async function prepare(spec: TrainerSpec['data'] & GuardedData, raw: Rows, guards: Guards = {}): Promise<Prepared> {
  const { rows: data, steps: privacySteps, report } = await protect(spec.privacy ?? {}, raw, guards.key);
  const names = inputsOf(spec, data.columns).map(({ name }) => name);
  const { coding, codes, parts } = codeTarget(spec, await targetOf(spec, data));
  await inspect(spec, { rows: data, columns: data.columns.map(({ name }) => name), target: spec.target, task: coding.task, features: names, parts, seed: spec.split.seed }, guards, spec.privacy === undefined ? undefined : report);
  const steps = await fitPipeline(spec.pipeline, frameOfRows(data, names, parts.train), data.inMemory);
  const { features, matrix } = await matrixOfRows(data, names, steps);
  const privacy = stepsOf(privacySteps, names);
  const preprocessing: Preprocessing = {
    // As they stand in the data: a request is protected like the rows were.
    inputs: pick(raw.columns, names, 'spec.trainer.data.features.columns').map(({ name, kind }) => ({ name, kind })),
    missing: spec.source.csv.missing,
    ...(privacy.length === 0 ? {} : { privacy }),
    steps,
    features,
    shape: shapeOf(spec, features),
    target: coding,
  };
  const part = (rows: Int32Array): Part => ({ rows: rows.length, features: selection(matrix, rows), targets: targetsOf(codes, rows) });
  return { preprocessing, train: part(parts.train), validation: part(parts.validation), test: part(parts.test) };
}

/** Raw rows to the network's input, as in training. @throws AnnealError `DATA_NOT_NUMERIC`, `DATA_CATEGORIES` */
export async function preprocess(preprocessing: Preprocessing, raw: Table): Promise<Float32Array> {
  const done = await applyPipeline(preprocessing.steps, raw);
  const matrix = new Float32Array(done.rows * done.columns.length);
  writeRows(done, matrix, 0);
  return matrix;
}

/** Values of a block in the widest form that the pipeline brings it to; keeps what a step makes at once within some tens of megabytes. */
const blockValues = 4 * 1024 * 1024;

async function matrixOfRows(data: Rows, names: readonly string[], steps: readonly FittedStep[]): Promise<{ features: string[]; matrix: Matrix }> {
  const features = (await applyPipeline(steps, emptyTable(pick(data.columns, names, 'spec.trainer.data.features.columns')))).columns.map(({ name }) => name);
  const width = features.length;
  const values = new Float32Array(data.rows * width);
  let at = 0;
  for await (const block of data.blocks(names, Math.max(1, Math.floor(blockValues / Math.max(width, names.length, 1))))) {
    writeRows(await applyPipeline(steps, block), values, at);
    at += block.rows;
  }
  return { features, matrix: matrixOf(values, width) };
}

async function targetOf(spec: TrainerSpec['data'], data: Rows): Promise<Column> {
  pick(data.columns, [spec.target], 'spec.trainer.data.target');
  return data.column(spec.target);
}

function inputsOf(spec: TrainerSpec['data'], present: readonly ColumnInfo[]): ColumnInfo[] {
  const { columns, exclude = [] } = spec.features ?? {};
  if (columns?.includes(spec.target)) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.features.columns', message: `The target "${spec.target}" is among the features, so the model would see the answer. Remove it from features.columns.` });
  if (columns !== undefined) return pick(present, columns, 'spec.trainer.data.features.columns');
  pick(present, exclude, 'spec.trainer.data.features.exclude');
  const left = present.filter(({ name }) => name !== spec.target && !exclude.includes(name));
  if (left.length === 0) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.features', message: 'No column is left for the model to see. Exclude fewer, or give data with more columns.' });
  return left;
}

function codeTarget(spec: TrainerSpec['data'], target: Column): { coding: TargetCoding; codes: Int32Array | Float32Array; parts: Split } {
  if (taskOf(spec, target) === 'Classification') {
    const { classes, codes } = codeClasses(target);
    const parts = split(codes.length, spec.split, spec.split.stratify ?? true ? codes : undefined);
    return { coding: { task: 'Classification', name: target.name, classes }, codes, parts };
  }
  if (spec.split.stratify === true) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.split.stratify', message: 'stratify needs classes, and the task is Regression. Remove stratify, or write task: Classification.' });
  if (target.kind !== 'Number') throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.target', message: `The target "${target.name}" is text. Write task: Classification.` });
  const parts = split(target.values.length, spec.split);
  const { mean, scale } = fitValues(target, parts.train);
  return { coding: { task: 'Regression', name: target.name, mean, scale }, codes: Float32Array.from(target.values, (value) => (value - mean) / scale), parts };
}

function shapeOf(spec: TrainerSpec['data'], features: readonly string[]): readonly number[] {
  const shape = spec.features?.shape;
  if (shape === undefined) return [features.length];
  const size = shape.reduce((product, length) => product * length, 1);
  if (size === features.length) return shape;
  throw new AnnealError('SPEC_SHAPE_MISMATCH', {
    at: 'spec.trainer.data.features.shape',
    message: `features.shape [${shape.join(', ')}] holds ${size} values, but a row has ${features.length} after the pipeline: ${list(features)}. Correct the shape, or choose the columns.`,
  });
}

/** Puts a block into a row-major matrix from row `first` on. The one place where a text or a missing value is noticed that no step took care of. */
function writeRows(table: Table, matrix: Float32Array, first: number): void {
  const width = table.columns.length;
  table.columns.forEach((column, place) => {
    if (column.kind === 'Text') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is text, and a network needs numbers. Add a step - encode: {columns: [${column.name}]}, or exclude the column in features.exclude.` });
    if (column.kind === 'Time') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is a time, and a network needs numbers. Exclude the column in features.exclude, or derive numbers from it.` });
    const row = firstMissing(column);
    if (row >= 0) throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" has no value in row ${rowNumber(table, row)}. Add a step - impute: {columns: [${column.name}]} before the others, or exclude the column in features.exclude.` });
    const { values } = column;
    for (let at = 0, to = first * width + place; at < values.length; at++, to += width) matrix[to] = values[at] ?? NaN;
  });
}

function targetsOf(codes: Int32Array | Float32Array, rows: Int32Array): Int32Array | Float32Array {
  return codes instanceof Int32Array ? Int32Array.from(rows, (row) => codes[row] ?? -1) : Float32Array.from(rows, (row) => codes[row] ?? NaN);
}
