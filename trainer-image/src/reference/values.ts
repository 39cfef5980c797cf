/** How numbers are spread, in groups that are large enough to tell nothing of one row. */
import type { NumberProfile, NumberSummary } from '../data/profile/numbers.ts';
import type { ValuesReference } from './profile.ts';

/** Rows that share whatever is told of them. */
export const fewestRows = 5;

/** Twentieths, so that two together are the tenths that a stability index is usual for, and a distance between distributions is off by a twentieth at most. */
const mostBins = 20;

/** @param fewest  rows in each bin. @returns what may be told; undefined for fewer finite values than that */
export function valuesReference(summary: NumberSummary, { rows, missing, infinite, exact, statistics }: NumberProfile, fewest: number): ValuesReference | undefined {
  if (statistics === undefined || rows - missing - infinite < fewest) return undefined;
  const { mean, deviation } = statistics;
  return { mean, deviation, exact, ...summary.bins(mostBins, fewest) };
}
