/**
 * Independent draws. The generator is counter-based: what a parameter gets follows from (seed, place, name)
 * and from nothing drawn before, so that trials may be proposed in any order, and a parameter's draws stay when another
 * one is added.
 */
import { createHash } from 'node:crypto';
import { boundsOf, levelsOf, type Parameter, type ParameterValues } from './parameters.ts';

/** Gives a fresh word of 64 uniform bits at each call. */
export type Words = () => bigint;

const wordsOfDigest = 4;

/**
 * The words of one parameter at one place: SHA-256 of `anneal/random/1`, seed, place, name and block number, joined by
 * NUL; each digest holds four words, most significant byte first.
 */
export function wordsFor(seed: number, place: number, name: string): Words {
  let taken = 0;
  let digest = Buffer.alloc(0);
  return () => {
    const word = taken % wordsOfDigest;
    if (word === 0) digest = createHash('sha256').update(['anneal/random/1', seed, place, name, taken / wordsOfDigest].join('\0')).digest();
    taken += 1;
    return digest.readBigUInt64BE(8 * word);
  };
}

/** Values of all parameters at a place of the search, from 0. */
export function randomPoint(parameters: readonly Parameter[], seed: number, place: number): ParameterValues {
  return Object.fromEntries(parameters.map((parameter) => [parameter.name, draw(parameter, wordsFor(seed, place, parameter.name))]));
}

function draw(parameter: Parameter, words: Words): unknown {
  if (parameter.scale === 'Log') return drawLog(parameter, words);
  const levels = levelsOf(parameter);
  if (levels !== undefined) return levels.valueAt(uniformBelow(levels.count, words));
  const { min, max } = boundsOf(parameter);
  const share = uniform(words);
  return within(min * (1 - share) + max * share, min, max);
}

/**
 * The logarithm is uniform. An Int is rounded from a range that is half a unit wider on both sides, so that its first
 * and last value get their whole share: P(k) is proportional to log((k + 1/2) / (k - 1/2)).
 */
function drawLog(parameter: Parameter, words: Words): number {
  const { min, max } = boundsOf(parameter);
  const margin = parameter.type === 'Int' ? 0.5 : 0;
  const [low, high] = [Math.log(min - margin), Math.log(max + margin)];
  const value = Math.exp(low + uniform(words) * (high - low));
  return within(parameter.type === 'Int' ? Math.round(value) : value, min, max);
}

/** Uniform in [0, 1), the 53 bits that a double holds. */
export function uniform(words: Words): number {
  return Number(words() >> 11n) * 2 ** -53;
}

/**
 * Uniform in 0 … count - 1 without bias: a draw that falls behind the last whole multiple of count is drawn anew.
 *
 * @param count  at least 1
 */
export function uniformBelow(count: bigint, words: Words): bigint {
  let range = 1n;
  while (range < count) range <<= 64n;
  const fair = range - (range % count);
  for (;;) {
    let number = 0n;
    for (let bits = range; bits > 1n; bits >>= 64n) number = (number << 64n) | words();
    if (number < fair) return number % count;
  }
}

/** Rounding may carry a value past its bound. */
function within(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
