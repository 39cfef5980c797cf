/** From a table to what the network eats: parts of float32 rows, and the preprocessing that made them, as data. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import { isSelected } from './ingest/index.ts';
import type { FileOptions } from './ingest/index.ts';
import { heldInMemory, memoryMatrix, selection } from './matrix.ts';
import type { HeldMatrix } from './matrix.ts';
import { fileMatrix } from './matrix-file.ts';
import { layoutOf, pack, unpack, unpacked } from './packed.ts';
import { applyPipeline, fitPipeline } from './pipeline/index.ts';
import type { FittedPipeline, FittedStep } from './pipeline/index.ts';
import type { Target } from './pipeline/step.ts';
import { emptyTable } from './frame.ts';
import { frameOfRows } from './rows.ts';
import type { Part } from './part.ts';
import type { Rows } from './rows.ts';
import { balanced, sampled } from './balance.ts';
import { holdouts } from './holdouts.ts';
import { splitKeys } from './split-keys.ts';
import { stepsOf } from './privacy/index.ts';
import type { PrivacyStep } from './privacy/index.ts';
import type { Subject } from './profile/evidence.ts';
import type { Split } from './split.ts';
import { slicesOf } from '../evaluate/slices.ts';
import type { Slice } from '../evaluate/slices.ts';
import type { DecisionThreshold } from '../evaluate/thresholds.ts';
import { infoOf, pick, textAt } from './table.ts';
import type { Column, ColumnInfo, Table, VectorColumn } from './table.ts';
import { codeClasses, fitValues, taskOf } from './target.ts';
import type { TargetCoding } from './target.ts';
import { vectorMatrix, vectorRows } from './vector.ts';

/** What a row is given as. */
export type InputColumn = { readonly name: string; readonly kind: Column['kind'] } | InputVector;

export interface InputVector {
  readonly name: string;
  readonly kind: 'Vector';
  readonly shape: readonly number[];
}

/** Everything that turns raw rows into the network's input and its output into an answer; `preprocessing.json` of a model. */
export interface Preprocessing {
  readonly inputs: readonly InputColumn[];
  /** Texts that stood for a missing value in the file, and do so in a request. */
  readonly missing: readonly string[];
  /** What is done to personal data of a row before the steps. */
  readonly privacy?: readonly PrivacyStep[];
  readonly steps: readonly FittedStep[];
  /** Names of the numbers of one row, after the steps; of a row that is an array the name of that. */
  readonly features: readonly string[];
  /** Shape of one row. */
  readonly shape: readonly number[];
  /** Which features are codes 0, …, categories - 1 that the network looks up in an embedding; left out where none is. */
  readonly embeddings?: readonly { readonly feature: number; readonly categories: number }[];
  readonly target: TargetCoding;
  /** From which probability on a class is chosen; the most probable one where there are none. */
  readonly thresholds?: readonly DecisionThreshold[];
}

export interface Prepared extends Disposable {
  readonly preprocessing: Preprocessing;
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
  /** Groups of the rows that are held back, by columns that were asked for. */
  readonly slices?: Readonly<Record<'validation' | 'test', readonly Slice[]>>;
}

/** Where the numbers for the network may lie. */
export interface Room {
  /** What they may take in memory; beyond it they go to a file. */
  readonly bytes: number;
  /** For the file. */
  readonly folder: string;
}

/** One fold of a cross-validation: `validation` is what is held back of it, and `test` is empty. */
export interface FoldSpec {
  readonly kFold: number;
  /** From 0. */
  readonly index: number;
  /** As of the split, unless set. */
  readonly stratified?: boolean;
  readonly groupBy?: string;
}

export interface PrepareOptions {
  /** Columns by whose values the rows that are held back are grouped. */
  readonly sliceBy?: readonly string[];
  readonly fold?: FoldSpec;
  /** Where `data` are protected: what the columns were before, and what was done to them. */
  readonly privacy?: { readonly raw: readonly ColumnInfo[]; readonly steps: readonly PrivacyStep[] };
  /** Memory alone where it is left out. */
  readonly room?: Room;
}

/** How the files are read, and which of their columns `prepare` asks for. */
export function rowsOptions(spec: TrainerSpec['data'], beside: readonly string[] = []): FileOptions {
  const { format, csv } = spec.source;
  const { columns, exclude = [] } = spec.features ?? {};
  const needed = new Set([spec.target, ...beside]);
  const selection = columns === undefined ? { except: exclude.filter((name) => !needed.has(name)) } : { only: [...new Set([...columns, ...needed])] };
  return { format, csv: { ...csv, missing: format === 'CSV' || format === 'TSV' ? csv.missing : [] }, selection };
}

