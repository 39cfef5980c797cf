/** Turns categories into numbers. Categories are in sorted order: by number where the column holds numbers, else by code unit. */
import { AnnealError } from '../../errors.ts';
import type { FoldOfRow } from '../folds.ts';
import type { Frame } from '../frame.ts';
import { bucketOf, murmur3 } from '../maths/murmur3.ts';
import { flagColumn } from '../table.ts';
import type { Column, NumberColumn, Table } from '../table.ts';
import { categoriesOf, lump, ofTexts, placesAmong, refuseStranger } from './categories.ts';
import type { Categories, Places } from './categories.ts';
import { chosen, isNumber, namesOf, replaceEach, requireComplete } from './columns.ts';
import { requireTarget } from './step.ts';
import type { Fit, StepKind, Training } from './step.ts';
import { averages, foldsOf, foldSums, quantitiesOf } from './target-statistics.ts';
import type { Averages } from './target-statistics.ts';

export interface EncodeSpec {
  readonly columns?: readonly string[];
  readonly method: 'OneHot' | 'Ordinal' | 'Target' | 'Frequency' | 'Hash' | 'Embedding';
  readonly unknown: 'Ignore' | 'Refuse';
  /** OneHot, Ordinal, Embedding: rarer categories are one, "(other)". Below 1 a share of the training rows, else a number of them. */
  readonly minFrequency?: number;
  /** OneHot, Ordinal, Embedding: keeps the most frequent; all others are one. "(other)" counts. */
  readonly maxCategories?: number;
  /** Hash: how many columns. 32 when unset. */
  readonly buckets?: number;
  /** Target: rows of the overall mean that are mixed into each category; by the variances when unset. */
  readonly smoothing?: number;
  /** Target: parts of the training rows, each encoded by what the others say. 5 when unset. */
  readonly folds?: number;
  /** Target: draws the parts. 0 when unset. */
  readonly seed?: number;
}

interface CodeColumn {
  readonly name: string;
  readonly categories: readonly string[];
  /** There where rare categories are one; it names them where a category that training never saw is refused. */
  readonly others?: readonly string[];
}

interface LookupColumn {
  readonly name: string;
  readonly categories: readonly string[];
  readonly outputs: readonly (Averages & { readonly name: string })[];
}

type CodeMethod = 'OneHot' | 'Ordinal' | 'Embedding';

export type FittedEncode = { readonly kind: 'Encode'; readonly unknown: 'Ignore' | 'Refuse' } & (
  | { readonly method: CodeMethod; readonly columns: readonly CodeColumn[] }
  | { readonly method: 'Target' | 'Frequency'; readonly columns: readonly LookupColumn[] }
  | { readonly method: 'Hash'; readonly buckets: number; readonly columns: readonly { readonly name: string }[] }
);

/** More are an identifier, not a category; one column each would fill memory. */
const mostColumns = 10_000;
/** All of them are stored with the model. */
const mostCategories = 1_000_000;

export const encode: StepKind<EncodeSpec, FittedEncode> = {
  fit: async (spec, training) => {
    const names = chosen(training.frame, spec.columns, ({ kind }) => kind === 'Text', training.at).map(({ name }) => name);
    switch (spec.method) {
      case 'OneHot':
      case 'Ordinal':
      case 'Embedding': return { step: { kind: 'Encode', method: spec.method, unknown: spec.unknown, columns: await fitCodes(spec, names, training) } };
      case 'Frequency': return { step: { kind: 'Encode', method: 'Frequency', unknown: spec.unknown, columns: await fitFrequencies(names, training) } };
      case 'Target': return fitTarget(spec, names, training);
      case 'Hash': return { step: { kind: 'Encode', method: 'Hash', unknown: spec.unknown, buckets: spec.buckets ?? 32, columns: names.map((name) => ({ name })) } };
    }
  },
  apply: (step) => {
    switch (step.method) {
      case 'OneHot':
      case 'Ordinal':
      case 'Embedding': return replaceEach(new Map(step.columns.map((column) => [column.name, coder(step.method, column, step.unknown)])));
      case 'Frequency':
      case 'Target': return replaceEach(new Map(step.columns.map((column) => [column.name, lookUp(column, step.unknown)])));
      case 'Hash': return replaceEach(new Map(step.columns.map(({ name }) => [name, (column, table) => hashed(column, step.buckets, table)])));
    }
  },
  reads: namesOf,
  joint: false,
};

