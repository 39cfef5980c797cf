/** Different texts by their bytes: a code for each, without a string for each row. */

const firstTexts = 64;
const empty = -1;

/** A hash table with open addressing (linear probing, at most half full); codes count from 0 in the order of first use. */
export class Dictionary {
  /** Different texts. */
  size = 0;
  #slots = new Int32Array(firstTexts * 2).fill(empty);
  #mask = firstTexts * 2 - 1;
  #hashes = new Int32Array(firstTexts);
  /** The text with code c is bytes ends[c - 1] to ends[c]. */
  #ends = new Int32Array(firstTexts);
  #bytes = new Uint8Array(256);
  #used = 0;

  /**
   * The code of bytes from, …, to - 1. A text that is new gets one.
   * @param hash  any function of the bytes
   */
  codeOf(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const spread = hash ^ (hash >>> 15);
    let slot = spread & this.#mask;
    for (let code = this.#slots[slot] ?? empty; code !== empty; slot = (slot + 1) & this.#mask, code = this.#slots[slot] ?? empty) {
      if (this.#hashes[code] === spread && this.#equals(code, bytes, from, to)) return code;
    }
    return this.#add(bytes, from, to, spread);
  }

  /** Where a text stands in `bytes`. */
  from(code: number): number {
    return code === 0 ? 0 : (this.#ends[code - 1] ?? 0);
  }

  to(code: number): number {
    return this.#ends[code] ?? 0;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The texts with codes from, …, size - 1. */
  texts(from: number): string[] {
    const held = Buffer.from(this.#bytes.buffer, 0, this.#used);
    return Array.from({ length: this.size - from }, (_, place) => held.toString('utf8', this.from(from + place), this.to(from + place)));
  }

  #equals(code: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.from(code);
    if (this.to(code) - start !== to - from) return false;
    for (let at = from, held = start; at < to; at++, held++) if (bytes[at] !== this.#bytes[held]) return false;
    return true;
  }

  #add(bytes: Uint8Array, from: number, to: number, spread: number): number {
    if (this.size === this.#ends.length) this.#grow();
    const code = this.size++;
    const used = this.#used + to - from;
    if (used > this.#bytes.length) this.#bytes = larger(this.#bytes, new Uint8Array(Math.max(used, this.#bytes.length * 2)));
    for (let at = from, held = this.#used; at < to; at++, held++) this.#bytes[held] = bytes[at] ?? 0;
    this.#used = used;
    this.#ends[code] = used;
    this.#hashes[code] = spread;
    this.#place(code);
    return code;
  }

  #place(code: number): void {
    let slot = (this.#hashes[code] ?? 0) & this.#mask;
    while (this.#slots[slot] !== empty) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = code;
  }

  #grow(): void {
    const texts = this.#ends.length * 2;
    this.#ends = larger(this.#ends, new Int32Array(texts));
    this.#hashes = larger(this.#hashes, new Int32Array(texts));
    this.#slots = new Int32Array(texts * 2).fill(empty);
    this.#mask = texts * 2 - 1;
    for (let code = 0; code < this.size; code++) this.#place(code);
  }
}

/** FNV-1a, a byte at a time, so that a scanner can hash while it looks for the end. */
export const hashStart = 0x811c9dc5 | 0;
export const hashNext = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = hashStart;
  for (let at = from; at < to; at++) hash = hashNext(hash, bytes[at] ?? 0);
  return hash;
}

function larger<T extends Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
