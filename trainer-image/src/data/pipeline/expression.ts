/**
 * Whether a SQL text is one expression that gives the same value for the same row at any time: DuckDB's own parser takes it apart, and
 * only what is known to be harmless may be in it.
 */
import { AnnealError, list } from '../../errors.ts';
import type { ColumnInfo } from '../table.ts';
import { short } from '../table.ts';
import { pureFunctions, pureTypes } from './pure.ts';
import { literal } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';

export interface Expression {
  /** As DuckDB writes it: what is run is what was checked. */
  readonly sql: string;
  /** The columns in it. */
  readonly columns: readonly ColumnInfo[];
}

/** An expression in DuckDB's syntax tree; all of its other fields are looked through for more of them. */
interface Node {
  readonly class: string;
  readonly type: string;
  readonly alias: string;
  /** In bytes of the statement. */
  readonly query_location?: number;
}

interface ColumnReference extends Node {
  readonly column_names: readonly string[];
}

interface Select {
  readonly type: string;
  readonly modifiers: readonly unknown[];
  readonly cte_map: { readonly map: readonly unknown[] };
  readonly select_list: readonly Node[];
  readonly from_table: { readonly type: string };
  readonly where_clause: unknown;
  readonly group_expressions: readonly unknown[];
  readonly having: unknown;
  readonly sample: unknown;
  readonly qualify: unknown;
}

type Parsed =
  | { readonly error: true; readonly error_message: string; readonly position?: string }
  | { readonly error: false; readonly statements: readonly { readonly node: Select }[] };

const select = 'SELECT ';

/** @throws AnnealError `SPEC_EXPRESSION` that says what may not be in it, and where */
export async function checkExpression(text: string, present: readonly ColumnInfo[], sandbox: Sandbox, at: string): Promise<Expression> {
  const refuse = (why: string, byte?: number): AnnealError => new AnnealError('SPEC_EXPRESSION', { at, message: `The expression "${short(text)}" cannot be used: ${why}${byte === undefined ? '' : placeOf(text, byte)}. Write one SQL expression over the columns, for example price / area.` });
  const ask = async (sql: string): Promise<string> => {
    const answer = await sandbox.inTurn(() => sandbox.connection.runAndReadAll(`SELECT ${sql}`)).catch((error: unknown) => {
      throw refuse(String(error));
    });
    return answer.getRowsJson()[0]?.[0] as string;
  };
  const tree = `json_serialize_sql(${literal(select + text)})`;
  const parsed = treeIn(await ask(tree));
  if (parsed === undefined) throw refuse('it has a number too large for a double');
  if (parsed.error && parsed.position !== undefined) throw refuse(parsed.error_message, Number(parsed.position) - select.length);
  const expression = parsed.error ? undefined : only(parsed.statements);
  if (expression === undefined) throw refuse('it is not one expression alone, but also a clause, a name or a second statement');
  const names = new Set<string>();
  for (const node of nodesOf(expression)) {
    const why = await objection(node, present, names, sandbox);
    if (why !== undefined) throw refuse(why, node.query_location === undefined ? undefined : node.query_location - select.length);
  }
  const folded = new Map<string, string>();
  for (const name of names) {
    const other = folded.get(name.toLowerCase());
    if (other !== undefined) throw refuse(`SQL cannot tell the columns "${other}" and "${name}" apart, which differ in case only`);
    folded.set(name.toLowerCase(), name);
  }
  const sql = await ask(`json_deserialize_sql(${tree})`);
  return { sql: sql.slice(select.length), columns: present.filter(({ name }) => names.has(name)) };
}

/** The columns that an expression names; none where it cannot be read, which `checkExpression` tells. */
export async function namesIn(text: string, { connection, inTurn }: Sandbox): Promise<string[]> {
  const rows = await inTurn(() => connection.runAndReadAll(`SELECT json_serialize_sql(${literal(select + text)})`)).catch(() => undefined);
  const parsed = treeIn(rows?.getRowsJson()[0]?.[0] as string);
  const expression = parsed === undefined || parsed.error ? undefined : only(parsed.statements);
  return [...nodesOf(expression)].filter((node) => node.class === 'COLUMN_REF').flatMap((node) => (node as ColumnReference).column_names);
}

