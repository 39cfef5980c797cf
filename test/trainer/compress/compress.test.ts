import { expect } from 'chai';
import fc from 'fast-check';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-node-gpu';
import { askPython } from '../../../hack/python/venv.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { compress } from '../../../trainer-image/src/model/compress/compress.ts';
import { joined } from '../../../trainer-image/src/model/compress/measure.ts';
import type { CompressionRequest, CompressionSpec, Judge } from '../../../trainer-image/src/model/compress/compress.ts';
import { prune } from '../../../trainer-image/src/model/compress/prune.ts';
import type { Pruning } from '../../../trainer-image/src/model/compress/prune.ts';
import { quantize } from '../../../trainer-image/src/model/compress/quantize.ts';
import type { Precision } from '../../../trainer-image/src/model/compress/quantize.ts';
import { encodeModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import type { OnnxModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import { openSession } from '../../../trainer-image/src/model/onnx/session.ts';
import { difference, normals, onnxOf, predictOnnx, predictTf, randomise, rowsFor } from '../onnx/support.ts';
import { codeOf } from '../support.ts';

const { layers } = tf;

function stack(shape: number[], ...between: InstanceType<typeof tf.layers.Layer>[]): LayersModel {
  const input = tf.input({ shape });
  const model = tf.model({ inputs: input, outputs: between.reduce((before, layer) => layer.apply(before) as SymbolicTensor, input) });
  randomise(model, 1);
  return model;
}

/** A model of one matrix for each list of weights, one above the other. */
function weightsModel(...matrices: readonly (readonly number[])[]): OnnxModel {
  return {
    inputs: [{ name: 'x', shape: [1] }],
    outputs: [{ name: `y${matrices.length}`, shape: [1] }],
    initializers: [
      ...matrices.map((weights, at) => ({ name: `kernel${at}`, tensor: { type: 'FLOAT', dims: [1, weights.length], data: Float32Array.from(weights) }, channelAxis: 1 } as const)),
      { name: 'bias', tensor: { type: 'FLOAT', dims: [1], data: Float32Array.of(1e-6) } },
    ],
    nodes: [],
  };
}

const kernelsOf = (model: OnnxModel): number[][] => model.initializers.filter(({ channelAxis }) => channelAxis !== undefined).map(({ tensor }) => Array.from(tensor.data, Number));
const zerosOf = (values: readonly number[]): number => values.filter((value) => value === 0).length;

// Few different numbers, so that many are equal; and zeros, which are pruned first.
const weights = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }).map((value) => value / 2), fc.float({ min: -2, max: 2, noNaN: true }).map(Math.fround)), { minLength: 1, maxLength: 40 });
const sparsity = fc.double({ min: 0, max: 1, noNaN: true });

describe('magnitude pruning', () => {
  const scopes: readonly Pruning['scope'][] = ['Global', 'Layer'];
  for (const scope of scopes) {
    it(`zeroes as many weights as were asked for and the smallest alone, ${scope === 'Global' ? 'of all layers together' : 'in each layer'}`, () => {
      fc.assert(fc.property(fc.array(weights, { minLength: 1, maxLength: 3 }), sparsity, (matrices, share) => {
        const pruned = kernelsOf(prune(weightsModel(...matrices), { sparsity: share, scope }));
        const groups = scope === 'Global' ? [{ before: matrices.flat(), after: pruned.flat() }] : matrices.map((before, at) => ({ before, after: pruned[at] ?? [] }));
        for (const { before, after } of groups) {
          expect(zerosOf(after)).to.equal(Math.max(zerosOf(before), Math.floor(share * before.length)));
          const gone = before.filter((value, at) => value !== 0 && after[at] === 0).map(Math.abs);
          const kept = before.filter((_, at) => after[at] !== 0).map(Math.abs);
          expect(Math.max(0, ...gone)).to.be.at.most(Math.min(Infinity, ...kept));
          before.forEach((value, at) => expect(after[at] === 0 || after[at] === value).to.equal(true));
        }
      }));
    });
  }

  it('leaves biases alone, and the model that it was given', () => {
    const model = weightsModel([1, 2]);
    expect(prune(model, { sparsity: 1, scope: 'Global' }).initializers.at(-1)).to.equal(model.initializers.at(-1));
    expect(kernelsOf(model)).to.deep.equal([[1, 2]]);
  });
});

