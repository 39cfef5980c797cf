/** An ONNX model as plain data, and its bytes as a ModelProto. Field numbers are those of onnx.proto (onnx/onnx, proto2). */
import { ProtoWriter } from '../protobuf.ts';

/** Data types of TensorProto that occur in our files, with the array that holds them. */
export interface TensorData {
  readonly FLOAT: Float32Array;
  readonly FLOAT16: Float16Array;
  readonly INT8: Int8Array;
  readonly INT64: BigInt64Array;
}

const dataTypes = { FLOAT: 1, INT8: 3, INT64: 7, FLOAT16: 10 } as const satisfies Record<keyof TensorData, number>;

export type DataType = keyof TensorData;

export type Tensor = { [Type in DataType]: { readonly type: Type; readonly dims: readonly number[]; readonly data: TensorData[Type] } }[DataType];

export type Attribute =
  | { readonly type: 'FLOAT' | 'INT'; readonly value: number }
  | { readonly type: 'FLOATS' | 'INTS'; readonly value: readonly number[] }
  | { readonly type: 'STRING'; readonly value: string }
  | { readonly type: 'STRINGS'; readonly value: readonly string[] };

export interface Node {
  readonly op: string;
  readonly name: string;
  /** An optional input that is not given has the name ''. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Initializer {
  readonly name: string;
  readonly tensor: Tensor;
  /** Of a weight that is multiplied with values: the axis of its output channels. Not in the file; it tells what may be compressed, and how. */
  readonly channelAxis?: number;
}

/** Float32; the first axis is the batch, of any size. */
export interface Port {
  readonly name: string;
  /** Of one row. */
  readonly shape: readonly number[];
}

export interface OnnxModel {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly initializers: readonly Initializer[];
  /** Each after those whose outputs it takes. */
  readonly nodes: readonly Node[];
}

/** The oldest with LayerNormalization: the older the opset, the more programs can read the file. IR 8 is the version that came out with it. */
export const opset = 17;
const irVersion = 8;

export const float = (value: number): Attribute => ({ type: 'FLOAT', value });
export const int = (value: number): Attribute => ({ type: 'INT', value });
export const floats = (value: readonly number[]): Attribute => ({ type: 'FLOATS', value });
export const ints = (value: readonly number[]): Attribute => ({ type: 'INTS', value });
export const text = (value: string): Attribute => ({ type: 'STRING', value });
export const texts = (value: readonly string[]): Attribute => ({ type: 'STRINGS', value });

/** The data type of TensorProto, as a number: what Cast takes. */
export const dataTypeNumber = (type: DataType): number => dataTypes[type];

/** Pure: equal models give equal bytes. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new ProtoWriter();
  for (const node of model.nodes) graph.message(1, nodeProto(node));
  graph.text(2, 'network');
  for (const { name, tensor } of model.initializers) graph.message(5, tensorProto(name, tensor));
  for (const port of model.inputs) graph.message(11, valueInfo(port));
  for (const port of model.outputs) graph.message(12, valueInfo(port));
  return new ProtoWriter()
    .int(1, irVersion)
    .text(2, 'anneal')
    .message(7, graph)
    .message(8, new ProtoWriter().text(1, '').int(2, opset))
    .finish();
}

function nodeProto({ op, name, inputs, outputs, attributes }: Node): ProtoWriter {
  const proto = new ProtoWriter();
  for (const input of inputs) proto.text(1, input);
  for (const output of outputs) proto.text(2, output);
  proto.text(3, name).text(4, op);
  for (const [key, attribute] of Object.entries(attributes)) proto.message(5, attributeProto(key, attribute));
  return proto;
}

function attributeProto(name: string, attribute: Attribute): ProtoWriter {
  const proto = new ProtoWriter().text(1, name);
  switch (attribute.type) {
    case 'FLOAT': return proto.float(2, attribute.value).int(20, 1);
    case 'INT': return proto.int(3, attribute.value).int(20, 2);
    case 'STRING': return proto.text(4, attribute.value).int(20, 3);
    case 'FLOATS':
      for (const value of attribute.value) proto.float(7, value);
      return proto.int(20, 6);
    case 'INTS':
      for (const value of attribute.value) proto.int(8, value);
      return proto.int(20, 7);
    case 'STRINGS':
      for (const value of attribute.value) proto.text(9, value);
      return proto.int(20, 8);
  }
}

/** raw_data is little-endian, as is every machine that this runs on. */
function tensorProto(name: string, { type, dims, data }: Tensor): ProtoWriter {
  const proto = new ProtoWriter();
  for (const dim of dims) proto.int(1, dim);
  return proto.int(2, dataTypes[type]).text(8, name).bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function valueInfo({ name, shape }: Port): ProtoWriter {
  const dims = new ProtoWriter().message(1, new ProtoWriter().text(2, 'batch'));
  for (const dim of shape) dims.message(1, new ProtoWriter().int(1, dim));
  return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, new ProtoWriter().int(1, dataTypes.FLOAT).message(2, dims)));
}
