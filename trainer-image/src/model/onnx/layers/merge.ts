/** Layers of several inputs. */
import { kerasOrder, native, valueOf } from '../graph.ts';
import type { Order, Value } from '../graph.ts';
import { int } from '../proto.ts';
import { refuse } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';

/** The order that all have already, or else that of Keras. */
function commonOrder(inputs: readonly Value[]): Order {
  const [first] = inputs;
  const shared = first !== undefined && inputs.every(({ order }) => order.join() === first.order.join());
  return shared ? first.order : kerasOrder(longest(inputs).shape);
}

const longest = (inputs: readonly Value[]): Value => inputs.reduce((most, input) => (input.shape.length > most.shape.length ? input : most));

/** Axes of length 1 behind the batch, until it has as many as the others. */
function withRank({ graph, name }: Layer, value: Value, rank: number): Value {
  const missing = rank - value.shape.length;
  if (missing === 0) return value;
  const shape = [...Array.from({ length: missing }, () => 1), ...value.shape];
  return valueOf(shape, kerasOrder(shape), graph.reshape(name, graph.arranged(value, kerasOrder(value.shape), name), shape));
}

/** Shape of the values side by side, where axes of length 1 are spread. */
const spread = (inputs: readonly Value[]): readonly number[] => inputs.reduce<readonly number[]>((shape, input) => shape.map((length, axis) => (length === 1 ? input.shape[axis] ?? 1 : length)), inputs[0]?.shape ?? []);

/** An operator between the inputs, one after the other. */
const folded = (op: string): Emitter => (layer) => {
  const { graph, name } = layer;
  const inputs = layer.inputs.map((input) => withRank(layer, input, longest(layer.inputs).shape.length));
  const order = commonOrder(inputs);
  const [first, ...rest] = inputs.map((input) => graph.arranged(input, order, name));
  if (first === undefined) return refuse(layer, 'has no inputs');
  return valueOf(spread(inputs), order, rest.reduce((sum, tensor) => graph.node(name, op, [sum, tensor]), first));
};

const average: Emitter = (layer) => {
  const sum = folded('Add')(layer);
  return valueOf(sum.shape, sum.order, layer.graph.node(layer.name, 'Mul', [native(sum), layer.graph.scalar(1 / layer.inputs.length)]));
};

const concatenate: Emitter = (layer) => {
  const { inputs } = layer;
  const rank = longest(inputs).shape.length + 1;
  const given = layer.settings.number('axis', -1);
  const axis = given < 0 ? given + rank : given;
  if (axis === 0) return refuse(layer, 'puts rows behind one another');
  return joined(layer, inputs, axis);
};

/** @param axis  of the value in the order of Keras, above 0 */
export function joined({ graph, name }: Layer, inputs: readonly Value[], axis: number): Value {
  const order = commonOrder(inputs);
  const tensor = graph.node(name, 'Concat', inputs.map((input) => graph.arranged(input, order, name)), { axis: int(order.indexOf(axis)) });
  const shape = longest(inputs).shape.map((length, place) => (place === axis - 1 ? inputs.reduce((sum, input) => sum + (input.shape[place] ?? 0), 0) : length));
  return valueOf(shape, order, tensor);
}

export const mergeLayers: Readonly<Record<string, Emitter>> = {
  Add: folded('Add'),
  Multiply: folded('Mul'),
  Maximum: folded('Max'),
  Minimum: folded('Min'),
  Average: average,
  Concatenate: concatenate,
};
