/** The .npy format (NumPy Enhancement Proposal 1, versions 1.0 to 3.0): a header that says what follows, and the bytes of one array. */
import { AnnealError } from '../../errors.ts';
import { sizeOf } from '../../shape.ts';

export interface ArrayInfo {
  readonly dtype: DType;
  readonly isLittleEndian: boolean;
  /** First dimension varying fastest. */
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly headerBytes: number;
}

export type DType = keyof typeof dtypes;

type Read = (view: DataView, at: number, little: boolean) => number;

/** By the letters of a dtype without its byte order. */
export const dtypes = {
  b1: { bytes: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  // Beyond 2^53 the nearest number that a double holds.
  u8: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  i8: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  f2: { bytes: 2, read: (view, at, little) => view.getFloat16(at, little) },
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
} as const satisfies Record<string, { readonly bytes: number; readonly read: Read }>;

/** Little-endian values in C order that this machine has in memory as they stand in the file. */
const native = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, i4: Int32Array, f2: Float16Array, f4: Float32Array, f8: Float64Array } as const;

/** Longer headers describe no plain array. */
const mostHeaderBytes = 65_536;
const magic = Buffer.from('\x93NUMPY', 'latin1');

export function broken(file: string, what: string): AnnealError {
  return new AnnealError('DATA_ARRAY', { at: file, message: `${file} cannot be read: ${what}. Save it again with numpy.save or numpy.savez.` });
}

/** How many bytes there are before the values, from the first 12; @throws AnnealError `DATA_ARRAY` */
export function headerLength(head: Buffer, file: string): number {
  if (head.length < 12 || !head.subarray(0, 6).equals(magic)) throw broken(file, 'it is no .npy file');
  const version = head[6] ?? 0;
  if (version < 1 || version > 3) throw broken(file, `it is of version ${version} of the format, and 1 to 3 are known`);
  const length = version === 1 ? 10 + head.readUInt16LE(8) : 12 + head.readUInt32LE(8);
  if (length > mostHeaderBytes) throw broken(file, 'its header is longer than that of any plain array');
  return length;
}

/** @param header  all bytes before the values. @throws AnnealError `DATA_ARRAY` */
export function parseHeader(header: Buffer, file: string): ArrayInfo {
  const from = header[6] === 1 ? 10 : 12;
  const fields = parseDictionary(header.toString(header[6] === 3 ? 'utf8' : 'latin1', from), file);
  const { descr, fortran_order: isFortran, shape } = fields;
  if (typeof isFortran !== 'boolean' || !Array.isArray(shape) || descr === undefined) throw broken(file, 'its header lacks descr, fortran_order or shape');
  if (typeof descr !== 'string') throw broken(file, 'it holds records of several fields, and a plain array is needed');
  const { order = '', type = '' } = /^(?<order>[<>|=])(?<type>.+)$/.exec(descr)?.groups ?? {};
  if (!isKnown(type)) throw broken(file, `it holds ${kindOf(type)} (dtype ${descr}), and numbers are needed: ${Object.keys(dtypes).join(', ')}`);
  return { dtype: type, isLittleEndian: order !== '>', isFortran, shape, headerBytes: header.length };
}

const isKnown = (type: string): type is DType => Object.hasOwn(dtypes, type);

function kindOf(type: string): string {
  return { O: 'objects of Python', U: 'text', S: 'text', M: 'times', m: 'durations', c: 'complex numbers', V: 'raw bytes' }[type.charAt(0)] ?? 'values of a type that is not read';
}

/** null is what no plain array has. */
type Literal = string | boolean | readonly number[] | null;

