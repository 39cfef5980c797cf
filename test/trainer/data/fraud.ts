/** Payments, of which few are fraud: rows like those of the well-known set of card payments, with classes that overlap. */
import { random } from '../../../trainer-image/src/data/random.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import type { Part } from '../../../trainer-image/src/data/part.ts';
import { normal } from '../evaluate/support.ts';

export type ClassPart = Part & { readonly targets: Int32Array };

const width = 10;
/** Ways to defraud: each moves other columns, by standard deviations of honest payments. */
const ways = [[3.4, -2.2, 0, 0, 1.6, 0, 0, 0, 0, 0], [0, 0, 3.8, 1.8, 0, -1.8, 0, 0, 0, 0], [-1.6, 0, 0, 0, 0, 2.4, 3.2, 0, 0, 0]] as const;

/** @param share  of the rows that are fraud. @returns class 1 for fraud */
export function payments(rows: number, share: number, seed: number): ClassPart {
  const source = random(seed, 'payments', rows);
  const frauds = Math.round(rows * share);
  const values = new Float32Array(rows * width);
  const targets = Int32Array.from({ length: rows }, (_, row) => (row < frauds ? 1 : 0));
  targets.forEach((isFraud, row) => {
    const way = ways[source.below(ways.length)] ?? ways[0];
    // Some honest payments are odd, and some frauds are not.
    const spread = source.below(20) === 0 ? 2 : 1;
    for (let column = 0; column < width; column++) values[row * width + column] = spread * normal(source) + isFraud * (way[column] ?? 0);
  });
  return { rows, features: matrixOf(values, width), targets };
}
