/** The presets of `spec.trainer.model` as TensorFlow.js layers, with seeded initial weights. */
import type { LayersModel, SymbolicTensor, Tensor, Variable } from '@tensorflow/tfjs-node-gpu';
import type { TrainerSpec } from '@anneal/operator/api';
import { derivedSeed } from '../data/random.ts';
import type { Task } from '../data/target.ts';
import { AnnealError } from '../errors.ts';
import { tf } from './backend.ts';
import { StepDropout } from './dropout.ts';

type ModelSpec = TrainerSpec['model'];

export interface NetworkShape {
  readonly task: Task;
  /** Shape of one row. */
  readonly input: readonly number[];
  /** Classes, or 1. */
  readonly outputs: number;
}

export interface Network {
  /** What is saved and served: probabilities of classes, or a standardised value. */
  readonly model: LayersModel;
  /** All weights, in a fixed order. */
  readonly variables: readonly Variable[];
  /** Output before the softmax, which the loss is computed from; `draw` (the step, or step and shard) chooses the dropout masks. */
  trainForward(features: Tensor, draw: readonly number[]): Tensor;
  /** The same without dropout. */
  forward(features: Tensor): Tensor;
  dispose(): void;
}

const activations = { ReLU: 'relu', Tanh: 'tanh', Sigmoid: 'sigmoid', ELU: 'elu' } as const;

export function buildNetwork(spec: ModelSpec, shape: NetworkShape, seed: number): Network {
  const dropouts: StepDropout[] = [];
  const input = tf.input({ shape: [...shape.input], name: 'features' });
  const hidden = spec.preset === 'CNN' ? convolutions(spec, input, seed) : flat(input, shape.input);
  const last = denseLayers(spec, hidden, seed, dropouts);
  const logits = apply(tf.layers.dense({ name: 'output', units: shape.outputs, kernelInitializer: initializer(seed, 'output') }), last);
  const output = shape.task === 'Classification' ? apply(tf.layers.softmax({ name: 'probabilities' }), logits) : logits;
  const trained = tf.model({ inputs: input, outputs: logits, name: 'trained' });
  const model = tf.model({ inputs: input, outputs: output, name: 'model' });
  return {
    model,
    variables: trained.trainableWeights.map((weight) => requireVariable(weight.read())),
    trainForward: (features, draw) => {
      for (const dropout of dropouts) dropout.draw = draw;
      return trained.apply(features, { training: true }) as Tensor;
    },
    forward: (features) => trained.apply(features) as Tensor,
    dispose: () => void model.dispose(),
  };
}

/** A layer's weight is a Variable; its type only says Tensor. */
function requireVariable(weight: Tensor): Variable {
  if (weight instanceof tf.Variable) return weight as Variable;
  throw new Error('A layer has a weight that cannot be trained.');
}

const initializer = (seed: number, layer: string): ReturnType<typeof tf.initializers.glorotUniform> => tf.initializers.glorotUniform({ seed: derivedSeed(seed, 'initialise', layer) });

function apply(layer: InstanceType<typeof tf.layers.Layer>, input: SymbolicTensor): SymbolicTensor {
  return layer.apply(input) as SymbolicTensor;
}

function flat(input: SymbolicTensor, shape: readonly number[]): SymbolicTensor {
  return shape.length === 1 ? input : apply(tf.layers.flatten({ name: 'flatten' }), input);
}

function denseLayers(spec: ModelSpec, input: SymbolicTensor, seed: number, dropouts: StepDropout[]): SymbolicTensor {
  const units = spec.units ?? (spec.preset === 'CNN' ? [64] : [64, 32]);
  return units.reduce((before, size, index) => {
    const name = `dense_${index + 1}`;
    const dense = apply(tf.layers.dense({ name, units: size, activation: activations[spec.activation], kernelInitializer: initializer(seed, name) }), before);
    if (spec.dropout === 0) return dense;
    const dropout = new StepDropout({ name: `dropout_${index + 1}`, rate: spec.dropout, seed });
    dropouts.push(dropout);
    return apply(dropout, dense);
  }, input);
}

function convolutions(spec: ModelSpec, input: SymbolicTensor, seed: number): SymbolicTensor {
  const { filters = 32, blocks = 2, kernelSize = 3 } = spec;
  if (input.shape.length !== 4) {
    throw new AnnealError('SPEC_SHAPE_MISMATCH', { at: 'spec.trainer.data.features.shape', message: 'preset: CNN needs images. Write features.shape as [height, width, channels], for example [8, 8, 1].' });
  }
  let done = input;
  for (let block = 1; block <= blocks; block++) {
    const name = `conv_${block}`;
    done = apply(tf.layers.conv2d({ name, filters: filters * 2 ** (block - 1), kernelSize, padding: 'same', activation: activations[spec.activation], kernelInitializer: initializer(seed, name) }), done);
    done = apply(tf.layers.maxPooling2d({ name: `pool_${block}`, poolSize: 2, padding: 'same' }), done);
  }
  return apply(tf.layers.flatten({ name: 'flatten' }), done);
}
