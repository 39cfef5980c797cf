/** Some rows by lot, for what need not look at all of them. */
import { random } from '../random.ts';

/** Target of some rows. */
export type SampledTarget =
  | { readonly task: 'Classification'; /** Place of each row's class. */ readonly codes: Int32Array; readonly classes: number }
  | { readonly task: 'Regression'; readonly values: Float64Array };

/** Cells of a sample over all columns; 20 columns are looked at in 100,000 rows, 200 in 50,000. */
const mostCells = 10_000_000;
const mostRows = 100_000;
const fewestRows = 2000;

export const sampleSize = (columns: number): number => Math.max(fewestRows, Math.min(mostRows, Math.floor(mostCells / Math.max(columns, 1))));

/** `size` of the rows, each equally likely to be among them, in the order given. Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S. */
export function sampleOf(rows: Int32Array, size: number, seed: number): Int32Array {
  if (rows.length <= size) return rows;
  const chosen = new Int32Array(size);
  const source = random(seed, 'data sample');
  let taken = 0;
  for (let place = 0; taken < size; place++) {
    if (source.below(rows.length - place) < size - taken) chosen[taken++] = rows[place] ?? 0;
  }
  return chosen;
}
