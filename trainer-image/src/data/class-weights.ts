/** What an error on a row of each class counts. */
import { AnnealError, list } from '../errors.ts';
import { countCodes } from './statistics.ts';

/** Balanced: each class counts as much as each other, rows / (classes × rows of the class), as scikit-learn's compute_class_weight. Else by name; 1 for a class that is not named. */
export type ClassWeightsSpec = 'Balanced' | Readonly<Record<string, number>>;

/**
 * @param codes  class of each training row
 * @returns by class
 * @throws AnnealError `SPEC_CONFLICT` for a name that is no class
 */
export function classWeights(spec: ClassWeightsSpec, classes: readonly string[], codes: Int32Array): Float64Array {
  if (spec === 'Balanced') {
    const counts = countCodes(codes, classes.length);
    const seen = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    return counts.map((count) => (count === 0 ? 0 : codes.length / (seen * count)));
  }
  const stranger = Object.keys(spec).find((name) => !classes.includes(name));
  if (stranger !== undefined) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.fit.classWeights', message: `There is no class "${stranger}"; the target has ${list(classes)}. Write one of them.` });
  return Float64Array.from(classes, (name) => spec[name] ?? 1);
}
