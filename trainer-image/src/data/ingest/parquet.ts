/** Parquet files to a stored table, by DuckDB: in one pass, or in two where whole numbers are met that a double cannot hold. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { AnnealError } from '../../errors.ts';
import { contentOf } from './bytes.ts';
import { identifier, literal, openDuck } from './duckdb.ts';
import type { DataFile } from './opening.ts';
import { accumulator } from './parquet-blocks.ts';
import type { Accumulator, Plan } from './parquet-blocks.ts';
import { columnNames, requireOwnNames, requireSameSchema, sourceOfAll, unreadable } from './parquet-columns.ts';
import type { FileColumn, Source, UnitedColumn } from './parquet-columns.ts';
import { isSelected } from './scan.ts';
import type { Selection } from './scan.ts';
import type { Sink, StoredTable } from './table-file.ts';
import { TableWriter } from './table-writer.ts';
import type { WrittenColumn } from './table-writer.ts';

export interface ParquetReading {
  readonly threads: number;
  /** Memory for DuckDB. */
  readonly memoryBytes: number;
  /** Folder for what does not fit into it. */
  readonly temporary: string;
  readonly signal: AbortSignal;
  sink(): Sink;
}

const blockRows = 65_536;
/** Texts are given codes where there are no more different ones. */
const mostTexts = 32_768;
/** Rows that are looked at to see whether a column may have so few. */
const sampleRows = 20_000;
/** A list longer than this is no row of features. */
const longestList = 65_536;

/** @throws AnnealError `DATA_PARQUET`, `DATA_HEADER`, `DATA_SCHEMA`, `DATA_NESTED`, `DATA_EMPTY` */
export async function readParquet(files: readonly DataFile[], selection: Selection, reading: ParquetReading): Promise<StoredTable> {
  for (const file of files) await requireParquet(file);
  using duck = await openDuck({ ...reading, files: files.map(({ path }) => path) });
  using stack = new DisposableStack();
  const interrupt = (): void => duck.connection.interrupt();
  reading.signal.addEventListener('abort', interrupt);
  stack.defer(() => reading.signal.removeEventListener('abort', interrupt));
  try {
    return await readAll(duck.connection, files, selection, reading);
  } catch (error) {
    reading.signal.throwIfAborted();
    throw told(error, files);
  }
}

async function readAll(connection: DuckDBConnection, files: readonly DataFile[], selection: Selection, reading: ParquetReading): Promise<StoredTable> {
  const from = parquetOf(files);
  const columns = await schemaOf(connection, files);
  for (let texts = new Set<string>(), pass = 1; ; pass++) {
    const plans = await plan(connection, from, columns, selection, texts, files);
    const sink = reading.sink();
    try {
      const writer = new TableWriter(sink, plans.flatMap(writtenColumns), (text) => text);
      await copy(connection, from, plans, writer, reading.signal);
      if (writer.rows === 0) throw new AnnealError('DATA_EMPTY', { at: namesOf(files), message: `${namesOf(files)} has no rows. Give a file with data.` });
      const corrected = writer.corrected();
      if (corrected === undefined) return writer.finish();
      if (pass > 1) throw new Error('The data changed while they were read.');
      texts = new Set(corrected.filter(({ kind }) => kind === 'Text').map(({ name }) => name));
    } catch (error) {
      sink.abandon();
      throw error;
    }
    sink.abandon();
  }
}

async function requireParquet(file: DataFile): Promise<void> {
  const content = await contentOf(file.path);
  if (content === 'parquet') return;
  const what = content === 'plain' ? 'does not begin and end with the mark of one' : `is compressed with ${content} as a whole`;
  throw new AnnealError('DATA_PARQUET', { at: file.name, message: `${file.name} is no whole Parquet file: it ${what}. Get the whole file, or write its source.format.` });
}

/** What DuckDB gives for a text. */
function textFrom(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error(`DuckDB gave a ${typeof value} for a text.`);
}

/** By name, types are brought to one that holds all: without it, the first file's would be forced on the others. */
const parquetOf = (files: readonly DataFile[]): string => `read_parquet([${files.map(({ path }) => literal(path)).join(', ')}], union_by_name = true)`;

