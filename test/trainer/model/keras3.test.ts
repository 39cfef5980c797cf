import { expect } from 'chai';
import { askPython } from '../../../hack/python/venv.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { networkOfLayers } from '../../../trainer-image/src/model/from-layers-model.ts';
import { readKerasLayers } from '../../../trainer-image/src/model/keras-layers.ts';
import { asKeras2 } from '../../../trainer-image/src/model/keras3.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { codeOf } from '../support.ts';
import { floats, integers } from './support.ts';

/** Each model as Keras writes it, its weights by layer, and what it gives before and after three steps. */
const program = `
import json, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np, keras
L = keras.layers

def branches():
    x = keras.Input((6,))
    a, b = L.Dense(5, activation='relu', name='a')(x), L.Dense(4, activation='tanh', name='b')(x)
    return keras.Model(x, L.Dense(3, activation='softmax', name='out')(L.Concatenate(name='both')([a, b])))

models = {
    'dense': lambda: keras.Sequential([keras.Input((6,)), L.Dense(8, activation='gelu', kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)), L.BatchNormalization(momentum=0.8), L.Dense(3, activation='softmax')]),
    'branches': branches,
    'convolution': lambda: keras.Sequential([keras.Input((6,)), L.Reshape((3, 2)), L.Conv1D(4, 2, padding='same', activation=keras.activations.relu), L.MaxPooling1D(2), L.Flatten(), L.Dense(3, kernel_regularizer=keras.regularizers.L2(0.03)), L.Softmax()]),
    'recurrent': lambda: keras.Sequential([keras.Input((6,)), L.Reshape((3, 2)), L.LSTM(4, return_sequences=True), L.GRU(3, reset_after=False), L.Dense(3, activation='softmax')]),
    'functions by other names': lambda: keras.Sequential([keras.Input((6,)), L.Dense(5, activation='silu'), L.Dense(4), L.LeakyReLU(negative_slope=0.05), L.Dense(3, activation='softmax')]),
    'cells': lambda: keras.Sequential([keras.Input((6,)), L.Reshape((3, 2)), L.RNN([L.GRUCell(4), L.LSTMCell(3)], return_sequences=True), L.RNN(L.GRUCell(2, reset_after=False)), L.Dense(3, activation='softmax')]),
    'one within another': lambda: keras.Sequential([keras.Input((6,)), L.Reshape((3, 2)), keras.Sequential([keras.Input((3, 2)), L.GRU(4), L.Dense(5, activation='tanh')]), L.Dense(3, activation='softmax')]),
    'unknown to the graph': lambda: keras.Sequential([keras.Input((6,)), L.Reshape((3, 2)), L.SimpleRNN(4, return_sequences=True), L.GlobalAveragePooling1D(), L.Dense(3, activation='softmax')]),
}
asked = json.load(sys.stdin)
x, y = np.array(asked['features'], dtype='float32').reshape(-1, 6), np.array(asked['targets'])
told = {}
for name, make in models.items():
    keras.utils.set_random_seed(4)
    model = make()
    one = {'topology': json.loads(model.to_json()), 'weights': {layer.name: [w.tolist() for w in layer.get_weights()] for layer in model.layers}, 'before': model(x).numpy().ravel().tolist()}
    model.compile(keras.optimizers.SGD(0.1), 'sparse_categorical_crossentropy')
    for _ in range(3): model.train_on_batch(x, y)
    told[name] = {**one, 'after': model(x).numpy().ravel().tolist()}
print(json.dumps(told))
`;

interface Told {
  readonly topology: object;
  readonly weights: Readonly<Record<string, readonly number[][]>>;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const names = ['dense', 'branches', 'convolution', 'recurrent', 'functions by other names', 'cells', 'one within another', 'unknown to the graph'];
const rows = 12;
const features = floats(rows * 6, 'keras 3');
const targets = integers(rows, 3, 'keras 3');

describe('layers as Keras 3 writes them', function suite() {
  this.timeout(300_000);
  let told: Readonly<Record<string, Told>>;

  before(async () => {
    told = await askPython('keras', program, { features: [...features], targets: [...targets] }) as typeof told;
  });

  for (const name of names) {
    it(`give and learn what they do in Keras: ${name}`, async () => {
      const { topology, weights, before, after } = told[name] ?? expect.fail(`Keras did not tell of ${name}.`);
      const layers = await readKerasLayers(topology, { input: [6], classes: 3 }, 0);
      expect(networkOfLayers(layers) === undefined).to.equal(name !== 'branches');
      tf.tidy(() => {
        for (const [layer, its] of Object.entries(weights)) if (its.length > 0) layers.getLayer(layer).setWeights(its.map((values) => tf.tensor(values)));
      });
      const learner = createLearner({ model: { layers: topology, activation: 'ReLU', dropout: 0, l2: 0 }, fit: { optimizer: { name: 'SGD', learningRate: 0.1 }, seed: 0 }, target: { task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] }, shape: [6], layers });
      const part = { rows, features: matrixOf(features, 6), targets };
      learner.predict(part).forEach((value, at) => expect(value).to.be.closeTo(before[at] ?? NaN, 1e-5));
      for (let step = 0; step < 3; step++) learner.learn({ rows, features, targets }, step, emptyTally({ task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] }), 0.1);
      learner.predict(part).forEach((value, at) => expect(value).to.be.closeTo(after[at] ?? NaN, 1e-4));
      learner.dispose();
    });
  }

