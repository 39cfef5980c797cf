/**
 * 128-bit hashes of values and of whole rows, to find equal ones without holding them. The mixing is MurmurHash3_x86_128's (Austin
 * Appleby, public domain). It guards against chance, not against an attacker: among 10^9 rows two hashes meet with a chance of 10^-21.
 */
import { hash } from 'node:crypto';
import type { Column, VectorColumn } from '../table.ts';

/** Words of a hash. */
export const hashWords = 4;

const [c1, c2, c3, c4] = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];
const rotl = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

/** Mixes 16 bytes into the hash that begins at `at`. */
function mix(hashes: Int32Array, at: number, k1: number, k2: number, k3: number, k4: number): void {
  let h1 = hashes[at] ?? 0;
  let h2 = hashes[at + 1] ?? 0;
  let h3 = hashes[at + 2] ?? 0;
  let h4 = hashes[at + 3] ?? 0;
  h1 = (Math.imul(rotl(h1 ^ Math.imul(rotl(Math.imul(k1, c1), 15), c2), 19) + h2, 5) + 0x561ccd1b) | 0;
  h2 = (Math.imul(rotl(h2 ^ Math.imul(rotl(Math.imul(k2, c2), 16), c3), 17) + h3, 5) + 0x0bcaa747) | 0;
  h3 = (Math.imul(rotl(h3 ^ Math.imul(rotl(Math.imul(k3, c3), 17), c4), 15) + h4, 5) + 0x96cd1c35) | 0;
  h4 = (Math.imul(rotl(h4 ^ Math.imul(rotl(Math.imul(k4, c4), 18), c1), 13) + h1, 5) + 0x32ac3b17) | 0;
  hashes[at] = h1;
  hashes[at + 1] = h2;
  hashes[at + 2] = h3;
  hashes[at + 3] = h4;
}

function avalanche(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** Spreads each bit of what was mixed in over all bits. @param length  distinguishes inputs that are equal but for zeros at the end */
function finish(hashes: Int32Array, at: number, length: number): void {
  let h1 = (hashes[at] ?? 0) ^ length;
  let h2 = (hashes[at + 1] ?? 0) ^ length;
  let h3 = (hashes[at + 2] ?? 0) ^ length;
  let h4 = (hashes[at + 3] ?? 0) ^ length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = avalanche((h2 + h1) | 0);
  h3 = avalanche((h3 + h1) | 0);
  h4 = avalanche((h4 + h1) | 0);
  h1 = avalanche(h1);
  h1 = (h1 + h2 + h3 + h4) | 0;
  hashes[at] = h1;
  hashes[at + 1] = (h2 + h1) | 0;
  hashes[at + 2] = (h3 + h1) | 0;
  hashes[at + 3] = (h4 + h1) | 0;
}

/** Hashes of texts, one after another, of their UTF-16 code units. */
function hashTexts(texts: readonly string[]): Int32Array {
  const hashes = new Int32Array(texts.length * hashWords);
  const pair = (text: string, at: number): number => (at < text.length ? text.charCodeAt(at) : 0) | ((at + 1 < text.length ? text.charCodeAt(at + 1) : 0) << 16);
  texts.forEach((text, index) => {
    const at = index * hashWords;
    for (let from = 0; from < text.length; from += 8) mix(hashes, at, pair(text, from), pair(text, from + 2), pair(text, from + 4), pair(text, from + 6));
    finish(hashes, at, text.length);
  });
  return hashes;
}

/** What stands for a missing value: no number has these bits, and no text a hash of them but by chance. */
const [m1, m2, m3, m4] = [0x7ff80000, 0x6d697373, 0x696e6720, 0x76616c75];
const numberMark = 0x6e756d62;

export class RowHasher {
  /** A dictionary is often shared by all blocks of a column. */
  readonly #texts = new WeakMap<readonly string[], Int32Array>();

  /**
   * The hash of each row of these columns: equal rows have equal hashes. Missing values are equal to each other, and 0 to -0.
   * @param vector  what rows hold beside their columns; equal to the bit
   * @returns rows × 4 words
   */
  hash(columns: readonly Column[], rows: number, vector?: VectorColumn): Int32Array {
    const hashes = new Int32Array(rows * hashWords);
    for (const column of columns) if (column.kind === 'Text') this.#mixTexts(hashes, column.codes, column.dictionary); else mixNumbers(hashes, column.values);
    if (vector !== undefined) mixVectors(hashes, vector);
    for (let at = 0; at < hashes.length; at += hashWords) finish(hashes, at, columns.length);
    return hashes;
  }

  #mixTexts(hashes: Int32Array, codes: Int32Array, dictionary: readonly string[]): void {
    let texts = this.#texts.get(dictionary);
    if (texts === undefined) this.#texts.set(dictionary, texts = hashTexts(dictionary));
    for (let row = 0; row < codes.length; row++) {
      const from = (codes[row] ?? -1) * hashWords;
      if (from < 0) mix(hashes, row * hashWords, m1, m2, m3, m4);
      else mix(hashes, row * hashWords, texts[from] ?? 0, texts[from + 1] ?? 0, texts[from + 2] ?? 0, texts[from + 3] ?? 0);
    }
  }
}

const float = new Float64Array(1);
const bits = new Int32Array(float.buffer);

/** By a digest of the machine's own: a row may have hundreds of thousands of bytes. */
function mixVectors(hashes: Int32Array, { values, width }: VectorColumn): void {
  for (let row = 0; row * width < values.length; row++) {
    const part = values.subarray(row * width, (row + 1) * width);
    const digest = hash('sha256', new Uint8Array(part.buffer, part.byteOffset, part.byteLength), 'buffer');
    mix(hashes, row * hashWords, digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8), digest.readInt32LE(12));
  }
}

function mixNumbers(hashes: Int32Array, values: Float64Array): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? NaN;
    if (Number.isNaN(value)) {
      mix(hashes, row * hashWords, m1, m2, m3, m4);
    } else {
      float[0] = value === 0 ? 0 : value;
      mix(hashes, row * hashWords, bits[0] ?? 0, bits[1] ?? 0, numberMark, 0);
    }
  }
}
