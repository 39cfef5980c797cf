import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Tensor3D } from '@tensorflow/tfjs-node-gpu';
import { expect } from 'chai';
import { askPython } from '../../../hack/python/venv.ts';
import type { Preprocessing } from '../../../trainer-image/src/data/prepare.ts';
import type { Plan } from '../../../trainer-image/src/local/plan/plan.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { folder } from '../support.ts';
import type { Folder } from '../support.ts';
import { ended } from './support.ts';

interface Document {
  readonly metrics: Readonly<Record<string, number>>;
}

/** Bright pictures and dark ones, of many sizes. */
async function pictures(place: Folder): Promise<void> {
  for (const [label, shade] of [['day', 200], ['night', 40]] as const) {
    mkdirSync(path.join(place.path, 'pictures', label), { recursive: true });
    for (let picture = 0; picture < 30; picture++) {
      const image: Tensor3D = tf.fill([5 + picture % 4, 6 + picture % 3, 3], shade + picture, 'int32');
      writeFileSync(path.join(place.path, 'pictures', label, `${picture}.png`), await tf.node.encodePng(image));
      image.dispose();
    }
  }
}

const job = (trainer: string): string => `apiVersion: anneal.dev/v1alpha1
kind: TrainingJob
metadata: {name: seen}
spec:
  trainer:
${trainer}`;

async function trained(place: Folder, yaml: string, args: readonly string[]): Promise<{ readonly metrics: Document['metrics']; readonly preprocessing: Preprocessing }> {
  writeFileSync(path.join(place.path, 'job.yaml'), yaml);
  const { code, stdout, stderr } = await ended(['-f', 'job.yaml', '--json', ...args], { directory: place.path });
  expect(code, stderr).to.equal(0);
  return { metrics: (JSON.parse(stdout) as Document).metrics, preprocessing: JSON.parse(readFileSync(path.join(place.path, 'seen/model/preprocessing.json'), 'utf8')) as Preprocessing };
}

describe('anneal-train on rows that are arrays', function suite() {
  this.timeout(300_000);

  it('learns a folder of images with a CNN, whose shape is theirs', async () => {
    await using place = await folder();
    await pictures(place);
    const yaml = job(`
    data:
      source: {format: Images, uri: "pvc://lake/pictures/", images: {height: 4, width: 6}}
      target: label
      augment: {flip: Horizontal}
      pipeline: [{scale: {method: MinMax}}]
    model: {preset: CNN, filters: 4, blocks: 1, units: [8]}
    fit: {epochs: 15, batchSize: 8, optimizer: {learningRate: 0.01}}`);
    const mount = ['--mount', `pvc://lake=${place.path}`];
    const { metrics, preprocessing } = await trained(place, yaml, mount);
    expect(metrics.test_accuracy).to.equal(1);
    expect(preprocessing).to.deep.include({ inputs: [{ name: 'image', kind: 'Vector', shape: [4, 6, 3] }], shape: [4, 6, 3] });
    expect(preprocessing.target).to.deep.include({ classes: ['day', 'night'] });

    const plan = await ended(['-f', 'job.yaml', '--dry-run', '--json', ...mount], { directory: place.path });
    expect(JSON.parse(plan.stdout) as Plan, plan.stderr).to.have.nested.property('features.shape').that.deep.equals([4, 6, 3]);
  });

  it('learns arrays of an .npz file', async () => {
    await using place = await folder();
    await askPython('science', `
import json, sys, numpy as np
rng = np.random.default_rng(5)
x = rng.normal(0, 1, (300, 3, 4)).astype('f4')
np.savez_compressed(json.load(sys.stdin), pixels=x, answer=x.sum(axis=(1, 2)) * 2 + 7)
print('null')`, path.join(place.path, 'rows.npz'));
    const { metrics, preprocessing } = await trained(place, job(`
    data: {source: {format: Arrays, uri: "file://${place.path}/rows.npz", arrays: {features: pixels}}, target: answer}
    model: {preset: Linear}
    fit: {epochs: 60, batchSize: 16, optimizer: {learningRate: 0.02}}`), []);
    expect(metrics.test_r2).to.be.above(0.999);
    expect(preprocessing).to.deep.include({ inputs: [{ name: 'pixels', kind: 'Vector', shape: [3, 4] }], shape: [3, 4] });
  });
});