async function completeColumn(frame: Frame, name: string, at: string): Promise<{ column: Column; categories: Categories }> {
  const column = await frame.column(name);
  requireComplete(frame, column, 'encode', at);
  const categories = categoriesOf(column);
  refuseMany(name, categories.names.length, mostCategories, at);
  return { column, categories };
}

function refuseMany(name: string, count: number, most: number, at: string): void {
  if (count <= most) return;
  throw new AnnealError('DATA_CATEGORIES', { at, message: `Column "${name}" has ${count} different values, and at most ${most} can be encoded. Exclude it in data.features.exclude, or write method: Hash or maxCategories.` });
}

async function fitCodes(spec: EncodeSpec, names: readonly string[], { frame, at }: Training): Promise<CodeColumn[]> {
  const columns = [];
  for (const name of names) {
    const { kept, others } = lump((await completeColumn(frame, name, at)).categories, frame.rows, spec.minFrequency, spec.maxCategories);
    if (spec.method !== 'Embedding') refuseMany(name, kept.length, mostColumns, at);
    columns.push({ name, categories: kept, ...(others.length === 0 ? {} : { others: spec.unknown === 'Refuse' ? others : [] }) });
  }
  return columns;
}

async function fitFrequencies(names: readonly string[], { frame, at }: Training): Promise<LookupColumn[]> {
  const columns = [];
  for (const name of names) {
    const { categories } = await completeColumn(frame, name, at);
    columns.push({ name, categories: categories.names, outputs: [{ name, values: Array.from(categories.counts, (count) => count / frame.rows), unknown: 0 }] });
  }
  return columns;
}

/** The rows it is fitted on are encoded by what the other folds say, so that no row sees its own target. */
async function fitTarget(spec: EncodeSpec, names: readonly string[], training: Training): Promise<Fit<FittedEncode>> {
  const { frame, at } = training;
  const target = requireTarget(training);
  const quantities = quantitiesOf(target);
  const parts = Math.min(spec.folds ?? 5, frame.rows);
  const folds = foldsOf(target, parts, spec.seed ?? 0);
  const columns: LookupColumn[] = [];
  /** By column: for each fold, what the others say. */
  const crossFitted = new Map<string, readonly (readonly Averages[])[]>();
  for (const name of names) {
    const { column, categories } = await completeColumn(frame, name, at);
    const count = categories.names.length;
    const places = placesAmong(placesOf(categories.names), -1)(column);
    const sums = quantities.map(({ values }) => foldSums(places, count, values, folds, parts));
    const outputs = sums.map((each, index) => ({ name: quantities[index]?.name === undefined ? name : `${name}:${quantities[index].name}`, ...averages(each, spec.smoothing) }));
    columns.push({ name, categories: categories.names, outputs });
    crossFitted.set(name, Array.from({ length: parts }, (_, fold) => sums.map((each) => averages(each, spec.smoothing, fold))));
  }
  const step: FittedEncode = { kind: 'Encode', method: 'Target', unknown: spec.unknown, columns };
  const foldOf = foldsByOrigin(frame, folds);
  return { step, whileTraining: (apply) => async (table) => overwritten(columns, crossFitted, foldOf, table, await apply(table)) };
}

/** The fold of a row by where it stood in the data; -1 of a row that was not trained on. */
function foldsByOrigin({ rows, origin }: Frame, folds: FoldOfRow): Int32Array {
  const foldOf = new Int32Array((origin?.at(-1) ?? rows - 1) + 1).fill(-1);
  for (let row = 0; row < rows; row++) foldOf[origin?.[row] ?? row] = folds[row] ?? -1;
  return foldOf;
}

