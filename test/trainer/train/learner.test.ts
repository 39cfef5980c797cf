import { expect } from 'chai';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { native, tf } from '../../../trainer-image/src/model/backend.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import type { Learner, LearnerSpec, LearnerState } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { codeOf } from '../support.ts';

const floats = (length: number, name: string): Float32Array => {
  const source = random(1, name);
  return Float32Array.from({ length }, () => source.uint32() / 2 ** 31 - 1);
};

const target = { task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] } as const;
const shape = [6, 6, 1];
const batch = { rows: 8, features: floats(8 * 36, 'features'), targets: Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1) };
const part = { ...batch, features: matrixOf(batch.features, 36) };

type Model = LearnerSpec['model'];
type Optimizer = LearnerSpec['fit']['optimizer'];

function learner(model: Partial<Model>, changes: Partial<LearnerSpec['fit']> & Partial<Omit<LearnerSpec, 'model' | 'fit'>> = {}, saved?: LearnerState): Learner {
  const { optimizer = { name: 'Adam', learningRate: 0.01 }, seed = 0, clip, loss, ...rest } = changes;
  return createLearner({
    model: { preset: 'MLP', activation: 'ReLU', dropout: 0, l2: 0, ...model },
    fit: { optimizer, seed, ...(clip === undefined ? {} : { clip }), ...(loss === undefined ? {} : { loss }) },
    target, shape, ...rest,
  }, saved);
}

function learn(from: Learner, first: number, steps: number): number[] {
  const tally = emptyTally(target);
  return Array.from({ length: steps }, (_, step) => from.learn(batch, first + step, tally, 0.01));
}

const models: readonly Partial<Model>[] = [
  { preset: 'CNN', filters: 4, units: [8], dropout: 0.5 },
  { preset: 'MLP', units: [12], activation: 'ELU', l2: 0.01, dropout: 0.2 },
  { preset: 'CNN', filters: 4, units: [8], batchNorm: true, activation: 'GELU' },
];
const optimizers: readonly Optimizer[] = [
  { name: 'Adam', learningRate: 0.01 },
  { name: 'SGD', learningRate: 0.01 },
  { name: 'SGD', learningRate: 0.01, momentum: 0.9, nesterov: true },
  { name: 'AdamW', learningRate: 0.01 },
  { name: 'RMSprop', learningRate: 0.01, momentum: 0.5 },
  { name: 'Adagrad', learningRate: 0.01 },
];

describe('a learner', function suite() {
  this.timeout(60_000);

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
    const used = learner({ preset: 'CNN', filters: 8 });
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

  it('drops something else at each step and shard, and nothing when it predicts', () => {
    const used = learner({ units: [64], dropout: 0.5 });
    const [first, other, again, shard] = [[1], [2], [1], [1, 1]].map((draw) => used.measure(batch, draw, 1).loss);
    expect(first).to.equal(again);
    expect(new Set([first, other, shard]).size).to.equal(3);
    expect(used.predict(part)).to.deep.equal(used.predict(part));
    used.dispose();
  });

  it('takes the step that its two halves take', () => {
    for (const model of models) {
      const [whole, halves] = [learner(model), learner(model)];
      for (let step = 0; step < 3; step++) {
        learn(whole, step, 1);
        halves.apply(halves.measure(batch, [step], 1).gradient, 0.01);
      }
      const apart = whole.weights().map((weight, at) => Math.abs(weight - (halves.weights()[at] ?? NaN)));
      expect(Math.max(...apart)).to.be.below(1e-6);
      whole.dispose();
      halves.dispose();
    }
  });

  it('predicts what the model that it saves predicts', () => {
    for (const model of models) {
      const used = learner(model);
      learn(used, 0, 5);
      const saved = used.model();
      const theirs = tf.tidy(() => (saved.predict(tf.tensor(batch.features, [8, ...shape])) as ReturnType<typeof tf.tensor>).dataSync());
      used.predict(part).forEach((value, at) => expect(value).to.be.closeTo(theirs[at] ?? NaN, 1e-6));
      used.dispose();
    }
  });

  it('counts rows of a class by its weight', () => {
    const [plain, doubled] = [learner({}), learner({}, { classWeights: [2, 2, 2] })];
    expect(doubled.measure(batch, [0], 1).loss).to.be.closeTo(2 * plain.measure(batch, [0], 1).loss, 1e-6);
    const none = learner({}, { classWeights: [1, 0, 0] });
    const rows = { rows: 2, features: batch.features.subarray(36, 36 * 3), targets: Int32Array.of(1, 2) };
    expect(none.measure(rows, [0], 1).gradient.every((value) => value === 0)).to.equal(true);
    expect(none.evaluate({ ...rows, features: matrixOf(rows.features, 36) }).lossSum).to.be.above(0);
    for (const used of [plain, doubled, none]) used.dispose();
  });

  it('counts a row by its own weight as if it stood there so often', () => {
    const used = learner({}, { weighted: true });
    const rows = { rows: 2, features: batch.features.subarray(0, 72), targets: Int32Array.of(0, 1), weights: Float32Array.of(0.5, 1.5) };
    const often = { rows: 4, features: Float32Array.of(...batch.features.subarray(0, 72), ...batch.features.subarray(36, 72), ...batch.features.subarray(36, 72)), targets: Int32Array.of(0, 1, 1, 1) };
    const [one, other] = [used.measure(rows, [0], 1), used.measure(often, [0], 1)];
    expect(one.loss).to.be.closeTo(other.loss, 1e-6);
    one.gradient.forEach((value, at) => expect(value).to.be.closeTo(other.gradient[at] ?? NaN, 1e-6));
    used.dispose();
  });

  it('refuses a loss that does not go with the task', async () => {
    expect(await codeOf(() => learner({}, { loss: 'MSE' }))).to.include({ code: 'SPEC_TASK_MISMATCH', at: 'spec.trainer.fit.loss' });
    expect(await codeOf(() => learner({}, { loss: 'CrossEntropy', target: { task: 'Regression', name: 'y', mean: 0, scale: 1 } }))).to.include({ code: 'SPEC_TASK_MISMATCH' });
  });

  it('says what TensorFlow refused', () => {
    const used = learner({});
    // Two nodes fail of it; TensorFlow's first line only counts them.
    expect(() => used.measure({ ...batch, targets: Int32Array.of(1, 0) }, [0], 1)).to.throw(/^TensorFlow could not run the training graph: .*Incompatible shapes/);
    learn(used, 0, 1);
    used.dispose();
  });

  it('leaves no tensor behind, neither by step nor when it is disposed of', () => {
    const count = (): number => native().binding.getNumOfTensors();
    const before = count();
    for (const model of models) for (const optimizer of optimizers) {
      const used = learner(model, { optimizer });
      learn(used, 0, 3);
      used.evaluate(part);
      used.predict(part);
      used.setWeights(used.weights());
      used.load(used.save());
      used.apply(used.measure(batch, [1], 0.5).gradient, 0.1);
      used.model();
      used.model();
      used.dispose();
      expect(count()).to.equal(before);
    }
  });
});
