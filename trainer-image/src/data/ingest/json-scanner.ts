/** Reads JSON lines (one object of scalars a line, RFC 8259) out of a block of bytes into growing columns, in one pass. */
import { FaultError, lineFeed, quote } from './dialect.ts';
import { Dictionary, hashNext, hashOf, hashStart } from './dictionary.ts';
import { GrowingColumn, met, pushText } from './growing.ts';
import type { Kind, ScannedColumn } from './growing.ts';
import { NumberReader } from './numbers.ts';
import { ByteRule } from './text-rule.ts';
import { readTime } from './times.ts';

/** A column by its key. One without kind is not read. */
export interface JsonColumn {
  readonly name: string;
  readonly kind: Kind | undefined;
}

const [openBrace, closeBrace, openBracket, closeBracket, colon, comma, backslash] = [123, 125, 91, 93, 58, 44, 92];
const [zero, nine, minus, point, smallE, bigE] = [48, 57, 45, 46, 101, 69];
const [blank, tab, carriageReturn] = [32, 9, 13];
const [yes, no, nothing] = ['true', 'false', 'null'].map((word) => new TextEncoder().encode(word)) as [Uint8Array, Uint8Array, Uint8Array];

export class JsonScanner {
  /** In the order in which their keys were met. */
  readonly columns: JsonColumn[] = [];
  readonly #growing: (GrowingColumn | undefined)[] = [];
  /** By the place in `columns`, the row that last had the key. */
  readonly #lastRow: number[] = [];
  /** Codes are places in `columns`. */
  readonly #keys = new Dictionary();
  readonly #isRead: (name: string) => boolean;
  readonly #rule = new ByteRule({ missing: [], trims: false });
  readonly #held = { texts: 0 };
  readonly #numbers = new NumberReader();
  #capacity = 4096;
  /** Row of the block that is read. */
  #row = 0;
  /** The string that was read last: bytes from, …, to - 1 of `source`, which is the block unless the string has escapes. */
  #source: Uint8Array = new Uint8Array(0);
  #from = 0;
  #to = 0;
  #hash = 0;

  /** @param known  columns that an earlier pass found. @param isRead  which keys are read; others may hold anything */
  constructor(known: readonly JsonColumn[], isRead: (name: string) => boolean) {
    this.#isRead = isRead;
    for (const column of known) {
      const key = new TextEncoder().encode(column.name);
      this.#keys.codeOf(key, 0, key.length, hashOf(key, 0, key.length));
      this.#add(column);
    }
  }

  /** What was met in each column so far, as `kindOf` understands it. */
  get seen(): number[] {
    return this.#growing.map((column) => column?.seen ?? 0);
  }

