/** Batch and layer normalisation, as at inference, and a fixed scale. */
import { kerasOrder, valueOf } from '../graph.ts';
import { float, int } from '../proto.ts';
import { constant, elementwise, onlyInput, refuse } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';
import { sizeOf } from '../../../shape.ts';

/**
 * (x - mean) × gamma / sqrt(variance + epsilon) + beta. Not the operator BatchNormalization: runtimes compute that as x × a + b, which
 * loses the digits of x where its mean is large against its spread, as in columns that were not scaled.
 */
const batchNormalization: Emitter = (layer) => {
  const { graph, name, settings, weight } = layer;
  const x = onlyInput(layer);
  const axis = settings.number('axis', -1);
  const place = x.order.indexOf(axis < 0 ? axis + x.shape.length + 1 : axis);
  // One number for each channel, in the shape that is spread over the axes behind it.
  const behind = x.order.length - 1 - place;
  const vector = (role: string, made: () => Float32Array<ArrayBuffer>): string => graph.constant(`${name}/${role}${behind === 0 ? '' : `_before_${behind}`}`, () => {
    const data = made();
    return { type: 'FLOAT', dims: [data.length, ...Array.from({ length: behind }, () => 1)], data };
  });
  const centred = elementwise(layer, x, 'Add', [vector('negative_mean', () => weight('moving_mean').data.map((mean) => -mean))]);
  const scaled = elementwise(layer, centred, 'Mul', [vector('scale', () => {
    const epsilon = settings.number('epsilon', 0.001);
    const gamma = settings.flag('scale', true) ? weight('gamma').data : undefined;
    return weight('moving_variance').data.map((variance, channel) => (gamma?.[channel] ?? 1) / Math.sqrt(variance + epsilon));
  })]);
  return settings.flag('center', true) ? elementwise(layer, scaled, 'Add', [vector('beta', () => weight('beta').data)]) : scaled;
};

/** Over the last axes only, which is what the operator does. */
const layerNormalization: Emitter = (layer) => {
  const { graph, name, settings } = layer;
  const x = onlyInput(layer);
  const rank = x.shape.length + 1;
  const axes = (settings.has('axis') ? settings.numberList('axis') : [-1]).map((axis) => (axis < 0 ? axis + rank : axis));
  const [first = rank - 1] = axes;
  if (first === 0 || axes.length !== rank - first || axes.some((axis, place) => axis !== first + place)) refuse(layer, `normalises over the axes ${axes.join(', ')}, which are not the last`);
  const shape = x.shape.slice(first - 1);
  const scale = settings.flag('scale', true) ? constant(layer, 'gamma') : ones(layer, shape);
  const shift = settings.flag('center', true) ? [constant(layer, 'beta')] : [];
  const order = kerasOrder(x.shape);
  return valueOf(x.shape, order, graph.node(name, 'LayerNormalization', [graph.arranged(x, order, name), scale, ...shift], { axis: int(first), epsilon: float(settings.number('epsilon', 0.001)) }));
};

const rescaling: Emitter = (layer) => {
  const { graph, settings } = layer;
  const scaled = elementwise(layer, onlyInput(layer), 'Mul', [graph.scalar(settings.number('scale'))]);
  return elementwise(layer, scaled, 'Add', [graph.scalar(settings.number('offset', 0))]);
};

const ones = ({ graph, name }: Layer, dims: readonly number[]): string =>
  graph.constant(`${name}/ones`, () => ({ type: 'FLOAT', dims, data: new Float32Array(sizeOf(dims)).fill(1) }));

export const normalisationLayers: Readonly<Record<string, Emitter>> = { BatchNormalization: batchNormalization, LayerNormalization: layerNormalization, Rescaling: rescaling };
