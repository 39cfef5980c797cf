/** An inference request of the Open Inference Protocol V2 (inference_rest.md), checked and turned into raw rows. */
import type { InputVector, Preprocessing } from '../data/prepare.ts';
import { textColumn } from '../data/table.ts';
import type { Column, ColumnInfo, Table, VectorColumn } from '../data/table.ts';
import { parseTime } from '../data/time.ts';
import { list } from '../errors.ts';
import { sizeOf } from '../shape.ts';

/** What a client is told, with the status code of Triton's table. */
export class ProtocolError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'ProtocolError';
    this.status = status;
    this.headers = headers;
  }
}

export interface InferRequest {
  readonly id?: string;
  readonly table: Table;
  /** Names of the outputs that were asked for; undefined asks for all. */
  readonly outputs?: readonly string[];
}

interface InputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** Smallest and largest value of the number types that JSON can carry; whole numbers where `whole`. */
const numberTypes: Readonly<Record<string, { readonly whole: boolean; readonly min: number; readonly max: number }>> = {
  FP64: { whole: false, min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
  FP32: { whole: false, min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
  INT8: { whole: true, min: -(2 ** 7), max: 2 ** 7 - 1 },
  INT16: { whole: true, min: -(2 ** 15), max: 2 ** 15 - 1 },
  INT32: { whole: true, min: -(2 ** 31), max: 2 ** 31 - 1 },
  // Beyond 2^53 JSON numbers lose digits in JavaScript; refusing is better than answering for another number.
  INT64: { whole: true, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  UINT8: { whole: true, min: 0, max: 2 ** 8 - 1 },
  UINT16: { whole: true, min: 0, max: 2 ** 16 - 1 },
  UINT32: { whole: true, min: 0, max: 2 ** 32 - 1 },
  UINT64: { whole: true, min: 0, max: Number.MAX_SAFE_INTEGER },
};

/** Name of the one tensor that holds all columns of a model with number columns only. */
export const rowsInput = 'rows';

const bad = (message: string): ProtocolError => new ProtocolError(400, message);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param known  names of the model's outputs. @throws ProtocolError 400 or 501 with one sentence */
export function parseInfer(body: unknown, preprocessing: Preprocessing, known: readonly string[]): InferRequest {
  if (!isObject(body)) throw bad('The body must be a JSON object with "inputs".');
  if (body.id !== undefined && typeof body.id !== 'string') throw bad('"id" must be a string.');
  requireParameters(body.parameters, 'the request');
  if (!Array.isArray(body.inputs) || body.inputs.length === 0) throw bad('"inputs" must be a list of at least one tensor.');
  const inputs = body.inputs.map(parseTensor);
  const outputs = body.outputs === undefined ? undefined : parseOutputs(body.outputs, known);
  return { table: toTable(inputs, preprocessing), ...(body.id === undefined ? {} : { id: body.id }), ...(outputs === undefined ? {} : { outputs }) };
}

function requireParameters(parameters: unknown, where: string): void {
  if (parameters === undefined) return;
  if (!isObject(parameters)) throw bad(`"parameters" of ${where} must be an object.`);
  // A wish for binary outputs is not refused: an answer in JSON says by itself that it is none, and clients read it.
  if ('binary_data_size' in parameters) throw new ProtocolError(501, `The binary tensor extension (binary_data_size of ${where}) is not supported; send JSON data.`);
}

function parseTensor(value: unknown, index: number): InputTensor {
  if (!isObject(value) || typeof value.name !== 'string') throw bad(`inputs[${index}] must be an object with a "name".`);
  const { name, datatype, shape, data } = value;
  requireParameters(value.parameters, `input "${name}"`);
  if (typeof datatype !== 'string') throw bad(`Input "${name}" needs a "datatype", for example "FP64".`);
  if (!Array.isArray(shape) || !shape.every((length): length is number => Number.isInteger(length) && length >= 0)) throw bad(`Input "${name}" needs a "shape" of whole numbers, for example [1, 4].`);
  if (!Array.isArray(data)) throw bad(`Input "${name}" needs its "data" as a list.`);
  const flat = flatten(data, shape, name);
  const size = sizeOf(shape);
  if (flat.length !== size) throw bad(`Input "${name}" has ${flat.length} values, but its shape [${shape.join(', ')}] holds ${size}.`);
  return { name, datatype, shape, data: flat };
}

/** Data may be flat in row-major order, or nested as the shape says. */
function flatten(data: readonly unknown[], shape: readonly number[], name: string): readonly unknown[] {
  if (!data.some(Array.isArray)) return data;
  let level: readonly unknown[] = data;
  shape.forEach((length, depth) => {
    if (depth === 0) {
      if (level.length !== length) throw misshapen(name, shape);
      return;
    }
    level = level.flatMap((nested): unknown[] => {
      if (!Array.isArray(nested) || nested.length !== length) throw misshapen(name, shape);
      return nested as unknown[];
    });
  });
  if (level.some(Array.isArray)) throw misshapen(name, shape);
  return level;
}

const misshapen = (name: string, shape: readonly number[]): ProtocolError => bad(`The nested data of input "${name}" does not have the shape [${shape.join(', ')}].`);

function parseOutputs(value: unknown, known: readonly string[]): string[] {
  if (!Array.isArray(value)) throw bad('"outputs" must be a list.');
  return value.map((output: unknown, index) => {
    if (!isObject(output) || typeof output.name !== 'string') throw bad(`outputs[${index}] must be an object with a "name".`);
    requireParameters(output.parameters, `output "${output.name}"`);
    if (!known.includes(output.name)) throw bad(`There is no output "${output.name}"; the model has ${list(known)}.`);
    return output.name;
  });
}

function toTable(inputs: readonly InputTensor[], preprocessing: Preprocessing): Table {
  const [first] = inputs;
  const columns = preprocessing.inputs;
  if (first !== undefined && inputs.length === 1 && first.name === rowsInput && !columns.some(({ name }) => name === rowsInput)) return tableOfRows(first, preprocessing);
  const byName = new Map(inputs.map((input) => [input.name, input]));
  if (byName.size < inputs.length) throw bad('Two inputs have the same name.');
  const unknown = inputs.find(({ name }) => !columns.some((column) => column.name === name));
  if (unknown !== undefined) throw bad(`There is no input "${unknown.name}"; the model takes ${expected(preprocessing)}.`);
  const missing = columns.filter(({ name }) => !byName.has(name)).map(({ name }) => name);
  if (missing.length > 0) throw bad(`The columns ${list(missing)} are missing; the model takes ${expected(preprocessing)}.`);
  const rows = first?.shape[0] ?? 0;
  const vector = columns.find((column) => column.kind === 'Vector');
  if (vector !== undefined) return { rows, columns: [], vector: vectorOf(vector, byName.get(vector.name)) };
  return { rows, columns: columns.filter((column) => column.kind !== 'Vector').map((column) => columnOf(column, byName.get(column.name), rows, preprocessing.missing)) };
}

/** A row may also be sent flat. */
function vectorOf({ name, shape }: InputVector, input: InputTensor | undefined): VectorColumn {
  if (input === undefined) throw bad(`The input "${name}" is missing.`);
  const width = sizeOf(shape);
  const [, ...rest] = input.shape;
  if (rest.join() !== shape.join() && rest.join() !== String(width)) throw bad(`Input "${name}" must have the shape [n, ${shape.join(', ')}], not [${input.shape.join(', ')}].`);
  const values = numbers(input);
  return { kind: 'Vector', name, shape, width, values: input.datatype === 'UINT8' && !values.includes(NaN) ? Uint8Array.from(values) : Float32Array.from(values) };
}

function expected({ inputs }: Preprocessing): string {
  const [first] = inputs;
  if (first?.kind === 'Vector') return `one input "${first.name}" of shape [n, ${first.shape.join(', ')}]`;
  const one = inputs.every(({ kind }) => kind === 'Number') ? `one input "${rowsInput}" of shape [n, ${inputs.length}], or ` : '';
  return `${one}one input of shape [n] for each of ${list(inputs.map(({ name }) => name))}`;
}

function tableOfRows(input: InputTensor, preprocessing: Preprocessing): Table {
  const columns = preprocessing.inputs;
  const [rows = 0, width] = input.shape;
  if (columns.some(({ kind }) => kind === 'Text' || kind === 'Time')) throw bad(`The model has columns of texts or times, so it takes ${expected(preprocessing)}.`);
  if (columns.some(({ kind }) => kind === 'Vector')) throw bad(`There is no input "${rowsInput}"; the model takes ${expected(preprocessing)}.`);
  if (input.shape.length !== 2 || width !== columns.length) throw bad(`Input "${rowsInput}" must have the shape [n, ${columns.length}], not [${input.shape.join(', ')}].`);
  const values = numbers(input);
  return { rows, columns: columns.map(({ name }, place) => ({ kind: 'Number', name, values: Float64Array.from({ length: rows }, (_, row) => values[row * width + place] ?? NaN) })) };
}

function columnOf({ name, kind }: ColumnInfo, input: InputTensor | undefined, rows: number, missing: readonly string[]): Column {
  if (input === undefined) throw bad(`The column "${name}" is missing.`);
  const [length, ...rest] = input.shape;
  if (length !== rows || rest.length > 1 || (rest.length === 1 && rest[0] !== 1)) throw bad(`Input "${name}" must have the shape [${rows}] like the first input, not [${input.shape.join(', ')}].`);
  switch (kind) {
    case 'Number': return { kind, name, values: numbers(input) };
    case 'Text': return textColumn(name, texts(input, missing));
    case 'Time': return { kind, name, values: times(input, missing) };
  }
}

/** null stands for a missing value, which JSON has no number for. */
function numbers(input: InputTensor): Float64Array {
  const { name, datatype, data } = input;
  if (datatype === 'BOOL') return Float64Array.from(data, (value, at) => truth(value, name, at));
  const type = numberTypes[datatype];
  if (type === undefined) throw bad(`Input "${name}" holds numbers, so its datatype must be one of ${list([...Object.keys(numberTypes), 'BOOL'], 12)}, not "${datatype}".`);
  return Float64Array.from(data, (value, at) => {
    if (value === null) return NaN;
    if (typeof value !== 'number' || value < type.min || value > type.max || (type.whole && !Number.isInteger(value))) throw bad(`Input "${name}" has ${shown(value)} at place ${at}, which is no ${datatype}.`);
    return value;
  });
}

function truth(value: unknown, name: string, at: number): number {
  if (value === null) return NaN;
  if (value === true || value === 1) return 1;
  if (value === false || value === 0) return 0;
  throw bad(`Input "${name}" has ${shown(value)} at place ${at}, which is no BOOL.`);
}

/** As in a file of rows; NaN is a missing value. */
function times(input: InputTensor, missing: readonly string[]): Float64Array {
  return Float64Array.from(texts(input, missing), (value, at) => {
    if (value === null) return NaN;
    const time = parseTime(value);
    if (time === undefined) throw bad(`Input "${input.name}" has ${shown(value)} at place ${at}, which is no time. Write it as 2026-01-31T12:00:00Z.`);
    return time;
  });
}

function texts(input: InputTensor, missing: readonly string[]): (string | null)[] {
  if (input.datatype !== 'BYTES') throw bad(`Input "${input.name}" holds text, so its datatype must be "BYTES", not "${input.datatype}".`);
  return input.data.map((value, at) => {
    if (value === null) return null;
    if (typeof value !== 'string') throw bad(`Input "${input.name}" has ${shown(value)} at place ${at}, which is no text.`);
    const text = value.trim();
    return missing.includes(text) ? null : text;
  });
}

function shown(value: unknown): string {
  // 1e999, which JSON reads as infinity, and has no word for.
  if (typeof value === 'number') return String(value);
  const json = JSON.stringify(value);
  return json.length > 40 ? `${json.slice(0, 40)}…` : json;
}
