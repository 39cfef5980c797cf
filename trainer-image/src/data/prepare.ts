/** From a table to what the network eats: parts of float32 rows, and the preprocessing that made them, as data. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import { isSelected } from './ingest/index.ts';
import type { FileOptions, Selection } from './ingest/index.ts';
import { isUnnamedIndex, keyColumns, useOfKeyColumns } from './key-columns.ts';
import { heldInMemory, memoryMatrix, selection } from './matrix.ts';
import type { HeldMatrix } from './matrix.ts';
import { fileMatrix } from './matrix-file.ts';
import { layoutOf, pack, unpack, unpacked } from './packed.ts';
import type { Layout } from './packed.ts';
import { applyPipeline, blamedStep, fitPipeline } from './pipeline/index.ts';
import type { FittedPipeline } from './pipeline/index.ts';
import { emptyTable } from './frame.ts';
import { frameOfRows } from './rows.ts';
import type { Part } from './part.ts';
import { unfitRow } from './require-numbers.ts';
import type { Rows } from './rows.ts';
import { balanced, sampled } from './balance.ts';
import type { Preprocessing } from './preprocessing.ts';
import { stepsOf } from './privacy/index.ts';
import type { PrivacyStep } from './privacy/index.ts';
import type { Subject } from './profile/evidence.ts';
import type { Split } from './split.ts';
import { splitByTarget } from './split-target.ts';
import type { FoldSpec } from './split-target.ts';
import { slicesOf } from '../evaluate/slices.ts';
import type { Slice } from '../evaluate/slices.ts';
import { anomaliesIn } from './anomalies.ts';
import type { LabelSpec } from './anomalies.ts';
import { givenInputs, givenPipeline, requireSameMeasures } from './given.ts';
import { takenInto } from './take.ts';
import { infoOf, pick, textAt } from './table.ts';
import type { Column, ColumnInfo, Table, VectorColumn } from './table.ts';
import type { TargetCoding } from './target.ts';
import { formatTime } from './time.ts';
import { vectorMatrix, vectorRows } from './vector.ts';
import { sizeOf } from '../shape.ts';

export type { InputVector, Preprocessing } from './preprocessing.ts';

export interface Prepared extends Disposable {
  readonly preprocessing: Preprocessing;
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
  /** Groups of the rows that are held back, by columns that were asked for. */
  readonly slices?: Readonly<Record<'validation' | 'test', readonly Slice[]>>;
  /** 1 for each row that is known to be an anomaly, where a column tells. */
  readonly anomalies?: Readonly<Record<'validation' | 'test', Uint8Array>>;
}

/** Where the numbers for the network may lie. */
export interface Room {
  /** What they may take in memory; beyond it they go to a file. */
  readonly bytes: number;
  /** For the file. */
  readonly folder: string;
}

export interface PrepareOptions {
  /** Columns by whose values the rows that are held back are grouped. */
  readonly sliceBy?: readonly string[];
  /** Which rows that are held back are known to be anomalies. */
  readonly label?: LabelSpec;
  readonly fold?: FoldSpec;
  /** As `keyColumns` gives them; those of `spec` unless given. */
  readonly keys?: readonly string[];
  /** Where `data` are protected: what the columns were before, and what was done to them. */
  readonly privacy?: { readonly raw: readonly ColumnInfo[]; readonly steps: readonly PrivacyStep[] };
  /** What the model has been taught to read that is gone on from; nothing is fitted then. */
  readonly given?: Preprocessing;
  /** Memory alone where it is left out. */
  readonly room?: Room;
}

/** How the files are read, and which of their columns `prepare` asks for. */
export function rowsOptions(spec: TrainerSpec['data'], format: FileOptions['format'], beside: readonly string[]): FileOptions {
  return { format, csv: { ...spec.source.csv, missing: missingTexts(spec.source) }, selection: neededColumns(spec, beside) };
}

function neededColumns({ features, target }: TrainerSpec['data'], beside: readonly string[]): Selection {
  const { columns, exclude = [] } = features ?? {};
  const needed = new Set([...(target === undefined ? [] : [target]), ...beside]);
  return columns === undefined ? { except: exclude.filter((name) => !needed.has(name)) } : { only: [...new Set([...columns, ...needed])] };
}

/** What stands for a missing value; other formats leave one out in a way of their own. */
const missingTexts = ({ format, csv }: TrainerSpec['data']['source']): readonly string[] => (format === 'CSV' || format === 'TSV' ? csv.missing : []);