/** Columns in the order of the first file; all files have them. */
async function schemaOf(connection: DuckDBConnection, files: readonly DataFile[]): Promise<UnitedColumn[]> {
  const describe = async (of: readonly DataFile[]): Promise<FileColumn[]> => {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${parquetOf(of)}`);
    return described.getRowObjectsJS().map(({ column_name: name, column_type: type }) => ({ name: textFrom(name), type: textFrom(type) }));
  };
  const describeOne = async (file: DataFile): Promise<FileColumn[]> => {
    const columns = await describe([file]);
    const elements = await connection.runAndReadAll(`SELECT name, coalesce(num_children, 0)::INTEGER FROM parquet_schema(${literal(file.path)})`);
    requireOwnNames(file, columnNames(elements.getRowsJS().map(([name, children]) => ({ name: textFrom(name), children: Number(children) }))), columns);
    return columns;
  };
  const [first, ...others] = files;
  if (first === undefined) return [];
  const schemas = [await describeOne(first)];
  for (const other of others) {
    const schema = await describeOne(other);
    requireSameSchema(first, schemas[0] ?? [], other, schema);
    schemas.push(schema);
  }
  const united = others.length === 0 ? schemas[0] ?? [] : await describe(files);
  return united.map((column) => ({ ...column, types: schemas.flatMap((schema) => schema.find(({ name }) => name === column.name)?.type ?? []) }));
}

/** @param texts  columns of whole numbers that are read as texts */
async function plan(connection: DuckDBConnection, from: string, columns: readonly UnitedColumn[], selection: Selection, texts: ReadonlySet<string>, files: readonly DataFile[]): Promise<Plan[]> {
  const plans: Plan[] = [];
  const ask = async (sql: string): Promise<readonly unknown[]> => (await connection.runAndReadAll(sql)).getRowsJS()[0] ?? [];
  for (const [place, column] of columns.entries()) {
    const { name } = column;
    const source: Source = texts.has(name) ? { kind: 'Text', sql: `${identifier(name)}::VARCHAR` } : sourceOfAll(column);
    const isRead = isSelected(selection, name);
    if (source.kind === 'Unreadable' && isRead) throw unreadable(files[0] ?? { path: '', name: '' }, column);
    if (!isRead || source.kind === 'Unreadable') {
      plans.push({ kind: 'Unread', name });
    } else if (source.kind === 'Numbers') {
      const [least, most] = await ask(`SELECT min(len(${source.sql})), max(len(${source.sql})) FROM ${from}`);
      if (least !== most || Number(most ?? 0) > longestList) {
        throw new AnnealError('DATA_NESTED', { at: name, message: `The lists in column "${name}" have from ${String(least)} to ${String(most)} numbers, and only lists of equally many, at most ${longestList}, can be columns. Cut or fill them, or exclude "${name}" in data.features.exclude.` });
      }
      plans.push({ kind: 'Numbers', name, sql: source.sql, length: Number(most ?? 0), areLarge: column.types.some((type) => type.includes('BIGINT')) });
    } else if (source.kind === 'Text') {
      plans.push(await planTexts(connection, from, name, source.sql, `texts_${place}`));
    } else {
      plans.push({ ...source, name });
    }
  }
  return plans;
}

/** @param type  name for the enumeration of the texts */
async function planTexts(connection: DuckDBConnection, from: string, name: string, sql: string, type: string): Promise<Plan> {
  const sample = (await connection.runAndReadAll(`SELECT count(DISTINCT t), count(t) FROM (SELECT ${sql} AS t FROM ${from} LIMIT ${sampleRows})`)).getRowsJS()[0] ?? [];
  const [different, all] = [Number(sample[0]), Number(sample[1])];
  if (different > all / 2 && all === sampleRows) return { kind: 'Texts', name, sql };
  const texts = (await connection.runAndReadAll(`SELECT DISTINCT ${sql} AS t FROM ${from} WHERE t IS NOT NULL ORDER BY t LIMIT ${mostTexts + 1}`)).getRowsJS().map(([text]) => textFrom(text));
  if (texts.length > mostTexts || texts.length === 0) return { kind: 'Texts', name, sql };
  await connection.run(`CREATE OR REPLACE TYPE ${type} AS ENUM (${texts.map(literal).join(', ')})`);
  return { kind: 'Codes', name, sql: `coalesce(enum_code(${sql}::${type})::INTEGER, -1)`, texts };
}

function writtenColumns(plan: Plan): WrittenColumn[] {
  switch (plan.kind) {
    case 'Number':
    case 'Time': return [{ name: plan.name, kind: plan.kind }];
    case 'Codes':
    case 'Texts': return [{ name: plan.name, kind: 'Text' }];
    case 'Numbers': return Array.from({ length: plan.length }, (_, part) => ({ name: `${plan.name}_${part}`, kind: 'Number' }));
    case 'Unread': return [{ name: plan.name, kind: undefined }];
  }
}

async function copy(connection: DuckDBConnection, from: string, plans: readonly Plan[], writer: TableWriter, signal: AbortSignal): Promise<void> {
  let place = 0;
  const accumulators: Accumulator[] = [];
  const selected: string[] = [];
  for (const plan of plans) {
    if (plan.kind !== 'Unread') {
      accumulators.push(accumulator(plan, place, blockRows, writer));
      selected.push(plan.sql);
    }
    place += writtenColumns(plan).length;
  }
  const result = await connection.stream(`SELECT ${selected.join(', ')} FROM ${from}`);
  let rows = 0;
  const flush = (): void => {
    writer.write(rows, new Map(accumulators.flatMap((each) => each.take(rows))));
    rows = 0;
  };
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    signal.throwIfAborted();
    if (rows + chunk.rowCount > blockRows) flush();
    for (const [index, each] of accumulators.entries()) each.push(chunk.chunk, index, chunk.rowCount, rows);
    rows += chunk.rowCount;
  }
  flush();
}

const namesOf = (files: readonly DataFile[]): string => files.map(({ name }) => name).join(', ');

/** DuckDB's first words, without paths and advice for those who write SQL. */
function told(error: unknown, files: readonly DataFile[]): unknown {
  if (error instanceof AnnealError || !(error instanceof Error)) return error;
  const [words = ''] = error.message.split('\n');
  if (words.startsWith('Out of Memory')) return new AnnealError('OUT_OF_MEMORY', { at: 'spec.pod.resources', message: `${namesOf(files)} could not be read within the memory that the program may use. Raise the memory limit, or write the file in smaller row groups.`, cause: error });
  const culprit = files.find(({ path }) => words.includes(path)) ?? (files.length === 1 ? files[0] : undefined);
  const what = files.reduce((text, { path, name }) => text.replaceAll(path, name), words).replace(/^(?:[A-Z][a-z]+ )+Error: /, '').replaceAll(/[\p{Cc}]/gu, '').replace(/\.$/, '');
  return new AnnealError('DATA_PARQUET', { at: culprit?.name ?? namesOf(files), message: `${culprit?.name ?? namesOf(files)} is a damaged Parquet file: ${what}. Write the file anew, or get it again.`, cause: error });
}
