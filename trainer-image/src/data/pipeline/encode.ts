/** Turns categories into numbers. Categories are in sorted order: by number where the column holds numbers, else by code unit. */
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../../errors.ts';
import { present } from '../statistics.ts';
import { firstMissing, rowNumber } from '../table.ts';
import type { Column, NumberColumn, Table } from '../table.ts';
import { chosen, isNumber, isText, replace, short } from './columns.ts';

export interface FittedEncode {
  readonly kind: 'Encode';
  readonly method: 'OneHot' | 'Ordinal';
  readonly unknown: 'Ignore' | 'Refuse';
  readonly columns: readonly { readonly name: string; readonly categories: readonly string[] }[];
}

type EncodeSpec = NonNullable<TrainerSpec['data']['pipeline'][number]['encode']>;

/** More are an identifier, not a category; one column each would fill memory. */
const maxCategories = 10_000;

export function fitEncode(spec: EncodeSpec, table: Table, at: string): FittedEncode {
  const columns = chosen(table, spec.columns, isText, at).map((column) => {
    requireNoMissing(table, column, at);
    const categories = categoriesOf(column);
    if (categories.length > maxCategories) {
      throw new AnnealError('DATA_CATEGORIES', { at, message: `Column "${column.name}" has ${categories.length} different values, and at most ${maxCategories} can be encoded. Exclude it in data.features.exclude.` });
    }
    return { name: column.name, categories };
  });
  return { kind: 'Encode', method: spec.method, unknown: spec.unknown, columns };
}

function categoriesOf(column: Column): string[] {
  if (isNumber(column)) return [...new Set(present(column.values).sort())].map(String);
  return [...new Set(column.values.filter((value) => value !== null))].sort();
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
  return Float64Array.from({ length: column.values.length }, (_, row) => {
    const category = String(column.values[row]);
    const place = places.get(category);
    if (place === undefined && unknown === 'Refuse') {
      throw new AnnealError('DATA_CATEGORIES', { at: column.name, message: `Row ${rowNumber(table, row)} has "${short(category)}" in column "${column.name}", which no training row had. Send a known category, or train with encode.unknown: Ignore.` });
    }
    return place ?? -1;
  });
}

function oneHot(name: string, categories: readonly string[], codes: Float64Array): NumberColumn[] {
  return categories.map((category, place) => ({ kind: 'Number', name: `${name}=${category}`, values: codes.map((code) => (code === place ? 1 : 0)) }));
}

function requireNoMissing(table: Table, column: Column, at: string): void {
  const row = firstMissing(column);
  if (row < 0) return;
  throw new AnnealError('DATA_NOT_NUMERIC', { at, message: `Column "${column.name}" has no value in row ${rowNumber(table, row)}, and a missing value cannot be encoded. Put an impute step before encode, for example - impute: {strategy: MostFrequent}.` });
}
