/** What of a written value counts: blanks around it do not, and some texts stand for a missing value. */
import { numberPattern } from './numbers.ts';

export interface TextRule {
  /** Texts, without surrounding blanks, that stand for a missing value. */
  readonly missing: readonly string[];
  /** Whether blanks around a value are removed. */
  readonly trims: boolean;
}

/** A `TextRule` on bytes. A result is left in `from` and `to`, so that nothing is allocated for a value. */
export class ByteRule {
  from = 0;
  to = 0;
  /** Whether a number stands for a missing value, as -999 does in some data. */
  readonly hasNumbers: boolean;
  readonly #trims: boolean;
  readonly #missing: readonly Uint8Array[];
  readonly #longest: number;

  constructor({ missing, trims }: TextRule) {
    this.#trims = trims;
    this.#missing = missing.map((text) => new TextEncoder().encode(text));
    this.#longest = Math.max(-1, ...this.#missing.map(({ length }) => length));
    this.hasNumbers = missing.some((text) => numberPattern.test(text));
  }

  /** Narrows bytes from, …, to - 1 to what is left without the blanks that `String.trim` removes. */
  trim(bytes: Uint8Array, from: number, to: number): void {
    if (this.#trims) {
      while (from < to && isBlank(bytes[from] ?? 0)) from++;
      while (from < to && isBlank(bytes[to - 1] ?? 0)) to--;
      if (from < to && (mayBeginBlank(bytes[from] ?? 0) || (bytes[to - 1] ?? 0) >= 0x80)) {
        this.#trimUnicode(bytes, from, to);
        return;
      }
    }
    this.from = from;
    this.to = to;
  }

  isMissing(bytes: Uint8Array, from: number, to: number): boolean {
    return to - from <= this.#longest && this.#missing.some((text) => equals(text, bytes, from, to));
  }

  #trimUnicode(bytes: Uint8Array, from: number, to: number): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
    this.from = from + Buffer.byteLength(text) - Buffer.byteLength(text.trimStart());
    this.to = Math.max(this.from, to - Buffer.byteLength(text) + Buffer.byteLength(text.trimEnd()));
  }
}

/** The text as the rule leaves it; null where it stands for a missing value. */
export function ruled(text: string, { missing, trims }: TextRule): string | null {
  const left = trims ? text.trim() : text;
  return missing.includes(left) ? null : left;
}

/** Tab, line feed, vertical tab, form feed, carriage return, space. */
const isBlank = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

/** First bytes of the blanks beyond ASCII: U+00A0, U+1680, U+2000 to U+205F, U+3000, U+FEFF. */
const mayBeginBlank = (byte: number): boolean => byte === 0xc2 || (byte >= 0xe1 && byte <= 0xe3) || byte === 0xef;

function equals(text: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = 0; at < text.length; at++) if (text[at] !== bytes[from + at]) return false;
  return true;
}
