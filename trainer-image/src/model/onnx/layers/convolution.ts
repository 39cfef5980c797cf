/** Convolutions. TensorFlow's kernels are [height, width, in, out], ONNX's [out, in, height, width], and its tensors have the channels first. */
import { channelsFirst, valueOf } from '../graph.ts';
import type { Value } from '../graph.ts';
import { int, ints } from '../proto.ts';
import type { Attribute } from '../proto.ts';
import { reshaped, transposed } from '../weights.ts';
import type { Weight } from '../weights.ts';
import { activated } from './activation.ts';
import { constant, onlyInput, refuse, requireChannelsLast } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';
import { padsOf, windowBack, windowOver } from './window.ts';
import type { Window } from './window.ts';

type Padding = 'same' | 'valid';

function paddingOf(layer: Layer): Padding {
  const padding = layer.settings.text('padding', 'valid');
  return padding === 'same' || padding === 'valid' ? padding : refuse(layer, `has padding: ${padding}`);
}

/** Windows over the axes of a row but the channels. */
function windowsOf(layer: Layer, x: Value, dilations: readonly number[]): Window[] {
  const axes = x.shape.slice(0, -1);
  const sizes = layer.settings.numbers('kernel_size', axes.length);
  const strides = layer.settings.numbers('strides', axes.length, 1);
  return axes.map((length, axis) => windowOver(length, sizes[axis] ?? 1, strides[axis] ?? 1, dilations[axis] ?? 1, paddingOf(layer)));
}

/** [space..., in, out] to [out, in, space...]. */
const outputsFirst = (weight: Weight): Weight => {
  const space = weight.dims.length - 2;
  return transposed(weight, [space + 1, space, ...Array.from({ length: space }, (_, axis) => axis)]);
};

/** [height, width, in, multiplier] to [in × multiplier, 1, height, width]: one filter sees one channel. */
const eachChannel = (weight: Weight): Weight => {
  const [height = 1, width = 1, channels = 1, multiplier = 1] = weight.dims;
  return reshaped(transposed(weight, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
};

const biasOf = (layer: Layer): string[] => (layer.settings.flag('use_bias', true) ? [constant(layer, 'bias')] : []);

interface Convolution {
  readonly kernel: string;
  readonly filters: number;
  readonly bias: readonly string[];
  readonly windows: readonly Window[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly group?: number;
}

function convolved(layer: Layer, x: Value, { kernel, filters, bias, windows, strides, dilations, group = 1 }: Convolution): Value {
  const shape = [...windows.map(({ length }) => length), filters];
  const attributes: Record<string, Attribute> = { strides: ints(strides), pads: ints(padsOf(windows)), dilations: ints(dilations), group: int(group) };
  const tensor = layer.graph.node(layer.name, 'Conv', [layer.graph.arranged(x, channelsFirst(x.shape), layer.name), kernel, ...bias], attributes);
  return valueOf(shape, channelsFirst(shape), tensor);
}

const convolution: Emitter = (layer) => {
  requireChannelsLast(layer);
  const x = onlyInput(layer);
  const axes = x.shape.length - 1;
  const dilations = layer.settings.numbers('dilation_rate', axes, 1);
  return activated(layer, convolved(layer, x, {
    kernel: constant(layer, 'kernel', outputsFirst, 0),
    filters: layer.settings.number('filters'),
    bias: biasOf(layer),
    windows: windowsOf(layer, x, dilations),
    strides: layer.settings.numbers('strides', axes, 1),
    dilations,
  }));
};

/** Each channel by itself. @param dilations  how far apart the places of a filter are */
function depthwise(layer: Layer, x: Value, bias: readonly string[], dilations: readonly number[]): Value {
  const channels = x.shape.at(-1) ?? 1;
  return convolved(layer, x, {
    kernel: constant(layer, 'depthwise_kernel', eachChannel, 0),
    filters: channels * layer.settings.number('depth_multiplier', 1),
    bias,
    windows: windowsOf(layer, x, dilations),
    strides: layer.settings.numbers('strides', 2, 1),
    dilations,
    group: channels,
  });
}

/** TensorFlow.js takes no notice of the layer's dilation_rate. */
const depthwiseConvolution: Emitter = (layer) => {
  requireChannelsLast(layer);
  return activated(layer, depthwise(layer, onlyInput(layer), biasOf(layer), [1, 1]));
};

const separableConvolution: Emitter = (layer) => {
  requireChannelsLast(layer);
  const between = depthwise(layer, onlyInput(layer), [], layer.settings.numbers('dilation_rate', 2, 1));
  return activated(layer, convolved(layer, between, {
    kernel: constant(layer, 'pointwise_kernel', outputsFirst, 0),
    filters: layer.settings.number('filters'),
    bias: biasOf(layer),
    windows: between.shape.slice(0, -1).map((length) => windowOver(length, 1, 1, 1, 'valid')),
    strides: [1, 1],
    dilations: [1, 1],
  }));
};

/** The gradient of a convolution; its kernel is [height, width, out, in], which ONNX wants as [in, out, height, width]. */
const transposedConvolution: Emitter = (layer) => {
  requireChannelsLast(layer);
  const x = onlyInput(layer);
  const sizes = layer.settings.numbers('kernel_size', 2);
  const strides = layer.settings.numbers('strides', 2, 1);
  const windows = x.shape.slice(0, 2).map((length, axis) => windowBack(length, sizes[axis] ?? 1, strides[axis] ?? 1, paddingOf(layer)));
  const shape = [...windows.map(({ length }) => length), layer.settings.number('filters')];
  const input = layer.graph.arranged(x, channelsFirst(x.shape), layer.name);
  const kernel = constant(layer, 'kernel', outputsFirst, 1);
  const tensor = layer.graph.node(layer.name, 'ConvTranspose', [input, kernel, ...biasOf(layer)], {
    strides: ints(strides), pads: ints(padsOf(windows)), output_padding: ints(windows.map(({ extra }) => extra)),
  });
  return activated(layer, valueOf(shape, channelsFirst(shape), tensor));
};

export const convolutionLayers: Readonly<Record<string, Emitter>> = {
  Conv1D: convolution,
  Conv2D: convolution,
  DepthwiseConv2D: depthwiseConvolution,
  SeparableConv2D: separableConvolution,
  Conv2DTranspose: transposedConvolution,
};
