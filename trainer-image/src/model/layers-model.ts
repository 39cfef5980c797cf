/** A network as a model of TensorFlow.js' layers: what is saved, and what other programs read. */
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from './backend.ts';
import { gru } from './gru.ts';
import { features, shapesOf, weightsOf } from './network.ts';
import { sizeOf } from '../shape.ts';
import type { Activation, Layer, Network } from './network.ts';

const activations = { Linear: 'linear', ReLU: 'relu', Tanh: 'tanh', Sigmoid: 'sigmoid', ELU: 'elu', GELU: 'gelu', Softmax: 'softmax' } as const satisfies Record<Activation, string>;

/** Every weight is set afterwards; other initialisers would only take time. */
const kernels = { kernelInitializer: 'zeros' } as const;

/** @param weights  flat, in the order of `weightsOf`. The model is the caller's to dispose of. */
export function toLayersModel(network: Network, weights: Float32Array): LayersModel {
  const input = tf.input({ shape: [...network.input], name: features });
  const shapes = shapesOf(network);
  const tensors = new Map([[features, input]]);
  let output = input;
  for (const layer of network.layers) {
    const inputs = layer.inputs.map((name) => tensors.get(name) ?? input);
    output = apply(layer, inputs, shapes.get(layer.inputs[0] ?? features) ?? []);
    tensors.set(layer.name, output);
  }
  const model = tf.model({ inputs: input, outputs: output, name: 'model' });
  setWeights(model, network, weights);
  return model;
}

function setWeights(model: LayersModel, network: Network, flat: Float32Array): void {
  const byLayer = new Map<string, { values: Float32Array; shape: readonly number[] }[]>();
  let at = 0;
  for (const { layer, shape } of weightsOf(network)) {
    const size = sizeOf(shape);
    byLayer.set(layer, [...byLayer.get(layer) ?? [], { values: flat.slice(at, at + size), shape }]);
    at += size;
  }
  tf.tidy(() => {
    for (const [layer, weights] of byLayer) model.getLayer(layer).setWeights(weights.map(({ values, shape }) => tf.tensor(values, [...shape])));
  });
}

/** All weights of a model: those that are learnt, then the others. */
export function flatWeights(model: LayersModel): Float32Array {
  return tf.tidy(() => tf.concat1d(model.getWeights().map((weight) => weight.flatten())).dataSync<'float32'>());
}

function apply(layer: Layer, inputs: readonly SymbolicTensor[], shape: readonly number[]): SymbolicTensor {
  const { name } = layer;
  const through = (made: InstanceType<typeof tf.layers.Layer>, input: SymbolicTensor | SymbolicTensor[] | undefined = inputs[0]): SymbolicTensor => made.apply(input ?? []) as SymbolicTensor;
  switch (layer.kind) {
    case 'Dense': return through(tf.layers.dense({ name, units: layer.units, useBias: layer.bias, activation: activations[layer.activation], ...kernels }));
    case 'Conv': {
      const { filters, bias: useBias, activation } = layer;
      const shared = { name, filters, useBias, activation: activations[activation], padding: paddings[layer.padding], ...kernels };
      return through(layer.kernelSize.length === 1
        ? tf.layers.conv1d({ ...shared, kernelSize: layer.kernelSize[0] ?? 1, strides: layer.strides[0] ?? 1 })
        : tf.layers.conv2d({ ...shared, kernelSize: [...layer.kernelSize], strides: pair(layer.strides) }));
    }
    case 'MaxPooling': {
      const shared = { name, padding: paddings[layer.padding] };
      return through(layer.poolSize.length === 1
        ? tf.layers.maxPooling1d({ ...shared, poolSize: layer.poolSize[0] ?? 1, strides: layer.strides[0] ?? 1 })
        : tf.layers.maxPooling2d({ ...shared, poolSize: pair(layer.poolSize), strides: pair(layer.strides) }));
    }
    case 'Flatten': return through(tf.layers.flatten({ name }));
    case 'Activation': return through(layer.activation === 'Softmax' ? tf.layers.softmax({ name }) : tf.layers.activation({ name, activation: activations[layer.activation] }));
    case 'Dropout': return through(tf.layers.dropout({ name, rate: layer.rate }));
    case 'BatchNormalization': return through(tf.layers.batchNormalization({ name, momentum: layer.momentum, epsilon: layer.epsilon }));
    case 'Embedding': return through(tf.layers.embedding({ name, inputDim: layer.rows, outputDim: layer.dimension, embeddingsInitializer: 'zeros' }));
    case 'Columns': return columns(layer, shape, through);
    case 'Concatenate': return through(tf.layers.concatenate({ name }), [...inputs]);
    case 'LSTM': return through(tf.layers.lstm({ name, ...recurrent(layer) }));
    case 'GRU': return through(gru({ name, ...recurrent(layer), resetAfter: layer.resetAfter === true }));
  }
}

const paddings = { Same: 'same', Valid: 'valid' } as const;
const pair = ([first = 1, second = 1]: readonly number[]): [number, number] => [first, second];

const recurrent = ({ units, sequences }: Extract<Layer, { kind: 'LSTM' | 'GRU' }>) =>
  ({ units, returnSequences: sequences, recurrentActivation: 'sigmoid', recurrentInitializer: 'zeros', ...kernels } as const);

/** By layers that every reader of Keras' format knows: a row as an image of width 1, cut to the columns. */
function columns({ name, from, to, offset }: Extract<Layer, { kind: 'Columns' }>, [width = 0]: readonly number[], through: (made: InstanceType<typeof tf.layers.Layer>, input?: SymbolicTensor) => SymbolicTensor): SymbolicTensor {
  const image = through(tf.layers.reshape({ name: `${name}_image`, targetShape: [width, 1, 1] }));
  const cut = through(tf.layers.cropping2D({ name: `${name}_cut`, cropping: [[from, width - to], [0, 0]] }), image);
  const row = through(tf.layers.reshape({ name: offset === 0 ? name : `${name}_row`, targetShape: [to - from] }), cut);
  return offset === 0 ? row : through(tf.layers.rescaling({ name, scale: 1, offset }), row);
}
