/** Layers that move numbers and compute none, and those that do nothing but in training. */
import { channelsFirst, kerasOrder, native, valueOf } from '../graph.ts';
import { int, text } from '../proto.ts';
import { sizeOf } from '../../../shape.ts';
import { onlyInput, refuse, requireChannelsLast } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';

/** The tensor as Keras has it. */
const asKeras = (layer: Layer): string => layer.graph.arranged(onlyInput(layer), kerasOrder(onlyInput(layer).shape), layer.name);

const flatten: Emitter = (layer) => {
  requireChannelsLast(layer);
  return valueOf([sizeOf(onlyInput(layer).shape)], [0, 1], layer.graph.node(layer.name, 'Flatten', [asKeras(layer)], { axis: int(1) }));
};

const reshape: Emitter = (layer) => {
  const { graph, name, settings } = layer;
  const target = settings.targetShape('target_shape');
  const known = sizeOf(target.filter((length) => length !== undefined));
  const shape = target.map((length) => length ?? sizeOf(onlyInput(layer).shape) / known);
  return valueOf(shape, kerasOrder(shape), graph.reshape(name, asKeras(layer), shape));
};

/** Only the order changes: whatever comes next asks for its own. */
const permute: Emitter = (layer) => {
  const x = onlyInput(layer);
  const axes = layer.settings.numberList('dims');
  const shape = axes.map((axis) => x.shape[axis - 1] ?? NaN);
  return valueOf(shape, x.order.map((axis) => (axis === 0 ? 0 : axes.indexOf(axis) + 1)), native(x));
};

const repeatVector: Emitter = (layer) => {
  const { graph, name, settings } = layer;
  const [length = 1] = onlyInput(layer).shape;
  const times = settings.number('n');
  const row = graph.reshape(name, asKeras(layer), [1, length]);
  return valueOf([times, length], [0, 1, 2], graph.node(name, 'Expand', [row, graph.indices([1, times, 1])]));
};

const cropping: Emitter = (layer) => {
  requireChannelsLast(layer);
  const { graph, name, settings } = layer;
  const x = onlyInput(layer);
  const margins = settings.margins('cropping');
  const [height = 0, width = 0, channels = 0] = x.shape;
  const shape = [height, width].map((length, axis) => length - (margins[axis]?.[0] ?? 0) - (margins[axis]?.[1] ?? 0));
  const starts = margins.map(([before]) => before);
  const places = [1, 2].map((axis) => x.order.indexOf(axis));
  const inputs = [native(x), graph.indices(starts), graph.indices(starts.map((start, axis) => start + (shape[axis] ?? 0))), graph.indices(places)];
  return valueOf([...shape, channels], x.order, graph.node(name, 'Slice', inputs));
};

const zeroPadding: Emitter = (layer) => {
  requireChannelsLast(layer);
  const { graph, name, settings } = layer;
  const x = onlyInput(layer);
  const margins = settings.has('padding') ? settings.margins('padding') : [[1, 1], [1, 1]] as const;
  const along = (side: 0 | 1): number[] => x.order.map((axis) => (axis === 1 || axis === 2 ? margins[axis - 1]?.[side] ?? 0 : 0));
  const shape = x.shape.map((length, axis) => length + (margins[axis]?.[0] ?? 0) + (margins[axis]?.[1] ?? 0));
  return valueOf(shape, x.order, graph.node(name, 'Pad', [native(x), graph.indices([...along(0), ...along(1)])], { mode: text('constant') }));
};

/** Each pixel several times. TensorFlow's bilinear resizing lays its grid differently from each of ONNX's, and is left to it. */
const upSampling: Emitter = (layer) => {
  requireChannelsLast(layer);
  const { graph, name, settings } = layer;
  const interpolation = settings.text('interpolation', 'nearest');
  if (interpolation !== 'nearest') return refuse(layer, `has interpolation: ${interpolation}`);
  const x = onlyInput(layer);
  const [vertical = 1, horizontal = 1] = settings.numbers('size', 2, 2);
  const [height = 0, width = 0, channels = 0] = x.shape;
  const order = channelsFirst(x.shape);
  const scales = graph.constant(`${name}/scales`, () => ({ type: 'FLOAT', dims: [4], data: Float32Array.of(1, 1, vertical, horizontal) }));
  const tensor = graph.node(name, 'Resize', [graph.arranged(x, order, name), '', scales], { mode: text('nearest'), nearest_mode: text('floor'), coordinate_transformation_mode: text('asymmetric') });
  return valueOf([height * vertical, width * horizontal, channels], order, tensor);
};

const nothing: Emitter = (layer) => onlyInput(layer);

export const shapeLayers: Readonly<Record<string, Emitter>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  Cropping2D: cropping,
  ZeroPadding2D: zeroPadding,
  UpSampling2D: upSampling,
  Dropout: nothing,
  SpatialDropout1D: nothing,
  GaussianNoise: nothing,
  GaussianDropout: nothing,
  AlphaDropout: nothing,
};