  it('stay as they are where they are of Keras 2', () => {
    const old = { class_name: 'Sequential', config: { name: 'own', layers: [{ class_name: 'Dense', config: { name: 'a', units: 3, batch_input_shape: [null, 6], kernel_regularizer: null }, inbound_nodes: [[['x', 0, 0, {}]]] }] } };
    expect(asKeras2(old)).to.deep.equal(old);
    expect(asKeras2({ modelTopology: { model_config: old }, weightsManifest: [] })).to.deep.equal(old);
  });

  const sequential = (...layers: readonly object[]): object => ({ module: 'keras', class_name: 'Sequential', config: { name: 'own', layers: [{ module: 'keras.layers', class_name: 'InputLayer', config: { batch_shape: [null, 4, 2], name: 'input' } }, ...layers] } });
  const layer = (name: string, config: object): object => ({ module: 'keras.layers', class_name: name, config: { name: 'mine', ...config } });
  const dense = { module: 'keras.layers', class_name: 'Dense', config: { name: 'out', units: 3, activation: 'softmax' } };
  const last = [layer('GRU', { name: 'last', units: 2, reset_after: true }), dense];
  const masked = layer('Masking', { name: 'mask', mask_value: 0 });
  const refused: Readonly<Record<string, readonly [string, ...object[]]>> = {
    'a function that is another one in Keras 3': ['mine has recurrent_activation: hard_sigmoid', layer('LSTM', { units: 2, recurrent_activation: 'hard_sigmoid' }), dense],
    'a slope below zero': ['mine has negative_slope: 0.1', layer('ReLU', { max_value: null, negative_slope: 0.1, threshold: 0 }), ...last],
    'convolutions in groups': ['mine has groups: 2', layer('Conv1D', { filters: 2, kernel_size: [2], groups: 2 }), ...last],
    'padding of the past': ['mine has padding: "causal"', layer('Conv1D', { filters: 2, kernel_size: [2], padding: 'causal' }), ...last],
    'another layer for the way back': ['mine has a backward_layer', layer('Bidirectional', { layer: layer('GRU', { units: 2, activation: 'tanh' }), backward_layer: layer('GRU', { units: 2, activation: 'relu', go_backwards: true }), merge_mode: 'concat' }), dense],
    'dropout of one mask for all steps': ['mine has noise_shape', layer('Dropout', { rate: 0.5, noise_shape: [null, 1, 2] }), ...last],
    'dropout within a layer both ways': ['mine draws at random', layer('Bidirectional', { layer: layer('GRU', { units: 2, dropout: 0.5 }), merge_mode: 'concat' }), dense],
    'dropout of each step': ['mine draws at random', layer('TimeDistributed', { layer: layer('Dropout', { rate: 0.5 }) }), ...last],
    'dropout of a model within': ['mine draws at random', { module: 'keras', class_name: 'Sequential', config: { name: 'inner', layers: [layer('GRU', { units: 2, recurrent_dropout: 0.5, batch_shape: [null, 4, 2] })] } }, dense],
    'a mean of masked steps': ['mine would leave out other masked steps', masked, layer('GlobalAveragePooling1D', {}), dense],
    'zeros at masked steps': ['mine would leave out other masked steps', masked, layer('GRU', { name: 'first', units: 2, return_sequences: true, zero_output_for_mask: true }), layer('Flatten', {}), dense],
    'both ways at masked steps': ['mine would leave out other masked steps', masked, layer('Bidirectional', { name: 'both', layer: layer('GRU', { units: 2, return_sequences: true }), merge_mode: 'concat' }), layer('Flatten', {}), dense],
    'a mask that ends before another layer': ['mine would leave out other masked steps', masked, layer('GRU', { name: 'first', units: 2 }), layer('RepeatVector', { name: 'again', n: 3 }), layer('GRU', { units: 2 }), dense],
  };
  for (const [what, [message, ...layers]] of Object.entries(refused)) {
    it(`are refused with ${what}, which would be another network`, async () => {
      const error = await codeOf(() => readKerasLayers(sequential(...layers), { input: [4, 2], classes: 3 }, 0));
      expect(error).to.include({ at: 'spec.trainer.model.layers' });
      expect(error.code).to.be.oneOf(['SPEC_INVALID', 'SPEC_CONFLICT']);
      expect(error.message).to.include(message);
    });
  }

  it('are refused where they are no model', async () => {
    expect(await codeOf(() => asKeras2({ layers: [] }))).to.include({ code: 'SPEC_INVALID', at: 'spec.trainer.model.layers' });
  });
});
