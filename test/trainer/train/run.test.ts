import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { ProgressReport } from '@anneal/operator/api';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { threadsOfNewest } from '../../../trainer-image/src/train/checkpoint.ts';
import { blobs, digitsCsv, folder, line, succeeded, train, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

const colours = (place: Folder, fit: object = {}, model: object = {}) => trainerSpec({
  data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour' },
  model: { preset: 'MLP', units: [8], dropout: 0.3, ...model },
  fit: { epochs: 6, batchSize: 16, ...fit },
});

/** Stops when asked for the n-th time. */
const after = (polls: number): (() => boolean) => () => polls-- <= 0;

const filesOf = (model: string): Record<string, string> => Object.fromEntries(readdirSync(model).sort().map((name) => [name, readFileSync(path.join(model, name), 'base64')]));
const checkpoints = (place: Folder): string[] => readdirSync(path.join(place.path, 'checkpoints')).sort();

describe('a training run', function suite() {
  this.timeout(120_000);

  it('learns the handwritten digits', async function digits() {
    this.timeout(600_000);
    await using place = await folder();
    const spec = trainerSpec({
      data: { source: { uri: `file://${digitsCsv}` }, target: 'label', features: { shape: [8, 8, 1] }, split: { validation: 0.15, test: 0.15, stratify: true }, pipeline: [{ scale: { method: 'MinMax' } }] },
      model: { preset: 'CNN' },
      fit: { epochs: 40, batchSize: 64, optimizer: { name: 'Adam', learningRate: 0.001 }, earlyStopping: { metric: 'val_loss', patience: 5 } },
    });
    const result = succeeded(await train(spec, place.path, { checkpointIntervalSeconds: 60 }));
    expect(result.metrics.test_accuracy).to.be.at.least(0.97);
    expect(result.metrics).to.include.all.keys('loss', 'val_loss', 'val_accuracy', 'test_loss', 'test_f1');
    const stored = JSON.parse(readFileSync(path.join(place.path, 'model/metrics.json'), 'utf8')) as { test: { confusion: number[][] } };
    const right = stored.test.confusion.reduce((sum, row, place) => sum + (row[place] ?? 0), 0);
    expect(right / stored.test.confusion.flat().reduce((sum, count) => sum + count, 0)).to.equal(result.metrics.test_accuracy);
  });

  it('learns a straight line, and tells its errors in units of the target', async () => {
    await using place = await folder();
    const spec = trainerSpec({
      data: { source: { uri: place.write('rows.csv', line(400)) }, target: 'y', pipeline: [{ scale: {} }] },
      model: { preset: 'MLP', units: [] },
      fit: { epochs: 40, batchSize: 32, optimizer: { learningRate: 0.05 } },
    });
    const { metrics } = succeeded(await train(spec, place.path, { checkpointIntervalSeconds: 60 }));
    expect(metrics.test_r2).to.be.above(0.9999);
    expect(metrics.test_mae).to.be.below(1);
  });

  it('gives the same files for the same seed, and others for another', async () => {
    await using one = await folder();
    await using two = await folder();
    await using other = await folder();
    const [first, second] = [succeeded(await train(colours(one), one.path)), succeeded(await train({ ...colours(two), data: colours(one).data }, two.path))];
    expect(filesOf(`${one.path}/model`)).to.deep.equal(filesOf(`${two.path}/model`));
    expect(first).to.deep.equal(second);
    succeeded(await train(colours(other, { seed: 1 }), other.path));
    expect(readFileSync(`${other.path}/model/weights.bin`).equals(readFileSync(`${one.path}/model/weights.bin`))).to.equal(false);
  });

  it('does not train again on a volume that has the finished model of its spec and data', async () => {
    await using place = await folder();
    const first = succeeded(await train(colours(place), place.path));
    const messages: string[] = [];
    expect(succeeded(await train(trainerSpec({ ...colours(place) }), place.path, { onLog: (_, message) => messages.push(message) }))).to.deep.equal(first);
    expect(messages).to.include('Found the finished model of this spec and these data');
  });

  it('trains again when the data have changed under the same name', async () => {
    await using place = await folder();
    const spec = colours(place);
    const first = succeeded(await train(spec, place.path));
    place.write('rows.csv', blobs(100));
    expect(succeeded(await train(spec, place.path)).model.digest).not.to.equal(first.model.digest);
  });

  it('trains again when the spec has changed or the model was damaged', async () => {
    await using place = await folder();
    const first = succeeded(await train(colours(place), place.path));
    writeFileSync(`${place.path}/model/weights.bin`, 'x');
    expect(succeeded(await train(colours(place), place.path))).to.deep.equal(first);
    expect(succeeded(await train(colours(place, { epochs: 2 }), place.path)).epochs).to.equal(2);
  });

  it('stops early, and takes the weights of the best epoch', async () => {
    await using place = await folder();
    const spec = colours(place, { epochs: 60, optimizer: { learningRate: 0.5 }, earlyStopping: { patience: 3 } });
    const result = succeeded(await train(spec, place.path));
    const { history, epoch } = JSON.parse(readFileSync(`${place.path}/model/metrics.json`, 'utf8')) as { history: Record<string, number>[]; epoch: number };
    expect(result.epochs).to.be.below(60);
    expect(epoch).to.equal(result.epochs - 3);
    expect(result.metrics.val_loss).to.equal(Math.min(...history.map(({ val_loss = NaN }) => val_loss)));
  });

  it('reports progress that only grows, with the newest checkpoint', async () => {
    await using place = await folder();
    const reports: ProgressReport[] = [];
    succeeded(await train(colours(place), place.path, { attempt: 3, onReport: (report) => reports.push(report) }));
    expect(reports.map(({ step }) => step)).to.deep.equal(reports.map(({ step }) => step).sort((a, b) => a - b));
    expect(reports.at(-1)).to.include({ attempt: 3, epoch: 6, epochs: 6, percent: 100 });
    expect(reports.at(-1)?.checkpoint).to.include({ epoch: 6, path: 'checkpoints/epoch-000006' });
    expect(reports.at(-1)?.metrics).to.include.keys('loss', 'val_accuracy');
  });

  it('leaks no tensor over its epochs', async () => {
    await using place = await folder();
    const counts = new Set<number>();
    succeeded(await train(colours(place, { epochs: 30 }), place.path, { onLog: (_, message) => message === 'Epoch ended' && counts.add(tf.memory().numTensors) }));
    expect(counts.size).to.equal(1);
  });
});

describe('a run that is stopped', function suite() {
  this.timeout(120_000);

  it('goes on at the very step, wherever it was, to the same weights', async () => {
    await using undisturbed = await folder();
    const spec = colours(undisturbed, { optimizer: { name: 'SGD', learningRate: 0.1, momentum: 0.9 }, earlyStopping: { patience: 4 } });
    succeeded(await train(spec, undisturbed.path, { checkpointIntervalSeconds: 1000 }));
    await using place = await folder();
    for (const polls of [0, 1, 4, 7, 9, 10, 14]) {
      const outcome = await train(spec, place.path, { stopRequested: after(polls), checkpointIntervalSeconds: 1000 });
      expect(outcome.kind).to.equal('Stopped');
    }
    expect(checkpoints(place)).to.have.length(2);
    succeeded(await train(spec, place.path));
    expect(filesOf(`${place.path}/model`)).to.deep.equal(filesOf(`${undisturbed.path}/model`));
  });

  it('says where its checkpoint is', async () => {
    await using place = await folder();
    const outcome = await train(colours(place), place.path, { stopRequested: after(12), checkpointIntervalSeconds: 1000 });
    expect(outcome).to.deep.include({ kind: 'Stopped' });
    expect(outcome.kind === 'Stopped' && outcome.checkpoint).to.include({ epoch: 1, step: 12, path: 'checkpoints/epoch-000001-step-000000012' });
  });
});

describe('checkpoints', function suite() {
  this.timeout(120_000);

  const damage: Readonly<Record<string, (folder: string) => void>> = {
    'a flipped bit': (at) => {
      const bytes = readFileSync(`${at}/tensors.bin`);
      bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
      writeFileSync(`${at}/tensors.bin`, bytes);
    },
    'a torn file': (at) => truncateSync(`${at}/tensors.bin`, 10),
    'a torn header': (at) => truncateSync(`${at}/checkpoint.json`, 100),
    'an empty header': (at) => truncateSync(`${at}/checkpoint.json`, 0),
    'a missing file': (at) => rmSync(`${at}/tensors.bin`),
    'a header that was edited': (at) => writeFileSync(`${at}/checkpoint.json`, readFileSync(`${at}/checkpoint.json`, 'utf8').replace('"epoch":5', '"epoch":4')),
  };
  for (const [what, spoil] of Object.entries(damage)) {
    it(`are passed over with ${what}, for the one before`, async () => {
      await using undisturbed = await folder();
      const spec = colours(undisturbed);
      succeeded(await train(spec, undisturbed.path));
      await using place = await folder();
      await train(spec, place.path, { stopRequested: after(9 * 5) });
      expect(checkpoints(place)).to.deep.equal(['epoch-000004', 'epoch-000005']);
      spoil(`${place.path}/checkpoints/epoch-000005`);
      const told: unknown[] = [];
      succeeded(await train(spec, place.path, { onLog: (_, message, fields) => told.push([message, fields?.checkpoint]) }));
      expect(told).to.deep.include(['Passed over a checkpoint', 'epoch-000005']);
      expect(told).to.deep.include(['Going on from a checkpoint', 'epoch-000004']);
      expect(filesOf(`${place.path}/model`)).to.deep.equal(filesOf(`${undisturbed.path}/model`));
    });
  }

  it('of another spec or other data are not gone on from', async () => {
    await using place = await folder();
    await train(colours(place), place.path, { stopRequested: after(25) });
    for (const changed of [colours(place, { batchSize: 8 }), { ...colours(place), data: { ...colours(place).data, source: { ...colours(place).data.source, uri: place.write('rows.csv', blobs(100)) } } }]) {
      const messages: string[] = [];
      succeeded(await train(changed, place.path, { onLog: (_, message) => messages.push(message) }));
      expect(messages).to.include('Passed over a checkpoint');
      expect(messages).not.to.include('Going on from a checkpoint');
      rmSync(`${place.path}/model`, { recursive: true });
    }
  });

  it('tell the threads that the run must go on with', async () => {
    await using place = await folder();
    const at = `${place.path}/checkpoints`;
    expect(threadsOfNewest(at)).to.equal(undefined);
    await train(colours(place), place.path, { threads: 3, stopRequested: after(15) });
    expect(threadsOfNewest(at)).to.equal(3);
    for (const name of checkpoints(place)) truncateSync(`${at}/${name}/checkpoint.json`, 5);
    expect(threadsOfNewest(at)).to.equal(undefined);
  });

  it('stay as many as asked for, without leftovers of a run that was cut off', async () => {
    await using place = await folder();
    await train(colours(place), place.path, { stopRequested: after(15) });
    writeFileSync(`${place.path}/checkpoints/.tmp-epoch-000009`, 'half');
    succeeded(await train(colours(place), place.path, { checkpointKeep: 3 }));
    expect(checkpoints(place)).to.deep.equal(['epoch-000004', 'epoch-000005', 'epoch-000006']);
  });
});

describe('a run that cannot succeed', () => {
  it('says that the loss diverged, and what to lower', async () => {
    await using place = await folder();
    const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', line(200)) }, target: 'y' }, model: { preset: 'MLP', units: [] }, fit: { optimizer: { name: 'SGD', learningRate: 100 } } });
    const outcome = await train(spec, place.path);
    expect(outcome).to.deep.include({ kind: 'Failed', needsUser: true });
    expect(outcome.kind === 'Failed' && outcome.failure.error).to.include({ code: 'TRAINING_DIVERGED', at: 'spec.trainer.fit.optimizer.learningRate' });
  });

  it('says that a metric does not go with the task, before it trains', async () => {
    await using place = await folder();
    const outcome = await train(colours(place, { earlyStopping: { metric: 'val_rmse' } }), place.path);
    expect(outcome.kind === 'Failed' && outcome.failure.error).to.include({ code: 'SPEC_TASK_MISMATCH' });
  });

  it('says that it has no accelerator, rather than train slowly', async () => {
    await using place = await folder();
    const outcome = await train(colours(place), place.path, { accelerator: 'nvidia.com/gpu' });
    expect(outcome.kind === 'Failed' && outcome.failure.error.code).to.equal('ACCELERATOR_UNUSED');
    expect(outcome.kind === 'Failed' && outcome.failure.error.message).to.contain('asked for nvidia.com/gpu');
  });

  it('says that its volume cannot be written to, before it reads anything', async () => {
    await using place = await folder();
    const spec = colours(place);
    const outcome = await train(spec, `${place.path}/rows.csv`);
    expect(outcome.kind === 'Failed' && outcome.failure.error.code).to.equal('VOLUME_WRITE');
  });

  it('leaves no model', async () => {
    await using place = await folder();
    await train(colours(place, { earlyStopping: { metric: 'val_rmse' } }), place.path);
    expect(readdirSync(place.path)).to.have.members(['attempts', 'checkpoints', 'reports', 'rows.csv']);
  });
});
