/** Broken Parquet, arrays and images. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Tensor3D } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../../../trainer-image/src/model/backend.ts';
import { npy, zip } from './containers.ts';
import type { BrokenInput } from './input.ts';

const parquet = { path: 'rows.parquet', source: { format: 'Parquet' } };

/** Writes rows.parquet as the query gives them, and then spoils it. */
const query = (select: string, spoil: (file: string) => void = () => undefined) => async (root: string): Promise<void> => {
  const file = path.join(root, 'rows.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`);
  connection.disconnectSync();
  instance.closeSync();
  spoil(file);
};
const rows = "SELECT i AS x, i / 7 AS y, CASE WHEN i % 2 = 0 THEN 'red' ELSE 'blue' END AS colour FROM range(60) r(i)";
const bytesOf = (file: string, change: (bytes: Buffer) => void): void => {
  const bytes = readFileSync(file);
  change(bytes);
  writeFileSync(file, bytes);
};

const size = { height: 4, width: 4 };
const images = { path: '', source: { format: 'Images', images: size }, data: { target: 'label' } };
/** A PNG of noise, which does not compress. */
async function png(): Promise<Buffer> {
  const image: Tensor3D = tf.randomUniform([32, 32, 3], 0, 255, 'int32', 7);
  const content = Buffer.from(await tf.node.encodePng(image));
  image.dispose();
  return content;
}
async function jpeg(): Promise<Buffer> {
  const image: Tensor3D = tf.randomUniform([32, 32, 3], 0, 255, 'int32', 7);
  const content = Buffer.from(await tf.node.encodeJpeg(image));
  image.dispose();
  return content;
}
const picture = await png();
const photo = await jpeg();
const huge = Buffer.from(picture);
huge.writeUInt32BE(100_000, 16);
huge.writeUInt32BE(100_000, 20);
const album = (more: Readonly<Record<string, Buffer | string>>) => ({ 'cats/1.png': picture, 'cats/2.png': picture, 'dogs/1.png': picture, ...more });

const arrays = { source: { format: 'Arrays' }, data: { target: 'answer' } };
const answer = npy('<f8', [40], Buffer.alloc(320));
const archive = (entries: Parameters<typeof zip>[0]) => ({ 'rows.npz': zip(entries) });

export const brokenBinaries: readonly BrokenInput[] = [
  { what: 'a Parquet file that is cut off', ...parquet, prepare: query(rows, (file) => truncateSync(file, 300)), code: 'DATA_PARQUET', at: 'rows.parquet', says: /no whole Parquet file: it does not begin and end/ },
  { what: 'a Parquet file whose footer lies about its length', ...parquet, prepare: query(rows, (file) => bytesOf(file, (bytes) => bytes.writeUInt32LE(0x7fffffff, bytes.length - 8))), code: 'DATA_PARQUET', at: 'rows.parquet', says: /rows\.parquet is a damaged Parquet file/ },
  { what: 'a Parquet file whose footer is something else', ...parquet, prepare: query(rows, (file) => bytesOf(file, (bytes) => bytes.fill(0xaa, bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), bytes.length - 8))), code: 'DATA_PARQUET', at: 'rows.parquet', says: /damaged/ },
  { what: 'a Parquet file whose pages are something else', ...parquet, prepare: query(rows, (file) => bytesOf(file, (bytes) => bytes.fill(0xaa, 4, 60))), code: 'DATA_PARQUET', at: 'rows.parquet', says: /damaged/ },
  { what: 'a struct in a column of Parquet', ...parquet, prepare: query("SELECT {'a': i} AS x, 'red' AS colour FROM range(60) r(i)"), code: 'DATA_NESTED', at: 'rows.parquet', says: /Column "x" of rows\.parquet is of type STRUCT/ },
  { what: 'lists of many lengths in a column of Parquet', ...parquet, prepare: query("SELECT list_transform(range(i % 3 + 1), v -> v::DOUBLE) AS x, 'red' AS colour FROM range(60) r(i)"), code: 'DATA_NESTED', at: 'x', says: /lists in column "x" have from 1 to 3 numbers/ },
  { what: 'infinity in Parquet', ...parquet, prepare: query(rows.replace('i / 7', "CASE WHEN i = 40 THEN '-infinity'::DOUBLE ELSE i END")), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.pipeline', says: /Column "y" has -Infinity in row 41/ },
  { what: 'CSV that is called Parquet', files: { 'rows.csv': 'x,y\n1,2\n' }, source: { format: 'Parquet' }, code: 'DATA_PARQUET', at: 'rows.csv', says: /write its source\.format/ },
  { what: 'Parquet that is called CSV', path: 'rows.parquet', prepare: query(rows), code: 'DATA_FORMAT', at: 'spec.trainer.data.source.format', says: /Write source\.format: Parquet/ },
  { what: 'Parquet without rows', ...parquet, prepare: query(`${rows} WHERE i > 60`), code: 'DATA_EMPTY', at: 'rows.parquet', says: /has no rows/ },

  { what: 'an .npz file that is cut off', ...arrays, files: { 'rows.npz': archive({ 'x.npy': npy('<f8', [40, 2], Buffer.alloc(640)), 'answer.npy': answer })['rows.npz'].subarray(0, 200) }, code: 'DATA_ARCHIVE', at: 'rows.npz', says: /rows\.npz cannot be read/ },
  { what: 'an .npz file that unpacks to far more', ...arrays, files: archive({ 'x.npy': npy('<f8', [5_000_000], Buffer.alloc(40_000_000)), 'answer.npy': answer }), source: { format: 'Arrays', maxBytes: 1_000_000 }, code: 'DATA_TOO_LARGE', at: 'spec.trainer.data.source.maxBytes', says: /unpacks to \d+ bytes, more than the 1000000/ },
  { what: 'an array that says it is larger than it is', ...arrays, files: archive({ 'x.npy': npy('<f8', [1_000_000_000, 1000], Buffer.alloc(640)), 'answer.npy': answer }), code: 'DATA_ARRAY', at: 'rows.npz/x.npy', says: /header says 1000000000000 values of f8/ },
  { what: 'an array of objects', ...arrays, files: archive({ 'x.npy': npy('|O', [40], Buffer.alloc(320)), 'answer.npy': answer }), code: 'DATA_ARRAY', at: 'rows.npz/x.npy', says: /objects of Python/ },
  { what: 'an array that is not there', ...arrays, files: archive({ 'pixels.npy': answer, 'answer.npy': answer }), code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.data.source.arrays.features', says: /no array "x"; there are "pixels", "answer"/ },
  { what: 'arrays of different length', ...arrays, files: archive({ 'x.npy': npy('<f8', [30, 2], Buffer.alloc(480)), 'answer.npy': answer }), code: 'DATA_ARRAY', at: 'x', says: /"x" has 30 rows and "answer" has 40/ },
  { what: 'NaN in an array', ...arrays, files: archive({ 'x.npy': npy('<f8', [40, 2], doubles(80, 51, NaN)), 'answer.npy': npy('<f8', [40], doubles(40, 0, 7)) }), code: 'DATA_NOT_NUMERIC', at: 'spec.trainer.data.source', says: /"x" has a missing value \(NaN\) in row 26/ },
  { what: 'infinity in an array', ...arrays, files: archive({ 'x.npy': npy('<f8', [40, 2], doubles(80, 51, 1e300)), 'answer.npy': npy('<f8', [40], doubles(40, 0, 7)) }), code: 'DATA_OUT_OF_RANGE', at: 'spec.trainer.data.source', says: /"x" has Infinity in row 26/ },

  { what: 'a PNG that is cut off', ...images, files: album({ 'dogs/2.png': picture.subarray(0, 500) }), code: 'DATA_IMAGE', at: 'dogs/2.png', says: /dogs\/2\.png cannot be decoded, since it is damaged or cut off/ },
  { what: 'a JPEG that is cut off', ...images, files: album({ 'dogs/2.jpg': photo.subarray(0, 400) }), code: 'DATA_IMAGE', at: 'dogs/2.jpg', says: /dogs\/2\.jpg cannot be decoded/ },
  { what: 'a text among images', ...images, files: album({ 'dogs/notes.txt': 'Rex, 2026' }), code: 'DATA_IMAGE', at: 'dogs/notes.txt', says: /no PNG, JPEG, BMP or GIF/ },
  { what: 'an image of ten thousand million pixels', ...images, files: album({ 'dogs/2.png': huge }), code: 'DATA_IMAGE', at: 'dogs/2.png', says: /100000 × 100000 pixels/ },
  { what: 'an image in no folder', ...images, files: album({ '1.png': picture }), code: 'DATA_IMAGE', at: '1.png', says: /lies in no folder/ },
  { what: 'images of one class', ...images, files: { 'cats/1.png': picture, 'cats/2.png': picture, 'cats/3.png': picture }, code: 'DATA_TARGET', at: 'spec.trainer.data.target', says: /"label" is "cats" in every row/ },
  { what: 'an archive that leads out of its folder', ...images, path: 'pets.zip', files: { 'pets.zip': zip({ '../../cats/1.png': picture }) }, code: 'DATA_ARCHIVE', at: 'pets.zip', says: /"\.\.\/\.\.\/cats\/1\.png"/ },
  { what: 'an archive of tar that is cut off', ...images, path: 'pets.tar.gz', files: { 'pets.tar.gz': gzipSync(Buffer.alloc(1000, 'x')).subarray(0, 20) }, code: 'DATA_ARCHIVE', at: 'pets.tar.gz', says: /pets\.tar\.gz cannot be read/ },
];

function doubles(count: number, at: number, value: number): Buffer {
  const bytes = Buffer.alloc(count * 8);
  for (let place = 0; place < count; place++) bytes.writeDoubleLE(place === at ? value : place / 7, place * 8);
  return bytes;
}
