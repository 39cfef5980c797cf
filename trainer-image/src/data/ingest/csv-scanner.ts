/** Reads rows of delimited text (RFC 4180) out of a block of bytes into growing columns, in one pass. */
import { carriageReturn, FaultError, lineFeed, quote, rowEndBytes } from './dialect.ts';
import type { Dialect, RowEnd } from './dialect.ts';
import { hashNext, hashStart } from './dictionary.ts';
import { GrowingColumn, met, pushText } from './growing.ts';
import type { Kind, ScannedColumn } from './growing.ts';
import { ascii, NumberReader, numberPattern } from './numbers.ts';
import { ByteRule } from './text-rule.ts';
import type { TextRule } from './text-rule.ts';
import { readTime } from './times.ts';

/** What a byte may end: nothing, a value, a row; or a quote, which may not stand there. */
const stop = { none: 0, delimiter: 1, rowEnd: 2, quote: 3 } as const;

/** Kinds of the columns; `undefined` is a column that is not read. */
export type Kinds = readonly (Kind | undefined)[];

export class CsvScanner {
  readonly #columns: readonly (GrowingColumn | undefined)[];
  readonly #delimiter: Uint8Array;
  readonly #rowEnd: Uint8Array;
  /** By a byte, what it may be the first of. */
  readonly #stops = new Uint8Array(256);
  /** Whether a byte alone tells, since delimiter and row end have one each. */
  readonly #stopsAreBytes: boolean;
  /** Whether a number ends where its value does, unless something is wrong with it. */
  readonly #numbersStop: boolean;
  readonly #numbers = new NumberReader();
  #capacity = 4096;
  #unquoted = new Uint8Array(256);
  /** What stands behind the value that was read last. */
  #after: number = stop.none;

  constructor({ delimiter, rowEnd }: Dialect, kinds: Kinds, rule: TextRule) {
    const bytes = new ByteRule(rule);
    const held = { texts: 0 };
    this.#columns = kinds.map((kind) => (kind === undefined ? undefined : new GrowingColumn(kind, bytes, held, this.#capacity)));
    this.#delimiter = delimiter;
    this.#rowEnd = rowEndBytes[rowEnd];
    this.#stops[quote] = stop.quote;
    this.#stops[delimiter[0] ?? 0] = stop.delimiter;
    this.#stops[this.#rowEnd[0] ?? 0] = stop.rowEnd;
    this.#stopsAreBytes = delimiter.length === 1 && this.#rowEnd.length === 1;
    this.#numbersStop = !bytes.hasNumbers && !numberPattern.test(`1${ascii(delimiter, 0, delimiter.length)}1`) && !'+-eE'.includes(ascii(delimiter, 0, 1));
  }

  /** What was met in each column so far, as `kindOf` understands it. */
  get seen(): number[] {
    return this.#columns.map((column) => column?.seen ?? 0);
  }

