/** What a column of texts is like, from its codes block by block. */
import type { TextColumn } from '../table.ts';
import { RowHasher } from '../rowhash/hash.ts';
import { DistinctSketch } from './distinct.ts';

export interface TextProfile {
  readonly kind: 'Text';
  readonly rows: number;
  readonly missing: number;
  readonly distinct: number;
  /** Whether `distinct` and the counts of `top` are exact. */
  readonly exact: boolean;
  /** The most frequent texts, of equally frequent ones the first by code unit. */
  readonly top: readonly { readonly value: string; readonly rows: number }[];
  /** Lengths in UTF-16 code units; left out where every value is missing. */
  readonly lengths?: { readonly least: number; readonly mean: number; readonly greatest: number };
}

/** Texts that a report shows. */
const shownTop = 10;
/** Different texts that are counted at once where blocks share no dictionary. */
const mostCounted = 1024 * 1024;

/**
 * Where all blocks share one dictionary every text is counted. Else texts are put together in a map, which is kept bounded as by Misra and
 * Gries (1982): what the middle one has is taken from all counts, and those without any left are forgotten. A count is then too low by at most 2 × rows / `most`.
 */
export class TextSummary {
  #rows = 0;
  #missing = 0;
  #dictionary: readonly string[] = [];
  /** Rows of each text of the dictionary at hand. */
  #codes = new Float64Array(0);
  readonly #counts = new Map<string, number>();
  #forgotten = false;
  readonly #lengths = { least: Infinity, sum: 0, greatest: 0 };
  readonly #most: number;
  readonly #distinct = new DistinctSketch();
  readonly #hasher = new RowHasher();

  constructor(most = mostCounted) {
    this.#most = most;
  }

  add({ codes, dictionary }: TextColumn): void {
    if (dictionary !== this.#dictionary) {
      this.#collect();
      this.#dictionary = dictionary;
      this.#codes = new Float64Array(dictionary.length);
    }
    for (const code of codes) {
      if (code < 0) this.#missing++; else this.#codes[code] = (this.#codes[code] ?? 0) + 1;
    }
    this.#rows += codes.length;
  }

  /** Brings the counts of a dictionary into the map. */
  #collect(): void {
    for (const [text, rows] of this.#counted()) {
      const known = this.#counts.get(text);
      if (known === undefined && this.#forgotten) this.#sketch(text);
      this.#counts.set(text, (known ?? 0) + rows);
    }
    if (this.#counts.size > this.#most) this.#forget();
  }

  /** Texts of the dictionary at hand that rows have. */
  * #counted(): Generator<[string, number]> {
    for (let code = 0; code < this.#dictionary.length; code++) {
      const rows = this.#codes[code] ?? 0;
      const text = this.#dictionary[code] ?? '';
      if (rows === 0) continue;
      this.#lengths.least = Math.min(this.#lengths.least, text.length);
      this.#lengths.greatest = Math.max(this.#lengths.greatest, text.length);
      this.#lengths.sum += rows * text.length;
      yield [text, rows];
    }
  }

  #forget(): void {
    if (!this.#forgotten) for (const text of this.#counts.keys()) this.#sketch(text);
    this.#forgotten = true;
    const middle = Float64Array.from(this.#counts.values()).sort()[this.#counts.size - Math.floor(this.#most / 2)] ?? 0;
    for (const [text, rows] of this.#counts) if (rows > middle) this.#counts.set(text, rows - middle); else this.#counts.delete(text);
  }

  #sketch(text: string): void {
    this.#distinct.add(this.#hasher.hash([{ kind: 'Text', name: '', codes: Int32Array.of(0), dictionary: [text] }], 1), 0);
  }

  /** @param mostTop  texts that are named with their counts */
  profile(mostTop = shownTop): TextProfile {
    const alone = this.#counts.size === 0 && !this.#forgotten;
    if (!alone) this.#collect();
    const { top, distinct } = topOf(alone ? this.#counted() : this.#counts, mostTop);
    const present = this.#rows - this.#missing;
    const { least, sum, greatest } = this.#lengths;
    return {
      kind: 'Text', rows: this.#rows, missing: this.#missing,
      distinct: this.#forgotten ? this.#distinct.estimate() : distinct,
      exact: !this.#forgotten,
      top,
      ...(present === 0 ? {} : { lengths: { least, mean: sum / present, greatest } }),
    };
  }
}

function topOf(counts: Iterable<[string, number]>, mostTop: number): { top: { value: string; rows: number }[]; distinct: number } {
  const top: { value: string; rows: number }[] = [];
  let distinct = 0;
  for (const [value, rows] of counts) {
    distinct++;
    const last = top.at(-1);
    if (top.length === mostTop && last !== undefined && !isBefore({ value, rows }, last)) continue;
    const place = top.findIndex((other) => isBefore({ value, rows }, other));
    top.splice(place < 0 ? top.length : place, 0, { value, rows });
    top.length = Math.min(top.length, mostTop);
  }
  return { top, distinct };
}

const isBefore = (a: { value: string; rows: number }, b: { value: string; rows: number }): boolean => a.rows > b.rows || (a.rows === b.rows && a.value < b.value);