/** @throws AnnealError of what is wrong with spec or data, before any time is spent on training */
export async function prepare(spec: TrainerSpec['data'], data: Rows, { sliceBy = [], label, fold, keys = keyColumns(spec), privacy, given, room }: PrepareOptions = {}): Promise<Prepared> {
  const { vector } = data;
  const { inputs, derivedFrom } = given === undefined ? await inputsOf(spec, data, keys) : { inputs: givenInputs(given, data, privacy?.raw), derivedFrom: [] };
  const { target, parts, code } = await splitByTarget(spec, data, await targetOf(spec, data), { fold, known: given?.target });
  const names = inputs.map(({ name }) => name);
  const pipeline = given !== undefined ? givenPipeline(given, parts.train.length)
    : await fitPipeline(derivedFrom.length === 0 ? spec.pipeline : [...spec.pipeline, { drop: { columns: derivedFrom } }], frameOfRows(data, names, parts.train), target, data.inMemory);
  const train = takenInto(parts.train, pipeline.rows, new Int32Array(pipeline.rows.length));
  const { features, matrix } = vector === undefined
    ? await matrixOfRows(data, names, pipeline, room)
    : { features: [{ name: vector.name }], matrix: heldInMemory(await vectorMatrix(vector, data, pipeline.whileTraining)) };
  const { coding, codes, truth } = code(train);
  const embeddings = features.flatMap(({ categories }, feature) => (categories === undefined ? [] : [{ feature, categories }]));
  const measures = stepsOf(privacy?.steps ?? [], names);
  if (given !== undefined) requireSameMeasures(given, measures);
  const preprocessing: Preprocessing = {
    // As they stand in the data: a request is protected like the rows were.
    inputs: vector === undefined ? pick(privacy?.raw ?? data.columns, names, 'spec.trainer.data.features.columns').map(({ name, kind }) => ({ name, kind })) : [{ name: vector.name, kind: 'Vector', shape: vector.shape }],
    missing: missingTexts(spec.source),
    ...(measures.length === 0 ? {} : { privacy: measures }),
    steps: pipeline.steps,
    features: features.map(({ name }) => name),
    shape: given?.shape ?? shapeOf(spec, features.map(({ name }) => name), vector),
    ...(embeddings.length === 0 ? {} : { embeddings }),
    target: coding,
  };
  const part = (rows: Int32Array): Part => ({ rows: rows.length, features: selection(matrix, rows), targets: targetsOf(codes, rows) });
  const heldBack = (rows: Int32Array): Part => ({ ...part(rows), ...(truth === undefined ? {} : { truth: takenInto(truth, rows, new Float64Array(rows.length)) }) });
  return {
    preprocessing,
    train: trainingPart(spec, part(train), embeddings.map(({ feature }) => feature), coding),
    validation: heldBack(parts.validation),
    test: heldBack(parts.test),
    ...await slicesBy(sliceBy, data, parts),
    ...await anomaliesIn(label, names, data, parts),
    [Symbol.dispose]: () => matrix[Symbol.dispose](),
  };
}

export interface SubjectOptions extends Required<Pick<PrepareOptions, 'keys'>>, Pick<PrepareOptions, 'given'> {
  /** Columns that are needed though the model may not see them. */
  readonly beside: readonly string[];
}

/** What a look at the data before training is about. @throws as `prepare`, for what the split alone tells */
export async function subjectOf(spec: TrainerSpec['data'], rows: Rows, { beside, keys, given }: SubjectOptions): Promise<Subject> {
  const needed = neededColumns(spec, beside);
  const features = (given === undefined ? (await inputsOf(spec, rows, keys)).inputs : givenInputs(given, rows, undefined)).map(({ name }) => name);
  const { parts, task } = await splitByTarget(spec, rows, await targetOf(spec, rows), { known: given?.target });
  return { rows, columns: rows.columns.map(({ name }) => name).filter((name) => isSelected(needed, name)), ...(spec.target === undefined ? {} : { target: spec.target }), task, ...(given?.target.task === 'Classification' ? { classes: given.target.classes } : {}), features, parts, seed: spec.split.seed, ...(rows.vector === undefined ? {} : { vector: rows.vector.name }) };
}

async function slicesBy(names: readonly string[], data: Rows, { validation, test }: Split): Promise<Pick<Prepared, 'slices'>> {
  pick(data.columns, names, 'spec.trainer.evaluation.slices');
  const of = async (rows: Int32Array): Promise<Slice[]> => (await Promise.all(names.map(async (name) => {
    const column = await data.column(name, rows);
    return slicesOf(name, cellsOf(column), column.kind === 'Time' ? { show: formatTime } : {});
  }))).flat();
  return names.length === 0 ? {} : { slices: { validation: await of(validation), test: await of(test) } };
}

const cellsOf = (column: Column): Float64Array | (string | null)[] => (column.kind === 'Text' ? Array.from(column.codes, (_, row) => textAt(column, row)) : column.values);

/** Validation and test stay as the world is; what is trained on may be fewer rows, or more of rare classes. */
function trainingPart({ sample, balance }: TrainerSpec['data'], part: Part, nominal: readonly number[], coding: TargetCoding): Part {
  const some = sample === undefined ? part : sampled(part, { ...sample, stratified: sample.stratify ?? part.targets instanceof Int32Array });
  return balance === undefined ? some : balanced(some, balance, nominal, coding.task === 'Classification' ? coding.classes : []);
}

