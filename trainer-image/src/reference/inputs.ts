/** What the columns of a model are like in the rows that it is trained on. */
import { selectedRows } from '../data/privacy/view.ts';
import type { Subject } from '../data/profile/evidence.ts';
import { NumberSummary } from '../data/profile/numbers.ts';
import { summarise } from '../data/profile/summary.ts';
import type { TextSummary } from '../data/profile/texts.ts';
import { random } from '../data/random.ts';
import type { ColumnInfo, VectorColumn } from '../data/table.ts';
import type { ColumnReference, InputsReference } from './profile.ts';
import { fewestRows, valuesReference } from './values.ts';

/** Texts that are told; more of them would each be seen too seldom to say that anything changed. */
const mostTexts = 50;

/** @param k  rows that the spec wants to be alike; no smaller group is told of */
export async function inputsReference(subject: Subject, k = 0): Promise<InputsReference> {
  const fewest = Math.max(fewestRows, k);
  const { rows: all, features, parts: { train }, seed } = subject;
  const columns: ColumnReference[] = [];
  if (all.vector !== undefined) columns.push(arrays(all.vector, train, seed, fewest));
  const rows = selectedRows(all, train);
  for (const info of rows.columns.filter(({ name }) => features.includes(name))) columns.push(column(info, await summarise(rows, info, seed), fewest));
  return { rows: train.length, columns };
}

function column({ name, kind, private: hidden }: ColumnInfo, summary: NumberSummary | TextSummary, fewest: number): ColumnReference {
  if (summary instanceof NumberSummary) return { name, kind, ...numbers(summary, hidden, fewest) };
  const { rows, missing, distinct, exact, top: frequent } = summary.profile(mostTexts);
  if (hidden !== undefined) return { name, kind, private: hidden, missing };
  const top = frequent.filter((text) => text.rows >= fewest);
  const others = { rows: rows - missing - top.reduce((sum, text) => sum + text.rows, 0), distinct: distinct - top.length };
  return { name, kind, missing, texts: { top, others, exact } };
}

function numbers(summary: NumberSummary, hidden: ColumnInfo['private'], fewest: number): Omit<ColumnReference, 'name' | 'kind'> {
  const profile = summary.profile();
  const { missing, infinite } = profile;
  if (hidden !== undefined) return { private: hidden, missing };
  const values = valuesReference(summary, profile, fewest);
  return { missing, ...(infinite === 0 ? {} : { infinite }), ...(values === undefined ? {} : { values }) };
}

function arrays({ name, width, values }: VectorColumn, train: Int32Array, seed: number, fewest: number): ColumnReference {
  const means = Float64Array.from(train, (row) => {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += values[at] ?? NaN;
    return sum / width;
  });
  const summary = new NumberSummary('Number', means.length, random(seed, 'data profile', name));
  summary.add(means);
  return { name, kind: 'Vector', ...numbers(summary, undefined, fewest) };
}
