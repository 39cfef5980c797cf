/** One column while a block of rows is read. Its kind is a guess; what was met tells whether the guess held, and else which kind it is. */
import type { Column } from '../table.ts';
import { Dictionary, hashOf } from './dictionary.ts';
import { NumberReader } from './numbers.ts';
import { PlainTexts } from './plain-texts.ts';
import { encodeNumbers, encodePlain } from './segments.ts';
import type { Segment } from './segments.ts';
import type { ByteRule } from './text-rule.ts';
import { readTime } from './times.ts';

export type Kind = Column['kind'];

/** Sets of what was met, as bits. */
export const met = { number: 1, time: 2, text: 4 } as const;

/** The kind of a column in which all this was met. A column without any value holds numbers, all of them missing. */
export function kindOf(seen: number): Kind {
  if (seen === met.time) return 'Time';
  return (seen & ~met.number) === 0 ? 'Number' : 'Text';
}

/** The rows of a column in one block. */
export type ScannedColumn =
  | { readonly kind: 'Segment'; readonly segment: Segment }
  /** Codes of the thread that read the block, and the texts that it met here for the first time, in the order of their codes. */
  | { readonly kind: 'Codes'; readonly codes: Int32Array; readonly newTexts: readonly string[] };

/** Different texts that one thread gives codes to: of one column, and of all. Beyond them, texts are stored by themselves. */
const mostTexts = 32_768;
const mostTextsOfAll = 1_048_576;

/** Texts that a thread holds in its dictionaries. */
export interface Held {
  texts: number;
}

const numbers = new NumberReader();

export class GrowingColumn {
  readonly kind: Kind;
  seen = 0;
  /** Of numbers and times. Rows beyond `rows` hold what an earlier block left. */
  values: Float64Array;
  /** Of texts, as long as they are few. */
  codes: Int32Array;
  #dictionary: Dictionary | undefined;
  #told = 0;
  readonly #plain = new PlainTexts();
  readonly #rule: ByteRule;
  readonly #held: Held;

  constructor(kind: Kind, rule: ByteRule, held: Held, capacity: number) {
    this.kind = kind;
    this.#rule = rule;
    this.#held = held;
    this.values = new Float64Array(kind === 'Text' ? 0 : capacity);
    this.codes = new Int32Array(kind === 'Text' ? capacity : 0);
    this.#dictionary = kind === 'Text' ? new Dictionary() : undefined;
  }

  grow(capacity: number): void {
    if (this.kind !== 'Text') {
      const values = new Float64Array(capacity);
      values.set(this.values);
      this.values = values;
    } else if (this.#dictionary !== undefined) {
      const codes = new Int32Array(capacity);
      codes.set(this.codes);
      this.codes = codes;
    }
  }

  /** A value of a column of numbers or times that is anything: number, moment, text, or missing. */
  any(row: number, bytes: Uint8Array, from: number, to: number): void {
    const rule = this.#rule;
    rule.trim(bytes, from, to);
    this.values[row] = rule.isMissing(bytes, rule.from, rule.to) ? NaN : this.#present(bytes, rule.from, rule.to);
  }

  #present(bytes: Uint8Array, from: number, to: number): number {
    const number = numbers.read(bytes, from, to);
    if (numbers.end === to && !Number.isNaN(number)) {
      this.seen |= met.number;
      return this.kind === 'Number' ? number : NaN;
    }
    const time = readTime(bytes, from, to);
    this.seen |= Number.isNaN(time) ? met.text : met.time;
    return this.kind === 'Time' ? time : NaN;
  }

  /** A value of a column of texts as it is written; `hash` is `hashOf` the bytes. */
  text(row: number, bytes: Uint8Array, from: number, to: number, hash: number): void {
    if (this.#dictionary === undefined) {
      this.#plainText(bytes, from, to);
      return;
    }
    const before = this.#dictionary.size;
    this.codes[row] = this.#dictionary.codeOf(bytes, from, to, hash);
    if (this.#dictionary.size === before) return;
    this.#held.texts++;
    if (this.#dictionary.size > mostTexts || this.#held.texts > mostTextsOfAll) this.#giveUpCodes(row + 1, this.#dictionary);
  }

  missingText(row: number): void {
    if (this.#dictionary === undefined) this.#plain.pushMissing(); else this.codes[row] = -1;
  }

  #plainText(bytes: Uint8Array, from: number, to: number): void {
    const rule = this.#rule;
    rule.trim(bytes, from, to);
    if (rule.isMissing(bytes, rule.from, rule.to)) this.#plain.pushMissing(); else this.#plain.push(bytes, rule.from, rule.to);
  }

  #giveUpCodes(rows: number, dictionary: Dictionary): void {
    this.#dictionary = undefined;
    this.#held.texts -= dictionary.size;
    for (let row = 0; row < rows; row++) {
      const code = this.codes[row] ?? -1;
      if (code < 0) this.#plain.pushMissing(); else this.#plainText(dictionary.bytes, dictionary.from(code), dictionary.to(code));
    }
    this.codes = new Int32Array(0);
  }

  /** What the block holds; the next one begins. */
  take(rows: number): ScannedColumn {
    if (this.kind !== 'Text') return { kind: 'Segment', segment: encodeNumbers(this.values.subarray(0, rows)) };
    if (this.#dictionary === undefined) {
      const segment = encodePlain(this.#plain);
      this.#plain.clear();
      return { kind: 'Segment', segment };
    }
    const newTexts = this.#dictionary.texts(this.#told);
    this.#told = this.#dictionary.size;
    return { kind: 'Codes', codes: this.codes.slice(0, rows), newTexts };
  }
}

/** For callers that did not hash on the way. */
export function pushText(column: GrowingColumn, row: number, bytes: Uint8Array, from: number, to: number): void {
  column.text(row, bytes, from, to, hashOf(bytes, from, to));
}
