import { expect } from 'chai';
import fc from 'fast-check';
import { buildTraining } from '../../../trainer-image/src/model/graph/index.ts';
import type { LossName, Rows, Training } from '../../../trainer-image/src/model/graph/index.ts';
import { weightsOf } from '../../../trainer-image/src/model/network.ts';
import { sizeOf } from '../../../trainer-image/src/shape.ts';
import type { Network } from '../../../trainer-image/src/model/network.ts';
import { floats, integers, networks, rowsFor, someWeights } from './support.ts';

const update = { optimizer: { name: 'SGD', learningRate: 1 }, l1: 0, l2: 0 } as const;

function trainingOf(network: Network, loss: LossName = 'CrossEntropy'): Training {
  const task = loss === 'CrossEntropy' ? 'Classification' : 'Reconstruction';
  return buildTraining({ network, task, loss, weighted: false, update });
}

/** (L(w + εd) - L(w - εd)) / 2ε, then the same of each side alone: where a kink, as of a maximum, lies within reach, one side is free of it. */
function slopesAlong(training: Training, rows: Rows, seeds: Int32Array, weights: Float32Array, direction: Float32Array): readonly number[] {
  const reach = 5e-3;
  const [ahead = NaN, here = NaN, behind = NaN] = [reach, 0, -reach].map((step) => {
    training.setWeights(weights.map((weight, at) => weight + step * (direction[at] ?? 0)));
    return training.measure(rows, seeds, 1).loss;
  });
  return [(ahead - behind) / (2 * reach), (ahead - here) / reach, (here - behind) / reach];
}

const lengthOf = (vector: Float32Array): number => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
const within = (vector: Float32Array, from: number, to: number): Float32Array => vector.map((value, at) => (at >= from && at < to ? value : 0));
const unit = (vector: Float32Array): Float32Array => vector.map((value) => value / lengthOf(vector));

/** For each weight by itself: along its own gradient, where a part that is wrong shows most, and along a direction that was not picked. */
function expectGradient(training: Training, network: Network, rows: Rows, seeds: Int32Array, seed: number): void {
  const weights = someWeights(network, seed);
  training.setWeights(weights);
  const { changes } = training.measure(rows, seeds, 1);
  let from = 0;
  for (const { layer, name, shape, role } of weightsOf(network)) {
    const to = from + sizeOf(shape);
    const own = within(changes, from, to);
    if (role !== 'Statistic') {
      const length = lengthOf(own);
      const sideways = unit(within(floats(changes.length, 'direction', seed), from, to));
      const expected = own.reduce((sum, value, at) => sum + value * (sideways[at] ?? 0), 0);
      const expectSlope = (direction: Float32Array, slope: number, what: string): void => {
        const slopes = slopesAlong(training, rows, seeds, weights, direction);
        expect(Math.min(...slopes.map((seen) => Math.abs(seen - slope))), `${layer}/${name}${what}: ${slope}, seen ${slopes.join(', ')}`).to.be.at.most(0.01 * length + 2e-4);
      };
      if (length > 1e-3) expectSlope(unit(own), length, '');
      expectSlope(sideways, expected, ', sideways');
    }
    from = to;
  }
}

describe('the gradient', function suite() {
  this.timeout(120_000);

  for (const [name, network] of Object.entries(networks)) {
    it(`is the slope of the loss: ${name}`, () => {
      const training = trainingOf(network);
      // Two rows that lie close are normalised to opposite ends, which no difference of finite steps follows.
      const fewest = network.layers.some(({ kind }) => kind === 'BatchNormalization') ? 6 : 2;
      fc.assert(fc.property(fc.nat(), fc.integer({ min: fewest, max: 9 }), (seed, count) => {
        const rows = { features: rowsFor(network, count, seed), targets: integers(count, 3, 'targets', seed) };
        expectGradient(training, network, rows, integers(2 * training.dropouts.length, 1000, 'mask', seed), seed);
      }), { numRuns: 5 });
      training.dispose();
    });
  }

  for (const loss of ['MSE', 'MAE', 'Huber'] as const) {
    it(`is the slope of the loss: ${loss}`, () => {
      const network: Network = { input: [3], layers: [{ kind: 'Dense', name: 'hidden', inputs: ['features'], units: 4, activation: 'Tanh', bias: true }, { kind: 'Dense', name: 'output', inputs: ['hidden'], units: 3, activation: 'Linear', bias: true }] };
      const training = trainingOf(network, loss);
      fc.assert(fc.property(fc.nat(), (seed) => {
        // Errors on both sides of Huber's bound; few enough that none of MAE's kinks lies within reach.
        expectGradient(training, network, { features: floats(9, 'x', seed).map((value) => 3 * value), targets: new Float32Array(3) }, new Int32Array(0), seed);
      }), { numRuns: 5, seed: 1 });
      training.dispose();
    });
  }

  it('of a batch is the sum of its shares', () => {
    const network = networks.GRU;
    if (network === undefined) throw new Error('There is no network of a GRU.');
    const training = trainingOf(network);
    training.setWeights(someWeights(network, 1));
    const features = rowsFor(network, 7, 'shares');
    const targets = integers(7, 3, 'shares');
    const part = (from: number, to: number) => training.measure({ features: features.subarray(from * 12, to * 12), targets: targets.subarray(from, to) }, new Int32Array(0), (to - from) / 7).changes;
    const [whole, first, second] = [part(0, 7), part(0, 3), part(3, 7)];
    whole.forEach((value, at) => expect((first[at] ?? NaN) + (second[at] ?? NaN)).to.be.closeTo(value, 1e-6));
    training.dispose();
  });
});
