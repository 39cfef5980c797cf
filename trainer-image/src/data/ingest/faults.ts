/** What is wrong with a file of rows, as a person reads it: one sentence that names the file and the line. */
import { AnnealError } from '../../errors.ts';
import { mostRowBytes } from './blocks.ts';
import { openBytes } from './bytes.ts';
import type { Content } from './bytes.ts';
import { carriageReturn, lineFeed } from './dialect.ts';
import type { Fault, RowEnd } from './dialect.ts';

/** Where a fault was found. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly content: Content;
  readonly rowEnd: RowEnd;
  /** Bytes of the unpacked file before the block that the fault is in. */
  readonly offset: number;
  /** Values that the first row has. */
  readonly width: number;
}

/** The file is read once more up to the fault, to count lines: a slow answer to a run that failed costs those nothing that do not. */
export async function faultIn(place: Place, fault: Fault): Promise<AnnealError> {
  const { name, width } = place;
  const line = await lineAt(place, place.offset + fault.at);
  const at = `${name}:${line}`;
  switch (fault.kind) {
    case 'Ragged': return new AnnealError('DATA_RAGGED', { at, message: `Line ${line} of ${name} has ${fault.has} ${fault.has === 1 ? 'value' : 'values'} where the first row has ${width}. Correct that line, or csv.delimiter.` });
    case 'NotUtf8': return new AnnealError('DATA_ENCODING', { at, message: `${name} is not UTF-8 text in line ${line}. Save it as UTF-8.` });
    case 'QuoteInValue': return notCsv(at, `${name} is not well-formed CSV in line ${line}: a quote stands in the middle of a value. Put the whole value between quotes, and write each quote in it twice.`);
    case 'TextAfterQuote': return notCsv(at, `${name} is not well-formed CSV in line ${line}: text follows a closing quote. Write a quote inside a value twice.`);
    case 'QuoteNotClosed': return notCsv(at, `${name} is not well-formed CSV: the quote that is opened in line ${line} is never closed. Close it; a quote inside a value is written twice.`);
    case 'RowTooLong': return notCsv(at, `The row that begins in line ${line} of ${name} is longer than ${mostRowBytes / 1024 / 1024} MiB. Check that a quote is closed there, and that the file is no binary one.`);
    case 'NotJson': return notJson(at, `Line ${line} of ${name} is not valid JSON. Write one object a line, for example {"age": 40, "city": "Bonn"}.`);
    case 'NotObject': return notJson(at, `Line ${line} of ${name} is no JSON object. Write one object a line, without brackets around them all or commas between them.`);
    case 'KeyTwice': return notJson(at, `The object in line ${line} of ${name} has the key "${fault.key}" twice. Remove one of them.`);
    case 'KeyEmpty': return notJson(at, `The object in line ${line} of ${name} has an empty key, which cannot name a column. Name it.`);
    case 'Nested': return new AnnealError('DATA_NESTED', { at, message: `Key "${fault.key}" holds an object or an array in line ${line} of ${name}, and a column holds single values. Write its parts as keys of their own, or exclude "${fault.key}" in data.features.exclude.` });
  }
}

const notCsv = (at: string, message: string): AnnealError => new AnnealError('DATA_CSV', { at, message });
const notJson = (at: string, message: string): AnnealError => new AnnealError('DATA_JSON', { at, message });

/** The line, counted from 1, that a byte of the unpacked file is in. */
async function lineAt({ path, name, content, rowEnd }: Place, offset: number): Promise<number> {
  await using source = await openBytes(path, name, content);
  const lineEnd = rowEnd === 'CarriageReturn' ? carriageReturn : lineFeed;
  const bytes = Buffer.alloc(1024 * 1024);
  let line = 1;
  for (let done = 0; done < offset;) {
    const count = Math.min(await source.read(bytes, 0), offset - done);
    if (count === 0) break;
    for (let at = bytes.indexOf(lineEnd); at >= 0 && at < count; at = bytes.indexOf(lineEnd, at + 1)) line++;
    done += count;
  }
  return line;
}
