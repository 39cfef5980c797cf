/** The heavy ops of networks, by TensorFlow's own kernels, forward and back. Images are NHWC, kernels HWIO. */
import { outputLength } from '../../network.ts';
import type { Padding } from '../../network.ts';
import { attribute, outputOf } from '../graph.ts';
import type { Node, Shape, Value } from '../graph.ts';
import { cast, exponential, maximum, multiply, negate, subtract } from './arithmetic.ts';
import { reduce, reshape, shapeOf } from './shape.ts';
import { integers, scalar } from './sources.ts';

const float = { T: attribute.type('float32') };

export interface MatMulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

export function matMul(a: Value, b: Value, { transposeA = false, transposeB = false }: MatMulOptions = {}): Value {
  const shape: Shape = [a.shape[transposeA ? 1 : 0] ?? null, b.shape[transposeB ? 0 : 1] ?? null];
  return a.graph.value('MatMul', {
    inputs: [a, b], attributes: { transpose_a: attribute.bool(transposeA), transpose_b: attribute.bool(transposeB), ...float }, dtype: 'float32', shape,
    // Only the product of two plain matrices is ever differentiated.
    pullback: ([dy]) => (dy === undefined ? [] : [matMul(dy, b, { transposeB: true }), matMul(a, dy, { transposeA: true })]),
  });
}

/** Adds a vector along the last axis. */
export function biasAdd(x: Value, bias: Value): Value {
  return x.graph.value('BiasAdd', {
    inputs: [x, bias], attributes: float, dtype: 'float32', shape: x.shape,
    pullback: ([dy]) => [dy, dy?.graph.value('BiasAddGrad', { inputs: [dy], attributes: float, dtype: 'float32', shape: bias.shape })],
  });
}

export interface Window {
  readonly strides: readonly [number, number];
  readonly padding: Padding;
}

const windowAttributes = ({ strides: [down, right], padding }: Window) => ({ strides: attribute.ints([1, down, right, 1]), padding: attribute.string(padding.toUpperCase()), ...float });

export function conv2d(x: Value, kernel: Value, window: Window): Value {
  const attributes = windowAttributes(window);
  const [height, width, , filters = null] = kernel.shape;
  return x.graph.value('Conv2D', {
    inputs: [x, kernel], attributes, dtype: 'float32', shape: windowed(x.shape, [height ?? 0, width ?? 0], window, filters),
    pullback: ([dy]) => (dy === undefined ? [] : [
      dy.graph.value('Conv2DBackpropInput', { inputs: [shapeOf(x), kernel, dy], attributes, dtype: 'float32', shape: x.shape }),
      dy.graph.value('Conv2DBackpropFilter', { inputs: [x, integers(x.graph, kernel.shape.map(Number)), dy], attributes, dtype: 'float32', shape: kernel.shape }),
    ]),
  });
}

export function maxPool(x: Value, size: readonly [number, number], window: Window): Value {
  const attributes = { ksize: attribute.ints([1, ...size, 1]), ...windowAttributes(window) };
  const y: Value = x.graph.value('MaxPool', {
    inputs: [x], attributes, dtype: 'float32', shape: windowed(x.shape, size, window, x.shape[3] ?? null),
    pullback: ([dy]) => [dy?.graph.value('MaxPoolGrad', { inputs: [x, y, dy], attributes, dtype: 'float32', shape: x.shape })],
  });
  return y;
}

function windowed([rows = null, height = null, width = null]: Shape, size: readonly [number, number], { strides, padding }: Window, channels: number | null): Shape {
  const along = (length: number | null, axis: 0 | 1): number | null => length && outputLength(length, size[axis], strides[axis], padding);
  return [rows, along(height, 0), along(width, 1), channels];
}

export interface BatchNorm {
  readonly output: Value;
  /** Of the batch; the variance with n - 1 in the denominator. */
  readonly mean: Value;
  readonly variance: Value;
}

/** Normalises by the statistics of the batch (Ioffe and Szegedy, 2015). `x` is NHWC. */
export function batchNormTraining(x: Value, gamma: Value, beta: Value, epsilon: number): BatchNorm {
  const none = x.graph.value('Const', { attributes: { dtype: attribute.type('float32'), value: attribute.tensor('float32', [0], new Float32Array(0)) }, dtype: 'float32', shape: [0] });
  const channel = { dtype: 'float32', shape: gamma.shape } as const;
  const attributes = { ...float, U: attribute.type('float32'), epsilon: attribute.float(epsilon), is_training: attribute.bool(true) };
  const node: Node = x.graph.add('FusedBatchNormV3', {
    inputs: [x, gamma, beta, none, none], attributes, outputs: [{ dtype: 'float32', shape: x.shape }, channel, channel, channel, channel, channel],
    pullback: ([dy]) => {
      if (dy === undefined) return [];
      const back = x.graph.add('FusedBatchNormGradV3', {
        inputs: [dy, x, gamma, outputOf(node, 3), outputOf(node, 4), outputOf(node, 5)], attributes, outputs: [{ dtype: 'float32', shape: x.shape }, channel, channel],
      });
      return back.outputs;
    },
  });
  return { output: outputOf(node, 0), mean: outputOf(node, 1), variance: outputOf(node, 2) };
}