/** One of each kind of weight, with its channels at another axis. */
const kinds: readonly (readonly [string, () => LayersModel, number?])[] = [
  ['Dense', () => stack([12], layers.dense({ units: 7 }))],
  ['Dense on each step', () => stack([3, 12], layers.dense({ units: 7 }))],
  ['Conv1D', () => stack([8, 3], layers.conv1d({ filters: 4, kernelSize: 3 }))],
  ['Conv2D', () => stack([6, 5, 3], layers.conv2d({ filters: 4, kernelSize: 3 }))],
  ['DepthwiseConv2D', () => stack([6, 5, 3], layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }))],
  ['SeparableConv2D', () => stack([6, 5, 3], layers.separableConv2d({ filters: 4, kernelSize: 3 }))],
  ['Conv2DTranspose', () => stack([4, 4, 3], layers.conv2dTranspose({ filters: 2, kernelSize: 3 }))],
  ['LSTM', () => stack([6, 4], layers.lstm({ units: 5, recurrentActivation: 'sigmoid' }))],
  ['GRU', () => stack([6, 4], layers.gru({ units: 5, recurrentActivation: 'sigmoid' }))],
  ['Embedding', () => stack([4], layers.embedding({ inputDim: 9, outputDim: 6 }), layers.flatten()), 9],
];

/** Scales the channels of each weight apart, so that a scale for the wrong axis would show. */
function withUnequalChannels(model: OnnxModel): OnnxModel {
  return {
    ...model,
    initializers: model.initializers.map((initializer) => {
      const { tensor, channelAxis } = initializer;
      if (channelAxis === undefined || tensor.type !== 'FLOAT') return initializer;
      const inner = tensor.dims.slice(channelAxis + 1).reduce((product, length) => product * length, 1);
      const channels = tensor.dims[channelAxis] ?? 1;
      return { ...initializer, tensor: { ...tensor, data: tensor.data.map((value, place) => value * 10 ** -(Math.floor(place / inner) % channels)) } };
    }),
  };
}