/** Raw rows to the network's input, as in training. @throws AnnealError `DATA_NOT_NUMERIC`, `DATA_CATEGORIES` */
export async function preprocess(preprocessing: Preprocessing, raw: Table): Promise<Float32Array> {
  const done = await applyPipeline(preprocessing.steps, raw);
  if (done.vector !== undefined) return vectorRows(done);
  const layout = layoutOf(done.columns);
  const rows = new Float32Array(done.rows * layout.places.length);
  await packed(done, layout, rows, preprocessing.steps, raw);
  return unpack(rows, layout);
}

/** As `pack`; a number that no network computes with is told of the step that made it. @param raw  what the steps were given */
async function packed(done: Table, layout: Layout, into: Float32Array, steps: Preprocessing['steps'], raw: Table): Promise<void> {
  try {
    pack(done, layout, into);
  } catch (error) {
    throw await blamedStep(error, steps, raw, unfitRow(done.columns));
  }
}

/** Values of a block in the widest form that the pipeline brings it to: what a step makes should still be in a cache of the processor for the next. */
const blockValues = 1024 * 1024;

async function matrixOfRows(data: Rows, names: readonly string[], { steps, whileTraining }: FittedPipeline, room: Room | undefined): Promise<{ features: Pick<ColumnInfo, 'name' | 'categories'>[]; matrix: HeldMatrix }> {
  const { columns } = await whileTraining(emptyTable(pick(data.columns, names, 'spec.trainer.data.features.columns')));
  const layout = layoutOf(columns);
  const width = layout.places.length;
  const fits = room === undefined || data.rows * width * Float32Array.BYTES_PER_ELEMENT <= room.bytes;
  const sink = fits ? memoryMatrix(data.rows, width) : fileMatrix(room.folder, width);
  try {
    for await (const block of data.blocks(names, Math.max(1, Math.floor(blockValues / Math.max(width, names.length, 1))))) await packed(await whileTraining(block), layout, sink.next(block.rows), steps, block);
    return { features: columns.map(infoOf), matrix: unpacked(sink.finish(), layout) };
  } catch (error) {
    sink.abandon();
    throw error;
  }
}

async function targetOf(spec: TrainerSpec['data'], data: Rows): Promise<Column | undefined> {
  if (spec.target === undefined) return undefined;
  pick(data.columns, [spec.target], 'spec.trainer.data.target');
  return data.column(spec.target);
}

interface Inputs {
  readonly inputs: ColumnInfo[];
  /** Of the inputs, those that the network does not see. */
  readonly derivedFrom: readonly string[];
}

async function inputsOf(spec: TrainerSpec['data'], { columns: present, vector }: Rows, keys: readonly string[]): Promise<Inputs> {
  if (vector !== undefined) return { inputs: [], derivedFrom: [] };
  const { columns, exclude = [] } = spec.features ?? {};
  if (spec.target !== undefined && columns?.includes(spec.target) === true) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.features.columns', message: `The target "${spec.target}" is among the features, so the model would see the answer. Remove it from features.columns.` });
  if (columns !== undefined) return { inputs: pick(present, columns, 'spec.trainer.data.features.columns'), derivedFrom: [] };
  pick(present, exclude, 'spec.trainer.data.features.exclude');
  const { unused, derivedFrom } = await useOfKeyColumns([...keys, ...present.map(({ name }) => name).filter(isUnnamedIndex)], spec);
  const left = present.filter(({ name }) => name !== spec.target && !exclude.includes(name) && !unused.has(name));
  if (left.length === 0) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.features', message: 'No column is left for the model to see. Exclude fewer, or give data with more columns.' });
  return { inputs: left, derivedFrom: derivedFrom.filter((key) => left.some(({ name }) => name === key)) };
}

function shapeOf(spec: TrainerSpec['data'], features: readonly string[], vector: VectorColumn | undefined): readonly number[] {
  const width = vector?.width ?? features.length;
  if (width === 0) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.data.pipeline', message: 'No column is left after the pipeline for the network to learn from. Drop fewer.' });
  const shape = spec.features?.shape;
  if (shape === undefined) return vector?.shape ?? [width];
  const size = sizeOf(shape);
  if (size === width) return shape;
  throw new AnnealError('SPEC_SHAPE_MISMATCH', {
    at: 'spec.trainer.data.features.shape',
    message: `features.shape [${shape.join(', ')}] holds ${size} values, but a row has ${width} after the pipeline: ${list(features)}. Correct the shape, or choose the columns.`,
  });
}

function targetsOf(codes: Int32Array | Float32Array, rows: Int32Array): Int32Array | Float32Array {
  return codes instanceof Int32Array ? takenInto(codes, rows, new Int32Array(rows.length)) : takenInto(codes, rows, new Float32Array(rows.length));
}
