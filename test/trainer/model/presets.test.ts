import { expect } from 'chai';
import fc from 'fast-check';
import { initialWeights } from '../../../trainer-image/src/model/initial.ts';
import { shapesOf, weightsOf } from '../../../trainer-image/src/model/network.ts';
import { sizeOf } from '../../../trainer-image/src/shape.ts';
import type { Network } from '../../../trainer-image/src/model/network.ts';
import { presetNetwork } from '../../../trainer-image/src/model/presets.ts';
import type { ModelSpec, NetworkShape } from '../../../trainer-image/src/model/spec.ts';
import { codeOf } from '../support.ts';

const plain = { activation: 'ReLU', dropout: 0, l2: 0 } as const;
const build = (model: Partial<ModelSpec> & Pick<ModelSpec, 'preset'>, shape: Partial<NetworkShape> = {}): Network => presetNetwork({ ...plain, ...model }, { input: [4], classes: 3, ...shape });
const names = ({ layers }: Network): string[] => layers.map(({ name }) => name);

describe('presets', () => {
  it('of a linear model have the output alone', () => {
    expect(names(build({ preset: 'Linear' }))).to.deep.equal(['output', 'probabilities']);
    expect(names(build({ preset: 'Linear' }, { input: [2, 2], classes: undefined }))).to.deep.equal(['flatten', 'output']);
  });

  it('of a perceptron normalise before the activation, without a bias, and drop after it', () => {
    const { layers } = build({ preset: 'MLP', units: [8], batchNorm: true, dropout: 0.5 });
    expect(layers.map(({ name }) => name)).to.deep.equal(['dense_1', 'dense_1_norm', 'dense_1_activation', 'dropout_1', 'output', 'probabilities']);
    expect(layers[0]).to.include({ bias: false, activation: 'Linear' });
  });

  it('of a convolutional network double their filters, in one axis or two', () => {
    const shapes = (input: readonly number[]) => Object.fromEntries(shapesOf(build({ preset: 'CNN', filters: 4 }, { input })));
    expect(shapes([9, 8, 1])).to.deep.include({ conv_1: [9, 8, 4], pool_1: [5, 4, 4], conv_2: [5, 4, 8], pool_2: [3, 2, 8], flatten: [48], dense_1: [64] });
    expect(shapes([9, 2])).to.deep.include({ conv_1: [9, 4], pool_1: [5, 4], conv_2: [5, 8], pool_2: [3, 8], flatten: [24] });
  });

  it('of recurrent networks give each step to the next layer, and the last one to the output', () => {
    expect(Object.fromEntries(shapesOf(build({ preset: 'LSTM', units: [5, 3] }, { input: [7, 2] })))).to.deep.include({ lstm_1: [7, 5], lstm_2: [3], output: [3] });
  });

  it('of an autoencoder are mirrored, and give as much as they take', () => {
    const shapes = shapesOf(build({ preset: 'Autoencoder', units: [6, 2] }, { input: [3, 4], classes: undefined }));
    expect([...shapes.values()]).to.deep.equal([[3, 4], [12], [6], [2], [6], [12]]);
  });

  it('embed coded columns, and keep the others', () => {
    const network = build({ preset: 'MLP', units: [4], embedding: { dimension: 3 } }, { input: [5], coded: [{ place: 3, categories: 9 }, { place: 0, categories: 2 }] });
    expect(names(network)).to.deep.equal(['code_3', 'embedding_3', 'vector_3', 'code_0', 'embedding_0', 'vector_0', 'columns_1', 'columns_4', 'columns', 'dense_1', 'output', 'probabilities']);
    expect(Object.fromEntries(shapesOf(network))).to.deep.include({ columns_1: [2], columns_4: [1], columns: [9] });
    // One row more, for categories that training never saw.
    expect(weightsOf(network)[0]).to.deep.include({ layer: 'embedding_3', shape: [10, 3] });
  });

  const refused: readonly (readonly [Partial<ModelSpec> & Pick<ModelSpec, 'preset'>, Partial<NetworkShape>, object])[] = [
    [{ preset: 'CNN' }, {}, { code: 'SPEC_SHAPE_MISMATCH', at: 'spec.trainer.data.features.shape' }],
    [{ preset: 'GRU' }, {}, { code: 'SPEC_SHAPE_MISMATCH', at: 'spec.trainer.data.features.shape' }],
    [{ preset: 'LSTM', batchNorm: true }, { input: [3, 2] }, { code: 'SPEC_CONFLICT', at: 'spec.trainer.model.batchNorm' }],
    [{ preset: 'LSTM', units: [] }, { input: [3, 2] }, { code: 'SPEC_CONFLICT', at: 'spec.trainer.model.units' }],
    [{ preset: 'CNN', embedding: { dimension: 2 } }, { input: [4, 4, 1], coded: [{ place: 0, categories: 2 }] }, { code: 'SPEC_CONFLICT', at: 'spec.trainer.model.embedding' }],
  ];
  for (const [model, shape, error] of refused) {
    it(`refuse ${JSON.stringify(model)} for ${JSON.stringify(shape)}`, async () => {
      expect(await codeOf(() => build(model, shape))).to.include(error);
    });
  }
});

describe('initial weights', () => {
  it('depend on the seed, the layer and the weight alone', () => {
    const [small, large] = [build({ preset: 'MLP', units: [6] }), build({ preset: 'MLP', units: [6, 6] })];
    expect(initialWeights(weightsOf(small), 3)).to.deep.equal(initialWeights(weightsOf(small), 3));
    expect(initialWeights(weightsOf(small), 3)).not.to.deep.equal(initialWeights(weightsOf(small), 4));
    expect(initialWeights(weightsOf(large), 3).subarray(0, 30)).to.deep.equal(initialWeights(weightsOf(small), 3).subarray(0, 30));
  });

  it('stay within the limit of Glorot and Bengio, and fill it', () => {
    const weight = { layer: 'conv', name: 'kernel', shape: [3, 3, 4, 8], initial: 'GlorotUniform', role: 'Kernel' } as const;
    const values = initialWeights([weight], 1);
    const limit = Math.sqrt(6 / (9 * 12));
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.max(...values.map(Math.abs))).to.be.within(0.95 * limit, limit);
    expect(variance).to.be.closeTo((limit * limit) / 3, 0.2 * limit * limit);
  });

  it('of recurrent kernels are orthogonal, whichever side is longer', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.nat(), (rows, columns, seed) => {
      const values = initialWeights([{ layer: 'lstm', name: 'recurrent_kernel', shape: [rows, columns], initial: 'Orthogonal', role: 'Kernel' }], seed);
      const count = Math.min(rows, columns);
      const vector = (index: number): number[] => Array.from({ length: Math.max(rows, columns) }, (_, at) => values[rows <= columns ? index * columns + at : at * columns + index] ?? NaN);
      for (let a = 0; a < count; a++) for (let b = 0; b <= a; b++) {
        const product = vector(a).reduce((sum, value, at) => sum + value * (vector(b)[at] ?? NaN), 0);
        expect(product).to.be.closeTo(a === b ? 1 : 0, 1e-6);
      }
    }));
  });

  it('let an LSTM remember at first', () => {
    const network = build({ preset: 'LSTM', units: [2] }, { input: [3, 2] });
    const bias = weightsOf(network).findIndex(({ name }) => name === 'bias');
    const from = weightsOf(network).slice(0, bias).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    expect([...initialWeights(weightsOf(network), 0).subarray(from, from + 8)]).to.deep.equal([0, 0, 1, 1, 0, 0, 0, 0]);
  });
});
