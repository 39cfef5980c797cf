/** CSV to a table by the package csv-parse, a value at a time: slow, and sure enough to compare with. It knows no times. */
import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import type { CsvOptions } from '../../../../trainer-image/src/data/csv.ts';
import { textColumn } from '../../../../trainer-image/src/data/table.ts';
import type { Column, Table } from '../../../../trainer-image/src/data/table.ts';
import { AnnealError } from '../../../../trainer-image/src/errors.ts';

/** One value larger than this is a broken quote, not data. */
const maxRecordBytes = 16 * 1024 * 1024;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A column while it grows. It is a number column until a value is met that is none. */
interface Growing {
  readonly name: string;
  kind: 'Number' | 'Text';
  numbers: Float64Array;
  texts: (string | null)[];
  readonly seen: Map<string, string>;
  /** Row of the first text. Numbers before it have lost how they were written, so they are read again. */
  turnedAt: number;
  anyNumber: boolean;
}

/**
 * @param file  path of the file; `name` is what errors call it
 * @throws AnnealError `DATA_EMPTY`, `DATA_HEADER`, `DATA_RAGGED`, `DATA_CSV`, `DATA_ENCODING`
 */
export async function readPlainly(file: string, name: string, options: CsvOptions, signal: AbortSignal): Promise<Table> {
  const missing = new Set(options.missing);
  let columns: Growing[] = [];
  const rows = await eachRow(file, name, options, signal, (names) => (columns = names.map(growing)), (row, values) => {
    columns.forEach((column, index) => append(column, row, values[index] ?? '', missing));
  });
  if (rows === 0) throw new AnnealError('DATA_EMPTY', { at: name, message: `${name} has no rows${options.header === 'Present' ? ' below its header' : ''}. Give a file with data.` });

  const turned = columns.flatMap((column, index) => (column.kind === 'Text' && column.anyNumber ? [{ column, index }] : []));
  if (turned.length > 0) {
    await eachRow(file, name, options, signal, () => undefined, (row, values) => {
      for (const { column, index } of turned) if (row < column.turnedAt) column.texts[row] = textOf(column, values[index] ?? '', missing);
    });
  }
  return { rows, columns: columns.map((column): Column => column.kind === 'Number'
    ? { kind: 'Number', name: column.name, values: column.numbers.slice(0, rows) }
    : textColumn(column.name, column.texts)) };
}

const growing = (name: string): Growing => ({ name, kind: 'Number', numbers: new Float64Array(1024), texts: [], seen: new Map(), turnedAt: 0, anyNumber: false });

function append(column: Growing, row: number, raw: string, missing: ReadonlySet<string>): void {
  if (column.kind === 'Number') {
    const value = raw.trim();
    const isMissing = missing.has(value);
    if (isMissing || numberPattern.test(value)) {
      if (row >= column.numbers.length) column.numbers = grown(column.numbers);
      column.numbers[row] = isMissing ? NaN : Number(value);
      column.anyNumber ||= !isMissing;
      return;
    }
    column.kind = 'Text';
    column.turnedAt = row;
    column.texts = new Array<string | null>(row).fill(null);
  }
  column.texts.push(textOf(column, raw, missing));
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}

function textOf(column: Growing, raw: string, missing: ReadonlySet<string>): string | null {
  const value = raw.trim();
  if (missing.has(value)) return null;
  const known = column.seen.get(value);
  if (known !== undefined) return known;
  column.seen.set(value, value);
  return value;
}

/** Calls back for each row in order, and resolves with their number. */
async function eachRow(
  file: string, name: string, options: CsvOptions, signal: AbortSignal,
  onHeader: (names: string[]) => unknown, onRow: (row: number, values: readonly string[]) => void,
): Promise<number> {
  let width: number | undefined;
  let rows = 0;
  const parser = parse({
    bom: true,
    delimiter: options.delimiter,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRecordBytes,
    on_record: (record: string[], context) => {
      if (width === undefined) {
        width = record.length;
        const isHeader = options.header === 'Present';
        onHeader(isHeader ? headerOf(record, name) : record.map((_, index) => `column_${index}`));
        if (isHeader) return null;
      }
      if (record.length !== width) throw ragged(name, context.lines, record.length, width);
      onRow(rows++, record);
      return null;
    },
  });
  // The parser gives nothing on, but a stream that nobody reads from never ends.
  parser.resume();
  try {
    await pipeline(createReadStream(file), utf8(name), parser, { signal });
  } catch (error) {
    throw error instanceof CsvError ? malformed(name, error) : error;
  }
  return rows;
}

function headerOf(record: readonly string[], name: string): string[] {
  const names = record.map((cell) => cell.trim());
  const empty = names.indexOf('');
  if (empty >= 0) throw new AnnealError('DATA_HEADER', { at: `${name}:1`, message: `Column ${empty + 1} of ${name} has no name. Name it in the first row, or write csv.header: Absent if the first row is data.` });
  const twice = names.find((column, index) => names.indexOf(column) !== index);
  if (twice !== undefined) throw new AnnealError('DATA_HEADER', { at: `${name}:1`, message: `${name} has two columns named "${twice}". Rename one of them.` });
  return names;
}

function ragged(name: string, line: number, has: number, width: number): AnnealError {
  return new AnnealError('DATA_RAGGED', { at: `${name}:${line}`, message: `Line ${line} of ${name} has ${has} values where the first row has ${width}. Correct that line, or csv.delimiter.` });
}

function malformed(name: string, error: CsvError): AnnealError {
  const line = typeof error.lines === 'number' ? error.lines : 1;
  const what = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
    CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote',
    INVALID_OPENING_QUOTE: 'a quote stands in the middle of a value',
    CSV_MAX_RECORD_SIZE: `a row is longer than ${maxRecordBytes / 1024 / 1024} MiB`,
  }[error.code as string] ?? error.message;
  return new AnnealError('DATA_CSV', { at: `${name}:${line}`, message: `${name} is not well-formed CSV near line ${line}: ${what}. Correct that line; a quote inside a value is written twice.`, cause: error });
}

/** Passes bytes on that are UTF-8. Other encodings would turn letters into replacement marks, and categories into others. */
function utf8(name: string): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let line = 1;
  const checked = (chunk: Buffer, last: boolean, done: (error?: Error | null, data?: Buffer) => void): void => {
    try {
      decoder.decode(chunk, { stream: !last });
    } catch (error) {
      done(new AnnealError('DATA_ENCODING', { at: name, message: `${name} is not UTF-8 text after line ${line}. Save it as UTF-8.`, cause: error }));
      return;
    }
    for (const byte of chunk) if (byte === 10) line++;
    if (last) done(); else done(null, chunk);
  };
  return new Transform({
    transform: (chunk: Buffer, _, done) => checked(chunk, false, done),
    flush: (done) => checked(Buffer.alloc(0), true, done),
  });
}
