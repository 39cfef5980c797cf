/** One pass over a column, for all that is asked of it. */
import { random } from '../random.ts';
import { blockRows } from '../rowhash/repeats.ts';
import type { Rows } from '../rows.ts';
import type { ColumnInfo } from '../table.ts';
import { NumberSummary } from './numbers.ts';
import { TextSummary } from './texts.ts';

/** @param seed  for sketches of columns that are too long to hold */
export async function summarise(rows: Rows, { name, kind }: ColumnInfo, seed: number): Promise<NumberSummary | TextSummary> {
  const texts = new TextSummary();
  const numbers = kind === 'Text' ? undefined : new NumberSummary(kind, rows.rows, random(seed, 'data profile', name));
  for await (const { columns } of rows.blocks([name], blockRows(1))) {
    for (const column of columns) if (column.kind === 'Text') texts.add(column); else numbers?.add(column.values);
  }
  return numbers ?? texts;
}
