/**
 * A TensorFlow graph under construction. Nodes are added in the order in which they can run; each may say how gradients flow back
 * through it. The finished graph is a SavedModel, which TensorFlow loads as a session.
 * Messages: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto, core/protobuf/{meta_graph,saved_model}.proto.
 */
import { ProtoWriter } from '../protobuf.ts';

/** By the numbers of DataType in types.proto. */
const dataTypes = { float32: 1, int32: 3, bool: 10, resource: 20 } as const;

export type DataType = keyof typeof dataTypes;

/** A size that is only known when the graph runs, as the number of rows of a batch, is null. */
export type Shape = readonly (number | null)[];

/** One output of a node. */
export interface Value {
  readonly graph: Graph;
  readonly node: Node;
  /** `node` or `node:index`, as inputs name it. */
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: Shape;
}

/**
 * From the gradients of a loss by a node's outputs (undefined where the loss does not depend on one) to those by its inputs
 * (undefined where none flows).
 */
export type Pullback = (gradients: readonly (Value | undefined)[]) => readonly (Value | undefined)[];

export interface Node {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly pullback: Pullback | undefined;
}

export interface NodeOptions {
  readonly inputs?: readonly Value[];
  readonly attributes?: Readonly<Record<string, ProtoWriter>>;
  readonly outputs?: readonly { readonly dtype: DataType; readonly shape: Shape }[];
  readonly pullback?: Pullback;
  /** Nodes that must have run before. */
  readonly after?: readonly Node[];
  /** For nodes that are fed or fetched; others get one. */
  readonly name?: string;
}

/** Fields of AttrValue and AttrValue.ListValue. */
export const attribute = {
  string: (value: string) => new ProtoWriter().text(2, value),
  int: (value: number) => new ProtoWriter().int(3, value),
  float: (value: number) => new ProtoWriter().float(4, value),
  bool: (value: boolean) => new ProtoWriter().int(5, Number(value)),
  type: (value: DataType) => new ProtoWriter().int(6, dataTypes[value]),
  shape: (value: Shape) => new ProtoWriter().message(7, shapeMessage(value)),
  ints: (values: readonly number[]) => new ProtoWriter().message(1, new ProtoWriter().ints(3, values)),
  tensor: (dtype: DataType, shape: readonly number[], data: Float32Array | Int32Array) => new ProtoWriter().message(8, new ProtoWriter()
    .int(1, dataTypes[dtype])
    .message(2, shapeMessage(shape))
    .bytes(4, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))),
};

/** TensorShapeProto; -1 is a size that is not known. */
function shapeMessage(shape: Shape): ProtoWriter {
  const proto = new ProtoWriter();
  for (const size of shape) proto.message(2, new ProtoWriter().int(1, size ?? -1));
  return proto;
}

/** TF_GRAPH_DEF_VERSION of TensorFlow 2.16. */
const producer = 1766;

/** By which the session finds the graph in the SavedModel. */
export const savedModelTag = 'train';

export class Graph {
  private readonly definitions: ProtoWriter[] = [];
  private readonly counts = new Map<string, number>();

  /** @param op  as tensorflow/core/ops registers it */
  add(op: string, { inputs = [], attributes = {}, outputs = [], pullback, after = [], name }: NodeOptions): Node {
    const node: { -readonly [K in keyof Node]: Node[K] } = { name: name ?? this.newName(op), inputs, outputs: [], pullback };
    node.outputs = outputs.map((output, index): Value => ({ ...output, graph: this, node, name: index === 0 ? node.name : `${node.name}:${index}` }));
    const proto = new ProtoWriter().text(1, node.name).text(2, op);
    for (const input of inputs) proto.text(3, input.name);
    for (const before of after) proto.text(3, `^${before.name}`);
    for (const [key, value] of Object.entries(attributes)) proto.message(5, new ProtoWriter().text(1, key).message(2, value));
    this.definitions.push(proto);
    return node;
  }

  /** For a node with one output. */
  value(op: string, options: Omit<NodeOptions, 'outputs'> & { readonly dtype: DataType; readonly shape: Shape }): Value {
    return outputOf(this.add(op, { ...options, outputs: [{ dtype: options.dtype, shape: options.shape }] }), 0);
  }

  /** A saved_model.pb with this graph alone: its variables get their values when the session runs. */
  savedModel(): Uint8Array {
    const graph = new ProtoWriter();
    for (const definition of this.definitions) graph.message(1, definition);
    graph.message(4, new ProtoWriter().int(1, producer));
    const metaGraph = new ProtoWriter().message(1, new ProtoWriter().text(4, savedModelTag)).message(2, graph);
    return new ProtoWriter().int(1, 1).message(2, metaGraph).finish();
  }

  private newName(op: string): string {
    const count = (this.counts.get(op) ?? 0) + 1;
    this.counts.set(op, count);
    return `${op}_${count}`;
  }
}

export function outputOf(node: Node, index: number): Value {
  const value = node.outputs[index];
  if (value === undefined) throw new Error(`${node.name} has no output ${index}.`);
  return value;
}
