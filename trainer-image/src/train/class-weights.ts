/** How much the rows of a class count when they are learnt. */
import { AnnealError, list } from '../errors.ts';

/** Balanced: each class as much as any other, however few its rows. Else by the class' name; 1 for those that are not named. */
export type ClassWeights = 'Balanced' | Readonly<Record<string, number>>;

/**
 * @param codes  class places of the training rows
 * @returns the weight of each class, by its place
 * @throws AnnealError `SPEC_CONFLICT` for a name that is no class
 */
export function classWeightsOf(spec: ClassWeights, classes: readonly string[], codes: Int32Array | Float32Array): number[] {
  if (spec === 'Balanced') return balanced(classes.length, codes);
  const unknown = Object.keys(spec).find((name) => !classes.includes(name));
  if (unknown === undefined) return classes.map((name) => spec[name] ?? 1);
  throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.fit.classWeights', message: `There is no class "${unknown}"; there are ${list(classes)}. Write one of them.` });
}

/** rows / (classes × rows of the class), after King and Zeng (2001); 1 for a class that no training row has. */
function balanced(classes: number, codes: Int32Array | Float32Array): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts.map((count) => (count === 0 ? 1 : codes.length / (classes * count)));
}