function overwritten(columns: readonly LookupColumn[], crossFitted: ReadonlyMap<string, readonly (readonly Averages[])[]>, foldOf: Int32Array, raw: Table, done: Table): Table {
  const rawOf = new Map(raw.columns.map((column) => [column.name, column]));
  const changes = new Map<string, (column: Column) => Column>();
  for (const { name, categories, outputs } of columns) {
    const source = rawOf.get(name);
    if (source === undefined) continue;
    const places = placesAmong(placesOf(categories), -1)(source);
    outputs.forEach((output, index) => changes.set(output.name, (column) => {
      if (!isNumber(column)) return column;
      const values = column.values.slice();
      for (let row = 0; row < values.length; row++) {
        const fold = foldOf[raw.origin?.[row] ?? row] ?? -1;
        if (fold >= 0) values[row] = crossFitted.get(name)?.[fold]?.[index]?.values[places[row] ?? -1] ?? NaN;
      }
      return { ...column, values };
    }));
  }
  return replaceEach(changes)(done);
}

const placesOf = (categories: readonly string[], first = 0): Map<string, number> => new Map(categories.map((category, place) => [category, place + first]));

type Coder = (column: Column, table: Table) => Column | readonly Column[];

/** A value that is no category at all; places of categories are from 0. */
const stranger = -1;

function coder(method: CodeMethod, { name, categories, others }: CodeColumn, unknown: FittedEncode['unknown']): Coder {
  // Code 0 of an embedding stands for whatever is no category of its own.
  const first = method === 'Embedding' ? 1 : 0;
  const lumped = method === 'Embedding' ? 0 : categories.length;
  const known = placesOf(categories, first);
  for (const other of others ?? []) known.set(other, lumped);
  const ignored = others !== undefined || method === 'Embedding' ? lumped : stranger;
  const places = placesAmong(known, unknown === 'Refuse' ? stranger : ignored);
  const outputs = others === undefined ? categories : [...categories, '(other)'];
  return (column, table) => {
    const found = checked(places, column, table, unknown);
    if (method === 'OneHot') return outputs.map((category, place) => flagColumn(`${name}=${category}`, found, place));
    const codes: NumberColumn = { kind: 'Number', name, values: Float64Array.from(found) };
    return method === 'Embedding' ? { ...codes, categories: categories.length + 1 } : codes;
  };
}

function checked(places: Places, column: Column, table: Table, unknown: FittedEncode['unknown']): Int32Array {
  requireComplete(table, column, 'encode', 'encode');
  const found = places(column);
  if (unknown === 'Refuse') refuseStranger(table, column, found, stranger);
  return found;
}

function lookUp({ categories, outputs }: LookupColumn, unknown: FittedEncode['unknown']): Coder {
  const places = placesAmong(placesOf(categories), stranger);
  const tables = outputs.map((output) => ({ ...output, values: Float64Array.from(output.values) }));
  return (column, table) => {
    const found = checked(places, column, table, unknown);
    return tables.map(({ name, values, unknown: otherwise }) => {
      const done = new Float64Array(found.length);
      for (let row = 0; row < done.length; row++) {
        const place = found[row] ?? stranger;
        done[row] = place === stranger ? otherwise : values[place] ?? otherwise;
      }
      return { kind: 'Number', name, values: done };
    });
  };
}

function hashed(column: Column, buckets: number, table: Table): NumberColumn[] {
  requireComplete(table, column, 'encode', 'encode');
  const places = column.kind === 'Text'
    ? ofTexts(column.codes, column.dictionary, (text) => bucketOf(murmur3(text), buckets))
    : Int32Array.from(column.values, (value) => bucketOf(murmur3(String(value)), buckets));
  return Array.from({ length: buckets }, (_, place) => flagColumn(`${column.name}#${place}`, places, place));
}

