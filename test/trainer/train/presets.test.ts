import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { textColumn } from '../../../trainer-image/src/data/table.ts';
import type { Column } from '../../../trainer-image/src/data/table.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import { emptyTally } from '../../../trainer-image/src/train/metrics.ts';
import { loadPredictor } from '../../../trainer-image/src/serve/predictor.ts';
import { floats } from '../model/support.ts';
import { codeOf, folder, succeeded, train, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

const width = 12;

/** Rows of a sequence of six steps with two values each, of which every second belongs to a rising one; and a category that goes with it in most rows. */
function sequences(rows: number): string {
  const noise = floats(rows * width, 'sequences');
  const header = [...Array.from({ length: width }, (_, at) => `x${at}`), 'kind', 'label'].join(',');
  const lines = Array.from({ length: rows }, (_, row) => {
    const rises = row % 2 === 0;
    const values = Array.from({ length: width }, (_, at) => ((rises ? 1 : -1) * Math.floor(at / 2)) / 3 + (noise[row * width + at] ?? 0));
    return [...values.map((value) => value.toFixed(4)), row % 7 === 0 ? 'odd' : rises ? 'up' : 'down', rises ? 'rising' : 'falling'].join(',');
  });
  return `${[header, ...lines].join('\n')}\n`;
}

interface Written {
  readonly model: object;
  readonly fit?: object;
  readonly shape?: readonly number[];
  readonly pipeline?: readonly object[];
}

function spec(place: Folder, { model, fit = {}, shape, pipeline }: Written): TrainerSpec {
  return trainerSpec({
    data: {
      source: { uri: place.write('rows.csv', sequences(240)) }, target: 'label',
      features: { ...(pipeline === undefined ? { exclude: ['kind'] } : {}), ...(shape === undefined ? {} : { shape }) },
      ...(pipeline === undefined ? {} : { pipeline }),
    },
    model,
    fit: { epochs: 4, batchSize: 16, optimizer: { learningRate: 0.01 }, ...fit },
  });
}

const written: Readonly<Record<string, Written>> = {
  Linear: { model: { preset: 'Linear' }, fit: { optimizer: { name: 'SGD', learningRate: 0.1, momentum: 0.9, nesterov: true }, schedule: { name: 'CosineDecay', warmupSteps: 5, decaySteps: 30 } } },
  MLP: { model: { preset: 'MLP', units: [8], batchNorm: true, dropout: 0.2, l1: 0.001, l2: 0.001, activation: 'GELU' }, fit: { optimizer: { name: 'AdamW', learningRate: 0.01 }, classWeights: 'Balanced' } },
  'CNN of sequences': { model: { preset: 'CNN', filters: 4, units: [8], batchNorm: true }, shape: [6, 2], fit: { clip: { globalNorm: 1 } } },
  LSTM: { model: { preset: 'LSTM', units: [6, 4], dropout: 0.2 }, shape: [6, 2], fit: { optimizer: { name: 'RMSprop', learningRate: 0.01 }, clip: { norm: 1 } } },
  GRU: { model: { preset: 'GRU', units: [6] }, shape: [6, 2], fit: { optimizer: { name: 'Adagrad', learningRate: 0.2 }, schedule: { name: 'ReduceLROnPlateau', metric: 'val_f1', patience: 1, minDelta: 1, factor: 0.5 } } },
  embedding: { model: { preset: 'MLP', units: [8], embedding: { dimension: 2 } }, pipeline: [{ encode: { method: 'Embedding' } }] },
};

const after = (polls: number): (() => boolean) => () => polls-- <= 0;
const filesOf = (model: string): Record<string, string> => Object.fromEntries(readdirSync(model).sort().map((name) => [name, readFileSync(path.join(model, name), 'base64')]));

describe('a network of every preset', function suite() {
  this.timeout(120_000);

  for (const [name, one] of Object.entries(written)) {
    it(`learns, goes on to the same bits after it was stopped, and serves: ${name}`, async () => {
      await using undisturbed = await folder();
      const wish = spec(undisturbed, one);
      const { metrics } = succeeded(await train(wish, undisturbed.path, { checkpointIntervalSeconds: 1000 }));
      expect(metrics.test_accuracy).to.be.above(0.9);
      await using place = await folder();
      for (const polls of [7, 20]) expect((await train(wish, place.path, { stopRequested: after(polls), checkpointIntervalSeconds: 1000 })).kind).to.equal('Stopped');
      succeeded(await train(wish, place.path));
      expect(filesOf(`${place.path}/model`)).to.deep.equal(filesOf(`${undisturbed.path}/model`));
      const predictor = await loadPredictor(`${place.path}/model`, 1);
      const columns = predictor.preprocessing.inputs.map(({ kind, name: column }): Column => (kind === 'Number'
        ? { kind, name: column, values: Float64Array.of(2, -2).map((value) => (value * Number(column.slice(1))) / width) }
        : textColumn(column, ['up', 'never seen'])));
      const [answer] = await predictor.predict({ rows: 2, columns });
      expect(answer?.data).to.deep.equal(['rising', 'falling']);
    });
  }
});

describe('an autoencoder', () => {
  const made = (target: Parameters<typeof createLearner>[0]['target']) => createLearner({
    model: { preset: 'Autoencoder', units: [6, 2], activation: 'Tanh', dropout: 0, l2: 0 }, fit: { optimizer: { name: 'Adam', learningRate: 0.02 }, seed: 0 }, target, shape: [4],
  });
  /** Rows on a line, but for the last one. */
  const features = Float32Array.from({ length: 36 }, (_, at) => (at < 32 ? ((at % 4) - 1.5) * (Math.floor(at / 4) / 4 - 1) : (at % 2) * 4 - 2));
  const part = { rows: 9, features, targets: new Float32Array(9) };

  it('learns to give back its rows, and tells of each how far it is off', () => {
    const learner = made({ task: 'Reconstruction' });
    const known = { rows: 8, features: features.subarray(0, 32), targets: new Float32Array(8) };
    for (let step = 0; step < 400; step++) learner.learn(known, step, emptyTally({ task: 'Reconstruction' }), 0.02);
    expect(learner.evaluate({ ...known, features: matrixOf(known.features, 4) }).lossSum / 8).to.be.below(0.01);
    const { outputs } = learner.measure(part, [0], 1);
    expect(outputs).to.have.length(9);
    expect(outputs[8]).to.be.above(50 * Math.max(...outputs.subarray(0, 8)));
    const given = learner.predict({ ...part, features: matrixOf(features, 4) });
    expect(given).to.have.length(36);
    const error = given.subarray(32).reduce((sum, value, at) => sum + (value - (features[32 + at] ?? NaN)) ** 2, 0) / 4;
    expect(outputs[8]).to.be.closeTo(error, 1e-4 * error);
    learner.dispose();
  });

  it('learns no target', async () => {
    expect(await codeOf(() => made({ task: 'Regression', name: 'y', mean: 0, scale: 1 }))).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.model.preset' });
  });
});
