/** Which columns reach the network as codes of categories, so that it can embed them. */
import type { CodedColumn } from '../model/spec.ts';
import type { Preprocessing } from './prepare.ts';

/** Those that were encoded as `Ordinal`, and not made into other numbers after that. */
export function codedColumns({ steps, features }: Pick<Preprocessing, 'steps' | 'features'>): CodedColumn[] {
  const categories = new Map<string, number>();
  for (const step of steps) {
    for (const column of step.columns) {
      categories.delete(column.name);
      if (step.kind === 'Encode' && step.method === 'Ordinal' && 'categories' in column) categories.set(column.name, column.categories.length);
    }
  }
  return features.flatMap((name, place) => {
    const count = categories.get(name);
    return count === undefined ? [] : [{ place, categories: count }];
  });
}
