/** Gathers what DuckDB gives a vector at a time into blocks of columns, without an object for a value. */
import duckdb from '@duckdb/node-bindings';
import { AnnealError } from '../../errors.ts';
import { met } from './growing.ts';
import { PlainTexts } from './plain-texts.ts';
import { encodeCodes, encodeNumbers, encodePlain } from './segments.ts';
import type { Segment } from './segments.ts';
import type { TableWriter } from './table-writer.ts';

/** How one column of a file is read; `sql` is what is selected. */
export type Plan =
  | { readonly kind: 'Number'; readonly name: string; readonly sql: string; readonly mayBeRounded: boolean }
  | { readonly kind: 'Time'; readonly name: string; readonly sql: string }
  | { readonly kind: 'Codes'; readonly name: string; readonly sql: string; readonly texts: readonly string[] }
  | { readonly kind: 'Texts'; readonly name: string; readonly sql: string }
  | { readonly kind: 'Numbers'; readonly name: string; readonly sql: string; readonly length: number; /** Whole numbers of 64 bits. */ readonly areLarge: boolean }
  | { readonly kind: 'Unread'; readonly name: string };

export interface Accumulator {
  /** Takes a vector of a chunk as the rows from `at` on. */
  push(chunk: duckdb.DataChunk, vector: number, rows: number, at: number): void;
  /** The rows that were pushed, by the places of their columns; the next block begins. */
  take(rows: number): [number, Segment][];
}

/** @param place  of the column in the table, or of the first of several. @param capacity  rows of a block */
export function accumulator(plan: Exclude<Plan, { readonly kind: 'Unread' }>, place: number, capacity: number, writer: TableWriter): Accumulator {
  switch (plan.kind) {
    case 'Number':
    case 'Time': return numbers(plan, place, capacity, writer);
    case 'Codes': return codes(plan.texts, place, capacity, writer);
    case 'Texts': return texts(place);
    case 'Numbers': return lists(plan, place, capacity);
  }
}

function numbers(plan: Extract<Plan, { readonly kind: 'Number' | 'Time' }>, place: number, capacity: number, writer: TableWriter): Accumulator {
  const values = new Float64Array(capacity);
  return {
    push: (chunk, vector, rows, at) => values.set(doubles(duckdb.data_chunk_get_vector(chunk, vector), rows), at),
    take: (rows) => {
      const block = values.subarray(0, rows);
      writer.saw(place, plan.kind === 'Time' ? met.time : met.number);
      if (plan.kind === 'Number' && plan.mayBeRounded && hasRounded(block)) writer.saw(place, met.text);
      return [[place, encodeNumbers(block)]];
    },
  };
}

/** Whether a double may stand for several whole numbers. */
const hasRounded = (values: Float64Array): boolean => values.some((value) => Math.abs(value) > Number.MAX_SAFE_INTEGER);

function codes(dictionary: readonly string[], place: number, capacity: number, writer: TableWriter): Accumulator {
  const values = new Int32Array(capacity);
  const known = writer.codes(place, dictionary);
  if (known.some((code, index) => code !== index)) throw new Error('The codes of a column are not those of its enumeration.');
  return {
    push: (chunk, vector, rows, at) => {
      const bytes = duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, vector), rows * 4);
      values.set(new Int32Array(bytes.buffer, bytes.byteOffset, rows), at);
    },
    take: (rows) => [[place, encodeCodes(values.subarray(0, rows))]],
  };
}

/** A text of up to so many bytes stands in the vector itself, behind its length; of a longer one the vector has a pointer. */
const inlineBytes = 12;
const textBytes = 16;

function texts(place: number): Accumulator {
  const plain = new PlainTexts();
  return {
    push: (chunk, index, rows) => {
      const vector = duckdb.data_chunk_get_vector(chunk, index);
      const data = duckdb.vector_get_data(vector, rows * textBytes);
      const lengths = new Uint32Array(data.buffer, data.byteOffset, rows * 4);
      const isValid = validity(vector, rows);
      for (let row = 0; row < rows; row++) {
        const length = lengths[row * 4] ?? 0;
        const from = row * textBytes + 4;
        if (!isValid(row)) {
          plain.pushMissing();
        } else if (length <= inlineBytes) {
          plain.push(data, from, from + length);
        } else {
          plain.push(duckdb.get_data_from_pointer(data.buffer as ArrayBuffer, data.byteOffset + from + 4, length), 0, length);
        }
      }
    },
    take: () => {
      const segment = encodePlain(plain);
      plain.clear();
      return [[place, segment]];
    },
  };
}

function lists({ name, length, areLarge }: Extract<Plan, { readonly kind: 'Numbers' }>, place: number, capacity: number): Accumulator {
  const parts = Array.from({ length }, () => new Float64Array(capacity));
  return {
    push: (chunk, index, rows, at) => {
      const vector = duckdb.data_chunk_get_vector(chunk, index);
      // Of each list its offset and its length in the child vector, as two 64-bit integers.
      const entries = duckdb.vector_get_data(vector, rows * 16);
      const offsets = new BigUint64Array(entries.buffer, entries.byteOffset, rows * 2);
      const items = duckdb.list_vector_get_size(vector);
      const child = duckdb.list_vector_get_child(vector);
      const values = doubles(child, items);
      const [isListValid, isItemValid] = [validity(vector, rows), validity(child, items)];
      for (let row = 0; row < rows; row++) {
        const first = Number(offsets[row * 2] ?? 0n);
        const isList = isListValid(row);
        parts.forEach((part, item) => (part[at + row] = isList && isItemValid(first + item) ? (values[first + item] ?? NaN) : NaN));
      }
    },
    take: (rows) => parts.map((part, item) => {
      const block = part.subarray(0, rows);
      if (areLarge && hasRounded(block)) throw new AnnealError('DATA_NESTED', { at: name, message: `The lists in column "${name}" hold whole numbers beyond 2^53, which would be rounded. Write them as texts in columns of their own, or exclude "${name}" in data.features.exclude.` });
      return [place + item, encodeNumbers(block)];
    }),
  };
}

function doubles(vector: duckdb.Vector, count: number): Float64Array {
  const bytes = duckdb.vector_get_data(vector, count * 8);
  return new Float64Array(bytes.buffer, bytes.byteOffset, count);
}

/** One bit a value, set where there is one; no bits at all where every value is there. */
function validity(vector: duckdb.Vector, count: number): (at: number) => boolean {
  const bits = duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null;
  return bits === null ? () => true : (at) => (((bits[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
}
