import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ProgressReport, TrainerSpec, TrainingFailure, TrainingResult } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { digitsCsv, folder, trainer, trainerSpec, until } from '../support.ts';
import type { Folder, Process } from '../support.ts';

const digits: TrainerSpec = trainerSpec({
  data: { source: { uri: 'configmap://digits/digits.csv' }, target: 'label', features: { shape: [8, 8, 1] }, pipeline: [{ scale: { method: 'MinMax' } }] },
  model: { preset: 'CNN', filters: 8, dropout: 0.2 },
  fit: { epochs: 12, batchSize: 32, earlyStopping: { patience: 12 } },
});

interface Changes extends NodeJS.ProcessEnv {
  readonly spec?: string;
}

function start(place: Folder, changes: Changes = {}, prefix: readonly string[] = []): Process {
  const { spec, ...environment } = changes;
  mkdirSync(`${place.path}/volume`, { recursive: true });
  return trainer(['train', '--termination-message', `${place.path}/last-words`], {
    [trainerEnv.spec]: spec ?? JSON.stringify(digits),
    [trainerEnv.volume]: `${place.path}/volume`,
    [trainerEnv.sourceDirectory]: digitsCsv.replace('/digits.csv', ''),
    [trainerEnv.checkpointKeep]: '2',
    ...environment,
  }, prefix);
}

const lastWords = (place: Folder): TrainingResult & TrainingFailure => JSON.parse(readFileSync(`${place.path}/last-words`, 'utf8')) as TrainingResult & TrainingFailure;
const epochs = (process: Process): number => process.output().split('"Epoch ended"').length - 1;

