/** Arrays of NumPy as rows: one array holds what the model sees, another what it learns to predict. */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { AnnealError, list } from '../../errors.ts';
import { readZip } from '../archive/zip.ts';
import type { ArchiveLimits } from '../archive/archive.ts';
import type { LocalFile } from '../source.ts';
import type { Column, Table, VectorColumn } from '../table.ts';
import { broken, dtypes, headerLength, parseHeader, readValues } from './npy.ts';
import type { ArrayInfo } from './npy.ts';
import { sizeOf } from '../../shape.ts';

export interface ArraysSpec {
  /** Name of the array with a row for each example; what it is called in the .npz file, or its file without .npy. */
  readonly features: string;
  /** Of the array with what is to be predicted; the target's name where it is left out. */
  readonly target?: string;
}

/** One array in one file; several of a name follow each other. */
interface Found {
  readonly name: string;
  /** What errors call it. */
  readonly file: string;
  readonly bytes: number;
  readonly open: () => Promise<AsyncIterable<Buffer>>;
}

interface Part extends Found {
  readonly info: ArrayInfo;
}

/**
 * @param target  name that the column of the target gets; none is read where neither it nor `spec.target` is written
 * @throws AnnealError `DATA_ARRAY`, `DATA_ARCHIVE`, `DATA_TOO_LARGE`; `SPEC_COLUMN_MISSING` for an array that is not there
 */
export async function readArrays(files: readonly LocalFile[], spec: ArraysSpec, target: string | undefined, limits: ArchiveLimits): Promise<Table> {
  const found: Found[] = [];
  for (const file of files) found.push(...await arraysIn(file, limits));
  const features = await partsOf(found, spec.features, 'features');
  const rows = rowsOf(features);
  if (rows === 0) throw new AnnealError('DATA_EMPTY', { at: spec.features, message: `The array "${spec.features}" has no rows. Give a file with data.` });
  const targets = await targetsFor(rows, found, spec, target);
  const shape = sameShape(features);
  if (shape.length === 0) return { rows, columns: [{ kind: 'Number', name: spec.features, values: await numbersOf(features) }, ...targets] };
  return { rows, columns: targets, vector: await vectorOf(spec.features, shape, features, rows) };
}

async function targetsFor(rows: number, found: readonly Found[], { features, target: array }: ArraysSpec, name: string | undefined): Promise<Column[]> {
  const of = array ?? name;
  if (of === undefined) return [];
  const targets = await partsOf(found, of, array === undefined ? undefined : 'target');
  const labelled = rowsOf(targets);
  if (rows !== labelled) throw new AnnealError('DATA_ARRAY', { at: features, message: `The array "${features}" has ${rows} rows and "${of}" has ${labelled}. Give a target for each row.` });
  return [await targetColumn(name ?? of, targets)];
}

async function arraysIn(file: LocalFile, limits: ArchiveLimits): Promise<Found[]> {
  const isZip = /\.npz$/i.test(file.name);
  if (!isZip) {
    if (!/\.npy$/i.test(file.name)) throw broken(file.name, 'its name ends neither in .npy nor in .npz');
    return [{ name: path.posix.basename(file.name).slice(0, -4), file: file.name, bytes: file.bytes, open: () => Promise.resolve(createReadStream(file.path, { highWaterMark: 1024 * 1024 })) }];
  }
  const entries = await readZip(file.path, file.name, limits);
  const names = entries.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw broken(file.name, `it holds "${twice}" twice`);
  return entries.map((entry) => ({ name: entry.name.replace(/\.npy$/, ''), file: `${file.name}/${entry.name}`, bytes: entry.bytes, open: () => entry.stream() }));
}

/** The arrays of this name with their headers. @param field  of `arrays` that names them */
async function partsOf(found: readonly Found[], name: string, field: string | undefined): Promise<Part[]> {
  const chosen = found.filter((array) => array.name === name);
  if (chosen.length === 0) {
    const at = field === undefined ? 'spec.trainer.data.target' : `spec.trainer.data.source.arrays.${field}`;
    throw new AnnealError('SPEC_COLUMN_MISSING', { at, message: `There is no array "${name}"; there are ${list([...new Set(found.map((array) => array.name))])}. Write one of them.` });
  }
  const parts: Part[] = [];
  for (const array of chosen) parts.push({ ...array, info: await infoOf(array) });
  return parts;
}

async function infoOf(array: Found): Promise<ArrayInfo> {
  let head: Buffer = Buffer.alloc(0);
  let needed = 12;
  for await (const chunk of await array.open()) {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < needed) continue;
    needed = headerLength(head, array.file);
    if (head.length >= needed) break;
  }
  if (head.length < needed) throw broken(array.file, 'it ends within its header');
  const info = parseHeader(head.subarray(0, headerLength(head, array.file)), array.file);
  // Before memory is asked for: a header may say anything.
  const values = sizeOf(info.shape);
  const expected = info.headerBytes + values * dtypes[info.dtype].bytes;
  if (expected !== array.bytes) throw broken(array.file, `its header says ${values} values of ${info.dtype}, which are ${expected} bytes with it, and there are ${array.bytes}`);
  if (info.shape.length === 0 || info.shape.length > 4) throw broken(array.file, `it has the shape (${info.shape.join(', ')}), and one of (n), (n, d), (n, h, w) or (n, h, w, c) is needed`);
  return info;
}

const rowsOf = (parts: readonly Part[]): number => parts.reduce((sum, { info }) => sum + (info.shape[0] ?? 0), 0);

/** Of a row. */
function sameShape(parts: readonly Part[]): readonly number[] {
  const [first, ...others] = parts;
  const shape = first?.info.shape.slice(1) ?? [];
  const other = others.find(({ info }) => info.shape.slice(1).join() !== shape.join());
  if (first === undefined || other === undefined) return shape;
  throw new AnnealError('DATA_ARRAY', { at: other.file, message: `Rows of ${first.file} have the shape (${shape.join(', ')}) and those of ${other.file} (${other.info.shape.slice(1).join(', ')}). Give arrays that are alike but for their number of rows.` });
}

async function fill<T extends Uint8Array | Float32Array | Float64Array>(parts: readonly Part[], values: T): Promise<T> {
  let firstRow = 0;
  for (const part of parts) {
    await readValues(await part.open(), part.info, { values, firstRow }, part.file);
    firstRow += part.info.shape[0] ?? 0;
  }
  return values;
}

const numbersOf = (parts: readonly Part[]): Promise<Float64Array> => fill(parts, new Float64Array(rowsOf(parts)));

async function vectorOf(name: string, shape: readonly number[], parts: readonly Part[], rows: number): Promise<VectorColumn> {
  const width = sizeOf(shape);
  if (width === 0) throw new AnnealError('DATA_EMPTY', { at: name, message: `Rows of the array "${name}" have the shape (${shape.join(', ')}), which holds nothing. Give rows with values.` });
  const areBytes = parts.every(({ info }) => info.dtype === 'u1' || info.dtype === 'b1');
  const values = await fill(parts, areBytes ? new Uint8Array(rows * width) : new Float32Array(rows * width));
  return { kind: 'Vector', name, shape, width, values };
}

async function targetColumn(name: string, parts: readonly Part[]): Promise<Column> {
  const shape = sameShape(parts);
  if (shape.some((length) => length !== 1)) throw new AnnealError('DATA_ARRAY', { at: parts[0]?.file ?? name, message: `Rows of the target "${name}" have the shape (${shape.join(', ')}), and one number is learnt for each. Give class numbers or values, of shape (n) or (n, 1).` });
  return { kind: 'Number', name, values: await numbersOf(parts) };
}