/** undefined where DuckDB writes an infinity, which is no JSON. */
function treeIn(json: string): Parsed | undefined {
  try {
    return JSON.parse(json) as Parsed;
  } catch {
    return undefined;
  }
}

/** The expression, if the statement is nothing else. */
function only(statements: readonly { readonly node: Select }[]): Node | undefined {
  const [statement, ...others] = statements;
  if (statement === undefined || others.length > 0 || statement.node.type !== 'SELECT_NODE') return undefined;
  const { modifiers, cte_map, select_list, from_table, where_clause, group_expressions, having, sample, qualify } = statement.node;
  const [expression, ...more] = select_list;
  const isBare = from_table.type === 'EMPTY' && [modifiers, cte_map.map, group_expressions, more].every(({ length }) => length === 0) && [where_clause, having, sample, qualify].every((clause) => clause === null);
  return isBare && expression?.alias === '' ? expression : undefined;
}

/** All expressions within one, itself first, from left to right. */
function* nodesOf(value: unknown): Iterable<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('class' in value && 'type' in value) yield value as Node;
  for (const part of Object.values(value)) yield* nodesOf(part);
}

const allowed = new Set(['CONSTANT', 'CASE', 'COMPARISON', 'CONJUNCTION', 'OPERATOR', 'BETWEEN']);

const forbidden: Readonly<Record<string, string>> = {
  SUBQUERY: 'it has a subquery',
  WINDOW: 'it has a window function, which sees other rows',
  STAR: 'it has a *, which stands for no single value',
  PARAMETER: 'it has a parameter',
  LAMBDA: 'it has a lambda function',
  POSITIONAL_REFERENCE: 'it names a column by its number',
  COLLATE: 'it has a COLLATE',
};

/** Why a node may not be; undefined when it may. @param names  gets the columns that are named */
async function objection(node: Node, present: readonly ColumnInfo[], names: Set<string>, sandbox: Sandbox): Promise<string | undefined> {
  if (allowed.has(node.class)) return undefined;
  switch (node.class) {
    case 'COLUMN_REF': {
      const { column_names: [name = '', ...rest] } = node as ColumnReference;
      if (rest.length === 0 && present.some((column) => column.name === name)) {
        names.add(name);
        return undefined;
      }
      return `there is no column "${[name, ...rest].join('.')}" at this point; there are ${list(present.map((column) => column.name))}`;
    }
    case 'CAST': {
      const { cast_type: { id } } = node as Node & { readonly cast_type: { readonly id: string } };
      return pureTypes.has(id) ? undefined : `it makes a ${id}, which depends on more than the row or is no value of a column`;
    }
    case 'FUNCTION': {
      const call = node as Node & { readonly function_name: string; readonly schema: string; readonly catalog: string; readonly distinct: boolean; readonly filter: unknown; readonly order_bys: { readonly orders: readonly unknown[] } };
      const isPlain = ['', 'main'].includes(call.schema) && call.catalog === '' && !call.distinct && call.filter === null && call.order_bys.orders.length === 0;
      if (!pureFunctions.has(call.function_name)) return whyNot(call.function_name, sandbox);
      return isPlain ? undefined : `it calls ${call.function_name} as an aggregate or by a catalog`;
    }
    default: return forbidden[node.class] ?? `it has a ${node.class.toLowerCase().replaceAll('_', ' ')}`;
  }
}

async function whyNot(name: string, { connection, inTurn }: Sandbox): Promise<string> {
  const rows = await inTurn(() => connection.runAndReadAll(`SELECT DISTINCT function_type FROM duckdb_functions() WHERE function_name = ${literal(name)}`));
  const types = rows.getRowsJson().map(([type]) => type);
  if (types.includes('aggregate')) return `${name} looks at several rows, and an expression sees one`;
  return types.length === 0 ? `there is no function ${name}` : `${name} may give another value another time, or another value than a number, a text or a time`;
}

/** @param byte  in the expression */
function placeOf(text: string, byte: number): string {
  const bytes = Buffer.from(text);
  if (byte < 0 || byte > bytes.length) return '';
  const from = bytes.subarray(0, byte).toString().length;
  return ` (at character ${from + 1}${from < text.length ? `, "${short(text.slice(from))}"` : ''})`;
}
