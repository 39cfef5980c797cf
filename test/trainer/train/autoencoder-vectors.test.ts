import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { rowErrors } from '../../../trainer-image/src/data/anomalies.ts';
import { preprocess } from '../../../trainer-image/src/data/prepare.ts';
import type { Preprocessing } from '../../../trainer-image/src/data/prepare.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Random } from '../../../trainer-image/src/data/random.ts';
import type { ReconstructionEvaluation } from '../../../trainer-image/src/evaluate/evaluation.ts';
import { forward, loadLayersModel } from '../../../trainer-image/src/model/layers-format.ts';
import { loadPredictor } from '../../../trainer-image/src/serve/predictor.ts';
import { parseInfer } from '../../../trainer-image/src/serve/request.ts';
import { admitted, folder, succeeded, train } from '../support.ts';
import type { Folder } from '../support.ts';

const side = 8;
const width = side * side;

/** A grey wave across the picture, and in one that is odd downwards. Bytes. */
function picture(source: Random, isOdd: boolean): Uint8Array {
  const [phase, height] = [source.uint32() / 2 ** 32, 60 + source.below(60)];
  return Uint8Array.from({ length: width }, (_, at) => Math.round(128 + height * Math.sin(2 * Math.PI * (phase + (isOdd ? Math.floor(at / side) : at % side) / side)) + source.below(5)));
}

const isOdd = (row: number): boolean => row % 20 === 7;

/** A bitmap of 24 bits a pixel, its rows from the last to the first. */
function bitmap(grey: Uint8Array): Buffer {
  const file = Buffer.alloc(54 + 3 * width);
  file.write('BM', 'latin1');
  for (const [at, value] of [[2, file.length], [10, 54], [14, 40], [18, side], [22, side], [34, 3 * width]] as const) file.writeUInt32LE(value, at);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  grey.forEach((value, at) => {
    const place = 54 + 3 * ((side - 1 - Math.floor(at / side)) * side + (at % side));
    file.fill(value, place, place + 3);
  });
  return file;
}

function npy(kind: '<f4' | '|u1', shape: readonly number[], values: Float32Array | Uint8Array): Buffer {
  const header = Buffer.from(`{'descr': '${kind}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`);
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, header, Buffer.from(values.buffer)]);
}

/** @param folderOf  of each picture; none where they lie in one heap */
function pictures(place: Folder, rows: number, folderOf: ((row: number) => string) | undefined): string {
  const source = random(3, 'pictures');
  for (let row = 0; row < rows; row++) {
    const at = path.join(place.path, 'plant', folderOf?.(row) ?? '');
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, `${String(row).padStart(4, '0')}.bmp`), bitmap(picture(source, isOdd(row))));
  }
  return `file://${place.path}/plant/`;
}

const model = `
model: {preset: Autoencoder, units: [24, 3], activation: Tanh}
fit: {epochs: 60, batchSize: 16, optimizer: {learningRate: 0.005}}`;

const read = (at: string, file: string): unknown => JSON.parse(readFileSync(path.join(at, 'model', file), 'utf8'));

/** Trains, and asks the model about one usual and one odd picture. */
async function learnt(spec: TrainerSpec, at: string): Promise<{ readonly metrics: Readonly<Record<string, number>>; readonly evaluation: Record<'test' | 'validation', ReconstructionEvaluation> }> {
  const { metrics } = succeeded(await train(spec, at));
  return { metrics, evaluation: read(at, 'evaluation.json') as Record<'test' | 'validation', ReconstructionEvaluation> };
}

async function served(at: string, name: string, datatype: 'UINT8' | 'FP32', shape: readonly number[], rows: readonly (readonly number[])[]): Promise<{ readonly scores: readonly number[]; readonly flags: readonly unknown[] }> {
  const predictor = await loadPredictor(path.join(at, 'model'), 1);
  expect(predictor.engine).to.equal('OnnxRuntime');
  const { table } = parseInfer({ inputs: [{ name, datatype, shape: [rows.length, ...shape], data: rows.flat() }] }, predictor.preprocessing, []);
  const [score, anomaly] = await predictor.predict(table);
  expect([score?.name, anomaly?.name]).to.deep.equal(['score', 'anomaly']);
  return { scores: score?.data as number[], flags: anomaly?.data ?? [] };
}

