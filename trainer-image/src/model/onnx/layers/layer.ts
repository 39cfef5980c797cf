/** What an emitter is given, and what it may ask. */
import { kerasOrder, native, valueOf } from '../graph.ts';
import type { Graph, Order, Value } from '../graph.ts';
import type { Attribute } from '../proto.ts';
import type { Settings } from '../settings.ts';
import { Unsupported } from '../unsupported.ts';
import type { Weight } from '../weights.ts';

/** One call of a layer. */
export interface Layer {
  readonly name: string;
  readonly className: string;
  readonly settings: Settings;
  readonly inputs: readonly Value[];
  readonly graph: Graph;
  /** @throws Unsupported where the layer has no such weight */
  readonly weight: (name: string) => Weight;
}

/** Adds a layer's operators to the graph. @throws Unsupported */
export type Emitter = (layer: Layer) => Value;

export function refuse({ name, className }: Layer, why: string): never {
  throw new Unsupported(name, className, why);
}

export function onlyInput(layer: Layer): Value {
  const [input, ...others] = layer.inputs;
  return input === undefined || others.length > 0 ? refuse(layer, `is called with ${layer.inputs.length} inputs`) : input;
}

/** Weight of the layer as a constant, as `shape` makes it; a weight that several calls share is stored once. */
export function constant(layer: Layer, name: string, shape: (weight: Weight) => Weight = (weight) => weight, channelAxis?: number): string {
  return layer.graph.constant(`${layer.name}/${name}`, () => ({ type: 'FLOAT', ...shape(layer.weight(name)) }), channelAxis);
}

/** The settings that image layers have: tensors with channels first are rare in TensorFlow.js, and its layers do not agree about them. */
export function requireChannelsLast(layer: Layer): void {
  const format = layer.settings.text('data_format', 'channels_last');
  if (format !== 'channels_last') refuse(layer, `has data_format: ${format}`);
}

/** An operator on each number, in whatever order they are. */
export function elementwise(layer: Layer, value: Value, op: string, others: readonly string[] = [], attributes: Readonly<Record<string, Attribute>> = {}): Value {
  return valueOf(value.shape, value.order, layer.graph.node(layer.name, op, [native(value), ...others], attributes));
}

/** Name of the tensor whose last axis is the value's last, which is enough for what treats all other axes alike. */
export function lastAxisLast(layer: Layer, value: Value): { readonly tensor: string; readonly order: Order } {
  if (value.order.at(-1) === value.shape.length) return { tensor: native(value), order: value.order };
  const order = kerasOrder(value.shape);
  return { tensor: layer.graph.arranged(value, order, layer.name), order };
}