  /** The rows of bytes 0, …, end - 1, which end with a line feed. Blank lines are no rows. @throws FaultError */
  scan(bytes: Uint8Array, end: number): { readonly rows: number; readonly columns: (ScannedColumn | undefined)[] } {
    this.#row = 0;
    this.#lastRow.fill(-1);
    for (let at = 0; at < end; at++) {
      at = skipBlanks(bytes, at);
      if (bytes[at] === lineFeed) continue;
      if (this.#row === this.#capacity) this.#grow();
      if (bytes[at] !== openBrace) throw new FaultError({ kind: 'NotObject', at });
      at = skipBlanks(bytes, this.#object(bytes, at));
      if (bytes[at] !== lineFeed) throw notJson(at);
      this.#fillMissing();
      this.#row++;
    }
    return { rows: this.#row, columns: this.#growing.map((column) => column?.take(this.#row)) };
  }

  /** @returns the byte after the object that begins at `from` */
  #object(bytes: Uint8Array, from: number): number {
    let at = skipBlanks(bytes, from + 1);
    if (bytes[at] === closeBrace) return at + 1;
    for (;;) {
      if (bytes[at] !== quote) throw notJson(at);
      const keyAt = at;
      at = skipBlanks(bytes, this.#string(bytes, at));
      if (bytes[at] !== colon) throw notJson(at);
      at = skipBlanks(bytes, this.#value(this.#placeOfKey(keyAt), bytes, skipBlanks(bytes, at + 1)));
      if (bytes[at] === closeBrace) return at + 1;
      if (bytes[at] !== comma) throw notJson(at);
      at = skipBlanks(bytes, at + 1);
    }
  }

  /** Place of the column whose key was read last. A new one has none in `columns` yet: its first value tells its kind. */
  #placeOfKey(keyAt: number): number {
    if (this.#from === this.#to) throw new FaultError({ kind: 'KeyEmpty', at: keyAt, key: '' });
    const place = this.#keys.codeOf(this.#source, this.#from, this.#to, this.#hash);
    if (this.#lastRow[place] === this.#row) throw new FaultError({ kind: 'KeyTwice', at: keyAt, key: this.columns[place]?.name ?? '' });
    if (place < this.columns.length) this.#lastRow[place] = this.#row;
    return place;
  }

  /** @returns the byte after the value that begins at `at` */
  #value(place: number, bytes: Uint8Array, at: number): number {
    const first = bytes[at];
    const name = place < this.columns.length ? undefined : utf8(this.#source, this.#from, this.#to);
    const open = (kind: Kind): GrowingColumn | undefined => {
      if (name !== undefined) this.#add({ name, kind: this.#isRead(name) ? kind : undefined });
      this.#lastRow[place] = this.#row;
      return this.#growing[place];
    };
    switch (first) {
      case quote: {
        const after = this.#string(bytes, at);
        const time = this.#to - this.#from >= 10 ? readTime(this.#source, this.#from, this.#to) : NaN;
        this.#text(open(Number.isNaN(time) ? 'Text' : 'Time'), time);
        return after;
      }
      case openBrace:
      case openBracket: {
        if (open('Number') !== undefined) throw new FaultError({ kind: 'Nested', at, key: this.columns[place]?.name ?? '' });
        return skipNested(bytes, at);
      }
      case yes[0]: return this.#word(open('Number'), yes, 1, bytes, at);
      case no[0]: return this.#word(open('Number'), no, 0, bytes, at);
      case nothing[0]: {
        requireWord(nothing, bytes, at);
        setMissing(open('Number'), this.#row);
        return at + nothing.length;
      }
      default: return this.#number(open('Number'), bytes, at);
    }
  }

  #text(column: GrowingColumn | undefined, time: number): void {
    if (column === undefined) return;
    if (column.kind === 'Text') {
      column.text(this.#row, this.#source, this.#from, this.#to, this.#hash);
      return;
    }
    column.seen |= Number.isNaN(time) ? met.text : met.time;
    column.values[this.#row] = column.kind === 'Time' ? time : NaN;
  }

  #word(column: GrowingColumn | undefined, word: Uint8Array, value: number, bytes: Uint8Array, at: number): number {
    requireWord(word, bytes, at);
    if (column?.kind === 'Text') pushText(column, this.#row, word, 0, word.length);
    else setNumber(column, this.#row, value);
    return at + word.length;
  }

  #number(column: GrowingColumn | undefined, bytes: Uint8Array, at: number): number {
    const value = this.#numbers.read(bytes, at, bytes.length);
    const { end } = this.#numbers;
    if (Number.isNaN(value) || !isJsonNumber(bytes, at, end)) throw notJson(at);
    if (column?.kind === 'Text') {
      pushText(column, this.#row, bytes, at, end);
      return end;
    }
    setNumber(column, this.#row, value);
    // An identifier, which a double would round.
    if (column !== undefined && Math.abs(value) > Number.MAX_SAFE_INTEGER && isWhole(bytes, at, end)) column.seen |= met.text;
    return end;
  }

  /** Reads the string that opens at `at`. @returns the byte after its closing quote */
  #string(bytes: Uint8Array, at: number): number {
    let hash = hashStart;
    let to = at + 1;
    for (;; to++) {
      const byte = bytes[to] ?? 0;
      if (byte === quote) break;
      if (byte < blank) throw notJson(to);
      if (byte === backslash) return this.#escapedString(bytes, at);
      hash = hashNext(hash, byte);
    }
    this.#source = bytes;
    this.#from = at + 1;
    this.#to = to;
    this.#hash = hash;
    return to + 1;
  }

  #escapedString(bytes: Uint8Array, at: number): number {
    let to = at + 1;
    for (; bytes[to] !== quote; to++) {
      if ((bytes[to] ?? 0) < blank) throw notJson(to);
      if (bytes[to] === backslash) to++;
    }
    const text = parsed(bytes, at, to + 1);
    // Half a surrogate pair is no character; UTF-8 cannot hold it.
    if (typeof text !== 'string' || !text.isWellFormed()) throw notJson(at);
    this.#source = new TextEncoder().encode(text);
    this.#from = 0;
    this.#to = this.#source.length;
    this.#hash = hashOf(this.#source, 0, this.#to);
    return to + 1;
  }

  #add(column: JsonColumn): void {
    const { kind } = column;
    const growing = kind === undefined ? undefined : new GrowingColumn(kind, this.#rule, this.#held, this.#capacity);
    for (let row = 0; row < this.#row; row++) setMissing(growing, row);
    this.columns.push(column);
    this.#growing.push(growing);
    this.#lastRow.push(-1);
  }

  #fillMissing(): void {
    for (let place = 0; place < this.#growing.length; place++) if (this.#lastRow[place] !== this.#row) setMissing(this.#growing[place], this.#row);
  }

  #grow(): void {
    this.#capacity *= 2;
    for (const column of this.#growing) column?.grow(this.#capacity);
  }
}

const notJson = (at: number): FaultError => new FaultError({ kind: 'NotJson', at });

const utf8 = (bytes: Uint8Array, from: number, to: number): string => Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');

function setNumber(column: GrowingColumn | undefined, row: number, value: number): void {
  if (column === undefined) return;
  column.seen |= met.number;
  column.values[row] = column.kind === 'Number' ? value : NaN;
}

function setMissing(column: GrowingColumn | undefined, row: number): void {
  if (column?.kind === 'Text') column.missingText(row);
  else if (column !== undefined) column.values[row] = NaN;
}

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === blank || bytes[at] === tab || bytes[at] === carriageReturn) at++;
  return at;
}

/** JSON has no leading zeros, no plus, and digits on both sides of a point. The bytes are a number otherwise. */
function isJsonNumber(bytes: Uint8Array, from: number, to: number): boolean {
  const first = bytes[from] === minus ? from + 1 : from;
  if (!isDigit(bytes[first]) || (bytes[first] === zero && isDigit(bytes[first + 1]))) return false;
  for (let at = first; at < to; at++) if (bytes[at] === point) return at + 1 < to && isDigit(bytes[at + 1]);
  return true;
}

function isWhole(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === point || bytes[at] === smallE || bytes[at] === bigE) return false;
  return true;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= nine;

function requireWord(word: Uint8Array, bytes: Uint8Array, from: number): void {
  for (let at = 0; at < word.length; at++) if (bytes[from + at] !== word[at]) throw notJson(from);
}

/** @returns the byte after the array or object that begins at `from` */
function skipNested(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let isString = false;
  for (let at = from; bytes[at] !== lineFeed; at++) {
    const byte = bytes[at];
    if (isString) {
      if (byte === backslash) at++;
      else if (byte === quote) isString = false;
    } else if (byte === quote) {
      isString = true;
    } else if (byte === openBrace || byte === openBracket) {
      depth++;
    } else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) {
      parsed(bytes, from, at + 1);
      return at + 1;
    }
  }
  throw notJson(from);
}

function parsed(bytes: Uint8Array, from: number, to: number): unknown {
  try {
    return JSON.parse(utf8(bytes, from, to));
  } catch {
    throw notJson(from);
  }
}
