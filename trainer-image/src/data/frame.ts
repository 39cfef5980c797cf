/**
 * Training rows as the pipeline's fit sees them: a column is brought when it is asked for, so that a table larger than memory can be
 * fitted column by column. Rows of small tables simply stay in memory.
 */
import type { Column, ColumnInfo, Table, VectorColumn } from './table.ts';
import { infoOf, pick, takeColumn, takeVector } from './table.ts';

export interface Frame {
  readonly rows: number;
  readonly columns: readonly ColumnInfo[];
  /** All rows of one of `columns`. */
  column(name: string): Promise<Column>;
  /** What rows hold beside their columns. */
  readonly vector?: FrameVector;
  /** Where each row stood in the data. */
  readonly origin?: Int32Array;
}

export interface FrameVector {
  readonly name: string;
  /** All rows. */
  load(): Promise<VectorColumn>;
}

/** A table in memory as a frame. */
export function frameOf(table: Table): Frame {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  return {
    rows: table.rows,
    columns: table.columns.map(infoOf),
    column: (name) => {
      const column = byName.get(name);
      return column === undefined ? Promise.reject(new Error(`The frame has no column "${name}".`)) : Promise.resolve(column);
    },
    ...vectorIn(table.vector),
    ...(table.origin === undefined ? {} : { origin: table.origin }),
  };
}

const vectorIn = (vector: VectorColumn | undefined): Pick<Frame, 'vector'> => (vector === undefined ? {} : { vector: { name: vector.name, load: () => Promise.resolve(vector) } });

/** Some columns of a frame, brought into memory together. */
export async function tableOf(frame: Frame, names: readonly string[]): Promise<Table> {
  const columns: Column[] = [];
  for (const name of names) columns.push(await frame.column(name));
  return { rows: frame.rows, columns, ...(frame.origin === undefined ? {} : { origin: frame.origin }) };
}

/** Some rows of a frame. @param rows  ascending, counted within the frame */
export function chosenRows(frame: Frame, rows: Int32Array): Frame {
  const { vector } = frame;
  return {
    rows: rows.length,
    columns: frame.columns,
    origin: rows.map((row) => frame.origin?.[row] ?? row),
    column: async (name) => takeColumn(await frame.column(name), rows),
    ...(vector === undefined ? {} : { vector: { name: vector.name, load: async () => takeVector(await vector.load(), rows) } }),
  };
}

/** What a step does to columns, as far as a frame must know. */
export interface FrameChange {
  /** Columns that the step looks at or changes; all others pass through. */
  readonly reads: readonly string[];
  /** Whether what it gives depends on several of them together, rather than on each alone. */
  readonly joint: boolean;
  apply(table: Table): Table | Promise<Table>;
}

/**
 * The frame after a step. Nothing is computed before a column is asked for; then only what this column needs.
 * @param remember  keeps what was computed; for tables that fit into memory
 */
export async function changed(frame: Frame, change: FrameChange, remember: boolean): Promise<Frame> {
  const present = frame.columns.filter(({ name }) => change.reads.includes(name)).map(({ name }) => name);
  const groups = change.joint ? [present] : present.map((name) => [name]);
  const columns = (await change.apply(emptyTable(frame.columns))).columns.map(infoOf);
  /** Which columns of `frame` each new or changed column is computed from. */
  const sources = new Map<string, readonly string[]>();
  for (const group of groups) {
    for (const { name } of (await change.apply(emptyTable(pick(frame.columns, group, 'spec.trainer.data.pipeline')))).columns) sources.set(name, group);
  }
  const remembered = new Map<string, Promise<Column>>();
  const compute = async (name: string): Promise<Column> => {
    const group = sources.get(name);
    if (group === undefined) return frame.column(name);
    const done = await change.apply(await tableOf(frame, group));
    const [column] = pick(done.columns, [name], 'spec.trainer.data.pipeline');
    if (remember) for (const other of done.columns) if (other.name !== name) remembered.set(other.name, Promise.resolve(other));
    if (column === undefined) throw new Error(`A step gave no column "${name}".`);
    return column;
  };
  return {
    rows: frame.rows,
    columns,
    ...vectorAfter(frame, change),
    ...(frame.origin === undefined ? {} : { origin: frame.origin }),
    column: (name) => {
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const computed = compute(name);
      if (remember) remembered.set(name, computed);
      return computed;
    },
  };
}

function vectorAfter({ rows, vector }: Frame, change: FrameChange): Pick<Frame, 'vector'> {
  if (vector === undefined || !change.reads.includes(vector.name)) return vector === undefined ? {} : { vector };
  return {
    vector: {
      name: vector.name,
      load: async () => {
        const before = await vector.load();
        return (await change.apply({ rows, columns: [], vector: before })).vector ?? before;
      },
    },
  };
}

/** No rows, but all columns: what a step makes of it tells which columns it gives. */
export const emptyTable = (columns: readonly ColumnInfo[]): Table => ({ rows: 0, columns: columns.map(emptyColumn) });

function emptyColumn({ name, kind, categories }: ColumnInfo): Column {
  if (kind === 'Text') return { kind, name, codes: new Int32Array(0), dictionary: [] };
  const values = new Float64Array(0);
  return kind === 'Number' && categories !== undefined ? { kind, name, values, categories } : { kind, name, values };
}
