/** Gathers blocks of columns into a stored table: gives texts their final codes, and columns the order in which they were first met. */
import { kindOf } from './growing.ts';
import type { Kind, ScannedColumn } from './growing.ts';
import { encodeCodes, encodings, missingSegment } from './segments.ts';
import type { Segment } from './segments.ts';
import type { Sink, StoredTable } from './table-file.ts';

/** A column as its writer sees it. No kind: it is not read. */
export interface WrittenColumn {
  readonly name: string;
  readonly kind: Kind | undefined;
}

interface Growing {
  readonly name: string;
  /** What its kind was guessed to be; several where threads guessed differently. */
  readonly kinds: Set<Kind | undefined>;
  /** What was met in it, on any thread. */
  seen: number;
  readonly texts: Map<string, number>;
}

interface WrittenSegment {
  readonly encoding: number;
  readonly length: number;
  readonly offset: number;
}

export class TableWriter {
  readonly #sink: Sink;
  /** What is left of a text, null where it stands for a missing value. */
  readonly #rule: (text: string) => string | null;
  readonly #columns: Growing[] = [];
  readonly #places = new Map<string, number>();
  readonly #blockRows: number[] = [];
  readonly #segments: (WrittenSegment | undefined)[][] = [];
  rows = 0;

  constructor(sink: Sink, columns: readonly WrittenColumn[], rule: (text: string) => string | null) {
    this.#sink = sink;
    this.#rule = rule;
    for (const column of columns) this.place(column);
  }

  /** Where a column stands; one that is not known yet becomes the last. */
  place({ name, kind }: WrittenColumn): number {
    const known = this.#places.get(name);
    if (known !== undefined) {
      this.#columns[known]?.kinds.add(kind);
      return known;
    }
    this.#places.set(name, this.#columns.length);
    return this.#columns.push({ name, kinds: new Set([kind]), seen: 0, texts: new Map() }) - 1;
  }

  /** The code in the table of each of a thread's texts, -1 for one that stands for a missing value. */
  codes(place: number, texts: readonly string[]): number[] {
    const known = this.#columns[place]?.texts ?? new Map<string, number>();
    return texts.map((written) => {
      const text = this.#rule(written);
      if (text === null) return -1;
      const code = known.get(text) ?? known.size;
      known.set(text, code);
      return code;
    });
  }

  saw(place: number, seen: number): void {
    const column = this.#columns[place];
    if (column !== undefined) column.seen |= seen;
  }

  /** @param segments  by the place of their column. @throws the system's error */
  write(rows: number, segments: ReadonlyMap<number, Segment>): void {
    if (rows === 0) return;
    const given = [...segments].filter(([, { encoding }]) => encoding !== 'Missing');
    const offsets = this.#sink.write(given.map(([, { bytes }]) => bytes));
    const written: (WrittenSegment | undefined)[] = [];
    given.forEach(([place, { encoding, bytes }], index) => {
      written[place] = { encoding: encodings.indexOf(encoding), length: bytes.length, offset: offsets[index] ?? 0 };
    });
    this.#segments.push(written);
    this.#blockRows.push(rows);
    this.rows += rows;
  }

  /** The columns with the kinds that their values have, where one was guessed wrong; undefined when all are right. */
  corrected(): WrittenColumn[] | undefined {
    const right = this.#columns.map(({ name, kinds, seen }) => ({ name, kind: rightKind(kinds, seen) }));
    return right.every(({ kind }, place) => this.#columns[place]?.kinds.size === 1 && this.#columns[place].kinds.has(kind)) ? undefined : right;
  }

  finish(): StoredTable {
    const width = this.#columns.length;
    const cells = this.#segments.length * width;
    const index = { encodings: new Uint8Array(cells), lengths: new Int32Array(cells), offsets: new Float64Array(cells) };
    for (const [block, segments] of this.#segments.entries()) {
      segments.forEach((segment, place) => {
        const cell = block * width + place;
        index.encodings[cell] = segment?.encoding ?? 0;
        index.lengths[cell] = segment?.length ?? 0;
        index.offsets[cell] = segment?.offset ?? 0;
      });
    }
    const columns = this.#columns.map(({ name, kinds, texts }) => {
      const [kind] = kinds;
      return { name, kind: kind ?? 'Text', isRead: kind !== undefined, dictionary: [...texts.keys()] };
    });
    return this.#sink.finish({ columns, blockRows: Int32Array.from(this.#blockRows), ...index });
  }
}

/** A guess of text is right: it is made of a value that is neither number nor time, or of a whole pass. */
function rightKind(guessed: ReadonlySet<Kind | undefined>, seen: number): Kind | undefined {
  if (guessed.has(undefined)) return undefined;
  return guessed.has('Text') ? 'Text' : kindOf(seen);
}

/** Final codes of what each thread calls by codes of its own. */
export class ThreadCodes {
  readonly #writer: TableWriter;
  /** By thread and place, the table's codes in the order of the thread's. */
  readonly #codes = new Map<string, Int32Array>();

  constructor(writer: TableWriter) {
    this.#writer = writer;
  }

  segment(thread: number, place: number, column: ScannedColumn | undefined): Segment {
    if (column === undefined) return missingSegment;
    if (column.kind === 'Segment') return column.segment;
    const key = `${thread} ${place}`;
    const known = this.#codes.get(key) ?? new Int32Array(0);
    const codes = new Int32Array(known.length + column.newTexts.length);
    codes.set(known);
    codes.set(this.#writer.codes(place, column.newTexts), known.length);
    this.#codes.set(key, codes);
    const mapped = new Int32Array(column.codes.length);
    for (let row = 0; row < mapped.length; row++) mapped[row] = codes[column.codes[row] ?? -1] ?? -1;
    return encodeCodes(mapped);
  }
}
