/** The layers of a network as nodes of a graph. */
import { headOf } from '../network.ts';
import type { Activation, Layer, Network } from '../network.ts';
import type { Value } from './graph.ts';
import { add, cast, divide, elu, errorFunction, isAtLeast, multiply, relu, scale, sigmoid, subtract, tanh } from './ops/arithmetic.ts';
import { batchNormInference, batchNormTraining, biasAdd, conv2d, gather, matMul, maxPool, softmax, statelessUniform } from './ops/network.ts';
import { concat, reshape, sizeOf, slice } from './ops/shape.ts';
import { scalar } from './ops/sources.ts';
import { gru, gruResetAfter, lstm } from './recurrent.ts';

export interface Pass {
  /** Rows of the network's input. */
  readonly features: Value;
  readonly weight: (layer: string, name: string) => Value;
  /** Absent where the network only predicts: nothing is dropped then, and moving statistics normalise. */
  readonly training?: {
    /** Two int32 that choose the mask of a dropout layer. */
    readonly seed: (layer: string) => Value;
    /** Takes what a batch does to a moving statistic: what is added to it. */
    readonly move: (layer: string, name: string, change: Value) => void;
  };
}

export interface Outputs {
  /** Before the softmax, where there is one: what losses are computed from. */
  readonly raw: Value;
  /** What is predicted. */
  readonly final: Value;
}

export function forward(network: Network, pass: Pass): Outputs {
  const values = new Map([['features', pass.features]]);
  const valueOf = (name: string): Value => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`There is no layer ${name} at this point.`);
    return value;
  };
  for (const layer of network.layers) {
    const [first, ...rest] = layer.inputs.map(valueOf);
    if (first === undefined) throw new Error(`Layer ${layer.name} has no input.`);
    values.set(layer.name, apply(layer, [first, ...rest], pass));
  }
  const { output, softmaxOf } = headOf(network);
  return { raw: valueOf(softmaxOf ?? output.name), final: valueOf(output.name) };
}

function apply(layer: Layer, inputs: readonly [Value, ...Value[]], pass: Pass): Value {
  const [input] = inputs;
  const weight = (name: string): Value => pass.weight(layer.name, name);
  switch (layer.kind) {
    case 'Dense': {
      const product = matMul(flatRows(input), weight('kernel'));
      const sum = layer.bias ? biasAdd(product, weight('bias')) : product;
      return activate(layer.activation, reshapeTo(sum, [...input.shape.slice(0, -1), layer.units]));
    }
    case 'Conv': {
      const image = withTwoAxes(input);
      const kernel = weight('kernel');
      const product = conv2d(image, layer.kernelSize.length === 1 ? reshape(kernel, [1, ...kernel.shape]) : kernel, windowOf(layer));
      return activate(layer.activation, withAxesOf(input, layer.bias ? biasAdd(product, weight('bias')) : product));
    }
    case 'MaxPooling': return withAxesOf(input, maxPool(withTwoAxes(input), twoAxes(layer.poolSize), windowOf(layer)));
    case 'Flatten': return reshapeTo(input, [input.shape[0] ?? null, elements(input.shape.slice(1))]);
    case 'Activation': return activate(layer.activation, input);
    case 'Dropout': return pass.training === undefined ? input : dropout(input, layer.rate, pass.training.seed(layer.name));
    case 'BatchNormalization': return normalise(layer, input, pass);
    case 'Embedding': return gather(weight('embeddings'), input);
    case 'Columns': {
      const columns = slice(input, layer.from, layer.to);
      return layer.offset === 0 ? columns : add(columns, scalar(input.graph, layer.offset));
    }
    case 'Concatenate': return concat(inputs, 1);
    case 'LSTM': return lstm(input, weight('kernel'), weight('recurrent_kernel'), weight('bias'), layer.sequences);
    case 'GRU': return (layer.resetAfter === true ? gruResetAfter : gru)(input, weight('kernel'), weight('recurrent_kernel'), weight('bias'), layer.sequences);
  }
}

function activate(activation: Activation, x: Value): Value {
  switch (activation) {
    case 'Linear': return x;
    case 'ReLU': return relu(x);
    case 'Tanh': return tanh(x);
    case 'Sigmoid': return sigmoid(x);
    case 'ELU': return elu(x);
    // Hendrycks and Gimpel (2016): x Φ(x), without approximation.
    case 'GELU': return multiply(x, scale(add(errorFunction(scale(x, Math.SQRT1_2)), scalar(x.graph, 1)), 0.5));
    case 'Softmax': return softmax(x);
  }
}

/** Srivastava et al. (2014), scaled at training so that inference needs nothing. */
function dropout(x: Value, rate: number, seed: Value): Value {
  const kept = isAtLeast(statelessUniform(x, seed), scalar(x.graph, rate));
  return multiply(x, scale(kept, 1 / (1 - rate)));
}

function normalise(layer: Extract<Layer, { kind: 'BatchNormalization' }>, x: Value, { weight, training }: Pass): Value {
  const { name, epsilon, momentum } = layer;
  const channels = x.shape.at(-1) ?? null;
  const image = reshape(x, [null, 1, 1, channels]);
  const [gamma, beta, mean, variance] = [weight(name, 'gamma'), weight(name, 'beta'), weight(name, 'moving_mean'), weight(name, 'moving_variance')];
  if (training === undefined) return reshape(batchNormInference(image, gamma, beta, mean, variance, epsilon), x.shape);
  const batch = batchNormTraining(image, gamma, beta, epsilon);
  // The kernel divides by n - 1, the moving variance is over n.
  const count = divide(cast(sizeOf(x), 'float32'), scalar(x.graph, channels ?? 1));
  const biased = multiply(batch.variance, divide(subtract(count, scalar(x.graph, 1)), count));
  training.move(name, 'moving_mean', scale(subtract(batch.mean, mean), 1 - momentum));
  training.move(name, 'moving_variance', scale(subtract(biased, variance), 1 - momentum));
  return reshape(batch.output, x.shape);
}

const elements = (shape: Value['shape']): number => shape.reduce<number>((product, size) => product * (size ?? 1), 1);
const reshapeTo = (x: Value, shape: Value['shape']): Value => (x.shape.length === shape.length ? x : reshape(x, shape));
const flatRows = (x: Value): Value => reshapeTo(x, [null, x.shape.at(-1) ?? null]);

/** A sequence as an image of height 1. */
function withTwoAxes(x: Value): Value {
  const [rows = null, length = null, channels = null] = x.shape;
  return x.shape.length === 3 ? reshape(x, [rows, 1, length, channels]) : x;
}

function withAxesOf(input: Value, image: Value): Value {
  const [rows = null, , length = null, channels = null] = image.shape;
  return input.shape.length === 3 ? reshape(image, [rows, length, channels]) : image;
}

const twoAxes = ([first = 1, second]: readonly number[]): [number, number] => (second === undefined ? [1, first] : [first, second]);
const windowOf = ({ strides, padding }: Extract<Layer, { kind: 'Conv' | 'MaxPooling' }>) => ({ strides: twoAxes(strides), padding });
