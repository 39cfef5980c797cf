/**
 * DuckDB as a calculator: a database in memory that can reach nothing outside, whose settings cannot be changed any more, and that gets
 * its rows from here. It is loaded when the first expression is met.
 */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { textAt } from '../table.ts';
import type { Column } from '../table.ts';

type DuckDB = typeof import('@duckdb/node-api');

export interface Sandbox {
  readonly duckdb: DuckDB;
  readonly connection: DuckDBConnection;
  /** Runs one thing after the other: what rows a query gets is set before it begins. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** DuckDB refuses to read files, load extensions and reach the network; one thread keeps the order of rows. */
const settings = {
  enable_external_access: 'false',
  autoload_known_extensions: 'false',
  autoinstall_known_extensions: 'false',
  allow_community_extensions: 'false',
  threads: '1',
  memory_limit: '1GB',
};

let opened: Promise<Sandbox> | undefined;

/** The one of this process. */
export const sandbox = (): Promise<Sandbox> => (opened ??= open());

async function open(): Promise<Sandbox> {
  const duckdb = await import('@duckdb/node-api');
  const instance = await duckdb.DuckDBInstance.create(':memory:', settings);
  const connection = await instance.connect();
  await connection.run(`SET TimeZone = 'UTC'`);
  await connection.run('SET lock_configuration = true');
  let last: Promise<unknown> = Promise.resolve();
  return {
    duckdb,
    connection,
    inTurn: (work) => {
      const done = last.then(work);
      last = done.catch(() => undefined);
      return done;
    },
  };
}

/** Only for a name that is put into a query. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const literal = (text: string): string => `'${text.replaceAll(`'`, `''`)}'`;

/** A table in DuckDB whose rows are those that are given for a query. */
export interface Feed {
  /** Select of all columns by their names, a missing value as NULL. */
  readonly sql: string;
  /** The rows of the next query. */
  give(columns: readonly Column[], from: number, to: number): void;
}

let feeds = 0;

export function feed({ duckdb, connection }: Sandbox, columns: readonly { readonly name: string; readonly kind: Column['kind'] }[]): Feed {
  const name = `rows_${feeds++}`;
  let given: readonly Column[] = [];
  let [at, end] = [0, 0];
  const most = duckdb.DuckDBVector.standardSize();
  connection.registerTableFunction(duckdb.DuckDBTableFunction.create({
    name,
    bindFunction: (bind) => {
      // A table function has at least one column.
      if (columns.length === 0) bind.addResultColumn('none', duckdb.DOUBLE);
      columns.forEach(({ kind }, place) => bind.addResultColumn(`c${place}`, kind === 'Text' ? duckdb.VARCHAR : duckdb.DOUBLE));
    },
    initFunction: () => undefined,
    mainFunction: (_, chunk) => {
      const rows = Math.min(most, end - at);
      chunk.rowCount = rows;
      given.forEach((column, place) => write(chunk, place, column, at, rows));
      at += rows;
    },
  }));
  const selected = columns.map(({ name: as, kind }, place) => `${asSql[kind](`c${place}`)} AS ${quoted(as)}`);
  return {
    sql: `SELECT ${columns.length === 0 ? 'none' : selected.join(', ')} FROM ${name}()`,
    give: (columnsOfQuery, from, to) => ([given, at, end] = [columnsOfQuery, from, to]),
  };
}

/** Numbers and moments come as doubles, NaN where they are missing. */
const asSql: Readonly<Record<Column['kind'], (column: string) => string>> = {
  Number: (column) => `CASE WHEN isnan(${column}) THEN NULL ELSE ${column} END`,
  Time: (column) => `make_timestamp(TRY_CAST(${column} AS BIGINT))`,
  Text: (column) => column,
};

function write(chunk: DuckDBDataChunk, place: number, column: Column, from: number, rows: number): void {
  const vector = chunk.getColumnVector(place);
  if (column.kind === 'Text') for (let row = 0; row < rows; row++) vector.setItem(row, textAt(column, from + row));
  else for (let row = 0; row < rows; row++) vector.setItem(row, column.values[from + row] ?? NaN);
  vector.flush();
}
