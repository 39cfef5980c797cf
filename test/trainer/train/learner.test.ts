import { expect } from 'chai';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import type { Learner, LearnerState } from '../../../trainer-image/src/train/learner.ts';
import { losses } from '../../../trainer-image/src/train/loss.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { createOptimizer } from '../../../trainer-image/src/train/optimizer.ts';
import { trainerSpec } from '../support.ts';

const floats = (length: number, name: string): Float32Array => {
  const source = random(1, name);
  return Float32Array.from({ length }, () => source.uint32() / 2 ** 31 - 1);
};

const target = { task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] } as const;
const shape = [6, 6, 1];
const batch = { rows: 8, features: floats(8 * 36, 'features'), targets: Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1) };

function learner(model: object, fit: object = {}, saved?: LearnerState): Learner {
  const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', features: { shape } }, model, fit });
  return createLearner({ model: spec.model, fit: spec.fit, target, shape }, saved);
}

function learn(from: Learner, first: number, steps: number): number[] {
  const tally = emptyTally(target);
  return Array.from({ length: steps }, (_, step) => from.learn(batch, first + step, tally));
}

const models: readonly object[] = [{ preset: 'CNN', filters: 4, units: [8], dropout: 0.5 }, { preset: 'MLP', units: [12], activation: 'ELU', l2: 0.01, dropout: 0.2 }];
const optimizers: readonly object[] = [{ name: 'Adam' }, { name: 'SGD' }, { name: 'SGD', momentum: 0.9 }];

describe('a learner', () => {
  for (const model of models) for (const optimizer of optimizers) {
    it(`goes on from its state to the same bits: ${JSON.stringify(model)} ${JSON.stringify(optimizer)}`, () => {
      const whole = learner(model, { optimizer });
      const first = learner(model, { optimizer });
      learn(whole, 0, 10);
      learn(first, 0, 4);
      const second = learner(model, { optimizer }, first.save());
      learn(second, 4, 6);
      expect(second.save()).to.deep.equal(whole.save());
      for (const used of [whole, first, second]) used.dispose();
    });
  }

  it('learns', () => {
    const used = learner({ preset: 'CNN', filters: 8 }, { optimizer: { learningRate: 0.01 } });
    const [first = NaN, last = NaN] = [learn(used, 0, 60)].flatMap((all) => [all[0] ?? NaN, all.at(-1) ?? NaN]);
    expect(last).to.be.below(first / 10);
    used.dispose();
  });

  it('starts from weights that depend on the seed alone', () => {
    const [one, two, other] = [learner({ preset: 'CNN' }), learner({ preset: 'CNN' }), learner({ preset: 'CNN' }, { seed: 1 })];
    expect(one.weights()).to.deep.equal(two.weights());
    expect(one.weights()).not.to.deep.equal(other.weights());
    for (const used of [one, two, other]) used.dispose();
  });

  it('drops something else at each step', () => {
    const used = learner({ preset: 'MLP', units: [64], dropout: 0.5 });
    const outputs = [1, 2, 1].map((step) => tf.tidy(() => used.network.trainForward(tf.tensor(batch.features, [8, ...shape]), [step]).dataSync().slice()));
    expect(outputs[0]).to.deep.equal(outputs[2]);
    expect(outputs[0]).not.to.deep.equal(outputs[1]);
    used.dispose();
  });

  it('leaves no tensor behind, neither by step nor when it is disposed of', () => {
    const before = tf.memory().numTensors;
    for (const model of models) for (const optimizer of optimizers) {
      const used = learner(model, { optimizer });
      learn(used, 0, 3);
      const settled = tf.memory().numTensors;
      learn(used, 3, 20);
      used.evaluate({ ...batch, features: matrixOf(batch.features, 36) });
      used.setWeights(used.weights());
      used.save();
      expect(tf.memory().numTensors).to.equal(settled);
      used.dispose();
    }
    expect(tf.memory().numTensors).to.equal(before);
  });
});

describe('optimisers', () => {
  const theirs = { Adam: () => tf.train.adam(0.01), SGD: () => tf.train.sgd(0.01), momentum: () => tf.train.momentum(0.01, 0.9) };
  const ours = { Adam: { name: 'Adam', learningRate: 0.01 }, SGD: { name: 'SGD', learningRate: 0.01 }, momentum: { name: 'SGD', learningRate: 0.01, momentum: 0.9 } } as const;
  for (const name of ['Adam', 'SGD', 'momentum'] as const) {
    it(`step to the same bits as TensorFlow.js: ${name}`, () => {
      const size = 1000;
      const variable = tf.variable(tf.tensor1d(floats(size, 'weights')));
      const optimizer = createOptimizer(ours[name], size);
      let weights: Tensor1D = tf.tensor1d(floats(size, 'weights'));
      const reference = theirs[name]();
      for (let step = 0; step < 25; step++) {
        const gradient = floats(size, `gradient ${step}`);
        weights = tf.tidy(() => optimizer.step(weights, tf.tensor1d(gradient)));
        tf.tidy(() => reference.applyGradients([{ name: variable.name, tensor: tf.tensor1d(gradient) }]));
      }
      expect(weights.dataSync()).to.deep.equal(variable.dataSync());
      tf.dispose([variable, weights]);
      optimizer.dispose();
      reference.dispose();
    });
  }
});

describe('losses', () => {
  it('have the gradient that automatic differentiation finds', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d(floats(12, 'logits'), [4, 3]).mul<Tensor2D>(5);
      const truth = tf.oneHot(tf.tensor1d([0, 2, 1, 1], 'int32'), 3).cast('float32');
      const reference = (x: Tensor2D) => tf.losses.softmaxCrossEntropy(truth, x).asScalar();
      const [mine] = tf.grads((x) => losses.Classification(x as Tensor2D, truth))([logits]);
      const [theirs] = tf.grads((x) => reference(x as Tensor2D))([logits]);
      const apart = tf.max(tf.abs(tf.sub(mine ?? NaN, theirs ?? NaN))).dataSync()[0];
      expect(apart).to.be.below(1e-6);
      expect(losses.Classification(logits, truth).dataSync()[0]).to.be.closeTo(reference(logits).dataSync()[0] ?? NaN, 1e-5);
    });
  });

  it('stay finite for logits that overflow an exponential', () => {
    tf.tidy(() => {
      const logits = tf.tensor2d([[1000, -1000, 0]]);
      expect(losses.Classification(logits, tf.tensor2d([[0, 1, 0]])).dataSync()[0]).to.equal(2000);
    });
  });
});
