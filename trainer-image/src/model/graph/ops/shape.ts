/** Ops that move or add up values without looking at them. */
import { attribute, outputOf } from '../graph.ts';
import type { Shape, Value } from '../graph.ts';
import { integers } from './sources.ts';

const indexType = { Tidx: attribute.type('int32') };
const ofType = ({ dtype }: Value) => ({ T: attribute.type(dtype) });

/** At most one size may be null. */
export function reshape(x: Value, shape: Shape): Value {
  return x.graph.value('Reshape', {
    inputs: [x, integers(x.graph, shape.map((size) => size ?? -1))], attributes: ofType(x), dtype: x.dtype, shape,
    pullback: ([dy]) => [dy && reshape(dy, x.shape)],
  });
}

/** The sizes of a value when the graph runs. */
export function shapeOf(x: Value): Value {
  return x.graph.value('Shape', { inputs: [x], attributes: ofType(x), dtype: 'int32', shape: [x.shape.length] });
}

/** The number of elements when the graph runs, int32. */
export function sizeOf(x: Value): Value {
  return x.graph.value('Size', { inputs: [x], attributes: ofType(x), dtype: 'int32', shape: [] });
}

/** Sum or mean over these axes, which go away. */
export function reduce(op: 'Sum' | 'Mean', x: Value, axes: readonly number[]): Value {
  return x.graph.value(op, {
    inputs: [x, integers(x.graph, axes)], attributes: { ...ofType(x), ...indexType }, dtype: x.dtype, shape: x.shape.filter((_, axis) => !axes.includes(axis)),
  });
}

export function concat(values: readonly [Value, ...Value[]], axis: number): Value {
  const [first] = values;
  const sizes = values.map((value) => value.shape[axis] ?? 0);
  return first.graph.value('ConcatV2', {
    inputs: [...values, integers(first.graph, axis)],
    attributes: { N: attribute.int(values.length), ...ofType(first), ...indexType },
    dtype: first.dtype,
    shape: first.shape.map((size, at) => (at === axis ? sizes.reduce((sum, one) => sum + one, 0) : size)),
    pullback: ([dy]) => (dy === undefined ? [] : split(dy, sizes, axis)),
  });
}

/** Neighbouring parts of these sizes. */
export function split(x: Value, sizes: readonly number[], axis: number): readonly Value[] {
  const node = x.graph.add('SplitV', {
    inputs: [x, integers(x.graph, sizes), integers(x.graph, axis)],
    attributes: { num_split: attribute.int(sizes.length), ...ofType(x), Tlen: attribute.type('int32') },
    outputs: sizes.map((part) => ({ dtype: x.dtype, shape: x.shape.map((size, at) => (at === axis ? part : size)) })),
    pullback: (gradients) => [joined(gradients.map((gradient, index) => gradient ?? zerosLike(outputOf(node, index))), (all) => concat(all, axis))],
  });
  return node.outputs;
}

/** The columns `from`, …, `to` - 1. No gradient flows through it: only the network's input is sliced. */
export function slice(x: Value, from: number, to: number): Value {
  const [rows = null] = x.shape;
  return x.graph.value('StridedSlice', {
    inputs: [x, integers(x.graph, [0, from]), integers(x.graph, [0, to]), integers(x.graph, [1, 1])],
    attributes: { ...ofType(x), Index: attribute.type('int32'), begin_mask: attribute.int(1), end_mask: attribute.int(1) },
    dtype: x.dtype,
    shape: [rows, to - from],
  });
}

/** The values along an axis, which goes away. */
export function unstack(x: Value, axis: number): readonly Value[] {
  const count = x.shape[axis] ?? 0;
  const node = x.graph.add('Unpack', {
    inputs: [x],
    attributes: { num: attribute.int(count), axis: attribute.int(axis), ...ofType(x) },
    outputs: Array.from({ length: count }, () => ({ dtype: x.dtype, shape: x.shape.filter((_, at) => at !== axis) })),
    pullback: (gradients) => [joined(gradients.map((gradient, index) => gradient ?? zerosLike(outputOf(node, index))), (all) => stack(all, axis))],
  });
  return node.outputs;
}

/** Equally shaped values along a new axis. */
export function stack(values: readonly [Value, ...Value[]], axis: number): Value {
  const [first] = values;
  return first.graph.value('Pack', {
    inputs: values,
    attributes: { N: attribute.int(values.length), axis: attribute.int(axis), ...ofType(first) },
    dtype: first.dtype,
    shape: first.shape.toSpliced(axis, 0, values.length),
    pullback: ([dy]) => (dy === undefined ? [] : unstack(dy, axis)),
  });
}

export function zerosLike(x: Value): Value {
  return x.graph.value('ZerosLike', { inputs: [x], attributes: ofType(x), dtype: x.dtype, shape: x.shape });
}

function joined(values: readonly Value[], join: (all: readonly [Value, ...Value[]]) => Value): Value | undefined {
  const [first, ...rest] = values;
  return first && join([first, ...rest]);
}
