/** Pooling over windows, and over all positions of a row. */
import { channelsFirst, native, valueOf } from '../graph.ts';
import { int, ints } from '../proto.ts';
import { onlyInput, refuse, requireChannelsLast } from './layer.ts';
import type { Emitter } from './layer.ts';
import { padsOf, windowOver } from './window.ts';

/** Padding counts neither in a maximum nor in a mean, in TensorFlow as in ONNX (count_include_pad is 0). */
const pooling = (op: 'MaxPool' | 'AveragePool'): Emitter => (layer) => {
  requireChannelsLast(layer);
  const { graph, name, settings } = layer;
  const x = onlyInput(layer);
  const axes = x.shape.slice(0, -1);
  const sizes = settings.numbers('pool_size', axes.length, 2);
  const strides = settings.has('strides') ? settings.numbers('strides', axes.length) : sizes;
  const padding = settings.text('padding', 'valid');
  if (padding !== 'same' && padding !== 'valid') refuse(layer, `has padding: ${padding}`);
  const windows = axes.map((length, axis) => windowOver(length, sizes[axis] ?? 1, strides[axis] ?? 1, 1, padding));
  const shape = [...windows.map(({ length }) => length), x.shape.at(-1) ?? 1];
  const tensor = graph.node(name, op, [graph.arranged(x, channelsFirst(x.shape), name)], { kernel_shape: ints(sizes), strides: ints(strides), pads: ints(padsOf(windows)) });
  return valueOf(shape, channelsFirst(shape), tensor);
};

const globalPooling = (op: 'ReduceMax' | 'ReduceMean'): Emitter => (layer) => {
  requireChannelsLast(layer);
  const x = onlyInput(layer);
  const channels = x.shape.length;
  const axes = x.order.flatMap((axis, place) => (axis === 0 || axis === channels ? [] : [place]));
  const left = x.order.flatMap((axis) => (axis === 0 ? [0] : axis === channels ? [1] : []));
  return valueOf([x.shape.at(-1) ?? 1], left, layer.graph.node(layer.name, op, [native(x)], { axes: ints(axes), keepdims: int(0) }));
};

export const poolingLayers: Readonly<Record<string, Emitter>> = {
  MaxPooling1D: pooling('MaxPool'),
  MaxPooling2D: pooling('MaxPool'),
  AveragePooling1D: pooling('AveragePool'),
  AveragePooling2D: pooling('AveragePool'),
  GlobalMaxPooling1D: globalPooling('ReduceMax'),
  GlobalMaxPooling2D: globalPooling('ReduceMax'),
  GlobalAveragePooling1D: globalPooling('ReduceMean'),
  GlobalAveragePooling2D: globalPooling('ReduceMean'),
};
