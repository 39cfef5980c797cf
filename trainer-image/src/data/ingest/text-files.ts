/** Files of delimited text or of JSON lines to a stored table: in one pass, or in two where a column's first rows misled. */
import { AnnealError } from '../../errors.ts';
import { blocks } from './blocks.ts';
import { fill, openBytes } from './bytes.ts';
import type { ByteSource } from './bytes.ts';
import type { Fault } from './dialect.ts';
import { faultIn } from './faults.ts';
import { openingOf } from './opening.ts';
import type { DataFile, Opening, TextOptions } from './opening.ts';
import type { ScanOrder } from './scan.ts';
import { scanBlocks } from './scan-pool.ts';
import type { OrderedScan } from './scan-pool.ts';
import type { Sink, StoredTable } from './table-file.ts';
import { TableWriter, ThreadCodes } from './table-writer.ts';
import type { WrittenColumn } from './table-writer.ts';
import { ruled } from './text-rule.ts';

export interface Reading {
  /** Threads that read rows at once. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Bytes that a thread reads at a time; `usualBlockBytes` but in tests. */
  readonly blockBytes: number;
  /** Where a pass over the files puts what it read. */
  sink(): Sink;
}

export const usualBlockBytes = 4 * 1024 * 1024;

/** @throws AnnealError `DATA_…` */
export async function readTextFiles(files: readonly DataFile[], options: TextOptions, reading: Reading): Promise<StoredTable> {
  const openings: Opening[] = [];
  for (const file of files) openings.push(await openingOf(file, options));
  if (options.format !== 'JSONLines') requireSameColumns(openings);
  for (let columns = openings[0]?.columns ?? [], pass = 1; ; pass++) {
    const sink = reading.sink();
    const writer = new TableWriter(sink, columns, (text) => ruled(text, options.rule));
    try {
      for (const opening of openings) await readRows(opening, columns, writer, options, reading);
      if (writer.rows === 0) throw empty(files, options);
      const corrected = writer.corrected();
      if (corrected === undefined) return writer.finish();
      if (pass > 1) throw new Error('The data changed while they were read.');
      columns = corrected;
    } catch (error) {
      sink.abandon();
      throw error;
    }
    sink.abandon();
  }
}

async function readRows(opening: Opening, columns: readonly WrittenColumn[], writer: TableWriter, options: TextOptions, { threads, blockBytes, signal }: Reading): Promise<void> {
  const { file, content, dialect, rowsAt, size } = opening;
  await using source = await openBytes(file.path, file.name, content);
  await skip(source, rowsAt);
  const isJson = options.format === 'JSONLines';
  const order: ScanOrder = isJson
    ? { format: 'JSONLines', known: columns, selection: options.selection }
    : { format: 'Delimited', dialect, kinds: columns.map(({ kind }) => kind), rule: options.rule };
  // Read before a thread would have started.
  const isSmall = size < 2 * blockBytes;
  const cutting = { rowEnd: dialect.rowEnd, hasQuotes: !isJson, blockBytes: isSmall && content === 'plain' ? size + 1 : blockBytes };
  const start = { bytes: new Uint8Array(0), offset: rowsAt };
  const codes = new ThreadCodes(writer);
  /** By thread, where its columns stand in the table. */
  const places: number[][] = [];
  for await (const scanned of scanBlocks(isSmall ? 0 : threads, order, (memory) => blocks(source, start, cutting, memory), signal)) {
    const { scan, thread } = scanned;
    if (scan.kind === 'Fault' || scanned.block.isTooLong) throw await faultOf(scanned, opening);
    const own = places[thread] ??= columns.map((column) => writer.place(column));
    for (const column of scan.block.newColumns) own.push(writer.place(column));
    writer.write(scan.block.rows, new Map(own.map((place, index) => [place, codes.segment(thread, place, scan.block.columns[index])])));
    own.forEach((place, index) => writer.saw(place, scan.block.seen[index] ?? 0));
  }
}

async function skip(source: ByteSource, bytes: number): Promise<void> {
  const scratch = new Uint8Array(Math.min(bytes, usualBlockBytes));
  for (let left = bytes; left > 0;) left -= await fill(source, scratch.subarray(0, Math.min(left, scratch.length))) || left;
}

/** Of a row without end there is only the beginning, in which all else that seems wrong may be so because of that. */
function faultOf({ scan, block }: OrderedScan, { file, content, dialect, columns }: Opening): Promise<AnnealError> {
  const found: Fault = scan.kind === 'Fault' ? scan.fault : { kind: 'RowTooLong', at: 0 };
  const fault: Fault = block.isTooLong ? { kind: 'RowTooLong', at: found.kind === 'QuoteNotClosed' ? found.at : 0 } : found;
  return faultIn({ ...file, content, rowEnd: dialect.rowEnd, offset: block.offset, width: columns.length }, fault);
}

function requireSameColumns([first, ...others]: readonly Opening[]): void {
  if (first === undefined) return;
  const names = first.columns.map(({ name }) => name);
  for (const { file, columns } of others) {
    const differs = Math.max(names.length, columns.length);
    for (let place = 0; place < differs; place++) {
      const [expected, has] = [names[place], columns[place]?.name];
      if (expected === has) continue;
      const what = has === undefined ? `${file.name} ends before column "${expected ?? ''}" of ${first.file.name}` : expected === undefined ? `${file.name} has a column "${has}" more than ${first.file.name}` : `column ${place + 1} is "${expected}" in ${first.file.name} and "${has}" in ${file.name}`;
      throw new AnnealError('DATA_SCHEMA', { at: file.name, message: `The files do not have the same columns: ${what}. Give files with the same columns in the same order.` });
    }
  }
}

function empty(files: readonly DataFile[], { header, format }: TextOptions): AnnealError {
  const name = files.map((file) => file.name).join(', ');
  return new AnnealError('DATA_EMPTY', { at: name, message: `${name} has no rows${header === 'Present' && format !== 'JSONLines' ? ' below its header' : ''}. Give a file with data.` });
}
