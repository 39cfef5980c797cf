/** From a table to what the network eats: parts of float32 rows, and the preprocessing that made them, as data. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import type { FileOptions, Format } from './ingest/index.ts';
import { memoryMatrix, selection } from './matrix.ts';
import type { HeldMatrix, Matrix } from './matrix.ts';
import { fileMatrix } from './matrix-file.ts';
import { applyPipeline, fitPipeline } from './pipeline/index.ts';
import type { FittedPipeline, FittedStep } from './pipeline/index.ts';
import type { Target } from './pipeline/step.ts';
import { emptyTable } from './frame.ts';
import { frameOfRows } from './rows.ts';
import type { Rows } from './rows.ts';
import { split } from './split.ts';
import type { Split } from './split.ts';
import { firstMissing, flagOf, infoOf, pick, rowNumber } from './table.ts';
import type { Column, ColumnInfo, NumberColumn, Table } from './table.ts';
import { codeClasses, fitValues, taskOf } from './target.ts';
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
  /** Which features are codes 0, …, categories - 1 that the network looks up in an embedding; left out where none is. */
  readonly embeddings?: readonly { readonly feature: number; readonly categories: number }[];
  readonly target: TargetCoding;
}

/** Rows for the network. */
export interface Part {
  readonly rows: number;
  readonly features: Matrix;
  /** Class places, or standardised values. */
  readonly targets: Int32Array | Float32Array;
  /** How much each row counts; 1 where absent. */
  readonly weights?: Float32Array;
}

export interface Prepared extends Disposable {
  readonly preprocessing: Preprocessing;
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
}

/** Where the numbers for the network may lie. */
export interface Room {
  /** What they may take in memory; beyond it they go to a file. */
  readonly bytes: number;
  /** For the file. */
  readonly folder: string;
}

/** The fields of `data.source` that say how its files are read. */
type Written = Omit<TrainerSpec['data']['source'], 'format'> & { readonly format: Format };

/** How the files are read, and which of their columns `prepare` asks for. */
export function rowsOptions(spec: TrainerSpec['data']): FileOptions {
  const { format, csv }: Written = spec.source;
  const { columns, exclude = [] } = spec.features ?? {};
  const selection = columns === undefined ? { except: exclude.filter((name) => name !== spec.target) } : { only: [...columns, spec.target] };
  return { format, csv: { ...csv, missing: format === 'CSV' || format === 'TSV' ? csv.missing : [] }, selection };
}

/** @throws AnnealError of what is wrong with spec or data, before any time is spent on training */
export async function prepare(spec: TrainerSpec['data'], data: Rows, room?: Room): Promise<Prepared> {
  const inputs = inputsOf(spec, data.columns);
  const { target, parts, code } = splitByTarget(spec, await targetOf(spec, data));
  const names = inputs.map(({ name }) => name);
  const pipeline = await fitPipeline(spec.pipeline, frameOfRows(data, names, parts.train), target, data.inMemory);
  const train = takenInto(parts.train, pipeline.rows, new Int32Array(pipeline.rows.length));
  const { features, matrix } = await matrixOfRows(data, names, pipeline, room);
  const { coding, codes } = code(train);
  const embeddings = features.flatMap(({ categories }, feature) => (categories === undefined ? [] : [{ feature, categories }]));
  const preprocessing: Preprocessing = {
    inputs: inputs.map(({ name, kind }) => ({ name, kind })),
    missing: rowsOptions(spec).csv.missing,
    steps: pipeline.steps,
    features: features.map(({ name }) => name),
    shape: shapeOf(spec, features.map(({ name }) => name)),
    ...(embeddings.length === 0 ? {} : { embeddings }),
    target: coding,
  };
  const part = (rows: Int32Array): Part => ({ rows: rows.length, features: selection(matrix, rows), targets: targetsOf(codes, rows) });
  return { preprocessing, train: part(train), validation: part(parts.validation), test: part(parts.test), [Symbol.dispose]: () => matrix[Symbol.dispose]() };
}

/** Raw rows to the network's input, as in training. @throws AnnealError `DATA_NOT_NUMERIC`, `DATA_CATEGORIES` */
export async function preprocess(preprocessing: Preprocessing, raw: Table): Promise<Float32Array> {
  const done = await applyPipeline(preprocessing.steps, raw);
  const matrix = new Float32Array(done.rows * done.columns.length);
  writeRows(done, matrix);
  return matrix;
}

/** Values of a block in the widest form that the pipeline brings it to: what a step makes should still be in a cache of the processor for the next. */
const blockValues = 1024 * 1024;

