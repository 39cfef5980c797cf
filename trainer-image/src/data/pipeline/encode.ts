/** Turns categories into numbers. Categories are in sorted order: by number where the column holds numbers, else by code unit. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import { present } from '../statistics.ts';
import { firstMissing, rowNumber, shownAt } from '../table.ts';
import type { Column, NumberColumn, Table, TextColumn } from '../table.ts';
import { chosen, isNumber, replace } from './columns.ts';

export interface FittedEncode {
  readonly kind: 'Encode';
  readonly method: 'OneHot' | 'Ordinal';
  readonly unknown: 'Ignore' | 'Refuse';
  readonly columns: readonly { readonly name: string; readonly categories: readonly string[] }[];
}

type EncodeSpec = NonNullable<TrainerSpec['data']['pipeline'][number]['encode']>;

/** More are an identifier, not a category; one column each would fill memory. */
const maxCategories = 10_000;

export async function fitEncode(spec: EncodeSpec, frame: Frame, at: string): Promise<FittedEncode> {
  const columns = [];
  for (const { name } of chosen(frame, spec.columns, ({ kind }) => kind === 'Text', at)) {
    const column = await frame.column(name);
    requireNoMissing(frame, column, at);
    const categories = categoriesOf(column);
    if (categories.length > maxCategories) {
      throw new AnnealError('DATA_CATEGORIES', { at, message: `Column "${name}" has ${categories.length} different values, and at most ${maxCategories} can be encoded. Exclude it in data.features.exclude.` });
    }
    columns.push({ name, categories });
  }
  return { kind: 'Encode', method: spec.method, unknown: spec.unknown, columns };
}

function categoriesOf(column: Column): string[] {
  if (column.kind === 'Text') return textsThatOccur(column).sort();
  return [...new Set(present(column.values).sort())].map(String);
}

function textsThatOccur({ codes, dictionary }: TextColumn): string[] {
  const seen = new Uint8Array(dictionary.length);
  for (const code of codes) if (code >= 0) seen[code] = 1;
  return dictionary.filter((_, code) => seen[code] === 1);
}

export function applyEncode(step: FittedEncode, table: Table): Table {
  const byName = new Map(step.columns.map((column) => [column.name, column]));
  return replace(table, (column) => {
    const how = byName.get(column.name);
    if (how === undefined) return column;
    requireNoMissing(table, column, 'encode');
    const codes = codesOf(table, column, how.categories, step.unknown);
    return step.method === 'Ordinal' ? { kind: 'Number', name: column.name, values: codes } : oneHot(column.name, how.categories, codes);
  });
}

/** Place of each row's category; -1 for one that training never saw. */
function codesOf(table: Table, column: Column, categories: readonly string[], unknown: FittedEncode['unknown']): Float64Array {
  const places = new Map(categories.map((category, place) => [category, place]));
  const placeOf = placesIn(column, places);
  const codes = Float64Array.from({ length: table.rows }, (_, row) => placeOf(row));
  const stranger = unknown === 'Refuse' ? codes.indexOf(-1) : -1;
  if (stranger >= 0) {
    throw new AnnealError('DATA_CATEGORIES', { at: column.name, message: `Row ${rowNumber(table, stranger)} has "${shownAt(column, stranger)}" in column "${column.name}", which no training row had. Send a known category, or train with encode.unknown: Ignore.` });
  }
  return codes;
}

function placesIn(column: Column, places: ReadonlyMap<string, number>): (row: number) => number {
  if (column.kind !== 'Text') return (row) => places.get(String(column.values[row])) ?? -1;
  const ofCode = Int32Array.from(column.dictionary, (text) => places.get(text) ?? -1);
  return (row) => ofCode[column.codes[row] ?? -1] ?? -1;
}

function oneHot(name: string, categories: readonly string[], codes: Float64Array): NumberColumn[] {
  return categories.map((category, place) => ({ kind: 'Number', name: `${name}=${category}`, values: codes.map((code) => (code === place ? 1 : 0)) }));
}

function requireNoMissing(rows: Table | Frame, column: Column, at: string): void {
  const row = firstMissing(column);
  if (row < 0) return;
  const fill = isNumber(column) ? 'Median' : 'MostFrequent';
  throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${column.name}" has no value in row ${(rows.origin?.[row] ?? row) + 1}, and a missing value cannot be encoded. Put an impute step before encode, for example - impute: {strategy: ${fill}}.` });
}