describe('weights in fewer bits', function suite() {
  this.timeout(120_000);
  const files: [string, string][] = [];
  const references: { name: string; file: string; inputs: number[][]; shapes: number[][]; expected: number[] }[] = [];

  for (const precision of ['Float16', 'Int8'] as const) {
    for (const [name, build, words] of kinds) {
      it(`are at most half a step off: ${precision}, ${name}`, async () => {
        const network = build();
        const model = withUnequalChannels(await onnxOf(network));
        const small = quantize(model, precision);
        for (const { name: weight, tensor, channelAxis } of model.initializers) {
          if (channelAxis === undefined || tensor.type !== 'FLOAT') continue;
          const read = (suffix: string): readonly number[] => Array.from(small.initializers.find((other) => other.name === `${weight}/${suffix}`)?.tensor.data ?? [], Number);
          const inner = tensor.dims.slice(channelAxis + 1).reduce((product, length) => product * length, 1);
          const channelOf = (place: number): number => Math.floor(place / inner) % (tensor.dims[channelAxis] ?? 1);
          const [scales, numbers] = [read('scale'), read(precision.toLowerCase())];
          tensor.data.forEach((value, place) => {
            const step = precision === 'Int8' ? scales[channelOf(place)] ?? NaN : Math.max(Math.abs(value) * 2 ** -10, 2 ** -24);
            const stands = precision === 'Int8' ? (numbers[place] ?? NaN) * step : numbers[place] ?? NaN;
            expect(Math.abs(stands - value)).to.be.at.most((step / 2) * (1 + 1e-6));
          });
        }
        const inputs = rowsFor(network, 3, 5, words);
        const [exact, found] = [await predictOnnx(encodeModel(model), inputs), await predictOnnx(encodeModel(small), inputs)];
        expect(difference(exact[0]?.data ?? new Float32Array(0), found[0]?.data ?? new Float32Array(1))).to.be.below(precision === 'Int8' ? 0.05 : 0.003);
        const file = Buffer.from(encodeModel(small)).toString('base64');
        files.push([name, file]);
        references.push({ name: `${precision} ${name}`, file, inputs: inputs.map(({ data }) => [...data]), shapes: inputs.map(({ shape }) => shape), expected: [...found[0]?.data ?? []] });
        network.dispose();
      });
    }
  }

  it("are read by onnx's reference implementation as by ONNX Runtime", async () => {
    const told = await askPython('science', `
import base64, json, sys
import numpy as np
import onnx
from onnx import checker
from onnx.reference import ReferenceEvaluator
worst = []
for case in json.load(sys.stdin):
    model = onnx.load_from_string(base64.b64decode(case['file']))
    checker.check_model(model, full_check=True)
    # The reference has DequantizeLinear from opset 19 on, where it does the same with int8.
    model.opset_import[0].version = 19
    feeds = {port.name: np.array(data, dtype=np.float32).reshape(shape) for port, data, shape in zip(model.graph.input, case['inputs'], case['shapes'])}
    result = ReferenceEvaluator(model).run(None, feeds)[0].flatten()
    worst.append(float(np.max(np.abs(result - np.array(case['expected'], dtype=np.float32)))))
print(json.dumps(worst))
`, references) as number[];
    expect(told).to.have.length(files.length);
    told.forEach((worst, at) => expect(worst, references[at]?.name).to.be.below(1e-5));
  });

  it('are multiplied with values that stay float32', async () => {
    const network = stack([12], layers.dense({ units: 7, useBias: false, name: 'dense' }));
    const small = quantize(await onnxOf(network), 'Int8');
    const [numbers, scales] = ['int8', 'scale'].map((suffix) => Array.from(small.initializers.find(({ name }) => name === `dense/kernel/${suffix}`)?.tensor.data ?? [], Number));
    const features = normals(12, 7, 'row');
    const session = await openSession(encodeModel(small), [12], 1);
    (await session.run(features, 1)).forEach((value, unit) => {
      expect(value).to.be.closeTo(features.reduce((sum, feature, place) => sum + feature * (numbers?.[place * 7 + unit] ?? NaN) * (scales?.[unit] ?? NaN), 0), 1e-6);
    });
    await session.close();
    network.dispose();
  });

  it('are rounded to float16 as numpy rounds', async () => {
    const values = fc.sample(fc.float({ min: -65504, max: 65504, noNaN: true }), { numRuns: 500, seed: 2 }).flatMap((value) => [value, Math.fround(value / 65504), Math.fround(value / 1e9)]);
    const [kernel] = kernelsOf(quantize(weightsModel(values), 'Float16'));
    const told = await askPython('science', 'import json, sys; import numpy as np; print(json.dumps(np.array(json.load(sys.stdin), dtype=np.float32).astype(np.float16).astype(float).tolist()))', values) as number[];
    expect(kernel?.map((value) => value + 0)).to.deep.equal(told.map((value) => value + 0));
  });

  it('keep zeros as zeros, and stay whole where the precision cannot hold them', () => {
    fc.assert(fc.property(weights, fc.constantFrom<Precision>('Float16', 'Int8'), (values, precision) => {
      const [kernel = []] = kernelsOf(quantize(weightsModel(values), precision));
      values.forEach((value, at) => {
        if (value === 0) expect(Math.abs(kernel[at] ?? NaN)).to.equal(0);
      });
    }));
    expect(quantize(weightsModel([1, 70_000]), 'Float16')).to.deep.equal(weightsModel([1, 70_000]));
    expect(quantize(weightsModel([1, Infinity]), 'Int8')).to.deep.equal(weightsModel([1, Infinity]));
    expect(kernelsOf(quantize(weightsModel([0, 0]), 'Int8'))).to.deep.equal([[0, 0]]);
  });
});

