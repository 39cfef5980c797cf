/** Which columns a Parquet file gives, and how DuckDB is asked for each. */
import { AnnealError } from '../../errors.ts';
import type { DataFile } from './opening.ts';
import { identifier } from './duckdb.ts';

/** A column of a file by its name and its type in DuckDB's words, for example `DECIMAL(10,2)`. */
export interface FileColumn {
  readonly name: string;
  readonly type: string;
}

/** A column of all files, which may hold it in different types of one kind. */
export interface UnitedColumn extends FileColumn {
  /** Of the single files. */
  readonly types: readonly string[];
}

/** How the values of a column come out of a query. */
export type Source =
  /** A DOUBLE, NaN where it is missing. `mayBeRounded`: whole numbers beyond 2^53 are met and must become texts. */
  | { readonly kind: 'Number'; readonly sql: string; readonly mayBeRounded: boolean }
  /** Microseconds as DOUBLE, NaN where it is missing. */
  | { readonly kind: 'Time'; readonly sql: string }
  /** A VARCHAR. */
  | { readonly kind: 'Text'; readonly sql: string }
  /** A DOUBLE[] of always the same length. */
  | { readonly kind: 'Numbers'; readonly sql: string }
  | { readonly kind: 'Unreadable' };

const wholeTypes = /^U?(TINYINT|SMALLINT|INTEGER)$/;
const largeTypes = /^(U?BIGINT|U?HUGEINT|DECIMAL\(\d+,0\))$/;
const numberTypes = /^(FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))$/;
const timeTypes = /^(DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/;
const textTypes = /^(VARCHAR|UUID|JSON|ENUM\(.*\))$/s;
const listTypes = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE)\[\d*\]$/;

/** @param column  with the type that the types of all files are brought to */
export function sourceOfAll(column: UnitedColumn): Source {
  const source = sourceOf(column);
  return source.kind === 'Number' ? { ...source, mayBeRounded: column.types.some((type) => largeTypes.test(type)) } : source;
}

function sourceOf({ name, type }: FileColumn): Source {
  const column = identifier(name);
  const number = `coalesce(${column}::DOUBLE, 'NaN'::DOUBLE)`;
  if (type === 'BOOLEAN') return { kind: 'Number', sql: `coalesce(${column}::INTEGER::DOUBLE, 'NaN'::DOUBLE)`, mayBeRounded: false };
  if (wholeTypes.test(type)) return { kind: 'Number', sql: number, mayBeRounded: false };
  if (largeTypes.test(type)) return { kind: 'Number', sql: number, mayBeRounded: true };
  if (numberTypes.test(type)) return { kind: 'Number', sql: number, mayBeRounded: false };
  // Infinite dates are no moments.
  if (timeTypes.test(type)) return { kind: 'Time', sql: `coalesce((CASE WHEN isfinite(${column}) THEN epoch_us(${column}) END)::DOUBLE, 'NaN'::DOUBLE)` };
  if (textTypes.test(type)) return { kind: 'Text', sql: `${column}::VARCHAR` };
  if (listTypes.test(type)) return { kind: 'Numbers', sql: `${column}::DOUBLE[]` };
  return { kind: 'Unreadable' };
}

export function unreadable(file: DataFile, { name, type }: FileColumn): AnnealError {
  return new AnnealError('DATA_NESTED', { at: file.name, message: `Column "${name}" of ${file.name} is of type ${short(type)}, and only numbers, texts, times, booleans and lists of equally many numbers can be read. Write it as columns of these, or exclude it in data.features.exclude.` });
}

/** An element of a file's schema, which lists each before its children. */
export interface SchemaElement {
  readonly name: string;
  readonly children: number;
}

/** Names of the columns as they stand in the file. @param elements  the first is the root */
export function columnNames([, ...elements]: readonly SchemaElement[]): string[] {
  const names: string[] = [];
  for (let at = 0; at < elements.length;) {
    names.push(elements[at]?.name ?? '');
    for (let left = 1; left > 0 && at < elements.length; at++) left += (elements[at]?.children ?? 0) - 1;
  }
  return names;
}

/**
 * DuckDB, for which case makes no name another, calls a column by a name of its own where it has none, or that of one before it.
 * @throws AnnealError `DATA_HEADER`
 */
export function requireOwnNames(file: DataFile, names: readonly string[], columns: readonly FileColumn[]): void {
  const place = names.findIndex((name, at) => name !== columns[at]?.name);
  const name = names[place];
  if (name === undefined) return;
  const twin = names.slice(0, place).find((other) => other.toLowerCase() === name.toLowerCase());
  const what = name === '' ? `Column ${place + 1} of ${file.name} has no name. Name it`
    : twin === undefined || twin === name ? `${file.name} has two columns named "${name}". Rename one of them`
      : `${file.name} has columns named "${twin}" and "${name}", which are read as one name. Rename one of them`;
  throw new AnnealError('DATA_HEADER', { at: file.name, message: `${what} and write the file anew.` });
}

/** @throws AnnealError `DATA_SCHEMA` that names both files and the column */
export function requireSameSchema(first: DataFile, columns: readonly FileColumn[], other: DataFile, others: readonly FileColumn[]): void {
  const byName = new Map(others.map((column) => [column.name, column]));
  const names = new Set(columns.map(({ name }) => name));
  for (const column of columns) {
    const same = byName.get(column.name);
    if (same === undefined) throw schema(other, `${other.name} has no column "${column.name}", and ${first.name} has one`);
    if (sourceOf(same).kind !== sourceOf(column).kind) throw schema(other, `column "${column.name}" is ${short(column.type)} in ${first.name} and ${short(same.type)} in ${other.name}`);
  }
  const more = others.find(({ name }) => !names.has(name));
  if (more !== undefined) throw schema(other, `${other.name} has a column "${more.name}", and ${first.name} has none`);
}

function schema(file: DataFile, what: string): AnnealError {
  return new AnnealError('DATA_SCHEMA', { at: file.name, message: `The files do not have the same columns: ${what}. Give files of one schema.` });
}

const short = (type: string): string => (type.length > 60 ? `${type.slice(0, 60)}…` : type);
