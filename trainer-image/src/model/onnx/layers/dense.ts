/** Dense and Embedding: layers that are a product with a matrix, or a row of one. */
import { native, valueOf } from '../graph.ts';
import { dataTypeNumber, int } from '../proto.ts';
import { activated } from './activation.ts';
import { constant, lastAxisLast, onlyInput, refuse } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';

/** Kernel [inputs, units]. With more than one axis in a row, each position by itself, as Keras does it. */
const dense: Emitter = (layer) => {
  const { graph, name, settings } = layer;
  const x = onlyInput(layer);
  const { tensor, order } = lastAxisLast(layer, x);
  const kernel = constant(layer, 'kernel', undefined, 1);
  const bias = settings.flag('use_bias', true) ? [constant(layer, 'bias')] : [];
  const units = settings.number('units');
  const product = x.shape.length === 1
    ? graph.node(name, 'Gemm', [tensor, kernel, ...bias])
    : bias.reduce((sum, term) => graph.node(name, 'Add', [sum, term]), graph.node(name, 'MatMul', [tensor, kernel]));
  return activated(layer, valueOf([...x.shape.slice(0, -1), units], order, product));
};

/** Vectors [words, length]. What stands for a word is cut to a whole number, as in TensorFlow.js. */
const embedding: Emitter = (layer) => {
  const { graph, name, settings } = layer;
  if (settings.flag('mask_zero', false)) refuse(layer, 'masks what is 0');
  const x = onlyInput(layer);
  const cut = graph.node(name, 'Cast', [native(x)], { to: int(dataTypeNumber('INT64')) });
  const found = graph.node(name, 'Gather', [constant(layer, 'embeddings', undefined, 0), refusingNegatives(layer, cut)], { axis: int(0) });
  const shape = [...x.shape, settings.number('output_dim')];
  return valueOf(shape, [...x.order, shape.length], found);
};

/** -1 counts from the end in ONNX, but is no word in TensorFlow; it becomes a place that is not there in either. */
function refusingNegatives({ graph, name, settings }: Layer, indices: string): string {
  const beyond = graph.indices([settings.number('input_dim')]);
  return graph.node(name, 'Where', [graph.node(name, 'Less', [indices, graph.indices([0])]), beyond, indices]);
}

export const denseLayers: Readonly<Record<string, Emitter>> = { Dense: dense, Embedding: embedding };
