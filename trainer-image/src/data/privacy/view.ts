/** Rows seen through a change: what is asked for is changed when it is asked for, so that rows may be larger than memory. */
import { emptyTable } from '../frame.ts';
import type { Rows } from '../rows.ts';
import { infoOf, pick, take } from '../table.ts';
import { changeTable } from './steps.ts';
import type { Changes } from './steps.ts';

const at = 'spec.trainer.data';

/** @param dropped  columns that are not there any more */
export function changedRows(source: Rows, changes: Changes, dropped: ReadonlySet<string>): Rows {
  const columns = changeTable(changes, emptyTable(source.columns.filter(({ name }) => !dropped.has(name)))).columns.map(infoOf);
  return {
    ...source,
    columns,
    column: async (name, rows) => {
      pick(columns, [name], at);
      const column = await source.column(name, rows);
      return changes.get(name)?.(column) ?? column;
    },
    blocks: async function* (names, most) {
      pick(columns, names.filter((name) => name !== source.vector?.name), at);
      for await (const block of source.blocks(names, most)) yield changeTable(changes, block);
    },
  };
}

/** Some rows of a source. @param kept  ascending */
export function selectedRows(source: Rows, kept: Int32Array): Rows {
  const origin = kept.map((row) => source.origin?.[row] ?? row);
  return {
    rows: kept.length,
    columns: source.columns,
    inMemory: source.inMemory,
    origin,
    column: (name, rows) => source.column(name, rows?.map((row) => kept[row] ?? 0) ?? kept),
    blocks: async function* (names, most) {
      let [from, at] = [0, 0];
      for await (const block of source.blocks(names, most)) {
        const first = at;
        while (at < kept.length && (kept[at] ?? 0) < from + block.rows) at++;
        const start = from;
        from += block.rows;
        if (at > first) yield { ...take(block, kept.subarray(first, at).map((row) => row - start)), origin: origin.subarray(first, at) };
      }
    },
  };
}
