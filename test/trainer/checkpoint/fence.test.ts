import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { claimVolume, requireOwnVolume } from '../../../trainer-image/src/train/fence.ts';
import { blobs, codeOf, folder, succeeded, train, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

const colours = (place: Folder) => trainerSpec({
  data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour' },
  model: { preset: 'MLP', units: [8] },
  fit: { epochs: 6, batchSize: 16 },
});

const attempt = (number: number, jobUid = 'uid', place = 'trainer-0') => ({ jobUid, place, attempt: number });

describe('an attempt that a later one has followed', function suite() {
  this.timeout(120_000);

  it('does not begin', async () => {
    await using place = await folder();
    claimVolume(place.path, attempt(3));
    const outcome = await train(colours(place), place.path, { attempt: 2 });
    expect(outcome).to.deep.include({ kind: 'Failed', needsUser: false });
    expect(outcome.kind === 'Failed' && outcome.failure.error).to.deep.include({ code: 'SUPERSEDED', message: 'This is attempt 2 of trainer-0, and attempt 3 has taken its place. It writes nothing more.' });
  });

  it('writes no checkpoint from then on, and ends', async () => {
    await using place = await folder();
    let written: string[] = [];
    const outcome = await train(colours(place), place.path, {
      attempt: 1,
      onLog: (_, message, fields) => {
        if (message !== 'Epoch ended' || fields?.epoch !== 3) return;
        claimVolume(place.path, attempt(2));
        written = readdirSync(`${place.path}/checkpoints`);
      },
    });
    expect(outcome.kind === 'Failed' && outcome.failure.error.code).to.equal('SUPERSEDED');
    expect(written).to.deep.equal(['epoch-000001', 'epoch-000002']);
    expect(readdirSync(`${place.path}/checkpoints`)).to.deep.equal(written);
  });

  it('writes no model', async () => {
    await using place = await folder();
    const outcome = await train(colours(place), place.path, {
      attempt: 1,
      checkpointIntervalSeconds: 3600,
      onLog: (_, message, fields) => message === 'Epoch ended' && fields?.epoch === 6 && claimVolume(place.path, attempt(2)),
    });
    expect(outcome.kind === 'Failed' && outcome.failure.error.code).to.equal('SUPERSEDED');
    expect(readdirSync(place.path)).not.to.include('model');
  });

  it('of a job that was made anew under the same name gives way, though its number is higher', async () => {
    await using place = await folder();
    claimVolume(place.path, attempt(7, 'old'));
    claimVolume(place.path, attempt(1, 'new'));
    requireOwnVolume(place.path, attempt(1, 'new'));
    expect(await codeOf(() => requireOwnVolume(place.path, attempt(7, 'old')))).to.deep.include({ code: 'SUPERSEDED' });
  });

  it('is one of the same place only: replicas are restarted alone', async () => {
    await using place = await folder();
    claimVolume(place.path, attempt(1, 'uid', 'trainer-0'));
    claimVolume(place.path, attempt(4, 'uid', 'trainer-1'));
    requireOwnVolume(place.path, attempt(1, 'uid', 'trainer-0'));
  });
});

describe('the claim of a volume', () => {
  it('may be made again by the same attempt, and when it was damaged', async function again() {
    this.timeout(60_000);
    await using place = await folder();
    claimVolume(place.path, attempt(2));
    claimVolume(place.path, attempt(2));
    writeFileSync(`${place.path}/attempts/trainer-0.json`, '{"att');
    requireOwnVolume(place.path, attempt(1));
    succeeded(await train(colours(place), place.path, { attempt: 1 }));
    expect(JSON.parse(readFileSync(`${place.path}/attempts/trainer-0.json`, 'utf8'))).to.deep.equal({ jobUid: 'uid', attempt: 1 });
  });
});
