import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { blobs, folder, succeeded, train, trainerSpec } from '../support.ts';
import type { Folder, RunOptions } from '../support.ts';

const colours = (place: Folder, fit: object = {}, model: object = {}): TrainerSpec => trainerSpec({
  data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour' },
  model: { preset: 'MLP', units: [8], dropout: 0.3, ...model },
  fit: { epochs: 4, batchSize: 16, ...fit },
});

const weights = (place: Folder): string => readFileSync(`${place.path}/model/weights.bin`, 'base64');

/** A run with the messages that it logged. */
async function told(spec: TrainerSpec, place: Folder, options: RunOptions) {
  const messages: string[] = [];
  const outcome = await train(spec, place.path, { ...options, onLog: (_, message) => messages.push(message) });
  return { outcome, messages };
}

describe('a job that begins from the checkpoint of another', function suite() {
  this.timeout(120_000);

  it('goes on for more epochs as if it had been one run', async () => {
    await using whole = await folder();
    await using first = await folder();
    await using second = await folder();
    const spec = colours(whole);
    succeeded(await train({ ...spec, fit: { ...spec.fit, epochs: 9 } }, whole.path));
    succeeded(await train(spec, first.path));
    const { outcome, messages } = await told({ ...spec, fit: { ...spec.fit, epochs: 9 } }, second, { restoreFrom: first.path });
    expect(succeeded(outcome).epochs).to.equal(9);
    expect(messages).to.include('Beginning where another job stood');
    expect(weights(second)).to.equal(weights(whole));
  });

  it('takes the weights alone for other data or settings, and counts its own epochs', async () => {
    await using first = await folder();
    await using second = await folder();
    await using fresh = await folder();
    succeeded(await train(colours(first), first.path));
    const { outcome, messages } = await told(colours(second, { epochs: 1, optimizer: { name: 'SGD', learningRate: 1e-9 } }), second, { restoreFrom: `${first.path}/checkpoints/epoch-000004` });
    expect(succeeded(outcome).epochs).to.equal(1);
    expect(messages).to.include('Beginning with the weights of another job');
    const untrained = succeeded(await train(colours(fresh, { epochs: 1, optimizer: { name: 'SGD', learningRate: 1e-9 } }), fresh.path));
    expect(succeeded(outcome).metrics.test_loss).to.be.below(untrained.metrics.test_loss ?? NaN);
  });

  it('goes on from its own checkpoint once it has one', async () => {
    await using first = await folder();
    await using second = await folder();
    succeeded(await train(colours(first), first.path));
    let polls = 0;
    await train(colours(second, { epochs: 6 }), second.path, { restoreFrom: first.path, stopRequested: () => polls++ > 20 });
    const { messages } = await told(colours(second, { epochs: 6 }), second, { restoreFrom: '/nowhere' });
    expect(messages).to.include('Going on from a checkpoint').and.not.to.include('Beginning with the weights of another job');
  });

  it('says that the networks differ, or that there is no checkpoint', async () => {
    await using first = await folder();
    await using second = await folder();
    succeeded(await train(colours(first), first.path));
    mkdirSync(`${second.path}/empty`);
    for (const [options, spec, sentence] of [
      [{ restoreFrom: first.path }, colours(second, {}, { units: [8, 8] }), 'of a network with other layers'],
      [{ restoreFrom: `${second.path}/empty` }, colours(second), 'There is no complete checkpoint in'],
    ] as const) {
      const { outcome } = await told(spec, second, options);
      expect(outcome).to.deep.include({ kind: 'Failed', needsUser: true });
      expect(outcome.kind === 'Failed' && outcome.failure.error).to.include({ code: 'CHECKPOINT_FOREIGN', at: 'spec.checkpoint.restoreFrom' });
      expect(outcome.kind === 'Failed' && outcome.failure.error.message).to.contain(sentence);
    }
  });

  it('of another run keeps its own first checkpoints, though the other went further', async () => {
    await using place = await folder();
    const long = colours(place, { epochs: 9 });
    succeeded(await train(long, place.path));
    succeeded(await train(colours(place, { epochs: 3 }), place.path));
    expect(readdirSync(`${place.path}/checkpoints`)).to.deep.equal(['epoch-000002', 'epoch-000003']);
  });
});
