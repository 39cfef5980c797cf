import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ProgressReport, TrainingFailure, TrainingResult } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { blobs, folder, trainer, trainerSpec, until } from '../support.ts';
import type { Folder, Process } from '../support.ts';
import { s3Server } from './s3-server.ts';
import type { S3Server } from './s3-server.ts';

const words = (file: string): TrainingResult & TrainingFailure => JSON.parse(readFileSync(file, 'utf8')) as TrainingResult & TrainingFailure;

describe('an attempt with a bucket', function suite() {
  this.timeout(300_000);
  let server: S3Server;
  let data: Folder;
  let spec: string;
  let undisturbed: TrainingResult;

  const start = (place: Folder, prefix: string, environment: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): Process => trainer(['train', '--termination-message', `${place.path}/last-words`, ...flags], {
    ...server.credentials,
    [trainerEnv.spec]: spec,
    [trainerEnv.volume]: `${place.path}/volume`,
    [trainerEnv.checkpointKeep]: '2',
    [trainerEnv.jobUid]: 'uid',
    ...(prefix === '' ? {} : { [trainerEnv.checkpointBucket]: JSON.stringify(server.place(prefix)) }),
    ...environment,
  });

  before(async () => {
    server = await s3Server();
    data = await folder();
    spec = JSON.stringify(trainerSpec({
      data: { source: { uri: data.write('rows.csv', blobs(203)) }, target: 'colour' },
      model: { preset: 'MLP', units: [8], dropout: 0.3 },
      fit: { epochs: 40, batchSize: 8 },
    }));
    await using place = await folder();
    const run = start(place, '');
    expect((await run.exit).code, run.output()).to.equal(0);
    undisturbed = words(`${place.path}/last-words`);
  });
  after(async () => {
    await data[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it('leaves the newest checkpoints and the model there', async () => {
    await using place = await folder();
    const run = start(place, 'ns/whole');
    expect((await run.exit).code, run.output()).to.equal(0);
    const keys = await server.keys('ns/whole');
    expect(keys).to.include.members(['model/manifest.json', 'model/weights.bin', 'checkpoints/epoch-000040/manifest.json', 'attempts/trainer-0.json']);
    expect(keys.filter((key) => key.startsWith('checkpoints/') && key.endsWith('/manifest.json')).length).to.be.at.most(2);
    for (const name of readdirSync(`${place.path}/volume/model`)) {
      expect(readFileSync(`${server.files}/ns/whole/model/${name}`).equals(readFileSync(`${place.path}/volume/model/${name}`)), name).to.equal(true);
    }
    expect(words(`${place.path}/last-words`)).to.deep.equal(undisturbed);
  });

  it('goes on in a fresh pod whose volume was lost, to the same model', async () => {
    await using place = await folder();
    const first = start(place, 'ns/lost');
    await until(() => /"epoch":2\d[,}]/.test(first.output()) || first.child.exitCode !== null, 'twenty epochs end', 60);
    first.child.kill('SIGTERM');
    expect((await first.exit).code, first.output()).to.equal(143);
    rmSync(`${place.path}/volume`, { recursive: true });
    const second = start(place, 'ns/lost', { [trainerEnv.attempt]: '2' });
    expect((await second.exit).code, second.output()).to.equal(0);
    expect(second.output()).to.contain('Brought a checkpoint from the bucket').and.to.contain('Going on from a checkpoint');
    expect(words(`${place.path}/last-words`).model).to.deep.equal(undisturbed.model);
  });

  it('trains on while the bucket is away, and copies when it is back', async () => {
    await using place = await folder();
    const run = start(place, 'ns/away');
    await until(() => run.output().includes('"epoch":3') || run.child.exitCode !== null, 'three epochs end', 60);
    await server.stop();
    await until(() => run.output().includes('Model could not be copied') || run.child.exitCode !== null, 'the model waits', 120);
    await server.start();
    expect((await run.exit).code, run.output()).to.equal(0);
    expect(await server.keys('ns/away')).to.include('model/manifest.json');
    expect(words(`${place.path}/last-words`)).to.deep.equal(undisturbed);
  });

  it('waits no longer than the grace time for a bucket that is away, and copies the model another time', async () => {
    await using place = await folder();
    const run = start(place, 'ns/late', {}, ['--grace-seconds', '1']);
    await until(() => run.output().includes('"epoch":3') || run.child.exitCode !== null, 'three epochs end', 60);
    await server.stop();
    await until(() => run.output().includes('Model could not be copied') || run.child.exitCode !== null, 'the model waits', 120);
    run.child.kill('SIGTERM');
    expect((await run.exit).code, run.output()).to.equal(143);
    await server.start();
    const next = start(place, 'ns/late', { [trainerEnv.attempt]: '2' });
    expect((await next.exit).code, next.output()).to.equal(0);
    expect(next.output()).to.contain('Found the finished model').and.not.to.contain('Epoch ended');
    expect(await server.keys('ns/late')).to.include('model/manifest.json');
  });

  it('ends when a later attempt has begun elsewhere, without a word of success', async () => {
    await using place = await folder();
    const run = start(place, 'ns/stale');
    await until(() => run.output().includes('"epoch":2') || run.child.exitCode !== null, 'two epochs end', 60);
    await server.put('ns/stale/attempts/trainer-0.json', JSON.stringify({ jobUid: 'uid', attempt: 2 }));
    expect((await run.exit).code, run.output()).to.equal(1);
    expect(words(`${place.path}/last-words`).error.code).to.equal('SUPERSEDED');
    expect(await server.keys('ns/stale/model')).to.deep.equal([]);
  });

  it('tells the operator which checkpoint is in the bucket', async () => {
    await using place = await folder();
    const reports: ProgressReport[] = [];
    const operator = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString())).on('end', () => {
        reports.push(JSON.parse(body) as ProgressReport);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => operator.listen(0, '127.0.0.1', resolve));
    const run = start(place, 'ns/told', { [trainerEnv.progressUrl]: `http://127.0.0.1:${(operator.address() as AddressInfo).port}/` });
    expect((await run.exit).code, run.output()).to.equal(0);
    operator.closeAllConnections();
    await new Promise((resolve) => operator.close(resolve));
    expect(reports.at(-1)?.checkpoint).to.deep.include({ epoch: 40, copied: true });
  });

  it('refuses at once to train for a bucket that is not there', async () => {
    await using place = await folder();
    const run = start(place, '', { [trainerEnv.checkpointBucket]: JSON.stringify({ ...server.place('x'), bucket: 'no-such-bucket' }) });
    expect((await run.exit).code, run.output()).to.equal(2);
    expect(words(`${place.path}/last-words`).error).to.include({ code: 'BUCKET_REFUSED', at: 'spec.checkpoint.s3' });
  });

  it('begins with the checkpoint of another job in a bucket', async () => {
    await using place = await folder();
    const run = start(place, '', { [trainerEnv.restoreFrom]: JSON.stringify({ bucket: server.place('ns/whole') }) });
    expect((await run.exit).code, run.output()).to.equal(0);
    expect(run.output()).to.contain('Beginning where another job stood');
    expect(words(`${place.path}/last-words`).model).to.deep.equal(undisturbed.model);
    expect(readdirSync(`${place.path}/volume`)).not.to.include('restored');
  });
});
