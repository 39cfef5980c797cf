/** Takes out values that few rows have: a rare occupation points to a person like a name does. */
import { blockRows } from '../rowhash/repeats.ts';
import type { Rows } from '../rows.ts';
import type { Column } from '../table.ts';

/** @returns the values that at least `fewest` rows have, in order; only these ever become part of a model */
export async function keptValues(source: Rows, name: string, fewest: number): Promise<(string | number)[]> {
  const texts = new Map<string, number>();
  const numbers = new Map<number, number>();
  for await (const { columns: [column] } of source.blocks([name], blockRows(1))) if (column !== undefined) countIn(column, texts, numbers);
  const kept = <T>(counts: ReadonlyMap<T, number>): T[] => [...counts].flatMap(([value, rows]) => (rows >= fewest ? [value] : []));
  return [...kept(texts).sort(), ...kept(numbers).sort((a, b) => a - b)];
}

function countIn(column: Column, texts: Map<string, number>, numbers: Map<number, number>): void {
  if (column.kind !== 'Text') {
    for (const value of column.values) if (!Number.isNaN(value)) numbers.set(value, (numbers.get(value) ?? 0) + 1);
    return;
  }
  const counts = new Int32Array(column.dictionary.length);
  for (const code of column.codes) if (code >= 0) counts[code] = (counts[code] ?? 0) + 1;
  column.dictionary.forEach((text, code) => {
    const rows = counts[code] ?? 0;
    if (rows > 0) texts.set(text, (texts.get(text) ?? 0) + rows);
  });
}
