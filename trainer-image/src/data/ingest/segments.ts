/** The rows of one column in one block as bytes, each block in the narrowest form that keeps every value to the bit. Little-endian. */
import type { PlainTexts } from './plain-texts.ts';

export const encodings = ['Missing', 'Float64', 'Float32', 'Int32', 'Int16', 'Int8', 'Plain'] as const;
export type Encoding = (typeof encodings)[number];

export interface Segment {
  /** `Missing` is a block without one value, and without bytes. `Plain` is texts by themselves, all others numbers or codes. */
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
}

export const missingSegment: Segment = { encoding: 'Missing', bytes: new Uint8Array(0) };

const least = { Int32: -(2 ** 31), Int16: -(2 ** 15), Int8: -(2 ** 7) } as const;

/** @param values  NaN is a missing value; stored among whole numbers as the least of their type */
export function encodeNumbers(values: Float64Array): Segment {
  let lowest = Infinity;
  let highest = -Infinity;
  let areWhole = true;
  let areFloat32 = true;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
    areWhole &&= (value | 0) === value && (value !== 0 || 1 / value > 0);
    areFloat32 &&= Math.fround(value) === value;
    if (!areWhole && !areFloat32) return { encoding: 'Float64', bytes: bytesOf(values.slice()) };
  }
  if (lowest > highest) return missingSegment;
  const encoding = areWhole ? narrowest(lowest - 1, highest) : undefined;
  if (encoding !== undefined) return { encoding, bytes: bytesOf(filled(whole[encoding](values.length), values, least[encoding])) };
  return areFloat32 ? { encoding: 'Float32', bytes: bytesOf(Float32Array.from(values)) } : { encoding: 'Float64', bytes: bytesOf(values.slice()) };
}

/** @param codes  -1 is a missing value */
export function encodeCodes(codes: Int32Array): Segment {
  let highest = -1;
  for (const code of codes) if (code > highest) highest = code;
  if (highest < 0) return missingSegment;
  const encoding = narrowest(-1, highest) ?? 'Int32';
  return { encoding, bytes: bytesOf(encoding === 'Int32' ? codes.slice() : filledWithCodes(whole[encoding](codes.length), codes)) };
}

/** @param into  as many as the block has rows */
export function decodeNumbers({ encoding, bytes }: Segment, into: Float64Array): void {
  switch (encoding) {
    case 'Missing': into.fill(NaN); break;
    case 'Float64': into.set(view(Float64Array, bytes)); break;
    case 'Float32': into.set(view(Float32Array, bytes)); break;
    case 'Int32': widen(view(Int32Array, bytes), into, least.Int32); break;
    case 'Int16': widen(view(Int16Array, bytes), into, least.Int16); break;
    case 'Int8': widen(view(Int8Array, bytes), into, least.Int8); break;
    case 'Plain': throw new Error('A segment of texts holds no numbers.');
  }
}

/** @param into  as many as the block has rows */
export function decodeCodes({ encoding, bytes }: Segment, into: Int32Array): void {
  switch (encoding) {
    case 'Missing': into.fill(-1); break;
    case 'Int32': into.set(view(Int32Array, bytes)); break;
    case 'Int16': into.set(view(Int16Array, bytes)); break;
    case 'Int8': into.set(view(Int8Array, bytes)); break;
    default: throw new Error(`A segment of encoding ${encoding} holds no codes.`);
  }
}

/** Lengths of the texts as Int32, -1 for a missing one, and then their bytes. */
export function encodePlain(texts: PlainTexts): Segment {
  const lengths = texts.lengths.subarray(0, texts.rows);
  if (lengths.every((length) => length < 0)) return missingSegment;
  const bytes = new Uint8Array(lengths.byteLength + texts.used);
  bytes.set(bytesOf(lengths));
  bytes.set(texts.bytes.subarray(0, texts.used), lengths.byteLength);
  return { encoding: 'Plain', bytes };
}

/** Null is a missing text. */
export function decodePlain({ encoding, bytes }: Segment, rows: number): (string | null)[] {
  if (encoding === 'Missing') return new Array<null>(rows).fill(null);
  const held = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = rows * 4;
  return Array.from(view(Int32Array, bytes.subarray(0, at)), (length) => (length < 0 ? null : held.toString('utf8', at, (at += length))));
}

type Whole = keyof typeof least;

const whole: Readonly<Record<Whole, (length: number) => Int32Array | Int16Array | Int8Array>> = {
  Int32: (length) => new Int32Array(length),
  Int16: (length) => new Int16Array(length),
  Int8: (length) => new Int8Array(length),
};

/** The narrowest whole numbers that reach from `lowest` to `highest`. */
function narrowest(lowest: number, highest: number): Whole | undefined {
  return (['Int8', 'Int16', 'Int32'] as const).find((encoding) => lowest >= least[encoding] && highest <= -1 - least[encoding]);
}

function filled(into: Int32Array | Int16Array | Int8Array, values: Float64Array, missing: number): typeof into {
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? NaN;
    into[at] = Number.isNaN(value) ? missing : value;
  }
  return into;
}

function filledWithCodes(into: Int32Array | Int16Array | Int8Array, codes: Int32Array): typeof into {
  into.set(codes);
  return into;
}

function widen(from: Int32Array | Int16Array | Int8Array, into: Float64Array, missing: number): void {
  for (let at = 0; at < from.length; at++) {
    const value = from[at] ?? missing;
    into[at] = value === missing ? NaN : value;
  }
}

const bytesOf = (values: Float64Array | Float32Array | Int32Array | Int16Array | Int8Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** The bytes as numbers; a copy only where they do not lie as the type needs. */
function view<T>(type: { readonly BYTES_PER_ELEMENT: number; new(buffer: ArrayBufferLike, offset: number, length: number): T }, bytes: Uint8Array): T {
  const placed = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(placed.buffer, placed.byteOffset, placed.byteLength / type.BYTES_PER_ELEMENT);
}
