/** What all learn: one set of rows, from one set of initial weights. Files in a folder, since the contestants are processes. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Part } from '../../../trainer-image/src/data/part.ts';
import { initialWeights } from '../../../trainer-image/src/model/initial.ts';
import { weightsOf } from '../../../trainer-image/src/model/network.ts';
import type { Network } from '../../../trainer-image/src/model/network.ts';
import { presetNetwork } from '../../../trainer-image/src/model/presets.ts';
import type { ModelSpec } from '../../../trainer-image/src/model/spec.ts';

export const tasks = ['mlp', 'cnn'] as const;
export type TaskName = (typeof tasks)[number];

export const classes = 10;
export const batchSize = 128;
export const stepsPerRound = 100;
export const learningRate = 0.001;
const rows = batchSize * stepsPerRound;
const pixels = 784;

const shared = { activation: 'ReLU', dropout: 0, l2: 0 } as const;

export const models: Readonly<Record<TaskName, { readonly model: ModelSpec; readonly shape: readonly number[] }>> = {
  mlp: { model: { preset: 'MLP', units: [128, 64], ...shared }, shape: [pixels] },
  cnn: { model: { preset: 'CNN', filters: 16, blocks: 2, units: [64], ...shared }, shape: [28, 28, 1] },
};

export function networkOf(task: TaskName): Network {
  const { model, shape } = models[task];
  return presetNetwork(model, { input: shape, classes });
}

/** Ten pictures under so much noise that they are learnt in some hundred steps. */
export function writeTask(task: TaskName, folder: string): void {
  const source = random(0, 'bench');
  const uniform = (): number => source.uint32() / 2 ** 32;
  const pictures = Float32Array.from({ length: classes * pixels }, uniform);
  const labels = Int32Array.from({ length: rows }, () => source.below(classes));
  const features = new Float32Array(rows * pixels);
  for (let at = 0; at < features.length; at++) features[at] = 0.1 * (pictures[(labels[Math.floor(at / pixels)] ?? 0) * pixels + (at % pixels)] ?? 0) + 0.9 * uniform();
  for (const [name, values] of Object.entries({ features, labels, weights: initialWeights(weightsOf(networkOf(task)), 0) })) {
    writeFileSync(path.join(folder, name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
}

export function readTask(folder: string): { readonly part: Part; readonly weights: Float32Array } {
  const bytes = (name: string): ArrayBuffer => Uint8Array.from(readFileSync(path.join(folder, name))).buffer;
  return { part: { rows, features: matrixOf(new Float32Array(bytes('features')), pixels), targets: new Int32Array(bytes('labels')) }, weights: new Float32Array(bytes('weights')) };
}