/** @throws AnnealError of what is wrong with spec or data, before any time is spent on training */
export async function prepare(spec: TrainerSpec['data'], data: Rows, { sliceBy = [], fold, privacy, room }: PrepareOptions = {}): Promise<Prepared> {
  const { vector } = data;
  const inputs = inputsOf(spec, data);
  const { target, parts, code } = await splitByTarget(spec, data, await targetOf(spec, data), fold);
  const names = inputs.map(({ name }) => name);
  const pipeline = await fitPipeline(spec.pipeline, frameOfRows(data, names, parts.train), target, data.inMemory);
  const train = takenInto(parts.train, pipeline.rows, new Int32Array(pipeline.rows.length));
  const { features, matrix } = vector === undefined
    ? await matrixOfRows(data, names, pipeline, room)
    : { features: [{ name: vector.name }], matrix: heldInMemory(await vectorMatrix(vector, data, pipeline.whileTraining)) };
  const { coding, codes } = code(train);
  const embeddings = features.flatMap(({ categories }, feature) => (categories === undefined ? [] : [{ feature, categories }]));
  const measures = stepsOf(privacy?.steps ?? [], names);
  const preprocessing: Preprocessing = {
    // As they stand in the data: a request is protected like the rows were.
    inputs: vector === undefined ? pick(privacy?.raw ?? data.columns, names, 'spec.trainer.data.features.columns').map(({ name, kind }) => ({ name, kind })) : [{ name: vector.name, kind: 'Vector', shape: vector.shape }],
    missing: rowsOptions(spec).csv.missing,
    ...(measures.length === 0 ? {} : { privacy: measures }),
    steps: pipeline.steps,
    features: features.map(({ name }) => name),
    shape: shapeOf(spec, features.map(({ name }) => name), vector),
    ...(embeddings.length === 0 ? {} : { embeddings }),
    target: coding,
  };
  const part = (rows: Int32Array): Part => ({ rows: rows.length, features: selection(matrix, rows), targets: targetsOf(codes, rows) });
  return {
    preprocessing,
    train: trainingPart(spec, part(train), embeddings.map(({ feature }) => feature)),
    validation: part(parts.validation),
    test: part(parts.test),
    ...await slicesBy(sliceBy, data, parts),
    [Symbol.dispose]: () => matrix[Symbol.dispose](),
  };
}

/** What a look at the data before training is about. @throws as `prepare`, for what the split alone tells */
export async function subjectOf(spec: TrainerSpec['data'], rows: Rows, beside: readonly string[]): Promise<Subject> {
  const { selection } = rowsOptions(spec, beside);
  const features = inputsOf(spec, rows).map(({ name }) => name);
  const { parts, target: { task } } = await splitByTarget(spec, rows, await targetOf(spec, rows), undefined);
  return { rows, columns: rows.columns.map(({ name }) => name).filter((name) => isSelected(selection, name)), target: spec.target, task, features, parts, seed: spec.split.seed, ...(rows.vector === undefined ? {} : { vector: rows.vector.name }) };
}

async function slicesBy(names: readonly string[], data: Rows, { validation, test }: Split): Promise<Pick<Prepared, 'slices'>> {
  pick(data.columns, names, 'spec.trainer.evaluation.slices');
  const of = async (rows: Int32Array): Promise<Slice[]> => (await Promise.all(names.map(async (name) => slicesOf(name, cellsOf(await data.column(name, rows)))))).flat();
  return names.length === 0 ? {} : { slices: { validation: await of(validation), test: await of(test) } };
}

const cellsOf = (column: Column): Float64Array | (string | null)[] => (column.kind === 'Text' ? Array.from(column.codes, (_, row) => textAt(column, row)) : column.values);

/** Validation and test stay as the world is; what is trained on may be fewer rows, or more of rare classes. */
function trainingPart({ sample, balance }: TrainerSpec['data'], part: Part, nominal: readonly number[]): Part {
  const some = sample === undefined ? part : sampled(part, { ...sample, stratified: sample.stratify ?? part.targets instanceof Int32Array });
  return balance === undefined ? some : balanced(some, balance, nominal);
}

/** Raw rows to the network's input, as in training. @throws AnnealError `DATA_NOT_NUMERIC`, `DATA_CATEGORIES` */
export async function preprocess(preprocessing: Preprocessing, raw: Table): Promise<Float32Array> {
  const done = await applyPipeline(preprocessing.steps, raw);
  if (done.vector !== undefined) return vectorRows(done);
  const layout = layoutOf(done.columns);
  const rows = new Float32Array(done.rows * layout.places.length);
  pack(done, layout, rows);
  return unpack(rows, layout);
}

/** Values of a block in the widest form that the pipeline brings it to: what a step makes should still be in a cache of the processor for the next. */
const blockValues = 1024 * 1024;

