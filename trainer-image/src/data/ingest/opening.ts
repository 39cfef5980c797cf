/** The beginning of a file of rows: how it is written, what its columns are called, and what its first rows hold. */
import { stat } from 'node:fs/promises';
import { AnnealError } from '../../errors.ts';
import { short } from '../table.ts';
import { blocks, mostRowBytes } from './blocks.ts';
import type { Block } from './blocks.ts';
import { contentOf, fill, openBytes } from './bytes.ts';
import type { ByteSource, Content } from './bytes.ts';
import { CsvScanner, rowEndOf } from './csv-scanner.ts';
import { FaultError } from './dialect.ts';
import type { Dialect, RowEnd } from './dialect.ts';
import { faultIn } from './faults.ts';
import { kindOf } from './growing.ts';
import { JsonScanner } from './json-scanner.ts';
import { isSelected } from './scan.ts';
import type { Selection } from './scan.ts';
import type { WrittenColumn } from './table-writer.ts';
import type { TextRule } from './text-rule.ts';

/** A file on this machine. */
export interface DataFile {
  readonly path: string;
  /** What errors call it. */
  readonly name: string;
}

export interface TextOptions {
  readonly format: 'CSV' | 'TSV' | 'JSONLines';
  readonly delimiter: string;
  readonly header: 'Present' | 'Absent';
  readonly rule: TextRule;
  readonly selection: Selection;
}

export interface Opening {
  readonly file: DataFile;
  readonly content: Content;
  /** Bytes on disk. */
  readonly size: number;
  readonly dialect: Dialect;
  /** Where the first row of data begins, behind byte-order mark and header, in bytes of the unpacked file. */
  readonly rowsAt: number;
  /** With the kinds that the first rows suggest. For JSON lines those that they have. */
  readonly columns: readonly WrittenColumn[];
}

/** How much of a file's beginning is looked at. */
const sampleBytes = 256 * 1024;

/** @throws AnnealError `DATA_…` */
export async function openingOf(file: DataFile, options: TextOptions): Promise<Opening> {
  const { size } = await stat(file.path);
  const content = await contentOf(file.path);
  if (content === 'parquet') throw new AnnealError('DATA_FORMAT', { at: 'spec.trainer.data.source.format', message: `${file.name} is a Parquet file. Write source.format: Parquet.` });
  await using source = await openBytes(file.path, file.name, content);
  const head = await headOf(source);
  requireData(head.bytes, file.name);
  const dialect: Dialect = {
    delimiter: new TextEncoder().encode(options.format === 'TSV' ? '\t' : options.delimiter),
    rowEnd: options.format === 'JSONLines' ? 'LineFeed' : head.rowEnd,
  };
  const cutting = { rowEnd: dialect.rowEnd, hasQuotes: options.format !== 'JSONLines', blockBytes: sampleBytes };
  const first = await blocks(source, head, cutting, (bytes) => new ArrayBuffer(bytes)).next();
  if (first.done === true) throw new AnnealError('DATA_EMPTY', { at: file.name, message: `${file.name} is empty. Give a file with data.` });
  const opening = { file, content, size, dialect };
  const sampled = options.format === 'JSONLines' ? sampleJson(first.value, options) : await sampleDelimited(first.value, opening, options);
  return { ...opening, ...sampled, rowsAt: head.offset + sampled.rowsAt };
}

/** Enough bytes to know what ends a row, without a byte-order mark. */
async function headOf(source: ByteSource): Promise<{ readonly bytes: Uint8Array; readonly offset: number; readonly rowEnd: RowEnd }> {
  let bytes = new Uint8Array(sampleBytes);
  for (let filled = 0; ;) {
    filled = await fill(source, bytes, filled);
    const isEnd = filled < bytes.length;
    const offset = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    const rowEnd = rowEndOf(bytes, filled, isEnd);
    if (rowEnd !== undefined || isEnd || filled > mostRowBytes) return { bytes: bytes.subarray(offset, filled), offset, rowEnd: rowEnd ?? 'LineFeed' };
    const larger = new Uint8Array(Math.min(filled * 4, mostRowBytes + 1));
    larger.set(bytes);
    bytes = larger;
  }
}

type Sample = Pick<Opening, 'rowsAt' | 'columns'>;

