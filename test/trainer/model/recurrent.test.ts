import { expect } from 'chai';
import { askPython } from '../../../hack/python/venv.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { networkOfLayers } from '../../../trainer-image/src/model/from-layers-model.ts';
import { readKerasLayers } from '../../../trainer-image/src/model/keras-layers.ts';
import { artifactsOf, forward, loadLayersModel, modelJson } from '../../../trainer-image/src/model/layers-format.ts';
import { encodeModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { onnxOf, predictOnnx } from '../onnx/support.ts';
import { floats, integers } from './support.ts';

/** Each model as Keras writes it, with weights of which none is zero; what it gives; and losses, weights and answers of a training. */
const program = `
import json, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np, keras
L = keras.layers

def layer_of(one):
    options = dict(one['options'])
    if 'layer' in options: options['layer'] = layer_of(options['layer'])
    return getattr(L, one['class'])(**options)

def run(case):
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.Input(case['input'])] + [layer_of(one) for one in case['layers']])
    if len(model.output_shape) > 2: model.add(L.Flatten())
    model.add(L.Dense(3, activation='softmax'))
    draws = np.random.default_rng(7)
    for layer in model.layers: layer.set_weights([w + draws.uniform(-0.3, 0.3, w.shape) for w in layer.get_weights()])
    x, y = np.array(case['features'], dtype='float32').reshape(-1, *case['input']), np.array(case['targets'])
    weights = lambda: [[w.ravel().tolist() for w in layer.get_weights()] for layer in model.layers]
    told = {'topology': json.loads(model.to_json()), 'weights': weights(), 'before': model(x).numpy().ravel().tolist()}
    model.compile(keras.optimizers.Adam(0.02), 'sparse_categorical_crossentropy', run_eagerly=True)
    losses = []
    for _ in range(5): losses.append(float(model.train_on_batch(x, y))); model.reset_metrics()
    return {**told, 'losses': losses, 'learnt': weights(), 'after': model(x).numpy().ravel().tolist()}

print(json.dumps([run(case) for case in json.load(sys.stdin)]))
`;

interface Told {
  readonly topology: object;
  /** Of each layer. */
  readonly weights: readonly (readonly (readonly number[])[])[];
  readonly before: readonly number[];
  readonly losses: readonly number[];
  readonly learnt: readonly (readonly (readonly number[])[])[];
  readonly after: readonly number[];
}

interface LayerOfKeras {
  readonly class: string;
  readonly options: Readonly<Record<string, unknown>>;
}

interface Case {
  readonly input: readonly [steps: number, features: number];
  readonly layers: readonly LayerOfKeras[];
  /** Whether one graph trains it. */
  readonly graph: boolean;
  /** Whether the last steps of some rows are zeros, which are masked then. ONNX knows no masks. */
  readonly masked?: boolean;
}

const layer = (name: string, options: LayerOfKeras['options']): LayerOfKeras => ({ class: name, options });
const bidirectional = (inner: LayerOfKeras, options: LayerOfKeras['options'] = {}): LayerOfKeras => layer('Bidirectional', { layer: inner, ...options });

const cases: Readonly<Record<string, Case>> = {
  'a GRU': { input: [5, 3], layers: [layer('GRU', { units: 4 })], graph: true },
  'a GRU of one step': { input: [1, 2], layers: [layer('GRU', { units: 3 })], graph: true },
  'a GRU of one unit over one feature': { input: [7, 1], layers: [layer('GRU', { units: 1, return_sequences: true })], graph: true },
  'GRUs one upon the other': { input: [6, 2], layers: [layer('GRU', { units: 5, return_sequences: true }), layer('GRU', { units: 3 })], graph: true },
  'GRUs of both kinds': { input: [4, 2], layers: [layer('GRU', { units: 3, return_sequences: true }), layer('GRU', { units: 3, reset_after: false })], graph: true },
  'a GRU without bias': { input: [4, 3], layers: [layer('GRU', { units: 3, use_bias: false })], graph: false },
  'a GRU that goes backwards': { input: [5, 2], layers: [layer('GRU', { units: 3, go_backwards: true, return_sequences: true }), layer('GRU', { units: 2, go_backwards: true })], graph: false },
  'a GRU with other activations': { input: [4, 2], layers: [layer('GRU', { units: 3, activation: 'softsign', recurrent_activation: 'tanh' })], graph: false },
  'a GRU that is unrolled': { input: [4, 2], layers: [layer('GRU', { units: 3, unroll: true })], graph: true },
  'a GRU both ways': { input: [4, 2], layers: [bidirectional(layer('GRU', { units: 3, return_sequences: true })), bidirectional(layer('GRU', { units: 2 }), { merge_mode: 'sum' })], graph: false },
  'an LSTM': { input: [5, 3], layers: [layer('LSTM', { units: 4, return_sequences: true }), layer('LSTM', { units: 2, unit_forget_bias: false })], graph: true },
  'an LSTM without bias': { input: [4, 3], layers: [layer('LSTM', { units: 3, use_bias: false })], graph: false },
  'an LSTM that goes backwards': { input: [5, 2], layers: [layer('LSTM', { units: 3, go_backwards: true, return_sequences: true })], graph: false },
  'an LSTM both ways': { input: [4, 2], layers: [bidirectional(layer('LSTM', { units: 3, return_sequences: true }), { merge_mode: 'ave' }), bidirectional(layer('LSTM', { units: 2 }), { merge_mode: 'mul' })], graph: false },
  'a SimpleRNN': { input: [5, 3], layers: [layer('SimpleRNN', { units: 4, return_sequences: true }), layer('SimpleRNN', { units: 2, use_bias: false, activation: 'relu' })], graph: false },
  'a SimpleRNN both ways': { input: [4, 2], layers: [bidirectional(layer('SimpleRNN', { units: 3 }))], graph: false },
};

const mask = layer('Masking', {});
const masks: Readonly<Record<string, Case>> = {
  'masked GRUs': { input: [5, 2], layers: [mask, layer('GRU', { units: 3, return_sequences: true }), layer('GRU', { units: 2 })], graph: false, masked: true },
  'masked LSTMs, both ways and backwards': { input: [5, 2], layers: [mask, bidirectional(layer('LSTM', { units: 3, return_sequences: true })), layer('LSTM', { units: 2, go_backwards: true })], graph: false, masked: true },
  'a masked GRU with dense layers of each step': { input: [4, 2], layers: [mask, layer('GRU', { units: 3, return_sequences: true }), layer('Dense', { units: 2, activation: 'tanh' })], graph: false, masked: true },
  'a masked SimpleRNN behind which the statistics are of whole rows': { input: [4, 2], layers: [mask, layer('SimpleRNN', { units: 3 }), layer('LayerNormalization', {})], graph: false, masked: true },
};

const all = { ...cases, ...masks };
const rows = 9;
const target = { task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] } as const;
function batchOf(name: string, { input: [steps, width], masked = false }: Case) {
  const features = floats(rows * steps * width, name);
  // The first row is whole; of the others one step more is masked in each, and never all.
  if (masked) for (let row = 0; row < rows; row++) features.fill(0, (row + 1) * steps * width - (row % steps) * width, (row + 1) * steps * width);
  return { rows, features, targets: integers(rows, 3, name) };
}