async function matrixOfRows(data: Rows, names: readonly string[], { whileTraining }: FittedPipeline, room: Room | undefined): Promise<{ features: ColumnInfo[]; matrix: HeldMatrix }> {
  const features = (await whileTraining(emptyTable(pick(data.columns, names, 'spec.trainer.data.features.columns')))).columns.map(infoOf);
  const width = features.length;
  const fits = room === undefined || data.rows * width * Float32Array.BYTES_PER_ELEMENT <= room.bytes;
  const sink = fits ? memoryMatrix(data.rows, width) : fileMatrix(room.folder, width);
  try {
    for await (const block of data.blocks(names, Math.max(1, Math.floor(blockValues / Math.max(width, names.length, 1))))) writeRows(await whileTraining(block), sink.next(block.rows));
    return { features, matrix: sink.finish() };
  } catch (error) {
    sink.abandon();
    throw error;
  }
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

interface SplitTarget {
  readonly parts: Split;
  /** Of the training rows. */
  readonly target: Target;
  /** @param train  the rows that are trained on in the end */
  readonly code: (train: Int32Array) => { coding: TargetCoding; codes: Int32Array | Float32Array };
}

function splitByTarget(spec: TrainerSpec['data'], target: Column): SplitTarget {
  const { name } = target;
  if (taskOf(spec, target) === 'Classification') {
    const { classes, codes } = codeClasses(target);
    const parts = split(codes.length, spec.split, spec.split.stratify ?? true ? codes : undefined);
    return { parts, target: { task: 'Classification', classes, codes: takenInto(codes, parts.train, new Int32Array(parts.train.length)) }, code: () => ({ coding: { task: 'Classification', name, classes }, codes }) };
  }
  if (spec.split.stratify === true) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.split.stratify', message: 'stratify needs classes, and the task is Regression. Remove stratify, or write task: Classification.' });
  if (target.kind !== 'Number') throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.target', message: `The target "${name}" is text. Write task: Classification.` });
  const parts = split(target.values.length, spec.split);
  return {
    parts,
    target: { task: 'Regression', values: Float64Array.from(parts.train, (row) => target.values[row] ?? NaN) },
    code: (train) => {
      const { mean, scale } = fitValues(target, train);
      return { coding: { task: 'Regression', name, mean, scale }, codes: Float32Array.from(target.values, (value) => (value - mean) / scale) };
    },
  };
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

/** Numbers of a row-major matrix that are written together: what a core's own cache holds. */
const tileValues = 32 * 1024;

/** Puts a block into a row-major matrix of zeros. The one place where a text or a missing value is noticed that no step took care of. */
function writeRows(table: Table, matrix: Float32Array): void {
  const columns = table.columns.map((column) => requireNumbers(column, table));
  const width = columns.length;
  const rows = Math.max(1, Math.floor(tileValues / Math.max(1, width)));
  for (let from = 0; from < table.rows; from += rows) {
    const to = Math.min(table.rows, from + rows);
    for (let place = 0; place < width;) place += writeColumns(columns, place, matrix, from, to);
  }
}

/** Writes the column at a place, and the flags of the same codes behind it. @returns how many columns it wrote */
function writeColumns(columns: readonly NumberColumn[], place: number, matrix: Float32Array, from: number, to: number): number {
  const width = columns.length;
  const flag = flagOf(columns[place]);
  if (flag === undefined) {
    const values = columns[place]?.values ?? new Float64Array(0);
    for (let row = from, at = from * width + place; row < to; row++, at += width) matrix[at] = values[row] ?? NaN;
    return 1;
  }
  const { codes, code: first } = flag;
  let count = 1;
  for (let next = flagOf(columns[place + 1]); next?.codes === codes && next.code === first + count; next = flagOf(columns[place + count])) count++;
  for (let row = from, at = from * width + place; row < to; row++, at += width) {
    const code = (codes[row] ?? -1) - first;
    if (code >= 0 && code < count) matrix[at + code] = 1;
  }
  return count;
}

function requireNumbers(column: Column, table: Table): NumberColumn {
  if (column.kind === 'Text') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is text, and a network needs numbers. Add a step - encode: {columns: [${column.name}]}, or exclude the column in features.exclude.` });
  if (column.kind === 'Time') throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" is a time, and a network needs numbers. Exclude the column in features.exclude, or derive numbers from it.` });
  const row = firstMissing(column);
  if (row >= 0) throw new AnnealError('DATA_NOT_NUMERIC', { at: 'spec.trainer.data.pipeline', message: `Column "${column.name}" has no value in row ${rowNumber(table, row)}. Add a step - impute: {columns: [${column.name}]} before the others, or exclude the column in features.exclude.` });
  return column;
}

function targetsOf(codes: Int32Array | Float32Array, rows: Int32Array): Int32Array | Float32Array {
  return codes instanceof Int32Array ? takenInto(codes, rows, new Int32Array(rows.length)) : takenInto(codes, rows, new Float32Array(rows.length));
}

/** By index: by callback it takes ten times as long. */
function takenInto<T extends Int32Array | Float32Array>(from: T, rows: Int32Array, into: T): T {
  for (let at = 0; at < rows.length; at++) into[at] = from[rows[at] ?? 0] ?? NaN;
  return into;
}
