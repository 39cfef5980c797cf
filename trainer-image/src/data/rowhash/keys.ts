/** A set of hashes that gives each a small number, in typed arrays: 16 bytes a key and 4 to 8 for its place, and nothing for V8 to collect. */
import { hashWords } from './hash.ts';

/** How many different keys are held at once: with the numbers that go with them about 300 MB. */
export const mostKeys = 8 * 1024 * 1024;

/** More different keys than may be held. */
export class KeysFull extends Error {}

export class Keys {
  /** How many different ones there are. */
  size = 0;
  readonly #most: number;
  #keys = new Int32Array(1024 * hashWords);
  /** Open addressing with linear probing: 1 + number of the key, 0 where none is. A power of two, at most half full. */
  #slots = new Int32Array(4096);

  constructor(most = Infinity) {
    this.#most = most;
  }

  /** Number of the key that begins at `at`; a new key gets the next one. @throws KeysFull */
  add(hashes: Int32Array, at: number): number {
    const slot = this.#slotOf(hashes, at);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    if (this.size >= this.#most) throw new KeysFull();
    if ((this.size + 1) * hashWords > this.#keys.length) this.#keys = grown(this.#keys);
    for (let word = 0; word < hashWords; word++) this.#keys[this.size * hashWords + word] = hashes[at + word] ?? 0;
    this.#slots[slot] = ++this.size;
    if (this.size * 2 > this.#slots.length) this.#spread();
    return this.size - 1;
  }

  /** Number of the key that begins at `at`; -1 when it was never added. */
  find(hashes: Int32Array, at: number): number {
    return (this.#slots[this.#slotOf(hashes, at)] ?? 0) - 1;
  }

  /** Where the key is, or would be. */
  #slotOf(hashes: Int32Array, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = (hashes[at] ?? 0) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0 || this.#is(known - 1, hashes, at)) return slot;
    }
  }

  #is(key: number, hashes: Int32Array, at: number): boolean {
    const from = key * hashWords;
    const keys = this.#keys;
    return keys[from] === hashes[at] && keys[from + 1] === hashes[at + 1] && keys[from + 2] === hashes[at + 2] && keys[from + 3] === hashes[at + 3];
  }

  #spread(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let key = 0; key < this.size; key++) this.#slots[this.#slotOf(this.#keys, key * hashWords)] = key + 1;
  }
}

/** Counts by the numbers of keys; grows with them. */
export class Counts {
  #counts = new Int32Array(1024);

  /** @returns the count after it */
  add(key: number): number {
    if (key >= this.#counts.length) this.#counts = grown(this.#counts, key + 1);
    return (this.#counts[key] = (this.#counts[key] ?? 0) + 1);
  }

  of(key: number): number {
    return this.#counts[key] ?? 0;
  }
}

function grown(values: Int32Array<ArrayBuffer>, least = 0): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(values.length * 2, least));
  larger.set(values);
  return larger;
}

/** The keys that one pass over the data looks at. */
export interface KeyPart {
  readonly most: number;
  holds(hashes: Int32Array, at: number): boolean;
}

/**
 * Does a piece of work on all keys at once where they can be held, and else on one part of them after the other, with a pass over the data for
 * each. Memory is bounded; what a pass finds must not depend on keys of another part.
 * @param rows  no fewer than there are different keys
 */
export async function inParts<T>(rows: number, most: number, work: (part: KeyPart) => Promise<T>): Promise<T[]> {
  try {
    return [await work({ most, holds: () => true })];
  } catch (error) {
    if (!(error instanceof KeysFull)) throw error;
  }
  const parts = Math.ceil(rows / most) + 1;
  const done: T[] = [];
  // The last word is not used to place keys, so that a part's keys are spread over all slots.
  for (let part = 0; part < parts; part++) done.push(await work({ most: Infinity, holds: (hashes, at) => ((hashes[at + hashWords - 1] ?? 0) >>> 0) % parts === part }));
  return done;
}
