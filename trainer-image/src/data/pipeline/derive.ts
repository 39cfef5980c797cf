/** Adds a column that a SQL expression computes from the others, row by row, in DuckDB. */
import type { DuckDBPreparedStatement } from '@duckdb/node-api';
import { AnnealError } from '../../errors.ts';
import { rowNumber, takeColumn, textColumn } from '../table.ts';
import type { Column, Table, TextColumn } from '../table.ts';
import { short } from '../table.ts';
import { columnsOf } from './columns.ts';
import { checkExpression } from './expression.ts';
import { feed, sandbox } from './sandbox.ts';
import type { Feed, Sandbox } from './sandbox.ts';
import type { Fit, StepKind, Training } from './step.ts';

export interface DeriveSpec {
  /** Of the new column. */
  readonly name: string;
  /** For example `price / area`, `CASE WHEN age < 18 THEN 'child' ELSE 'adult' END` or `date_diff('day', born, died)`. */
  readonly expression: string;
}

export interface FittedDerive {
  readonly kind: 'Derive';
  readonly name: string;
  /** As DuckDB writes it. */
  readonly expression: string;
  readonly columns: readonly { readonly name: string; readonly kind: Column['kind'] }[];
  readonly gives: Column['kind'];
}

/** Rows that are in DuckDB at once. */
const blockRows = 262_144;

export const derive: StepKind<DeriveSpec, FittedDerive> = {
  fit,
  apply: (step) => {
    let opened: Promise<Evaluator> | undefined;
    return async (table) => {
      const columns = columnsOf(table, step.columns.map(({ name }) => name));
      if (columns === undefined) return table;
      if (table.rows === 0) return { ...table, columns: [...table.columns, resultsFor(step, 0).column()] };
      const { run } = await (opened ??= open(step));
      const [only] = columns;
      const derived = columns.length === 1 && only?.kind === 'Text' && only.dictionary.length < table.rows ? await onceForEachText(only, table, run) : await run(table, columns);
      return { ...table, columns: [...table.columns, derived] };
    };
  },
  reads: ({ columns }) => columns.map(({ name }) => name),
  joint: true,
};

async function fit({ name, expression }: DeriveSpec, { frame, at }: Training): Promise<Fit<FittedDerive>> {
  const calculator = await sandbox();
  const checked = await checkExpression(expression, frame.columns, calculator, `${at}.expression`);
  const columns = checked.columns.map((column) => ({ name: column.name, kind: column.kind }));
  const gives = await typeOf(calculator, checked.sql, columns, `${at}.expression`);
  return { step: { kind: 'Derive', name, expression: checked.sql, columns, gives } };
}

/** What the expression gives; DuckDB finds out whether each function suits its arguments. */
async function typeOf(calculator: Sandbox, sql: string, columns: FittedDerive['columns'], at: string): Promise<Column['kind']> {
  const { duckdb: { DuckDBTypeId: type }, connection } = calculator;
  const source = feed(calculator, columns);
  const refuse = (why: string, cause?: unknown): AnnealError => new AnnealError('SPEC_EXPRESSION', { at, message: `The expression ${short(sql)} cannot be used: ${why}.`, cause });
  let prepared: DuckDBPreparedStatement;
  try {
    prepared = await calculator.inTurn(() => connection.prepare(`SELECT ${sql} FROM (${source.sql})`));
  } catch (error) {
    throw refuse(firstLine(error), error);
  }
  const found = prepared.columnTypeId(0);
  switch (found) {
    case type.BOOLEAN: case type.TINYINT: case type.SMALLINT: case type.INTEGER: case type.BIGINT: case type.HUGEINT:
    case type.UTINYINT: case type.USMALLINT: case type.UINTEGER: case type.UBIGINT: case type.UHUGEINT:
    case type.FLOAT: case type.DOUBLE: case type.DECIMAL: return 'Number';
    case type.VARCHAR: return 'Text';
    case type.DATE: case type.TIMESTAMP: case type.TIMESTAMP_S: case type.TIMESTAMP_MS: case type.TIMESTAMP_NS: case type.TIMESTAMP_TZ: return 'Time';
    default: throw refuse(`it gives a value of type ${prepared.columnType(0).toString()}, and a column holds numbers, texts or times. Make one of it, for example with epoch(…) or CAST(… AS DOUBLE)`);
  }
}

interface Evaluator {
  readonly run: (table: Table, columns: readonly Column[]) => Promise<Column>;
}

