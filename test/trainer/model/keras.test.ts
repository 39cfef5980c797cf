import { expect } from 'chai';
import { buildTraining } from '../../../trainer-image/src/model/graph/index.ts';
import type { Clip, LossName, OptimizerSpec } from '../../../trainer-image/src/model/graph/index.ts';
import type { Network } from '../../../trainer-image/src/model/network.ts';
import { trainByKeras } from './keras.ts';
import type { KerasCase, KerasResult } from './keras.ts';
import { chain, floats, integers, networks, rowsFor, someWeights } from './support.ts';

const rows = 12;

interface Changes {
  readonly network?: Network;
  readonly optimizer?: OptimizerSpec;
  readonly clip?: Clip;
  readonly loss?: LossName;
  readonly l1?: number;
  readonly l2?: number;
  readonly weighted?: boolean;
  readonly steps?: number;
}

const perceptron = chain([6], { kind: 'Dense', units: 8, activation: 'Tanh', bias: true }, { kind: 'Dense', units: 3, activation: 'Linear', bias: true });
const reconstructing = chain([6], { kind: 'Dense', units: 4, activation: 'Tanh', bias: true }, { kind: 'Dense', units: 6, activation: 'Linear', bias: true });
const regressing = chain([6], { kind: 'Dense', units: 8, activation: 'Tanh', bias: true }, { kind: 'Dense', units: 1, activation: 'Linear', bias: true });

const recurrent = chain([4, 2], { kind: 'LSTM', units: 3, sequences: false }, { kind: 'Dense', units: 3, activation: 'Linear', bias: true });

function caseOf(task: 'Classification' | 'Regression' | 'Reconstruction', changes: Changes): KerasCase {
  const { network = perceptron, optimizer = { name: 'SGD', learningRate: 0.05 }, clip, loss = task === 'Classification' ? 'CrossEntropy' : 'MSE', l1 = 0, l2 = 0, weighted = false, steps = 8 } = changes;
  return {
    spec: { network, task, loss, weighted, update: { optimizer, l1, l2, ...(clip === undefined ? {} : { clip }) } },
    weights: someWeights(network, 5),
    steps: Array.from({ length: steps }, (_, step) => ({
      features: rowsFor(network, rows, 'x', step).map((value) => (task === 'Classification' ? value : 2 * value)),
      targets: task === 'Classification' ? integers(rows, 3, 'y', step) : floats(rows, 'y', step).map((value) => 3 * value),
      rate: optimizer.learningRate * (1 + step / 4),
      ...(weighted ? { weights: floats(rows, 'w', step).map((value) => value + 1.5) } : {}),
    })),
  };
}

function trainByOurs({ spec, weights, steps }: KerasCase): KerasResult {
  const training = buildTraining(spec);
  training.setWeights(weights);
  training.setSlots(undefined);
  const losses = steps.map(({ rate, ...batch }, step) => training.learn(batch, new Int32Array(0), rate, step + 1).loss);
  const learnt = Array.from(training.weights());
  training.dispose();
  return { losses, weights: learnt };
}

const optimizers: Readonly<Record<string, OptimizerSpec>> = {
  SGD: { name: 'SGD', learningRate: 0.05 },
  'SGD with momentum': { name: 'SGD', learningRate: 0.05, momentum: 0.9 },
  'SGD with Nesterov momentum': { name: 'SGD', learningRate: 0.05, momentum: 0.8, nesterov: true },
  'SGD with weight decay': { name: 'SGD', learningRate: 0.05, weightDecay: 0.02 },
  Adam: { name: 'Adam', learningRate: 0.01 },
  'Adam with other betas': { name: 'Adam', learningRate: 0.01, beta1: 0.8, beta2: 0.95 },
  AdamW: { name: 'AdamW', learningRate: 0.01 },
  'AdamW with more decay': { name: 'AdamW', learningRate: 0.01, weightDecay: 0.1 },
  RMSprop: { name: 'RMSprop', learningRate: 0.005 },
  'RMSprop with momentum': { name: 'RMSprop', learningRate: 0.005, momentum: 0.7 },
  Adagrad: { name: 'Adagrad', learningRate: 0.02 },
};

type Case = readonly [name: string, of: { readonly one: KerasCase; readonly tolerance: number }];

const cases: readonly Case[] = [
  ...Object.entries(optimizers).map(([name, optimizer]): Case => [`the optimiser ${name}`, { one: caseOf('Classification', { optimizer }), tolerance: 1e-6 }]),
  ...Object.entries<Clip>({ value: { value: 0.02 }, norm: { norm: 0.05 }, 'global norm': { globalNorm: 0.05 }, 'a global norm that binds nothing': { globalNorm: 100 } })
    .map(([name, clip]): Case => [`clipping by ${name}`, { one: caseOf('Classification', { clip, optimizer: { name: 'Adam', learningRate: 0.01 } }), tolerance: 1e-6 }]),
  ['penalties on kernels', { one: caseOf('Classification', { l1: 0.01, l2: 0.03 }), tolerance: 1e-6 }],
  ['penalties on recurrent kernels', { one: caseOf('Classification', { network: recurrent, l1: 0.01, l2: 0.03 }), tolerance: 1e-6 }],
  ['weights of rows', { one: caseOf('Classification', { weighted: true }), tolerance: 1e-6 }],
  ['weights of rows in a regression', { one: caseOf('Regression', { network: regressing, weighted: true }), tolerance: 1e-6 }],
  ...(['MSE', 'MAE', 'Huber'] as const).flatMap((loss): Case[] => [
    [`the loss ${loss}`, { one: caseOf('Regression', { network: regressing, loss }), tolerance: 1e-6 }],
    [`the loss ${loss} of a reconstruction`, { one: caseOf('Reconstruction', { network: reconstructing, loss }), tolerance: 1e-6 }],
  ]),
  ...Object.entries(networks).filter(([name]) => name !== 'dropout').map(([name, network]): Case => [`the network ${name}`, { one: caseOf('Classification', { network, steps: 5 }), tolerance: 2e-6 }]),
];

describe('training as Keras does it', function suite() {
  this.timeout(300_000);
  let theirs: ReadonlyMap<string, KerasResult>;

  before(async () => {
    const names = cases.map(([name]) => name);
    const results = await trainByKeras(cases.map(([, { one }]) => one));
    theirs = new Map(names.map((name, index) => [name, results[index] ?? { losses: [], weights: [] }]));
  });

  for (const [name, { one, tolerance }] of cases) {
    it(`gives its losses and weights: ${name}`, () => {
      const [ours, expected] = [trainByOurs(one), theirs.get(name)];
      expect(expected?.losses).to.have.length(one.steps.length);
      expected?.losses.forEach((loss, step) => expect(ours.losses[step], `loss of step ${step}`).to.be.closeTo(loss, tolerance * Math.max(1, loss)));
      expect(expected?.weights).to.have.length(ours.weights.length);
      expected?.weights.forEach((weight, at) => expect(ours.weights[at], `weight ${at}`).to.be.closeTo(weight, tolerance * Math.max(1, Math.abs(weight))));
    });
  }
});