function close(found: ArrayLike<number>, wanted: readonly number[], tolerance: number, what: string): void {
  expect(found.length, what).to.equal(wanted.length);
  wanted.forEach((value, at) => expect(found[at], `${what}, ${at}`).to.be.closeTo(value, tolerance));
}

describe('recurrent layers as Keras has them unless it is told', function suite() {
  this.timeout(300_000);
  let told: ReadonlyMap<string, Told>;

  before(async () => {
    const answers = await askPython('keras', program, Object.entries(all).map(([name, one]) => {
      const { features, targets } = batchOf(name, one);
      return { ...one, features: [...features], targets: [...targets] };
    })) as readonly Told[];
    told = new Map(Object.keys(all).map((name, index) => [name, answers[index] ?? expect.fail(`Keras did not tell of ${name}.`)]));
  });

  for (const [name, one] of Object.entries(all)) {
    it(`give, learn, save and serve what they do in Keras: ${name}`, async () => {
      const { topology, weights, before, losses, learnt, after } = told.get(name) ?? expect.fail(`Keras did not tell of ${name}.`);
      const batch = batchOf(name, one);
      const width = one.input[0] * one.input[1];
      const part = { rows, features: matrixOf(batch.features, width), targets: batch.targets };
      const layers = await readKerasLayers(topology, { input: one.input, classes: 3 }, 0);
      expect(networkOfLayers(layers) !== undefined, 'a graph trains it').to.equal(one.graph);
      tf.tidy(() => {
        const own = layers.layers.filter((layer) => layer.getClassName() !== 'InputLayer');
        own.forEach((layer, index) => layer.setWeights(layer.getWeights().map(({ shape }, place) => tf.tensor([...weights[index]?.[place] ?? []], shape))));
      });

      const learner = createLearner({ model: { layers: topology, activation: 'ReLU', dropout: 0, l2: 0 }, fit: { optimizer: { name: 'Adam', learningRate: 0.02 }, seed: 0 }, target, shape: [...one.input], layers });
      close(learner.predict(part), before, 1e-6, 'before');
      close(losses.map((_, step) => learner.learn(batch, step, emptyTally(target), 0.02)), losses, 1e-5, 'losses');
      close(learner.weights(), learnt.flat(2), 2e-4, 'weights');
      close(learner.predict(part), after, 1e-5, 'after');

      const model = learner.model();
      const onnx = one.masked === true ? [] : await predictOnnx(encodeModel(await onnxOf(model)), [{ shape: [rows, ...one.input], data: Float32Array.from(batch.features) }]);
      for (const { data } of onnx) close(data, after, 1e-5, 'ONNX');
      expect(onnx.length).to.equal(one.masked === true ? 0 : 1);
      const saved = await artifactsOf(model);
      const again = await loadLayersModel(JSON.parse(JSON.stringify(modelJson(saved))), saved.weightData);
      close(forward(again, one.input)(batch.features, rows), after, 1e-5, 'saved');
      again.dispose();
      // As Keras' converter writes it, so that a reader without this kind of layer says so.
      expect(saved.topology, 'saved').to.satisfy((written: object) => !JSON.stringify(topology).includes('"reset_after":true') || JSON.stringify(written).includes('"reset_after":true'));
      learner.dispose();
    });
  }
});