/** NaN rather than NULL, so that numbers can be read without asking for each whether it is there. */
const asResult: Readonly<Record<Column['kind'], (sql: string) => string>> = {
  Number: (sql) => `coalesce(CAST(${sql} AS DOUBLE), CAST('NaN' AS DOUBLE))`,
  Time: (sql) => `coalesce(CAST(epoch_us(CAST(${sql} AS TIMESTAMP)) AS DOUBLE), CAST('NaN' AS DOUBLE))`,
  Text: (sql) => `CAST(${sql} AS VARCHAR)`,
};

async function open(step: FittedDerive): Promise<Evaluator> {
  const calculator = await sandbox();
  const source = feed(calculator, step.columns);
  const prepared = await calculator.inTurn(() => calculator.connection.prepare(`SELECT ${asResult[step.gives](step.expression)} FROM (${source.sql})`));
  return {
    run: (table, columns) => calculator.inTurn(async () => {
      const results = resultsFor(step, table.rows);
      for (let from = 0; from < table.rows; from += blockRows) {
        const to = Math.min(from + blockRows, table.rows);
        try {
          await evaluate(prepared, source, columns, from, to, results.put);
        } catch (error) {
          throw await explained(error, step, table, (a, b) => evaluate(prepared, source, columns, a, b, () => undefined), from, to);
        }
      }
      return results.column();
    }),
  };
}

/** What depends on one text alone is computed once for each of its texts. */
async function onceForEachText(column: TextColumn, table: Table, run: Evaluator['run']): Promise<Column> {
  const missing = column.dictionary.length;
  const placeOf = new Int32Array(missing + 1).fill(-1);
  const codes: number[] = [];
  const places = column.codes.map((code) => {
    const at = code < 0 ? missing : code;
    if (placeOf[at] === -1) placeOf[at] = codes.push(code) - 1;
    return placeOf[at] ?? -1;
  });
  const texts: TextColumn = { ...column, codes: Int32Array.from(codes) };
  try {
    return takeColumn(await run({ rows: codes.length, columns: [texts] }, [texts]), places);
  } catch {
    // Only among the rows themselves is the one that cannot be computed known by its number.
    return run(table, [column]);
  }
}

/** @param put  gets each row's value */
async function evaluate(prepared: DuckDBPreparedStatement, source: Feed, columns: readonly Column[], from: number, to: number, put: Results['put']): Promise<void> {
  source.give(columns, from, to);
  const result = await prepared.run();
  for (let index = 0, row = from; index < result.chunkCount; index++) {
    const vector = result.getChunk(index).getColumnVector(0);
    for (let at = 0; at < vector.itemCount; at++) put(row++, vector.getItem(at));
  }
}

interface Results {
  readonly put: (row: number, value: unknown) => void;
  readonly column: () => Column;
}

function resultsFor({ name, gives }: FittedDerive, rows: number): Results {
  if (gives === 'Text') {
    const texts = new Array<string | null>(rows).fill(null);
    return { put: (row, value) => (texts[row] = value as string | null), column: () => textColumn(name, texts) };
  }
  const values = new Float64Array(rows);
  // What is not finite counts as missing: a network could not learn from it.
  return { put: (row, value) => (values[row] = typeof value === 'number' && Number.isFinite(value) ? value : NaN), column: () => ({ kind: gives, name, values }) };
}

/** Halves the rows until the one is left that cannot be computed. */
async function explained(error: unknown, step: FittedDerive, table: Table, run: (from: number, to: number) => Promise<void>, first: number, last: number): Promise<AnnealError> {
  let [from, to, cause] = [first, last, error];
  while (to - from > 1) {
    const middle = (from + to) >>> 1;
    const failed = await run(from, middle).then(() => undefined, (reason: unknown) => ({ reason }));
    if (failed === undefined) from = middle;
    else [to, cause] = [middle, failed.reason];
  }
  return new AnnealError('DATA_OUT_OF_RANGE', { at: step.name, message: `The column "${step.name}" cannot be derived in row ${rowNumber(table, from)}: ${firstLine(cause)}. Guard the expression, for example as TRY(…), which gives a missing value instead.`, cause });
}

/** DuckDB's message without the picture of the query that follows. */
const firstLine = (error: unknown): string => String(error instanceof Error ? error.message : error).split('\n')[0]?.replace(/^[A-Za-z ]+ Error: /, '').replace(/\.$/, '') ?? '';
