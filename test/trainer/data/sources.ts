/** Rows as a source gives them that is larger than memory: in blocks, each with a dictionary of its own. */
import * as fc from 'fast-check';
import type { Rows } from '../../../trainer-image/src/data/rows.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import { textAt, textColumn, valueAt } from '../../../trainer-image/src/data/table.ts';
import type { Column, Table } from '../../../trainer-image/src/data/table.ts';
import { number, tableOf, text, time } from './tables.ts';

/** @param most  rows of a block at most, whatever is asked for */
export function inBlocks(table: Table, most: number): Rows {
  const source = rowsOf(table);
  return {
    ...source,
    inMemory: false,
    blocks: async function* (names, wanted) {
      for await (const block of source.blocks(names, Math.min(most, wanted))) yield { ...block, columns: block.columns.map(ownDictionary) };
    },
  };
}

function ownDictionary(column: Column): Column {
  return column.kind === 'Text' ? textColumn(column.name, Array.from(column.codes, (_, row) => textAt(column, row))) : column;
}

/** What a row holds, in one text that no other row has. */
export const rowText = (table: Table, row: number, names: readonly string[]): string => JSON.stringify(table.columns.filter(({ name }) => names.includes(name)).map((column) => valueAt(column, row)));

/** Tables with few different values, so that rows repeat: a number, a text, a time, a class. */
export const smallTables = (minLength = 1, maxLength = 40): fc.Arbitrary<Table> => {
  const row = fc.record({
    n: fc.constantFrom(NaN, 0, -0, 1, 2.5, -3),
    t: fc.constantFrom(null, '', 'a', 'b', 'größe', 'a much longer text than eight units'),
    d: fc.constantFrom(null, '2024-01-01T00:00:00Z', '2024-06-30T12:00:00Z'),
    y: fc.constantFrom('no', 'yes'),
  });
  return fc.array(row, { minLength, maxLength }).map((rows) => tableOf(
    number('n', ...rows.map(({ n }) => n)), text('t', ...rows.map(({ t }) => t)), time('d', ...rows.map(({ d }) => d)), text('y', ...rows.map(({ y }) => y)),
  ));
};