/** Normalises by given statistics. `x` is NHWC. */
export function batchNormInference(x: Value, gamma: Value, beta: Value, mean: Value, variance: Value, epsilon: number): Value {
  const channel = { dtype: 'float32', shape: gamma.shape } as const;
  const attributes = { ...float, U: attribute.type('float32'), epsilon: attribute.float(epsilon), is_training: attribute.bool(false) };
  return outputOf(x.graph.add('FusedBatchNormV3', { inputs: [x, gamma, beta, mean, variance], attributes, outputs: [{ dtype: 'float32', shape: x.shape }, channel, channel, channel, channel, channel] }), 0);
}

/** Rows of a table, by whole numbers; smaller ones than 0 take the first row. */
export function gather(table: Value, places: Value): Value {
  const indices = maximum(cast(places, 'int32'), integers(table.graph, 0));
  const [rows = 0, ...rest] = table.shape;
  return table.graph.value('GatherV2', {
    inputs: [table, indices, integers(table.graph, 0)],
    attributes: { Tparams: attribute.type('float32'), Tindices: attribute.type('int32'), Taxis: attribute.type('int32') },
    dtype: 'float32',
    shape: [...places.shape, ...rest],
    pullback: ([dy]) => [dy?.graph.value('UnsortedSegmentSum', {
      inputs: [dy, indices, integers(table.graph, rows ?? 0)],
      attributes: { ...float, Tindices: attribute.type('int32'), Tnumsegments: attribute.type('int32') },
      dtype: 'float32',
      shape: table.shape,
    })],
  });
}

/**
 * Cross-entropy of softmax(logits) for each row, and its derivative by the logits, softmax - truth. Not by TensorFlow's kernel for the two,
 * which it refuses on a GPU where results must be reproducible.
 *
 * @param labels  int32 places of classes
 */
export function softmaxCrossEntropy(logits: Value, labels: Value): { readonly rows: Value; readonly slope: Value } {
  const { graph, shape } = logits;
  const [logs, truth] = [graph.value('LogSoftmax', { inputs: [logits], attributes: float, dtype: 'float32', shape }), oneHot(labels, shape[1] ?? 0)];
  return { rows: negate(reduce('Sum', multiply(logs, truth), [1])), slope: subtract(exponential(logs), truth) };
}

/** [rows] places to [rows, classes] zeros and ones. */
function oneHot(places: Value, classes: number): Value {
  const { graph } = places;
  return graph.value('OneHot', {
    inputs: [places, integers(graph, classes), scalar(graph, 1), scalar(graph, 0)],
    attributes: { ...float, TI: attribute.type('int32'), axis: attribute.int(-1) },
    dtype: 'float32',
    shape: [...places.shape, classes],
  });
}

/** Over the last axis. */
export function softmax(logits: Value): Value {
  const y: Value = logits.graph.value('Softmax', {
    inputs: [logits], attributes: float, dtype: 'float32', shape: logits.shape,
    // y (dy - Σ dy y)
    pullback: ([dy]) => [dy && multiply(y, subtract(dy, reshape(reduce('Sum', multiply(dy, y), [y.shape.length - 1]), [...y.shape.slice(0, -1), 1])))],
  });
  return y;
}

/** Place of the largest value of each row, int32. */
export function argMax(x: Value): Value {
  const attributes = { ...float, Tidx: attribute.type('int32'), output_type: attribute.type('int32') };
  return x.graph.value('ArgMax', { inputs: [x, integers(x.graph, 1)], attributes, dtype: 'int32', shape: [x.shape[0] ?? null] });
}

/** Numbers from 0 to below 1 that depend on the seed alone (Salmon et al., 2011: Philox). @param seed  two int32 */
export function statelessUniform(like: Value, seed: Value): Value {
  const attributes = { dtype: attribute.type('float32'), T: attribute.type('int32'), Tseed: attribute.type('int32') };
  return like.graph.value('StatelessRandomUniform', { inputs: [shapeOf(like), seed], attributes, dtype: 'float32', shape: like.shape });
}
