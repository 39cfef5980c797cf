import type { Random } from '../../../trainer-image/src/data/random.ts';

/** Standard normal, by Box and Muller. */
export function normal(source: Random): number {
  const [u, v] = [(source.uint32() + 1) / 2 ** 32, source.uint32() / 2 ** 32];
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
}
