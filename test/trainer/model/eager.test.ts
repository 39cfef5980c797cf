import { expect } from 'chai';
import type { Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { buildTraining } from '../../../trainer-image/src/model/graph/index.ts';
import { toLayersModel } from '../../../trainer-image/src/model/layers-model.ts';
import type { Network } from '../../../trainer-image/src/model/network.ts';
import { presetNetwork } from '../../../trainer-image/src/model/presets.ts';
import { floats, integers, networks, rowsFor, someWeights } from './support.ts';

const optimizer = { name: 'SGD', learningRate: 0.05, momentum: 0.9 } as const;
const rows = 16;

/** Losses of plain TensorFlow.js: its layers, its gradients, its optimiser, op by op. */
function eagerLosses(network: Network, weights: Float32Array, batches: readonly { features: Float32Array; targets: Int32Array }[]): number[] {
  const model = toLayersModel(network, weights);
  const variables = model.trainableWeights.map((weight) => weight.read()).filter((weight): weight is Variable => weight instanceof tf.Variable);
  const descent = tf.train.momentum(optimizer.learningRate, optimizer.momentum);
  const losses = batches.map(({ features, targets }) => tf.tidy(() => {
    const truth = tf.oneHot(tf.tensor1d(targets, 'int32'), 3);
    const { value, grads } = tf.variableGrads(() => tf.losses.softmaxCrossEntropy(truth, model.apply(tf.tensor(features, [rows, ...network.input]), { training: true }) as Tensor2D).asScalar(), variables);
    descent.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
    return value.dataSync()[0] ?? NaN;
  }));
  descent.dispose();
  model.dispose();
  return losses;
}

const presets: Readonly<Record<string, Network>> = {
  MLP: presetNetwork({ preset: 'MLP', units: [32, 16], activation: 'ReLU', dropout: 0, l2: 0 }, { input: [20], classes: 3 }),
  CNN: presetNetwork({ preset: 'CNN', filters: 4, units: [16], activation: 'ReLU', dropout: 0, l2: 0 }, { input: [8, 8, 1], classes: 3 }),
  'CNN of sequences': presetNetwork({ preset: 'CNN', filters: 4, units: [16], activation: 'GELU', dropout: 0, l2: 0 }, { input: [12, 2], classes: 3 }),
  LSTM: presetNetwork({ preset: 'LSTM', units: [6], activation: 'ReLU', dropout: 0, l2: 0 }, { input: [5, 2], classes: 3 }),
  GRU: presetNetwork({ preset: 'GRU', units: [6], activation: 'ReLU', dropout: 0, l2: 0 }, { input: [5, 2], classes: 3 }),
};

/** The losses are of logits. */
const withoutSoftmax = (network: Network): Network => ({ ...network, layers: network.layers.filter(({ name }) => name !== 'probabilities') });

describe('the training graph', function suite() {
  this.timeout(120_000);

  for (const [name, preset] of Object.entries(presets)) {
    it(`gives the losses of plain TensorFlow.js over 50 steps: ${name}`, () => {
      const network = withoutSoftmax(preset);
      const weights = someWeights(network, 7);
      const batches = Array.from({ length: 50 }, (_, step) => ({ features: rowsFor(network, rows, 'x', step), targets: integers(rows, 3, 'y', step) }));
      const training = buildTraining({ network, task: 'Classification', loss: 'CrossEntropy', weighted: false, update: { optimizer, l1: 0, l2: 0 } });
      training.setWeights(weights);
      training.setSlots(undefined);
      const ours = batches.map((batch, step) => training.learn(batch, new Int32Array(0), optimizer.learningRate, step + 1).loss);
      training.dispose();
      eagerLosses(network, weights, batches).forEach((theirs, step) => expect(ours[step], `step ${step}`).to.be.closeTo(theirs, 1e-5 * theirs));
    });
  }

  for (const [name, network] of Object.entries(networks)) {
    it(`predicts as the layers model that is saved: ${name}`, () => {
      const weights = someWeights(network, 3);
      const training = buildTraining({ network, task: 'Classification', loss: 'CrossEntropy', weighted: false, update: { optimizer, l1: 0, l2: 0 } });
      training.setWeights(weights);
      const features = rowsFor(network, 5, 'predict');
      const ours = training.predict(features);
      training.dispose();
      const model = toLayersModel(network, weights);
      const theirs = tf.tidy(() => (model.predict(tf.tensor(features, [5, ...network.input])) as Tensor).dataSync());
      model.dispose();
      expect(ours).to.have.length(theirs.length);
      ours.forEach((value, at) => expect(value).to.be.closeTo(theirs[at] ?? NaN, 1e-5));
    });
  }

  it('moves statistics of batch normalisation as it was told, and predicts by them', () => {
    const network = networks['batch normalisation'];
    if (network === undefined) throw new Error('There is no such network.');
    const training = buildTraining({ network, task: 'Classification', loss: 'CrossEntropy', weighted: false, update: { optimizer: { name: 'SGD', learningRate: 1 }, l1: 0, l2: 0 } });
    const before = someWeights(network, 1);
    training.setWeights(before);
    const features = floats(40, 'statistics');
    const { changes } = training.measure({ features, targets: new Int32Array(8) }, new Int32Array(0), 1);
    const kernel = before.subarray(0, 20);
    const products = Array.from({ length: 8 }, (_, row) => Array.from({ length: 4 }, (_, unit) => kernel.reduce((sum, _, at) => (at % 4 === unit ? sum + (features[row * 5 + Math.floor(at / 4)] ?? 0) * (kernel[at] ?? 0) : sum), 0)));
    const statistics = changes.length - 8;
    for (let unit = 0; unit < 4; unit++) {
      const column = products.map((row) => row[unit] ?? NaN);
      const mean = column.reduce((sum, value) => sum + value, 0) / 8;
      const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 8;
      expect(changes[statistics + unit]).to.be.closeTo(0.1 * (mean - (before[statistics + unit] ?? NaN)), 1e-6);
      expect(changes[statistics + 4 + unit]).to.be.closeTo(0.1 * (variance - (before[statistics + 4 + unit] ?? NaN)), 1e-6);
    }
    training.dispose();
  });
});
