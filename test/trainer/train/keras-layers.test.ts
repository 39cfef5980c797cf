import { expect } from 'chai';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { native, tf } from '../../../trainer-image/src/model/backend.ts';
import { networkOfLayers } from '../../../trainer-image/src/model/from-layers-model.ts';
import { readKerasLayers } from '../../../trainer-image/src/model/keras-layers.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import type { Learner, LearnerSpec, LearnerState } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { floats, integers } from '../model/support.ts';
import { blobs, codeOf, folder, succeeded, train, trainerSpec } from '../support.ts';

type KerasLayer = Readonly<Record<string, unknown>> & { readonly class_name: string };

const glorot = { class_name: 'GlorotUniform', config: { seed: null } };
const layer = (name: string, config: object): KerasLayer => ({ class_name: name, config });
const dense = (units: number, activation: string, more: object = {}): KerasLayer => layer('Dense', { units, activation, use_bias: true, kernel_initializer: glorot, bias_initializer: { class_name: 'Zeros', config: {} }, ...more });

/** As Keras 2 writes a Sequential model. */
function sequential(input: readonly number[], ...layers: readonly KerasLayer[]): object {
  const named = layers.map((one, index) => ({ ...one, config: { name: `own_${index}`, ...(one.config as object), ...(index === 0 ? { batch_input_shape: [null, ...input] } : {}) } }));
  return { class_name: 'Sequential', config: { name: 'own', layers: named } };
}

const target = { task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] } as const;
const rows = 24;
const batch = { rows, features: floats(rows * 6, 'own'), targets: integers(rows, 3, 'own') };
const part = { ...batch, features: matrixOf(batch.features, 6) };

async function learner(keras: object, changes: Partial<Omit<LearnerSpec, 'model'>> & { readonly l2?: number } = {}, saved?: LearnerState): Promise<Learner> {
  const { l2 = 0, ...rest } = changes;
  const fit = { optimizer: { name: 'Adam', learningRate: 0.02 }, seed: 3 } as const;
  const layers = await readKerasLayers(keras, { input: rest.shape ?? [6], classes: 3 }, fit.seed);
  return createLearner({ model: { layers: keras, activation: 'ReLU', dropout: 0, l2 }, fit, target, shape: [6], layers, ...rest }, saved);
}

const learn = (used: Learner, first: number, steps: number): number[] => Array.from({ length: steps }, (_, step) => used.learn(batch, first + step, emptyTally(target), 0.02));

/** Known to the graph, and the same with one layer that is not. */
const known = sequential([6], dense(8, 'tanh'), layer('BatchNormalization', { axis: -1, momentum: 0.9, epsilon: 0.001, center: true, scale: true }), layer('Dropout', { rate: 0.25 }), dense(3, 'softmax'));
const unknown = sequential([6], layer('Reshape', { target_shape: [6] }), dense(8, 'tanh'), layer('BatchNormalization', { axis: -1, momentum: 0.9, epsilon: 0.001, center: true, scale: true }), dense(3, 'softmax'));
const knownTwin = sequential([6], layer('Activation', { activation: 'linear' }), dense(8, 'tanh'), layer('BatchNormalization', { axis: -1, momentum: 0.9, epsilon: 0.001, center: true, scale: true }), dense(3, 'softmax'));
const dropping = sequential([6], layer('Reshape', { target_shape: [3, 2] }), layer('SimpleRNN', { units: 5, activation: 'tanh', use_bias: true, kernel_initializer: glorot, recurrent_initializer: { class_name: 'Orthogonal', config: { gain: 1, seed: null } } }), layer('Dropout', { rate: 0.5 }), dense(3, 'softmax'));

