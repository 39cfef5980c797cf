/** An ONNX graph while it is built: tensors with the order of their axes, so that they are transposed where an operator needs it and nowhere else. */
import { ints } from './proto.ts';
import type { Attribute, Initializer, Node, OnnxModel, Port, Tensor } from './proto.ts';

/**
 * Order of a tensor's axes: place i of the tensor is axis order[i] of the value as Keras numbers it, where 0 is the batch and the last
 * are the channels. ONNX convolves in [0, 3, 1, 2], and its recurrent operators take [1, 0, 2].
 */
export type Order = readonly number[];

/** What a layer gives, in as many orders of its axes as were asked for. */
export interface Value {
  /** Of one row, in the order of Keras. */
  readonly shape: readonly number[];
  /** The order in which it was computed. */
  readonly order: Order;
  /** Name of the tensor in an order. */
  readonly tensors: Map<string, string>;
}

export const kerasOrder = (shape: readonly number[]): Order => [0, ...shape.map((_, axis) => axis + 1)];
/** Channels before the other axes of a row. */
export const channelsFirst = ({ length }: readonly number[]): Order => [0, length, ...Array.from({ length: length - 1 }, (_, axis) => axis + 1)];

const keyOf = (order: Order): string => order.join();

export function valueOf(shape: readonly number[], order: Order, tensor: string): Value {
  return { shape, order, tensors: new Map([[keyOf(order), tensor]]) };
}

/** The tensor in the order in which it was computed. */
export function native(value: Value): string {
  const tensor = value.tensors.get(keyOf(value.order));
  if (tensor === undefined) throw new Error('A value has no tensor.');
  return tensor;
}

export class Graph {
  private readonly nodes: Node[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly names = new Set<string>();
  private readonly inputs: Port[] = [];
  private readonly outputs: Port[] = [];
  private readonly renamed = new Map<string, string>();

  input(name: string, shape: readonly number[]): Value {
    const port = { name: this.unique(name), shape };
    this.inputs.push(port);
    return valueOf(shape, kerasOrder(shape), port.name);
  }

  /** The value, in the order of Keras, becomes a result of the graph. */
  output(name: string, value: Value): void {
    const tensor = this.arranged(value, kerasOrder(value.shape), name);
    const port = { name: this.unique(name), shape: value.shape };
    this.outputs.push(port);
    const isComputed = this.nodes.some(({ outputs }) => outputs.includes(tensor));
    if (isComputed && !this.renamed.has(tensor)) this.renamed.set(tensor, port.name);
    else this.nodes.push({ op: 'Identity', name: this.unique(`${name}/Identity`), inputs: [tensor], outputs: [port.name], attributes: {} });
  }

  /** Adds an operator with one output. @param layer  begins the names of node and output. @returns the output's name */
  node(layer: string, op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.nodeWith(layer, op, inputs, attributes, 0);
  }

  /** Adds an operator of which one output is used. @param place  of that output; those before it are left out */
  nodeWith(layer: string, op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>>, place: number): string {
    const name = this.unique(`${layer}/${op}`);
    this.nodes.push({ op, name, inputs, outputs: [...Array.from({ length: place }, () => ''), name], attributes });
    return name;
  }

  /** A tensor that is part of the model; asked for again by the same name it is the same. @param channelAxis  see Initializer */
  constant(name: string, tensor: () => Tensor, channelAxis?: number): string {
    if (this.initializers.has(name)) return name;
    this.names.add(name);
    this.initializers.set(name, { name, tensor: tensor(), ...(channelAxis === undefined ? {} : { channelAxis }) });
    return name;
  }

  scalar(value: number): string {
    return this.constant(`constant/${value}`, () => ({ type: 'FLOAT', dims: [], data: Float32Array.of(value) }));
  }

  /** Whole numbers, as shapes, axes and pads are given. */
  indices(values: readonly number[]): string {
    return this.constant(`indices/${values.join()}`, () => ({ type: 'INT64', dims: [values.length], data: BigInt64Array.from(values, BigInt) }));
  }

  /** Name of the value's tensor in an order, which is made where it is not there. */
  arranged(value: Value, order: Order, layer: string): string {
    const key = keyOf(order);
    const there = value.tensors.get(key);
    if (there !== undefined) return there;
    const made = movesData(value, order)
      ? this.node(layer, 'Transpose', [native(value)], { perm: ints(order.map((axis) => value.order.indexOf(axis))) })
      : this.reshape(layer, native(value), order.slice(1).map((axis) => value.shape[axis - 1] ?? NaN));
    value.tensors.set(key, made);
    return made;
  }

  /** @param row  the new shape of one row; the batch, also an empty one, stays */
  reshape(layer: string, tensor: string, row: readonly number[]): string {
    return this.node(layer, 'Reshape', [tensor, this.indices([0, ...row])]);
  }

  finish(): OnnxModel {
    const name = (tensor: string): string => this.renamed.get(tensor) ?? tensor;
    return {
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: [...this.initializers.values()],
      nodes: this.nodes.map((node) => ({ ...node, inputs: node.inputs.map(name), outputs: node.outputs.map(name) })),
    };
  }

  private unique(name: string): string {
    let found = name;
    for (let count = 2; this.names.has(found); count++) found = `${name}_${count}`;
    this.names.add(found);
    return found;
  }
}

/** Axes of length 1 may go anywhere; if the others keep their order, and the batch its place, a new shape is enough. */
function movesData({ shape, order: from }: Value, to: Order): boolean {
  const long = (order: Order): Order => order.filter((axis) => axis === 0 || shape[axis - 1] !== 1);
  return to[0] !== from[0] || keyOf(long(from)) !== keyOf(long(to));
}
