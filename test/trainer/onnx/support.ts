/** What the tests of the exporter share: models with random weights, and both runtimes on the same rows. */
import type { LayersModel, Tensor } from '@tensorflow/tfjs-node-gpu';
import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { random } from '../../../trainer-image/src/data/random.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { sessionOptions } from '../../../trainer-image/src/model/onnx/session.ts';
import { artifactsOf } from '../../../trainer-image/src/model/layers-format.ts';
import { exportOnnx } from '../../../trainer-image/src/model/onnx/export.ts';
import { encodeModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import type { OnnxModel } from '../../../trainer-image/src/model/onnx/proto.ts';

/** Standard normal numbers (Box and Muller, 1958). */
export function normals(count: number, seed: number, purpose: string): Float32Array<ArrayBuffer> {
  const source = random(seed, purpose);
  const uniform = (): number => (source.uint32() + 0.5) / 2 ** 32;
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

/** Gives every weight random numbers, also biases and means, which begin as zeros and would hide what is done with them. */
export function randomise(model: LayersModel, seed: number): void {
  tf.tidy(() => model.setWeights(model.weights.map((weight, index) => {
    const shape = weight.shape as number[];
    const values = normals(shape.reduce((product, length) => product * length, 1), seed, `weight ${index}`);
    const fanIn = shape.length > 1 ? shape.slice(0, -1).reduce((product, length) => product * length, 1) : 4;
    const isVariance = weight.originalName.endsWith('variance');
    return tf.tensor(values.map((value) => (isVariance ? value * value + 0.1 : value / Math.sqrt(fanIn))), shape);
  })));
}

export async function onnxOf(model: LayersModel): Promise<OnnxModel> {
  const exported = exportOnnx(await artifactsOf(model));
  if (exported.kind === 'Unsupported') throw new Error(`Layer "${exported.layer}" (${exported.className}) ${exported.why}`);
  return exported.model;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Rows for each input of the model: normal numbers, or places below `words`. */
export function rowsFor(model: LayersModel, rows: number, seed: number, words?: number): { shape: number[]; data: Float32Array<ArrayBuffer> }[] {
  return model.inputs.map((input, place) => {
    const shape = [rows, ...(input.shape.slice(1) as number[])];
    const values = normals(sizeOf(shape), seed, `input ${place}`);
    return { shape, data: words === undefined ? values : values.map((value) => Math.floor(Math.abs(value) * 1e6) % words) };
  });
}

/** Outputs of TensorFlow.js, one array for each output of the model. */
export function predictTf(model: LayersModel, inputs: readonly { shape: number[]; data: Float32Array }[]): Float32Array[] {
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, data }) => tf.tensor(data, shape));
    const [only] = tensors;
    const outputs = model.apply(only !== undefined && tensors.length === 1 ? only : tensors) as Tensor | Tensor[];
    return [outputs].flat().map((output) => output.dataSync<'float32'>().slice());
  });
}

export async function predictOnnx(bytes: Uint8Array, inputs: readonly { shape: number[]; data: Float32Array }[]): Promise<{ shape: readonly number[]; data: Float32Array }[]> {
  const session = await InferenceSession.create(bytes, sessionOptions(1));
  const feeds = Object.fromEntries(inputs.map(({ shape, data }, place) => [session.inputNames[place] ?? '', new OnnxTensor('float32', data, shape)]));
  const results = await session.run(feeds);
  const outputs = session.outputNames.map((name) => ({ shape: results[name]?.dims ?? [], data: results[name]?.data as Float32Array }));
  await session.release();
  return outputs;
}

/** Largest difference of two arrays, against the largest number of the first where that is above 1. */
export function difference(expected: Float32Array, found: Float32Array): number {
  if (expected.length !== found.length) return Infinity;
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return expected.reduce((most, value, place) => Math.max(most, Math.abs(value - (found[place] ?? NaN)) / scale), 0);
}

/** Both runtimes on the same rows. @returns the file, and the largest difference over all outputs and batch sizes */
export async function compare(model: LayersModel, seed = 1, words?: number, batches = [1, 5]): Promise<{ bytes: Uint8Array; worst: number }> {
  randomise(model, seed);
  const bytes = encodeModel(await onnxOf(model));
  let worst = 0;
  for (const rows of batches) {
    const inputs = rowsFor(model, rows, seed + rows, words);
    const expected = predictTf(model, inputs);
    const found = await predictOnnx(bytes, inputs);
    for (const [place, values] of expected.entries()) worst = Math.max(worst, difference(values, found[place]?.data ?? new Float32Array(0)));
  }
  return { bytes, worst };
}