describe('layers that a user writes', function suite() {
  this.timeout(120_000);

  it('become a graph where it knows them all', async () => {
    const [graph, none] = [await readKerasLayers(known, { input: [6], classes: 3 }, 0), await readKerasLayers(unknown, { input: [6], classes: 3 }, 0)];
    expect(networkOfLayers(graph)?.layers.map(({ kind, name }) => [kind, name])).to.deep.equal([
      ['Dense', 'own_0'], ['BatchNormalization', 'own_1'], ['Dropout', 'own_2'], ['Dense', 'own_3'], ['Activation', 'own_3_activation'],
    ]);
    expect(networkOfLayers(none)).to.equal(undefined);
    tf.dispose([...graph.weights, ...none.weights].map((weight) => weight.read()));
  });

  it('begin with weights that depend on the seed alone, by their own initialisers', async () => {
    for (const keras of [known, dropping]) {
      const [one, two] = [await learner(keras), await learner(keras)];
      expect(one.weights()).to.deep.equal(two.weights());
      expect(new Set(one.weights().subarray(0, 12)).size).to.be.above(8);
      for (const used of [one, two]) used.dispose();
    }
  });

  it('learn op by op what the graph learns', async () => {
    const [graph, eager] = [await learner(knownTwin, { l2: 0.01 }), await learner(unknown, { l2: 0.01 })];
    const begin = eager.weights();
    graph.setWeights(begin);
    const [ours, theirs] = [learn(graph, 0, 15), learn(eager, 0, 15)];
    ours.forEach((loss, step) => expect(loss).to.be.closeTo(theirs[step] ?? NaN, 1e-5));
    graph.weights().forEach((weight, at) => expect(weight).to.be.closeTo(eager.weights()[at] ?? NaN, 1e-4));
    expect(eager.evaluate(part).lossSum).to.be.closeTo(graph.evaluate(part).lossSum, 1e-2);
    eager.predict(part).forEach((value, at) => expect(value).to.be.closeTo(graph.predict(part)[at] ?? NaN, 1e-4));
    for (const used of [graph, eager]) used.dispose();
  });

  for (const [name, keras] of Object.entries({ known, dropping })) {
    it(`go on from their state to the same bits, and take the step of its halves: ${name}`, async () => {
      const [whole, first] = [await learner(keras), await learner(keras)];
      learn(whole, 0, 8);
      learn(first, 0, 3);
      const second = await learner(keras, {}, first.save());
      learn(second, 3, 5);
      expect(second.save()).to.deep.equal(whole.save());
      const [step, halves] = [await learner(keras), await learner(keras)];
      learn(step, 4, 1);
      halves.apply(halves.measure(batch, [4], 1).gradient, 0.02);
      halves.weights().forEach((weight, at) => expect(weight).to.be.closeTo(step.weights()[at] ?? NaN, 1e-6));
      for (const used of [whole, first, second, step, halves]) used.dispose();
    });
  }

  it('have penalties of single layers, by their share in a batch', async () => {
    const penalised = (l2: number) => sequential([6], dense(3, 'softmax', { kernel_regularizer: { class_name: 'L1L2', config: { l1: 0, l2 } } }));
    const [plain, other] = [await learner(penalised(0)), await learner(penalised(0.5))];
    other.setWeights(plain.weights());
    const [one, two] = [plain.measure(batch, [0], 0.5), other.measure(batch, [0], 0.5)];
    expect(two.loss).to.be.closeTo(one.loss, 1e-6);
    // Of 0.5 w², by half of a batch.
    for (let at = 0; at < 18; at++) expect((two.gradient[at] ?? NaN) - (one.gradient[at] ?? NaN)).to.be.closeTo(0.5 * (plain.weights()[at] ?? NaN), 1e-5);
    for (const used of [plain, other]) used.dispose();
  });

  it('get a softmax where classes are learnt and they end in none', async () => {
    const used = await learner(sequential([6], layer('Reshape', { target_shape: [6] }), dense(3, 'linear')));
    const sums = Array.from({ length: rows }, (_, row) => used.predict(part).subarray(3 * row, 3 * row + 3).reduce((sum, value) => sum + value, 0));
    for (const sum of sums) expect(sum).to.be.closeTo(1, 1e-5);
    used.dispose();
  });

  it('leave no tensor behind', async () => {
    const count = (): number => native().binding.getNumOfTensors();
    for (const keras of [known, dropping]) {
      const before = count();
      const used = await learner(keras);
      learn(used, 0, 2);
      const settled = count();
      learn(used, 2, 10);
      used.evaluate(part);
      used.predict(part);
      used.load(used.save());
      used.apply(used.measure(batch, [1], 0.5).gradient, 0.1);
      expect(count()).to.equal(settled);
      used.dispose();
      expect(count()).to.equal(before);
    }
  });

  const refused: readonly (readonly [string, object, object])[] = [
    ['an unknown layer', sequential([6], layer('Wonder', {})), { code: 'SPEC_INVALID', at: 'spec.trainer.model.layers' }],
    ['another input', sequential([5], dense(3, 'softmax')), { code: 'SPEC_SHAPE_MISMATCH' }],
    ['another number of outputs', sequential([6], dense(4, 'softmax')), { code: 'SPEC_SHAPE_MISMATCH' }],
    ['noise', sequential([6], layer('GaussianNoise', { stddev: 1 }), dense(3, 'softmax')), { code: 'SPEC_CONFLICT' }],
    ['recurrent dropout', sequential([3, 2], layer('LSTM', { units: 2, recurrent_dropout: 0.5 }), dense(3, 'softmax')), { code: 'SPEC_CONFLICT' }],
  ];
  for (const [what, keras, error] of refused) {
    it(`are refused with ${what}`, async () => {
      const input = what === 'recurrent dropout' ? [3, 2] : [6];
      expect(await codeOf(() => readKerasLayers(keras, { input, classes: 3 }, 0))).to.include(error);
    });
  }

  it('train, resume and serve as a preset does', async () => {
    await using undisturbed = await folder();
    await using place = await folder();
    const keras = sequential([2], layer('Reshape', { target_shape: [2] }), dense(6, 'tanh'), layer('Dropout', { rate: 0.2 }), dense(2, 'softmax'));
    const spec = trainerSpec({ data: { source: { uri: undisturbed.write('rows.csv', blobs(203)) }, target: 'colour' }, model: { layers: keras }, fit: { epochs: 4, batchSize: 16, optimizer: { learningRate: 0.05 } } });
    const whole = succeeded(await train(spec, undisturbed.path));
    expect(whole.metrics.test_accuracy).to.equal(1);
    let polls = 0;
    await train(spec, place.path, { stopRequested: () => polls++ > 13 });
    expect(succeeded(await train(spec, place.path))).to.deep.equal(whole);
  });
});