  /**
   * The rows of bytes 0, …, end - 1, which end with a row end. Blank lines are no rows.
   * @throws FaultError
   */
  scan(bytes: Uint8Array, end: number): { readonly rows: number; readonly columns: (ScannedColumn | undefined)[] } {
    const columns = this.#columns;
    const width = columns.length;
    let row = 0;
    for (let at = 0; at < end;) {
      if (this.#stopAt(bytes, at) === stop.rowEnd) {
        at += this.#rowEnd.length;
        continue;
      }
      if (row === this.#capacity) this.#grow();
      const start = at;
      let place = 0;
      for (;; place++) {
        if (place === width) throw this.#ragged(bytes, start, end);
        at = this.#value(columns[place], row, bytes, at, end);
        if (this.#after === stop.rowEnd) break;
        at += this.#delimiter.length;
      }
      if (place !== width - 1) throw this.#ragged(bytes, start, end);
      at += this.#rowEnd.length;
      row++;
    }
    return { rows: row, columns: columns.map((column) => column?.take(row)) };
  }

  /** Values of the first row, blanks and all, and where the next row begins; undefined when there are only blank lines. @throws FaultError */
  firstRow(bytes: Uint8Array, end: number): { readonly values: string[]; readonly next: number } | undefined {
    let at = 0;
    while (at < end && this.#stopAt(bytes, at) === stop.rowEnd) at += this.#rowEnd.length;
    return at < end ? this.#rowAt(bytes, at, end) : undefined;
  }

  #rowAt(bytes: Uint8Array, from: number, end: number): { readonly values: string[]; readonly next: number } {
    const values: string[] = [];
    for (let at = from; ; at += this.#delimiter.length) {
      if (bytes[at] === quote) {
        const to = this.#quotedEnd(bytes, at, end);
        values.push(Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, to - at - 1).toString('utf8').replaceAll('""', '"'));
        at = this.#afterQuote(bytes, to);
      } else {
        const to = this.#valueEnd(bytes, at);
        values.push(Buffer.from(bytes.buffer, bytes.byteOffset + at, to - at).toString('utf8'));
        at = to;
      }
      if (this.#after === stop.rowEnd) return { values, next: at + this.#rowEnd.length };
    }
  }

  /** Reads a value into its column. @returns where its delimiter or row end stands */
  #value(column: GrowingColumn | undefined, row: number, bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] === quote) return this.#quotedValue(column, row, bytes, at, end);
    if (column === undefined) return this.#valueEnd(bytes, at);
    switch (column.kind) {
      case 'Number': {
        if (this.#numbersStop) {
          const value = this.#numbers.read(bytes, at, end);
          const to = this.#numbers.end;
          const after = this.#stopsAreBytes ? this.#stops[bytes[to] ?? 0] : this.#stopAt(bytes, to);
          if (!Number.isNaN(value) && (after === stop.delimiter || after === stop.rowEnd)) {
            this.#after = after;
            column.values[row] = value;
            column.seen |= met.number;
            return to;
          }
        }
        const to = this.#valueEnd(bytes, at);
        column.any(row, bytes, at, to);
        return to;
      }
      case 'Time': {
        const to = this.#valueEnd(bytes, at);
        const value = readTime(bytes, at, to);
        if (Number.isNaN(value)) {
          column.any(row, bytes, at, to);
        } else {
          column.values[row] = value;
          column.seen |= met.time;
        }
        return to;
      }
      case 'Text': {
        const stops = this.#stops;
        let hash = hashStart;
        let to = at;
        for (;; to++) {
          const byte = bytes[to] ?? 0;
          if (stops[byte] !== stop.none && this.#isEnd(bytes, to)) break;
          hash = hashNext(hash, byte);
        }
        column.text(row, bytes, at, to, hash);
        return to;
      }
    }
  }

  #quotedValue(column: GrowingColumn | undefined, row: number, bytes: Uint8Array, at: number, end: number): number {
    const to = this.#quotedEnd(bytes, at, end);
    const after = this.#afterQuote(bytes, to);
    if (column === undefined) return after;
    const length = this.#unquote(bytes, at + 1, to);
    if (column.kind === 'Text') pushText(column, row, this.#unquoted, 0, length); else column.any(row, this.#unquoted, 0, length);
    return after;
  }

  /** Where the closing quote stands of a value that opens at `at`. */
  #quotedEnd(bytes: Uint8Array, at: number, end: number): number {
    for (let to = at + 1; to < end; to++) {
      if (bytes[to] !== quote) continue;
      if (to + 1 < end && bytes[to + 1] === quote) to++; else return to;
    }
    throw new FaultError({ kind: 'QuoteNotClosed', at });
  }

  #afterQuote(bytes: Uint8Array, closing: number): number {
    this.#after = this.#stopAt(bytes, closing + 1);
    if (this.#after === stop.delimiter || this.#after === stop.rowEnd) return closing + 1;
    throw new FaultError({ kind: 'TextAfterQuote', at: closing });
  }

  #unquote(bytes: Uint8Array, from: number, to: number): number {
    if (to - from > this.#unquoted.length) this.#unquoted = new Uint8Array((to - from) * 2);
    let length = 0;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] ?? 0;
      this.#unquoted[length++] = byte;
      if (byte === quote) at++;
    }
    return length;
  }

  /** Where the delimiter or row end stands of a value without quotes that begins at `at`. */
  #valueEnd(bytes: Uint8Array, at: number): number {
    let to = at;
    while (this.#stops[bytes[to] ?? 0] === stop.none || !this.#isEnd(bytes, to)) to++;
    return to;
  }

  /** Whether a value without quotes ends before this byte; `#after` then tells at what. @throws FaultError for a quote */
  #isEnd(bytes: Uint8Array, at: number): boolean {
    this.#after = this.#stopAt(bytes, at);
    if (this.#after === stop.quote) throw new FaultError({ kind: 'QuoteInValue', at });
    return this.#after !== stop.none;
  }

  #stopAt(bytes: Uint8Array, at: number): number {
    const first = this.#stops[bytes[at] ?? 0] ?? stop.none;
    if (this.#stopsAreBytes || first === stop.none || first === stop.quote) return first;
    const whole = first === stop.delimiter ? this.#delimiter : this.#rowEnd;
    for (let next = 1; next < whole.length; next++) if (bytes[at + next] !== whole[next]) return stop.none;
    return first;
  }

  #ragged(bytes: Uint8Array, start: number, end: number): FaultError {
    return new FaultError({ kind: 'Ragged', at: start, has: this.#rowAt(bytes, start, end).values.length });
  }

  #grow(): void {
    this.#capacity *= 2;
    for (const column of this.#columns) column?.grow(this.#capacity);
  }
}

/** What ends the rows, by the first line break outside of quotes in bytes 0, …, end - 1; undefined where more bytes must be seen. */
export function rowEndOf(bytes: Uint8Array, end: number, isAll: boolean): RowEnd | undefined {
  let isQuoted = false;
  for (let at = 0; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (byte === lineFeed) return 'LineFeed';
    if (byte !== carriageReturn) continue;
    if (at + 1 === end) return isAll ? 'CarriageReturn' : undefined;
    return bytes[at + 1] === lineFeed ? 'CarriageReturnLineFeed' : 'CarriageReturn';
  }
  return undefined;
}
