import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-node-gpu';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { joined } from '../../../trainer-image/src/model/compress/measure.ts';
import type { Judge } from '../../../trainer-image/src/model/compress/compress.ts';
import { readModel } from '../../../trainer-image/src/model/directory.ts';
import { artifactsOf, forward } from '../../../trainer-image/src/model/layers-format.ts';
import { exactOnnx } from '../../../trainer-image/src/model/onnx/file.ts';
import type { OnnxRequest } from '../../../trainer-image/src/model/onnx/file.ts';
import { openSession } from '../../../trainer-image/src/model/onnx/session.ts';
import { assembleModel, writeModel } from '../../../trainer-image/src/model/save.ts';
import type { ModelParts } from '../../../trainer-image/src/model/save.ts';
import { normals, randomise } from '../onnx/support.ts';
import { codeOf, folder } from '../support.ts';

const { layers } = tf;

function classifier(...between: InstanceType<typeof tf.layers.Layer>[]): LayersModel {
  const input = tf.input({ shape: [4, 3], name: 'features' });
  const hidden = between.reduce((before, layer) => layer.apply(before) as SymbolicTensor, input);
  const logits = layers.dense({ units: 2, name: 'output' }).apply(layers.flatten({ name: 'flatten' }).apply(hidden)) as SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: layers.softmax({ name: 'probabilities' }).apply(logits) as SymbolicTensor });
  randomise(model, 1);
  return model;
}

const sample = { rows: 100, features: matrixOf(normals(1200, 1, 'rows'), 12) };

const parts = (network: LayersModel): ModelParts => ({
  network, sample, metrics: {}, reports: {},
  reference: { formatVersion: 1, inputs: { rows: 1, columns: [] }, predictions: { part: 'validation', rows: 1, task: 'Classification', labels: [1, 0] } },
  preprocessing: {
    inputs: Array.from({ length: 12 }, (_, place) => ({ name: `x${place}`, kind: 'Number' })), missing: [''], steps: [],
    features: Array.from({ length: 12 }, (_, place) => `x${place}`), shape: [4, 3], target: { task: 'Classification', name: 'y', classes: ['a', 'b'] },
  },
  manifest: { task: 'Classification', specDigest: '', data: { sha256: '', rows: { train: 1, validation: 1, test: 1 } }, versions: { trainer: '', tfjs: '', tensorflow: '', node: '' }, epochs: 1, metrics: {} },
});

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function logTo(lines: Line[]) {
  return (level: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void => void lines.push({ level, message, fields });
}

describe('the model directory', () => {
  it('holds the network as ONNX too, and its manifest says that this is served', async () => {
    await using place = await folder();
    const network = classifier(layers.dense({ units: 5, activation: 'relu', name: 'dense' }));
    const lines: Line[] = [];
    const { manifest } = writeModel(place.path, 'model', await assembleModel(parts(network), logTo(lines)));
    expect(manifest.engine).to.equal('OnnxRuntime');
    expect(manifest.files.map(({ path }) => path)).to.include.members(['model.onnx', 'model.json', 'weights.bin']);
    expect(lines).to.have.length(1);
    expect(lines[0]?.fields.rows).to.equal(100);
    expect(lines[0]?.fields.difference).to.be.below(1e-6);

    const model = readModel(`${place.path}/model`);
    const session = await openSession(model.bytes('model.onnx'), [4, 3], 1);
    const features = sample.features.range(0, 7);
    const expected = forward(network, [4, 3])(features, 7);
    for (const [at, value] of (await session.run(features, 7)).entries()) expect(value).to.be.closeTo(expected[at] ?? NaN, 1e-6);
    await session.close();
    network.dispose();
  });

  it('is the same for the same network', async () => {
    await using place = await folder();
    const network = classifier(layers.conv1d({ filters: 2, kernelSize: 2, name: 'conv' }), layers.batchNormalization({ name: 'norm' }));
    for (const name of ['one', 'two']) writeModel(place.path, name, await assembleModel(parts(network), () => undefined));
    for (const file of readdirSync(`${place.path}/one`)) expect(readFileSync(`${place.path}/one/${file}`).equals(readFileSync(`${place.path}/two/${file}`)), file).to.equal(true);
    network.dispose();
  });

  it('is served by TensorFlow.js where a layer has no export, and the log says which', async () => {
    const network = classifier(layers.masking({ name: 'mask', maskValue: 0 }));
    const lines: Line[] = [];
    const { model: { manifest } } = await assembleModel(parts(network), logTo(lines));
    expect(manifest.engine).to.equal('TensorFlow.js');
    expect(manifest.files.map(({ path }) => path)).not.to.include('model.onnx');
    expect(lines).to.deep.equal([{ level: 'info', message: 'The network will be served by TensorFlow.js: a layer has no export to ONNX', fields: { layer: 'mask', className: 'Masking', why: 'is of a kind that has no export to ONNX' } }]);
    network.dispose();
  });

  const judge: Judge = { metric: 'loss', isLargerBetter: false, of: async (blocks) => (await joined(blocks)).reduce((sum, value) => sum + value * value, 0) };

  it('serves the compressed form and keeps the whole one, with nothing of how fast they are', async () => {
    const network = classifier(layers.dense({ units: 200, activation: 'relu', name: 'dense' }));
    const lines: Line[] = [];
    const assemble = (now: () => number, log = logTo(lines)) => assembleModel({ ...parts(network), compression: { spec: { quantize: 'Int8', prune: { sparsity: 0.5 } }, judge, now } }, log);
    const whole = await assembleModel(parts(network), () => undefined);
    const { files, model: { manifest, digest } } = await assemble(() => 0);
    expect(manifest.compression).to.deep.include({ spec: { quantize: 'Int8', prune: { sparsity: 0.5 } }, metric: 'loss' });
    expect(manifest.compression?.sparsity).to.deep.equal({ before: 0, after: manifest.compression?.sparsity.after });
    expect(files['model.onnx']?.length).to.be.below((whole.files['model.onnx']?.length ?? 0) * 0.6);
    expect(files['weights.bin']).to.deep.equal(whole.files['weights.bin']);
    expect(lines.at(-1)?.fields).to.have.property('latency');
    let time = 0;
    expect((await assemble(() => time++ * 3)).model.digest).to.equal(digest);
    network.dispose();
  });

  it('is not made where compression was asked for and nothing can be compressed, or too much was lost', async () => {
    const unknown = classifier(layers.masking({ name: 'mask', maskValue: 0 }));
    const compression = { spec: { quantize: 'Int8', maxLoss: { metric: 'loss', by: 0.1 } } as const, judge, now: () => 0 };
    const refused = await codeOf(() => assembleModel({ ...parts(unknown), compression }, () => undefined));
    expect(refused).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.compress' });
    expect(refused.message).to.match(/this one cannot: layer "mask" \(Masking\) is of a kind that has no export to ONNX\. Remove compress/);
    const known = classifier();
    let asked = 0;
    const worse = { ...judge, of: () => Promise.resolve(asked++) };
    expect((await codeOf(() => assembleModel({ ...parts(known), compression: { ...compression, judge: worse } }, () => undefined))).code).to.equal('COMPRESSION_LOSS');
    unknown.dispose();
    known.dispose();
  });

  it('refuses a file that was damaged or is not there', async () => {
    await using place = await folder();
    const network = classifier();
    writeModel(place.path, 'model', await assembleModel(parts(network), () => undefined));
    const file = `${place.path}/model/model.onnx`;
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from([0])]));
    expect(() => readModel(`${place.path}/model`)).to.throw(/model\.onnx has the SHA-256/);
    expect(() => readModel(`${place.path}/other`)).to.throw(/no manifest\.json/);
    network.dispose();
  });
});