async function sampleDelimited(block: Block, opening: Omit<Opening, keyof Sample>, { header, rule, selection }: TextOptions): Promise<Sample> {
  const { file, dialect } = opening;
  const isHeader = header === 'Present';
  try {
    const first = new CsvScanner(dialect, [], rule).firstRow(block.bytes, block.end);
    if (first === undefined || block.isTooLong) throw block.isTooLong ? new FaultError({ kind: 'RowTooLong', at: 0 }) : new AnnealError('DATA_EMPTY', { at: file.name, message: `${file.name} has only blank lines. Give a file with data.` });
    const names = isHeader ? headerOf(first.values, file.name, dialect) : first.values.map((_, place) => `column_${place}`);
    const rowsAt = isHeader ? first.next : 0;
    const seen = seenIn(new CsvScanner(dialect, names.map(() => 'Number'), rule), block.bytes.subarray(rowsAt), block.end - rowsAt);
    return { rowsAt, columns: names.map((name, place) => ({ name, kind: isSelected(selection, name) ? kindOf(seen[place] ?? 0) : undefined })) };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const kind = block.isTooLong ? 'RowTooLong' : error.fault.kind;
    throw await faultIn({ ...file, ...opening, rowEnd: dialect.rowEnd, offset: block.offset, width: 0 }, { ...error.fault, kind } as typeof error.fault);
  }
}

function sampleJson(block: Block, { selection }: TextOptions): Sample {
  const scanner = new JsonScanner([], (name) => isSelected(selection, name));
  const seen = seenIn(scanner, block.bytes, block.end);
  return { rowsAt: 0, columns: scanner.columns.map(({ name, kind }, place) => ({ name, kind: kind === 'Text' ? kind : kind && kindOf(seen[place] ?? 0) })) };
}

/** A fault in the first rows is found again, and told, when they are read. */
function seenIn(scanner: CsvScanner | JsonScanner, bytes: Uint8Array, end: number): readonly number[] {
  try {
    scanner.scan(bytes, end);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  return scanner.seen;
}

/** Files that hold others, by how they begin; what unpacks them is not here. */
const packed: readonly { readonly what: string; readonly magic: RegExp }[] = [
  { what: 'compressed by bzip2', magic: /^BZh[1-9]1AY&SY/ },
  { what: 'compressed by xz', magic: /^\xfd7zXZ/ },
  { what: 'a .zip archive', magic: /^PK\x03\x04/ },
];

/** What is often found where rows were meant. */
function requireData(head: Uint8Array, name: string): void {
  const start = Buffer.from(head.subarray(0, 256)).toString('latin1');
  const found = packed.find(({ magic }) => magic.test(start));
  if (found !== undefined) throw new AnnealError('DATA_FORMAT', { at: name, message: `${name} is ${found.what}, which is not unpacked. Unpack it, or compress the file itself by gzip or zstd.` });
  const [first, second] = head;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || (first !== second && (first === 0 || second === 0));
  if (isUtf16) throw new AnnealError('DATA_ENCODING', { at: `${name}:1`, message: `${name} is UTF-16 text. Save it as UTF-8.` });
  if (/^\s*<(?:!doctype\s+html|html)\b/i.test(start)) {
    throw new AnnealError('DATA_FORMAT', { at: 'spec.trainer.data.source.uri', message: `${name} is a web page, perhaps one to log in at. Write the address of the file itself, as one that needs no login.` });
  }
}

const delimiters = [';', '\t', '|', ','];

function headerOf(values: readonly string[], name: string, dialect: Dialect): string[] {
  const names = values.map((value) => value.trim());
  const [only = ''] = names;
  const own = new TextDecoder().decode(dialect.delimiter);
  // Its own stands there in quotes, as part of a name.
  const other = names.length > 1 ? undefined : delimiters.find((delimiter) => delimiter !== own && only.includes(delimiter));
  if (other !== undefined) throw new AnnealError('DATA_HEADER', { at: `${name}:1`, message: `The header of ${name} is one column, "${short(only)}", by the delimiter ${JSON.stringify(own)}. Write csv: {delimiter: ${JSON.stringify(other)}}.` });
  const empty = names.indexOf('');
  if (empty >= 0) throw new AnnealError('DATA_HEADER', { at: `${name}:1`, message: `Column ${empty + 1} of ${name} has no name. Name it in the first row, or write csv.header: Absent if the first row is data.` });
  const twice = names.find((column, index) => names.indexOf(column) !== index);
  if (twice !== undefined) throw new AnnealError('DATA_HEADER', { at: `${name}:1`, message: `${name} has two columns named "${twice}". Rename one of them.` });
  return names;
}
