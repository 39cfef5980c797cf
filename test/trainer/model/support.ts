/** Numbers and small networks for tests of layers. */
import { random } from '../../../trainer-image/src/data/random.ts';
import { initialWeights } from '../../../trainer-image/src/model/initial.ts';
import { weightsOf } from '../../../trainer-image/src/model/network.ts';
import type { Layer, LayerKind, Network } from '../../../trainer-image/src/model/network.ts';

/** From -1 to 1, by seed and name. */
export function floats(length: number, ...purpose: readonly (string | number)[]): Float32Array {
  const source = random(1, ...purpose);
  return Float32Array.from({ length }, () => source.uint32() / 2 ** 31 - 1);
}

export function integers(length: number, below: number, ...purpose: readonly (string | number)[]): Int32Array {
  const source = random(1, ...purpose);
  return Int32Array.from({ length }, () => source.below(below));
}

/** Layers one after the other. */
export function chain(input: readonly number[], ...kinds: readonly LayerKind[]): Network {
  const layers = kinds.map((kind, index): Layer => ({ ...kind, name: `layer_${index}`, inputs: [index === 0 ? 'features' : `layer_${index - 1}`] }));
  return { input, layers };
}

/** Initial weights, moved a little, so that none is zero or one by construction. */
export function someWeights(network: Network, seed: number): Float32Array {
  const weights = initialWeights(weightsOf(network), seed);
  const source = random(seed, 'moved');
  return weights.map((weight) => weight + 0.2 * (source.uint32() / 2 ** 32));
}

/** A network for each kind of layer, and each way that a gradient takes through it. Outputs are [3]. */
export const networks: Readonly<Record<string, Network>> = (() => {
  const head = [{ kind: 'Flatten' }, { kind: 'Dense', units: 3, activation: 'Linear', bias: true }] as const;
  const dense = (activation: 'Tanh' | 'Sigmoid' | 'ELU' | 'GELU' | 'Softmax') => chain([5], { kind: 'Dense', units: 4, activation, bias: true }, head[1]);
  const conv = { kind: 'Conv', filters: 3, activation: 'Tanh', bias: true } as const;
  return {
    'dense, Tanh': dense('Tanh'),
    'dense, Sigmoid': dense('Sigmoid'),
    'dense, ELU': dense('ELU'),
    'dense, GELU': dense('GELU'),
    'dense, Softmax': dense('Softmax'),
    'dense of each step': chain([4, 2], { kind: 'Dense', units: 3, activation: 'Tanh', bias: false }, ...head),
    'convolution in one axis': chain([7, 2], { ...conv, kernelSize: [3], strides: [2], padding: 'Valid' }, ...head),
    'convolution in two axes': chain([5, 4, 2], { ...conv, kernelSize: [3, 2], strides: [1, 2], padding: 'Same' }, { ...conv, kernelSize: [2, 2], strides: [1, 1], padding: 'Valid', bias: false }, ...head),
    // A window's largest value stays so whatever the weight does: beyond it the slope would jump.
    'pooling in one axis': chain([7, 1], { ...conv, kernelSize: [1], strides: [1], padding: 'Same' }, { kind: 'MaxPooling', poolSize: [2], strides: [2], padding: 'Same' }, ...head),
    'pooling in two axes': chain([5, 5, 1], { ...conv, kernelSize: [1, 1], strides: [1, 1], padding: 'Same' }, { kind: 'MaxPooling', poolSize: [2, 3], strides: [2, 2], padding: 'Valid' }, ...head),
    'batch normalisation': chain([5], { kind: 'Dense', units: 4, activation: 'Linear', bias: false }, { kind: 'BatchNormalization', momentum: 0.9, epsilon: 0.001 }, { kind: 'Activation', activation: 'Tanh' }, head[1]),
    'batch normalisation of images': chain([4, 3, 2], { ...conv, kernelSize: [2, 2], strides: [1, 1], padding: 'Same', activation: 'Linear' }, { kind: 'BatchNormalization', momentum: 0.9, epsilon: 0.001 }, { kind: 'Activation', activation: 'Sigmoid' }, ...head),
    dropout: chain([6], { kind: 'Dense', units: 8, activation: 'Tanh', bias: true }, { kind: 'Dropout', rate: 0.4 }, head[1]),
    LSTM: chain([4, 3], { kind: 'LSTM', units: 3, sequences: true }, { kind: 'LSTM', units: 2, sequences: false }, head[1]),
    GRU: chain([4, 3], { kind: 'GRU', units: 3, sequences: true }, { kind: 'GRU', units: 2, sequences: false }, head[1]),
    'GRU that resets after': chain([4, 3], { kind: 'GRU', units: 3, sequences: true, resetAfter: true }, { kind: 'GRU', units: 2, sequences: false, resetAfter: true }, head[1]),
    embedding: {
      input: [3],
      layers: [
        { kind: 'Columns', name: 'code', inputs: ['features'], from: 1, to: 2, offset: 1 },
        { kind: 'Embedding', name: 'embedding', inputs: ['code'], rows: 4, dimension: 2 },
        { kind: 'Flatten', name: 'vector', inputs: ['embedding'] },
        { kind: 'Columns', name: 'first', inputs: ['features'], from: 0, to: 1, offset: 0 },
        { kind: 'Columns', name: 'last', inputs: ['features'], from: 2, to: 3, offset: 0 },
        { kind: 'Concatenate', name: 'columns', inputs: ['vector', 'first', 'last'] },
        { kind: 'Dense', name: 'hidden', inputs: ['columns'], units: 3, activation: 'Tanh', bias: true },
        { kind: 'Dense', name: 'output', inputs: ['hidden'], units: 3, activation: 'Linear', bias: true },
      ],
    },
  };
})();

/** Rows that the network takes; of the embedded column, codes from -1 to 2. */
export function rowsFor(network: Network, rows: number, ...purpose: readonly (string | number)[]): Float32Array {
  const width = network.input.reduce((product, size) => product * size, 1);
  const values = floats(rows * width, ...purpose);
  const coded = network.layers.find((layer) => layer.kind === 'Columns' && layer.offset === 1);
  if (coded?.kind !== 'Columns') return values;
  const codes = integers(rows, 4, 'codes', ...purpose);
  for (let row = 0; row < rows; row++) values[row * width + coded.from] = (codes[row] ?? 0) - 1;
  return values;
}
