import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { TrainingResult } from '@anneal/operator/api';
import { peerLostCode, trainerEnv } from '@anneal/operator/api';
import { folder, trainer, until } from '../support.ts';
import type { Folder } from '../support.ts';
import { all, certificate, digits, gang, killAll, results } from './support.ts';
import type { Replica } from './support.ts';

const epochs = (replica: Replica): number => replica.output().split('"Epoch ended"').length - 1;
const views = (replica: Replica): number[][] => [...replica.output().matchAll(/"message":"Trains together","replicas":\[([\d,]*)\]/g)].map(([, indexes = '']) => indexes.split(',').map(Number));
const weights = (place: Folder): Float32Array => new Float32Array(Uint8Array.from(readFileSync(`${place.path}/volume/model/weights.bin`)).buffer);

describe('replicas of the trainer', function suite() {
  this.timeout(120_000);
  const started: Replica[] = [];
  const run = (...replicas: Replica[]): Replica[] => {
    started.push(...replicas);
    return replicas;
  };
  afterEach(async () => {
    killAll(started);
    await Promise.all(started.splice(0).map(({ exit }) => exit));
  });

  /** Four places and one replica: what every other way of sharing out must come to, to the bit. */
  let alone: TrainingResult;
  let aloneWeights: Float32Array;
  before(async () => {
    await using place = await folder();
    const { start } = await gang({ place, places: 4, replicas: 1, minReplicas: 1 });
    [alone] = await results(run(start(0))) as [TrainingResult];
    aloneWeights = weights(place);
  });

  for (const replicas of [2, 4]) {
    it(`end with the same bits as one alone: ${replicas}`, async () => {
      await using place = await folder();
      const ended = await results(run(...all(await gang({ place, places: 4, replicas, minReplicas: 1 }), replicas)));
      expect(ended).to.deep.equal(Array.from({ length: replicas }, () => alone));
    });
  }

  it('end with the weights of a job that has no replicas, but for rounding', async () => {
    await using place = await folder();
    const { start } = await gang({ place, places: 4, replicas: 1, minReplicas: 1, spec: { ...digits, model: { ...digits.model, dropout: 0 } } });
    await results(run(start(0)));
    const shared = weights(place);
    await using other = await folder();
    const single = await gang({ place: other, places: 1, replicas: 1, spec: { ...digits, model: { ...digits.model, dropout: 0 } }, environment: { [trainerEnv.peers]: '' } });
    await results(run(single.start(0)));
    const apart = Math.max(...weights(other).map((value, index) => Math.abs(value - (shared[index] ?? NaN))));
    expect(apart).to.be.below(1e-5);
    expect(shared).to.have.length(aloneWeights.length);
  });

  it('lose no step with one that is killed, whichever, and take in the one that replaces it', async () => {
    await using place = await folder();
    const { start } = await gang({ place, places: 3, replicas: 3, minReplicas: 2 });
    const replicas = run(start(0), start(1), start(2));
    const victim = Math.floor(Math.random() * 3);
    const [witness] = replicas.filter(({ index }) => index === (victim + 1) % 3) as [Replica];
    await until(() => epochs(witness) >= 1, 'an epoch ends', 60);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
    replicas[victim]?.child.kill('SIGKILL');
    await until(() => views(witness).length >= 2, 'the others go on', 20);
    const [joiner] = run(start(victim)) as [Replica];
    const ended = await results(replicas.map((replica) => (replica.index === victim ? joiner : replica)));
    expect(ended).to.deep.equal([alone, alone, alone]);
    expect(views(witness)[1]).to.deep.equal([0, 1, 2].filter((index) => index !== victim));
    expect(witness.output()).not.to.contain('Going on from a checkpoint');
  });

  it('end together when one is lost that cannot be done without, and go on from the step they had reached', async () => {
    await using place = await folder();
    const { start } = await gang({ place, places: 3, replicas: 3, environment: { [trainerEnv.checkpointIntervalSeconds]: '3600' } });
    const replicas = run(start(0), start(1), start(2));
    const lost = Math.floor(Math.random() * 3);
    const others = replicas.filter(({ index }) => index !== lost);
    await until(() => others.every((replica) => epochs(replica) >= 1), 'an epoch ends', 60);
    replicas[lost]?.child.kill('SIGKILL');
    for (const replica of others) {
      expect((await replica.exit).code, replica.output()).to.equal(1);
      expect(replica.lastWords().error.code).to.equal(peerLostCode);
      expect(replica.lastWords().error.message).to.contain(`Replica ${lost} was lost`);
    }
    expect(readdirSync(`${place.path}/volume/checkpoints`)).to.have.length(1);
    const again = run(start(0), start(1), start(2));
    expect(await results(again)).to.deep.equal([alone, alone, alone]);
    expect(again[0]?.output()).to.contain('Going on from a checkpoint');
  });

  it('shrink by those that are stopped; the last one writes a checkpoint', async () => {
    await using place = await folder();
    const options = { place, places: 4, replicas: 2, minReplicas: 1, environment: { [trainerEnv.checkpointIntervalSeconds]: '3600' } };
    const { start } = await gang(options);
    const [first, second] = run(start(0), start(1)) as [Replica, Replica];
    await until(() => epochs(second) >= 1, 'an epoch ends', 60);
    first.child.kill('SIGTERM');
    expect((await first.exit).code, first.output()).to.equal(143);
    await until(() => views(second).length >= 2, 'the other goes on alone', 20);
    second.child.kill('SIGTERM');
    expect((await second.exit).code, second.output()).to.equal(143);
    expect(readdirSync(`${place.path}/volume/checkpoints`)).not.to.be.empty;
    expect(await results(run(start(0), start(1)))).to.deep.equal([alone, alone]);
  });

  it('go on without one that falls silent, which then ends rather than train beside them', async () => {
    await using place = await folder();
    const spec = { ...digits, fit: { ...digits.fit, epochs: 15 } };
    const { start } = await gang({ place, places: 4, replicas: 3, minReplicas: 1, spec, environment: { [trainerEnv.peerSilenceSeconds]: '2' } });
    const [first, second, silent] = run(start(0), start(1), start(2)) as [Replica, Replica, Replica];
    await until(() => epochs(silent) >= 1, 'an epoch ends', 60);
    silent.child.kill('SIGSTOP');
    await until(() => views(first).length >= 2, 'the others go on', 20);
    expect(views(first)[1]).to.deep.equal([0, 1]);
    silent.child.kill('SIGCONT');
    expect((await silent.exit).code, silent.output()).to.equal(1);
    expect(silent.lastWords().error.code).to.equal(peerLostCode);
    const [one, two] = await results([first, second]);
    expect(one).to.deep.equal(two);
  });

  it('do not talk to one with another certificate', async () => {
    await using place = await folder();
    const { start } = await gang({ place, places: 4, replicas: 1, minReplicas: 1 });
    const other = await certificate(place, 'other');
    const [stranger] = run(start(1, { [trainerEnv.peerTlsDirectory]: other })) as [Replica];
    await until(() => stranger.output().includes('Data prepared'), 'it listens', 60);
    const [first] = run(start(0)) as [Replica];
    await until(() => stranger.output().includes('has another certificate'), 'it is refused', 20);
    expect(await results([first])).to.deep.equal([alone]);
    expect(views(first)).to.deep.equal([[0]]);
    expect(views(stranger)).to.deep.equal([]);
  });

  it('need the key that proves who they are', async () => {
    await using place = await folder();
    const process = trainer(['train', '--termination-message', `${place.path}/last-words`], {
      [trainerEnv.spec]: JSON.stringify(digits), [trainerEnv.volume]: place.path, [trainerEnv.peers]: '127.0.0.1:1,127.0.0.1:2', [trainerEnv.peerTlsDirectory]: `${place.path}/none`,
    });
    expect((await process.exit).code, process.output()).to.equal(2);
    expect(readFileSync(`${place.path}/last-words`, 'utf8')).to.contain('SPEC_INVALID').and.to.contain(trainerEnv.peerTlsDirectory);
  });
});