describe('the training process', function suite() {
  this.timeout(300_000);
  let undisturbed: TrainingResult;

  before(async () => {
    await using place = await folder();
    const run = start(place);
    expect(await run.exit, run.output()).to.deep.equal({ code: 0, signal: null });
    undisturbed = lastWords(place);
  });

  it('ends with the same model after kill -9 at any time', async () => {
    await using place = await folder();
    for (let kills = 0; kills < 4; kills++) {
      const run = start(place);
      const awaited = 1 + Math.floor(Math.random() * 2);
      await until(() => epochs(run) >= awaited || run.child.exitCode !== null, 'an epoch ends', 60);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
      run.child.kill('SIGKILL');
      await run.exit;
    }
    const last = start(place);
    expect(await last.exit, last.output()).to.deep.equal({ code: 0, signal: null });
    expect(lastWords(place).model).to.deep.equal(undisturbed.model);
  });

  it('writes a checkpoint on SIGTERM, exits with 143, and goes on to the same model', async () => {
    await using place = await folder();
    const first = start(place, { [trainerEnv.checkpointIntervalSeconds]: '3600' });
    await until(() => epochs(first) >= 2, 'two epochs end', 60);
    first.child.kill('SIGTERM');
    expect(await first.exit, first.output()).to.deep.equal({ code: 143, signal: null });
    expect(readdirSync(`${place.path}/volume/checkpoints`)).to.have.length(1);
    expect(existsSync(`${place.path}/last-words`)).to.equal(false);
    const second = start(place);
    expect((await second.exit).code, second.output()).to.equal(0);
    expect(second.output()).to.contain('Going on from a checkpoint');
    expect(lastWords(place).model).to.deep.equal(undisturbed.model);
  });

  it('exits with 143 on SIGTERM before it has learnt anything', async () => {
    await using place = await folder();
    const server = createServer((_, response) => void response.writeHead(200, { 'content-length': 1000 }).write('a,b\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slow.csv`;
    const run = start(place, { spec: JSON.stringify({ ...digits, data: { ...digits.data, source: { ...digits.data.source, uri } } }) });
    await new Promise((resolve) => server.once('request', resolve));
    run.child.kill('SIGTERM');
    expect(await run.exit, run.output()).to.deep.equal({ code: 143, signal: null });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('loses no earlier checkpoint on a full disk, and says so', async () => {
    await using place = await folder();
    const first = start(place, { [trainerEnv.checkpointIntervalSeconds]: '3600' });
    await until(() => epochs(first) >= 2, 'two epochs end', 60);
    first.child.kill('SIGTERM');
    await first.exit;
    const before = readdirSync(`${place.path}/volume/checkpoints`);
    // No file may grow beyond 16 KiB: a write fails in its middle, as on a full disk.
    const full = start(place, {}, ['prlimit', '--fsize=16384']);
    expect(await full.exit, full.output()).to.deep.equal({ code: 1, signal: null });
    expect(full.output()).to.contain('Checkpoint could not be written');
    expect(lastWords(place).error.code).to.equal('VOLUME_WRITE');
    expect(readdirSync(`${place.path}/volume/checkpoints`)).to.deep.equal(before);
    expect(existsSync(`${place.path}/volume/model`)).to.equal(false);
    const last = start(place);
    await last.exit;
    expect(lastWords(place).model).to.deep.equal(undisturbed.model);
  });

  it('tells a configuration error in its last words and by exit code 2', async () => {
    await using place = await folder();
    const run = start(place, { spec: JSON.stringify({ ...digits, data: { ...digits.data, target: 'digit' } }) });
    expect((await run.exit).code).to.equal(2);
    expect(lastWords(place).error).to.include({ code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.data.target' });
    const broken = start(place, { spec: '{' });
    expect((await broken.exit).code).to.equal(2);
    expect(lastWords(place).error).to.include({ code: 'SPEC_INVALID', at: trainerEnv.spec });
  });

  it('says that the data do not fit into memory', async () => {
    await using place = await folder();
    const uri = place.write('rows.csv', `name,y\n${Array.from({ length: 400_000 }, (_, row) => `${'name'.repeat(12)}-${row},${row % 2}`).join('\n')}\n`);
    const run = start(place, { spec: JSON.stringify({ ...digits, data: { ...digits.data, source: { ...digits.data.source, uri }, target: 'y' } }), NODE_OPTIONS: '--max-old-space-size=40' });
    expect((await run.exit).code, run.output()).to.equal(2);
    expect(lastWords(place).error).to.include({ code: 'OUT_OF_MEMORY', at: 'spec.pod.resources' });
  });

  it('pushes progress to the leader with its token', async () => {
    await using place = await folder();
    place.write('token', 'secret-token\n');
    const reports: { report: ProgressReport; authorization: string | undefined }[] = [];
    const leader = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => {
        reports.push({ report: JSON.parse(body) as ProgressReport, authorization: request.headers.authorization });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => leader.listen(0, '127.0.0.1', resolve));
    const target = `http://127.0.0.1:${(leader.address() as AddressInfo).port}/progress`;
    const follower = createServer((_, response) => void response.writeHead(307, { location: target }).end());
    await new Promise<void>((resolve) => follower.listen(0, '127.0.0.1', resolve));
    const run = start(place, { [trainerEnv.progressUrl]: `http://127.0.0.1:${(follower.address() as AddressInfo).port}/progress`, [trainerEnv.tokenFile]: `${place.path}/token`, [trainerEnv.attempt]: '2' });
    expect((await run.exit).code, run.output()).to.equal(0);
    await Promise.all([leader, follower].map((server) => new Promise((resolve) => server.close(resolve))));
    expect(new Set(reports.map(({ authorization }) => authorization))).to.deep.equal(new Set(['Bearer secret-token']));
    expect(reports.at(-1)?.report).to.include({ attempt: 2, epoch: 12, epochs: 12, percent: 100 });
    expect(run.output()).not.to.contain('secret-token');
  });

  it('trains without an operator to tell', async () => {
    await using place = await folder();
    const run = start(place, { [trainerEnv.progressUrl]: 'http://127.0.0.1:9/progress' });
    expect((await run.exit).code, run.output()).to.equal(0);
    expect(lastWords(place).model).to.deep.equal(undisturbed.model);
  });
});