describe('an autoencoder of images and arrays', function suite() {
  this.timeout(300_000);
  const fresh = random(11, 'asked');
  const asked = [picture(fresh, false), picture(fresh, true)].map((one) => Array.from(one));

  it('learns folders of images, finds the odd ones, and serves scores of images', async () => {
    await using place = await folder();
    const spec = admitted(`
data:
  source: {uri: "${pictures(place, 400, (row) => (isOdd(row) ? 'broken' : 'fine'))}", format: Images, images: {height: ${side}, width: ${side}, channels: 1}}
  split: {validation: 0.25, test: 0.25}
  pipeline: [{scale: {method: Standard}}]
evaluation: {anomaly: {quantile: 0.95, label: {column: label, value: broken}}}
${model}`);
    const at = path.join(place.path, 'volume');
    const { metrics, evaluation } = await learnt(spec, at);
    expect(metrics.test_rocAuc).to.be.above(0.95);
    expect(evaluation.validation.flagged).to.equal(5);
    expect(evaluation.test.errors.series.map(({ name }) => name)).to.deep.equal(['others', 'anomalies']);
    expect(read(at, 'reference-profile.json')).to.have.nested.property('predictions.flagged', 5);
    expect(read(at, 'manifest.json')).to.have.nested.property('signature.inputs').that.deep.equals([{ name: 'image', datatype: 'FP32', shape: [-1, side, side, 1] }]);
    const { scores, flags } = await served(at, 'image', 'UINT8', [side, side, 1], asked);
    expect(flags).to.deep.equal([false, true]);

    // What TensorFlow.js gives back for the same rows is as far off.
    const vector = { kind: 'Vector', name: 'image', shape: [side, side, 1], width, values: Uint8Array.from(asked.flat()) } as const;
    const features = await preprocess(read(at, 'preprocessing.json') as Preprocessing, { rows: 2, columns: [], vector });
    const layers = await loadLayersModel(read(at, 'model.json'), readFileSync(path.join(at, 'model', 'weights.bin')));
    rowErrors('MSE', features, forward(layers, [side, side, 1])(features, 2), width).forEach((error, row) => expect(scores[row]).to.be.closeTo(error, 1e-5 * Math.max(1, error)));
    layers.dispose();
  });

  it('learns images that lie in one heap, since none has a class', async () => {
    await using place = await folder();
    const spec = admitted(`
data:
  source: {uri: "${pictures(place, 60, undefined)}", format: Images, images: {height: 4, width: 6}}
  pipeline: [{scale: {method: MinMax}}]
${model}`);
    const { metrics } = await learnt({ ...spec, fit: { ...spec.fit, epochs: 2 } }, path.join(place.path, 'volume'));
    expect(Object.keys(metrics).sort()).to.deep.equal(['loss', 'test_loss', 'val_loss']);
    const { scores } = await served(path.join(place.path, 'volume'), 'image', 'UINT8', [4, 6, 3], [Array.from({ length: 72 }, (_, at) => at)]);
    expect(scores[0]).to.be.above(0);
  });

  it('learns arrays, whose labels are another array, and goes on with the saved model', async () => {
    await using place = await folder();
    const rows = 400;
    const source = random(5, 'arrays');
    const values = Float32Array.from(Array.from({ length: rows }, (_, row) => [...picture(source, isOdd(row))]).flat(), (value) => value / 7);
    const uri = place.write('x.npy', npy('<f4', [rows, side, side], values)).replace('x.npy', '*.npy');
    place.write('state.npy', npy('|u1', [rows], Uint8Array.from({ length: rows }, (_, row) => Number(isOdd(row)))));
    const spec = admitted(`
data:
  source: {uri: "${uri}", format: Arrays, arrays: {target: state}}
  split: {validation: 0.25, test: 0.25}
  pipeline: [{scale: {method: MinMax}}]
evaluation: {anomaly: {quantile: 0.95, label: {column: state, value: "1"}}}
validation: {kFold: 2}
compress: {quantize: Int8, maxLoss: {metric: loss, by: 0.05}}
${model}`);
    const at = path.join(place.path, 'volume');
    const { metrics } = await learnt(spec, at);
    expect(metrics.test_rocAuc).to.be.above(0.95);
    expect(metrics.cv_loss).to.be.above(0);
    const { flags } = await served(at, 'x', 'FP32', [side, side], asked.map((one) => one.map((value) => value / 7)));
    expect(flags).to.deep.equal([false, true]);
    const further = admitted(`
data: {source: {uri: "${uri}", format: Arrays, arrays: {target: state}}, split: {validation: 0.25, test: 0.25}}
model: {from: {uri: "file://${at}/model"}}
fit: {epochs: 1, optimizer: {learningRate: 0.0001}}
evaluation: {anomaly: {quantile: 0.95, label: {column: state, value: "1"}}}`);
    const again = await learnt(further, path.join(place.path, 'further'));
    expect(again.metrics.test_loss).to.be.closeTo(metrics.test_loss ?? NaN, 0.2 * (metrics.test_loss ?? NaN));
  });
});