describe('an ONNX file', () => {
  let request: OnnxRequest;
  const network = classifier();
  const exact = forward(network, [4, 3]);

  before(async () => {
    request = { artifacts: await artifactsOf(network), predict: exact, sample, shape: [4, 3], task: 'Classification' };
  });

  after(() => void network.dispose());

  /** What the network would have to give for the file to be wrong. */
  const changed = (by: (value: number, place: number) => number) => (features: Float32Array, rows: number): Float32Array => exact(features, rows).map(by);

  const cases: readonly (readonly [string, OnnxRequest['task'], (value: number, place: number) => number, boolean])[] = [
    ['gives the same', 'Classification', (value) => value, true],
    ['differs in one probability by more than 1e-5', 'Classification', (value, place) => (place === 3 ? value + 2e-5 : value), false],
    ['gives no numbers', 'Classification', () => NaN, false],
    ['differs in a value by more than 1e-5 of the largest', 'Regression', (value) => value + 3e-5, false],
    ['differs in a value by less than 1e-5 of the standard deviation', 'Regression', (value) => value + 0.5e-5, true],
  ];
  for (const [what, task, by, kept] of cases) {
    it(`is ${kept ? 'kept' : 'left out, with a warning,'} when it ${what}`, async () => {
      const lines: Line[] = [];
      const { kind } = await exactOnnx({ ...request, task, predict: changed(by) }, logTo(lines));
      expect(kind).to.equal(kept ? 'Exact' : 'None');
      expect(lines.map(({ level }) => level)).to.deep.equal([kept ? 'info' : 'warn']);
    });
  }

  it('is left out where there are no rows to compare it on', async () => {
    const none = { rows: 0, features: matrixOf(new Float32Array(0), 12) };
    expect(await exactOnnx({ ...request, sample: none }, () => undefined)).to.deep.equal({ kind: 'None', why: 'there are no rows to compare them on' });
  });

  it('is left out where it gives another number of values', async () => {
    const lines: Line[] = [];
    expect(await exactOnnx({ ...request, predict: () => new Float32Array(5) }, logTo(lines))).to.include({ kind: 'None' });
    expect(lines[0]?.fields.why).to.match(/gives 128 values for 64 rows, not 5/);
  });
});
