/** Broken files of text: CSV and JSON lines, and what they are packed in. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { blobs } from '../../support.ts';
import { zip } from './containers.ts';
import type { BrokenInput, Files } from './input.ts';

const rows = blobs(60);
const csv = (content: string | Buffer): Files => ({ 'rows.csv': content });
const utf16 = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
/** One line of 2 GB in 2 MB: members of a gzip file follow each other. */
const endless = (): Buffer => {
  const piece = gzipSync(Buffer.alloc(64 * 1024 * 1024, '7'));
  return Buffer.concat([gzipSync('x,y,colour\n1,'), ...Array<Buffer>(32).fill(piece)]);
};
const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
const json = (...lines: string[]): Files => ({ 'rows.jsonl': `${lines.join('\n')}\n` });
const jsonLines = { source: { format: 'JSONLines' } };
const some = Array.from({ length: 40 }, (_, row) => JSON.stringify({ x: row, colour: row % 2 === 0 ? 'red' : 'blue' }));

export const brokenText: readonly BrokenInput[] = [
  { what: 'an empty file', files: csv(''), code: 'DATA_EMPTY', at: 'rows.csv', says: /rows\.csv is empty/ },
  { what: 'a file in a .zip archive', files: csv(zip({ 'rows.csv': Buffer.from(rows) })), code: 'DATA_FORMAT', at: 'rows.csv', says: /is a \.zip archive, which is not unpacked/ },
  { what: 'a file compressed by bzip2', files: csv(Buffer.from('BZh91AY&SY\x7f\x00"', 'latin1')), code: 'DATA_FORMAT', at: 'rows.csv', says: /compressed by bzip2, .* gzip or zstd/ },
  { what: 'a file compressed by xz', files: csv(Buffer.from('fd377a585a000004e6d6b446', 'hex')), code: 'DATA_FORMAT', at: 'rows.csv', says: /compressed by xz/ },
  { what: 'a header without rows', files: csv('x,y,colour\n'), code: 'DATA_EMPTY', at: 'rows.csv', says: /no rows below its header/ },
  { what: 'blank lines alone', files: csv('\n\n\n'), code: 'DATA_EMPTY', at: 'rows.csv', says: /only blank lines/ },
  { what: 'a row that is too short', files: csv(`${rows}1,2\n`), code: 'DATA_RAGGED', at: 'rows.csv:62', says: /Line 62 of rows\.csv has 2 values where the first row has 3/ },
  { what: 'a row that is too long', files: csv(rows.replace('\n', '\n1,2,red,4\n')), code: 'DATA_RAGGED', at: 'rows.csv:2', says: /Line 2 .* has 4 values/ },
  { what: 'a quote that is never closed', files: csv(`${rows}1,2,"red\n1,2,red\n`), code: 'DATA_CSV', at: 'rows.csv:62', says: /opened in line 62 is never closed/ },
  { what: 'text behind a closing quote', files: csv(`${rows}1,2,"re"d\n`), code: 'DATA_CSV', at: 'rows.csv:62', says: /line 62: text follows a closing quote/ },
  { what: 'a quote in the middle of a value', files: csv(`${rows}1,2,re"d\n`), code: 'DATA_CSV', at: 'rows.csv:62', says: /line 62: a quote stands in the middle/ },
  { what: 'a name of two columns', files: csv(rows.replace('x,y', 'x,x')), code: 'DATA_HEADER', at: 'rows.csv:1', says: /two columns named "x"/ },
  { what: 'a column without a name', files: csv(rows.replace('x,y', 'x,')), code: 'DATA_HEADER', at: 'rows.csv:1', says: /Column 2 of rows\.csv has no name/ },
  { what: 'rows with another delimiter than the header', files: csv(rows.replaceAll(',', ';').replace('x;y;colour', 'x,y,colour')), code: 'DATA_RAGGED', at: 'rows.csv:2', says: /has 1 value where the first row has 3\. .*csv\.delimiter/ },
  { what: 'another delimiter than the one that is written', files: csv(rows.replaceAll(',', ';')), code: 'DATA_HEADER', at: 'rows.csv:1', says: /one column, "x;y;colour", by the delimiter ","\. Write csv: {delimiter: ";"}/ },
  { what: 'UTF-16', files: csv(utf16(rows)), code: 'DATA_ENCODING', at: 'rows.csv:1', says: /UTF-16.*UTF-8/ },
  { what: 'UTF-16 of the other byte order', files: csv(utf16(rows).swap16()), code: 'DATA_ENCODING', at: 'rows.csv:1', says: /UTF-16.*UTF-8/ },
  { what: 'Latin-1', files: csv(Buffer.from(`${rows}1,2,grün\n`, 'latin1')), code: 'DATA_ENCODING', at: 'rows.csv:62', says: /not UTF-8 text in line 62/ },
  { what: 'UTF-8 that ends within a character', files: csv(Buffer.concat([Buffer.from(`${rows}1,2,`), Buffer.from([0xf0, 0x9f])])), code: 'DATA_ENCODING', at: 'rows.csv:62', says: /line 62/ },
  { what: 'a line of 2 GB', files: { 'rows.csv.gz': endless() }, code: 'DATA_CSV', at: 'rows.csv.gz:2', says: /begins in line 2 .* longer than 16 MiB/ },
  { what: 'a gzip file that is cut off', files: { 'rows.csv.gz': cut(gzipSync(rows)) }, code: 'DATA_COMPRESSION', at: 'rows.csv.gz', says: /compressed with gzip, and is cut off or damaged/ },
  { what: 'a gzip file with a flipped bit', files: { 'rows.csv.gz': flipped(gzipSync(rows)) }, code: 'DATA_COMPRESSION', at: 'rows.csv.gz', says: /gzip/ },
  { what: 'a zstd file that is cut off', files: { 'rows.csv.zst': cut(zstdCompressSync(rows)) }, code: 'DATA_COMPRESSION', at: 'rows.csv.zst', says: /compressed with zstd, and is cut off or damaged/ },
  { what: 'files with different columns', files: { 'a.csv': rows, 'b.csv': rows.replace('x,y', 'x,z') }, path: '*.csv', code: 'DATA_SCHEMA', at: 'b.csv', says: /b\.csv/ },
  { what: 'one array around all objects', files: json('[', ...some.map((line) => `${line},`), ']'), ...jsonLines, code: 'DATA_JSON', at: 'rows.jsonl:1', says: /Line 1 of rows\.jsonl is no(?:t valid)? JSON.*one object a line/ },
  { what: 'an array in a line', files: json(...some, '[1, "red"]'), ...jsonLines, code: 'DATA_JSON', at: 'rows.jsonl:41', says: /Line 41 .* no JSON object/ },
  { what: 'JSON that is cut off', files: json(...some, '{"x": 1, "col'), ...jsonLines, code: 'DATA_JSON', at: 'rows.jsonl:41', says: /Line 41 .* not valid JSON/ },
  { what: 'an object in a value', files: json(...some, '{"x": {"left": 1}, "colour": "red"}'), ...jsonLines, code: 'DATA_NESTED', at: 'rows.jsonl:41', says: /Key "x" holds an object or an array in line 41/ },
  { what: 'a key twice', files: json(...some, '{"x": 1, "x": 2, "colour": "red"}'), ...jsonLines, code: 'DATA_JSON', at: 'rows.jsonl:41', says: /line 41 of rows\.jsonl has the key "x" twice/ },
  { what: 'CSV that is called JSON lines', files: csv(rows), ...jsonLines, code: 'DATA_JSON', at: 'rows.csv:1', says: /Line 1 of rows\.csv/ },
];

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(60) ^ 4, 60);
  return changed;
}
