import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { sha256 } from '../../../trainer-image/src/files.ts';
import { digitsCsv, folder, trainer, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

const scaled = [{ scale: { method: 'MinMax' } }];
const digits = (features: object, pipeline: readonly object[] = scaled): object => ({ source: { uri: 'configmap://digits/digits.csv' }, target: 'label', features, pipeline });

/** Of every kind of network, with what is drawn by chance, and batches that two threads share. */
const jobs: Readonly<Record<string, object>> = {
  'dense layers': { data: digits({}), model: { preset: 'MLP', units: [256, 128], dropout: 0.3 } },
  'convolutions': { data: { ...digits({ shape: [8, 8, 1] }), augment: { flip: 'Horizontal' } }, model: { preset: 'CNN', filters: 16, dropout: 0.2 } },
  'batch normalisation': { data: digits({ shape: [8, 8, 1] }), model: { preset: 'CNN', filters: 8, batchNorm: true, dropout: 0.2 } },
  'recurrent layers': { data: digits({ shape: [8, 8] }), model: { preset: 'LSTM', units: [32], dropout: 0.2 } },
  'embeddings': { data: digits({}, [{ discretise: { bins: 4, columns: ['pixel_10'] } }, { encode: { method: 'Embedding', columns: ['pixel_10'] } }, ...scaled]), model: { preset: 'MLP', units: [128], dropout: 0.2, embedding: { dimension: 8 } } },
};

/** Digests of the model's files, by name. */
async function modelOf(spec: TrainerSpec, place: Folder, name: string): Promise<Readonly<Record<string, string>>> {
  const volume = path.join(place.path, name);
  mkdirSync(volume);
  const run = trainer(['train', '--termination-message', path.join(place.path, `${name}-last-words`)], {
    [trainerEnv.spec]: JSON.stringify(spec),
    [trainerEnv.volume]: volume,
    [trainerEnv.sourceDirectory]: path.dirname(digitsCsv),
    [trainerEnv.checkpointIntervalSeconds]: '3600',
    TF_NUM_INTRAOP_THREADS: '2',
    TF_NUM_INTEROP_THREADS: '2',
  });
  expect((await run.exit).code, run.output()).to.equal(0);
  return Object.fromEntries(readdirSync(path.join(volume, 'model')).sort().map((file) => [file, sha256(readFileSync(path.join(volume, 'model', file)))]));
}

describe('two runs with one seed', function suite() {
  this.timeout(300_000);

  for (const [network, job] of Object.entries(jobs)) {
    it(`give the same files with two threads, for ${network}`, async () => {
      await using place = await folder();
      const spec = trainerSpec({ ...job, fit: { epochs: 4, batchSize: 256 } });
      // At the same time, so that their threads take turns in other orders.
      const [first, second] = await Promise.all([modelOf(spec, place, 'first'), modelOf(spec, place, 'second')]);
      expect(Object.keys(first)).to.include('weights.bin');
      expect(first).to.deep.equal(second);
    });
  }
});