describe('a compressed model', function suite() {
  this.timeout(120_000);
  let request: CompressionRequest;
  const network = stack([20], layers.dense({ units: 64, activation: 'relu' }), layers.dense({ units: 64, activation: 'relu' }), layers.dense({ units: 3 }), layers.softmax());
  const sample = { rows: 200, features: matrixOf(normals(4000, 1, 'rows'), 20) };
  const bestOf = (outputs: Float32Array, row: number): number => outputs.subarray(row * 3, row * 3 + 3).indexOf(Math.max(...outputs.subarray(row * 3, row * 3 + 3)));
  /** What the whole model says is the truth. */
  const truth = predictTf(network, [{ shape: [200, 20], data: sample.features.range(0, 200) }])[0] ?? new Float32Array(0);
  const accuracy: Judge = {
    metric: 'accuracy', isLargerBetter: true,
    of: async (blocks) => {
      const outputs = await joined(blocks);
      return Array.from({ length: 200 }, (_, row) => bestOf(outputs, row) === bestOf(truth, row)).filter(Boolean).length / 200;
    },
  };

  before(async () => {
    request = { model: await onnxOf(network), shape: [20], sample, judge: accuracy, spec: {} };
  });

  after(() => void network.dispose());

  /** A clock by which each call takes as long as the one before and a millisecond more. */
  const clock = (): (() => number) => {
    let asked = 0;
    return () => (asked++, asked * asked);
  };

  const cases: readonly (readonly [string, CompressionSpec, (share: number) => boolean])[] = [
    ['Float16', { quantize: 'Float16' }, (share) => share < 0.56],
    ['Int8', { quantize: 'Int8' }, (share) => share < 0.4],
    ['pruned', { prune: { sparsity: 0.6 } }, (share) => share === 1],
    ['pruned and Int8', { prune: { sparsity: 0.6, scope: 'Layer' }, quantize: 'Int8' }, (share) => share < 0.4],
  ];
  for (const [what, spec, smaller] of cases) {
    it(`says what was won and what it cost: ${what}`, async () => {
      const { report, file, latency } = await compress({ ...request, spec }, clock());
      expect(report.size.after.bytes).to.equal(file.length);
      expect(smaller(report.size.after.bytes / report.size.before.bytes)).to.equal(true);
      expect(report.size.after.gzipBytes).to.be.below(report.size.before.gzipBytes * 0.95);
      expect(report.sparsity.before).to.equal(0);
      expect(report.sparsity.after).to.be.within(spec.prune === undefined ? 0 : 0.599, spec.prune === undefined ? 0.02 : 0.62);
      expect(report.value.before).to.equal(1);
      expect(report.value.after).to.be.within(spec.prune === undefined ? 0.97 : 0.5, 1);
      const { batch1Ms, batch64Ms } = latency.after;
      expect(batch64Ms).to.be.above(batch1Ms);
    });
  }

  it('is the same, with the same report, however fast it was', async () => {
    const spec: CompressionSpec = { quantize: 'Int8', prune: { sparsity: 0.3 } };
    const [one, two] = [await compress({ ...request, spec }, clock()), await compress({ ...request, spec }, () => 0)];
    expect(one.report).to.deep.equal(two.report);
    expect(Buffer.from(one.file).equals(two.file)).to.equal(true);
    expect(two.latency.after).to.deep.equal({ batch1Ms: 0, batch64Ms: 0 });
    expect(one.latency.after.batch1Ms).to.be.above(0);
  });

  it('is refused when it is worse than allowed, in one sentence', async () => {
    const pruned = await codeOf(() => compress({ ...request, spec: { prune: { sparsity: 0.95 }, quantize: 'Float16', maxLoss: { metric: 'accuracy', by: 0.01 } } }, () => 0));
    expect(pruned).to.include({ code: 'COMPRESSION_LOSS', at: 'spec.trainer.compress' });
    expect(pruned.message).to.match(/^The model quantised to Float16 and pruned to a sparsity of 0\.95 has accuracy 0\.\d+ on 200 rows, 0\.\d+ worse than the 1 it had, and maxLoss allows 0\.01\. Prune less, or allow more in maxLoss\.by\.$/);
    const worse = { ...accuracy, metric: 'loss', isLargerBetter: false };
    let asked = 0;
    const rising = await codeOf(() => compress({ ...request, judge: { ...worse, of: () => Promise.resolve([0.5, 0.75][asked++] ?? NaN) }, spec: { quantize: 'Int8', maxLoss: { metric: 'loss', by: 0.2 } } }, () => 0));
    expect(rising.message).to.match(/has loss 0\.75 on 200 rows, 0\.25 worse than the 0\.5 it had, and maxLoss allows 0\.2\. Write quantize: Float16, or/);
    const broken = await codeOf(() => compress({ ...request, judge: { ...worse, of: () => Promise.resolve(NaN) }, spec: { quantize: 'Float16', maxLoss: { metric: 'loss', by: 10 } } }, () => 0));
    expect(broken.code).to.equal('COMPRESSION_LOSS');
  });

  it('is kept when it is no worse than allowed', async () => {
    let asked = 0;
    const judge: Judge = { metric: 'accuracy', isLargerBetter: true, of: () => Promise.resolve([0.75, 0.5][asked++] ?? NaN) };
    expect((await compress({ ...request, judge, spec: { quantize: 'Int8', maxLoss: { metric: 'accuracy', by: 0.25 } } }, () => 0)).report.value).to.deep.equal({ before: 0.75, after: 0.5 });
  });
});