async function matrixOfRows(data: Rows, names: readonly string[], { whileTraining }: FittedPipeline, room: Room | undefined): Promise<{ features: Pick<ColumnInfo, 'name' | 'categories'>[]; matrix: HeldMatrix }> {
  const { columns } = await whileTraining(emptyTable(pick(data.columns, names, 'spec.trainer.data.features.columns')));
  const layout = layoutOf(columns);
  const width = layout.places.length;
  const fits = room === undefined || data.rows * width * Float32Array.BYTES_PER_ELEMENT <= room.bytes;
  const sink = fits ? memoryMatrix(data.rows, width) : fileMatrix(room.folder, width);
  try {
    for await (const block of data.blocks(names, Math.max(1, Math.floor(blockValues / Math.max(width, names.length, 1))))) pack(await whileTraining(block), layout, sink.next(block.rows));
    return { features: columns.map(infoOf), matrix: unpacked(sink.finish(), layout) };
  } catch (error) {
    sink.abandon();
    throw error;
  }
}

async function targetOf(spec: TrainerSpec['data'], data: Rows): Promise<Column> {
  pick(data.columns, [spec.target], 'spec.trainer.data.target');
  return data.column(spec.target);
}

function inputsOf(spec: TrainerSpec['data'], { columns: present, vector }: Rows): ColumnInfo[] {
  if (vector !== undefined) return [];
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

async function splitByTarget(spec: TrainerSpec['data'], data: Rows, target: Column, fold: FoldSpec | undefined): Promise<SplitTarget> {
  const { name } = target;
  const stratify = fold?.stratified ?? spec.split.stratify;
  if (taskOf(spec, target) === 'Classification') {
    const { classes, codes } = codeClasses(target);
    const parts = await partsOf(spec.split, data, stratify ?? spec.split.orderBy === undefined ? codes : undefined, fold);
    return { parts, target: { task: 'Classification', classes, codes: takenInto(codes, parts.train, new Int32Array(parts.train.length)) }, code: () => ({ coding: { task: 'Classification', name, classes }, codes }) };
  }
  if (stratify === true) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.split.stratify', message: 'stratify needs classes, and the task is Regression. Remove stratify, or write task: Classification.' });
  if (target.kind !== 'Number') throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.data.target', message: `The target "${name}" is text. Write task: Classification.` });
  const parts = await partsOf(spec.split, data, undefined, fold);
  return {
    parts,
    target: { task: 'Regression', values: Float64Array.from(parts.train, (row) => target.values[row] ?? NaN) },
    code: (train) => {
      const { mean, scale } = fitValues(target, train);
      return { coding: { task: 'Regression', name, mean, scale }, codes: Float32Array.from(target.values, (value) => (value - mean) / scale) };
    },
  };
}

async function partsOf(spec: TrainerSpec['data']['split'], data: Rows, strata: Int32Array | undefined, fold: FoldSpec | undefined): Promise<Split> {
  const keys = await splitKeys(fold?.groupBy === undefined ? spec : { ...spec, groupBy: fold.groupBy }, data, strata);
  const { holdouts: parts, test } = holdouts(data.rows, fold === undefined ? spec : { ...spec, folds: fold.kFold }, keys);
  const holdout = parts[fold?.index ?? 0];
  if (holdout === undefined) throw new Error('The split gave no part to train on.');
  return { ...holdout, test: fold === undefined ? test : new Int32Array(0) };
}

function shapeOf(spec: TrainerSpec['data'], features: readonly string[], vector: VectorColumn | undefined): readonly number[] {
  const width = vector?.width ?? features.length;
  const shape = spec.features?.shape;
  if (shape === undefined) return vector?.shape ?? [width];
  const size = shape.reduce((product, length) => product * length, 1);
  if (size === width) return shape;
  throw new AnnealError('SPEC_SHAPE_MISMATCH', {
    at: 'spec.trainer.data.features.shape',
    message: `features.shape [${shape.join(', ')}] holds ${size} values, but a row has ${width} after the pipeline: ${list(features)}. Correct the shape, or choose the columns.`,
  });
}

function targetsOf(codes: Int32Array | Float32Array, rows: Int32Array): Int32Array | Float32Array {
  return codes instanceof Int32Array ? takenInto(codes, rows, new Int32Array(rows.length)) : takenInto(codes, rows, new Float32Array(rows.length));
}

/** By index: by callback it takes ten times as long. */
function takenInto<T extends Int32Array | Float32Array>(from: T, rows: Int32Array, into: T): T {
  for (let at = 0; at < rows.length; at++) into[at] = from[rows[at] ?? 0] ?? NaN;
  return into;
}
