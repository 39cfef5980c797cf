/**
 * The trainer's own random numbers: xoshiro128** (Blackman and Vigna, 2021), so that a seed means the same in every release of Node.
 * A stream is named by what it is for, e.g. ('shuffle', epoch). It has no history: a resumed run opens the same stream again,
 * and nothing of it has to be in a checkpoint.
 */
import { createHash } from 'node:crypto';

export interface Random {
  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number;
  /** A whole number from 0 to n - 1, each equally likely; 0 < n <= 2^32. */
  below(n: number): number;
}

const rotl = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

/** The stream of `seed` for one purpose. Its state is the head of a SHA-256, so that near seeds give unrelated streams. */
export function random(seed: number, ...purpose: readonly (string | number)[]): Random {
  const digest = createHash('sha256').update(JSON.stringify(['anneal', seed, ...purpose])).digest();
  let [s0, s1, s2, s3] = [digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8), digest.readInt32LE(12) | 1];
  const uint32 = (): number => {
    const result = Math.imul(rotl(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotl(s3, 11);
    return result;
  };
  return {
    uint32,
    below: (n) => {
      // Values above the last whole multiple of n would make small numbers likelier; they are drawn again.
      let drawn = uint32();
      while (drawn >= 2 ** 32 - n && drawn >= 2 ** 32 - (2 ** 32 % n)) drawn = uint32();
      return drawn % n;
    },
  };
}

/** 0, 1, …, count - 1: rows in their order, to be shuffled or chosen from. */
export function upTo(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let at = 0; at < count; at++) numbers[at] = at;
  return numbers;
}

/** A seed for code that has its own generator, as TensorFlow.js' initialisers have. */
export function derivedSeed(seed: number, ...purpose: readonly (string | number)[]): number {
  // Never 0: TensorFlow.js takes that for "no seed".
  return (random(seed, ...purpose).uint32() >>> 1) | 1;
}

/** Fisher-Yates, in place. */
export function shuffle(values: Int32Array, source: Random): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = source.below(last + 1);
    const held = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = held;
  }
}