/** A dictionary as NumPy writes it: texts without escapes, True and False, and tuples of whole numbers. Nothing is evaluated. */
function parseDictionary(written: string, file: string): Readonly<Record<string, Literal | undefined>> {
  const tokens = written.match(/'[^'\\\n]*'|"[^"\\\n]*"|True|False|\d+L?|[{}()[\]:,]|\S/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw broken(file, 'its header is no dictionary as NumPy writes it');
  };
  const expect = (token: string): void => {
    if (tokens[at++] !== token) fail();
  };
  const tuple = (): readonly number[] => {
    const sizes: number[] = [];
    while (tokens[at] !== ')') {
      const token = tokens[at++] ?? '';
      const size = /^\d+L?$/.test(token) ? parseInt(token, 10) : NaN;
      if (!Number.isSafeInteger(size)) fail();
      sizes.push(size);
      if (tokens[at] === ',') at++;
      else if (tokens[at] !== ')') fail();
    }
    at++;
    return sizes;
  };
  /** Passes over a list, which only types of several fields have. */
  const list = (): null => {
    for (let depth = 1; depth > 0; at++) {
      if (tokens[at] === undefined) fail();
      depth += tokens[at] === '[' || tokens[at] === '(' ? 1 : tokens[at] === ']' || tokens[at] === ')' ? -1 : 0;
    }
    return null;
  };
  const value = (): Literal => {
    const token = tokens[at++] ?? '';
    if (/^['"]/.test(token)) return token.slice(1, -1);
    if (token === 'True' || token === 'False') return token === 'True';
    if (token === '(') return tuple();
    return token === '[' ? list() : fail();
  };
  const fields: Record<string, Literal> = {};
  expect('{');
  while (tokens[at] !== '}') {
    const key = value();
    if (typeof key !== 'string') fail();
    expect(':');
    const held = value();
    fields[String(key)] = held;
    if (tokens[at] === ',') at++;
    else if (tokens[at] !== '}') fail();
  }
  if (at !== tokens.length - 1) fail();
  return fields;
}

/** Values of an array as its file holds them, in rows (C order). */
export interface Destination {
  readonly values: Uint8Array | Float32Array | Float64Array;
  /** Row that the first one becomes. */
  readonly firstRow: number;
}

/**
 * Reads the values behind the header.
 * @param bytes  of the file, from its beginning
 * @param into   holds rows × width values, row-major
 * @throws AnnealError `DATA_ARRAY` where there are more or fewer than the header says
 */
export async function readValues(bytes: AsyncIterable<Buffer>, info: ArrayInfo, { values, firstRow }: Destination, file: string): Promise<void> {
  const { dtype, isLittleEndian, isFortran, shape, headerBytes } = info;
  const Native = !isFortran && isLittleEndian && dtype !== 'b1' && dtype !== 'u8' && dtype !== 'i8' ? native[dtype] : undefined;
  const { bytes: size, read } = dtypes[dtype];
  const count = sizeOf(shape);
  const rows = shape[0] ?? 1;
  const width = rows === 0 ? 0 : count / rows;
  const places = isFortran ? placesOf(shape.slice(1)) : undefined;
  const first = firstRow * width;
  let done = 0;
  let rest: Buffer = Buffer.alloc(0);
  let passed = headerBytes;
  for await (const chunk of bytes) {
    const skipped = Math.min(passed, chunk.length);
    passed -= skipped;
    const whole = rest.length === 0 ? chunk.subarray(skipped) : Buffer.concat([rest, chunk.subarray(skipped)]);
    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
    const here = Math.floor(whole.length / size);
    if (done + here > count) throw broken(file, `it holds more than the ${count} values that its header says`);
    if (Native !== undefined) {
      values.set(new Native(new Uint8Array(whole.subarray(0, here * size)).buffer), first + done);
      done += here;
    } else for (let place = 0; place < here; place++, done++) {
      const to = places === undefined ? done : (done % rows) * width + (places[Math.floor(done / rows)] ?? 0);
      values[first + to] = read(view, place * size, isLittleEndian);
    }
    rest = whole.subarray(here * size);
  }
  if (done < count || rest.length > 0) throw broken(file, `it holds ${done} of the ${count} values that its header says`);
}

/** Where each value of a row stands in C order, in the order in which Fortran counts them. */
function placesOf(shape: readonly number[]): Int32Array {
  const width = sizeOf(shape);
  return Int32Array.from({ length: width }, (_, fortran) => {
    let rest = fortran;
    let place = 0;
    let stride = width;
    for (const length of shape) {
      stride /= length;
      place += (rest % length) * stride;
      rest = Math.floor(rest / length);
    }
    return place;
  });
}
