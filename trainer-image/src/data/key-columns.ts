/** Columns that tell rows apart, say when they were or what came of them, rather than what they are like: no model learns from them unless it is told to. */
import type { TrainerSpec } from '@anneal/operator/api';
import { namesIn } from './pipeline/expression.ts';
import { sandbox } from './pipeline/sandbox.ts';

/** Pseudonyms, what rows are grouped and ordered by, and what tells anomalies. */
export function keyColumns({ split, privacy }: TrainerSpec['data'], { validation, evaluation }: Pick<TrainerSpec, 'validation' | 'evaluation'> = {}): string[] {
  return [split.groupBy, split.orderBy, validation?.groupBy, evaluation?.anomaly?.label?.column, ...privacy?.pseudonymise?.columns ?? []].filter((name) => name !== undefined);
}

/**
 * Whether it is an index without a name, as pandas writes one into a Parquet file ("Specification for pandas metadata", column names). It is there
 * whenever rows were chosen or sorted before they were written, and often gives the target away by their order.
 */
export const isUnnamedIndex = (name: string): boolean => /^__index_level_\d+__$/.test(name);

export interface KeyColumnUse {
  /** No step names them. */
  readonly unused: ReadonlySet<string>;
  /** A column is derived from them; they themselves go no further than the pipeline. */
  readonly derivedFrom: readonly string[];
}

/** @param keys  a step that lists one among its columns means it, and then it is a column like others */
export async function useOfKeyColumns(keys: readonly string[], { pipeline }: Pick<TrainerSpec['data'], 'pipeline'>): Promise<KeyColumnUse> {
  const listed = new Set(pipeline.flatMap((step) => Object.values(step).flatMap(({ column, columns = [] }: { readonly column?: string; readonly columns?: readonly string[] }) => (column === undefined ? columns : [column]))));
  const apart = [...new Set(keys)].filter((name) => !listed.has(name));
  const expressions = apart.length === 0 ? [] : pipeline.flatMap(({ derive }) => (derive === undefined ? [] : [derive.expression]));
  const named = new Set<string>();
  for (const expression of expressions) for (const name of await namesIn(expression, await sandbox())) named.add(name);
  return { unused: new Set(apart.filter((name) => !named.has(name))), derivedFrom: apart.filter((name) => named.has(name)) };
}
