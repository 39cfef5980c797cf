import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, watch } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import { trainerEnv, volumeLayout } from '@anneal/operator/api';
import { sha256 } from '../../../trainer-image/src/files.ts';
import { digitsCsv, folder, trainer, trainerSpec, until } from '../support.ts';
import type { Folder, Process } from '../support.ts';

const epochs = 4;
const lastCheckpoint = `epoch-00000${epochs}`;

const specFor = (uri: string): string => JSON.stringify(trainerSpec({
  data: { source: { uri }, target: 'label', features: { shape: [40] }, pipeline: [{ scale: { method: 'MinMax' } }, { select: { method: 'MutualInformation', keep: 40 } }] },
  model: { preset: 'MLP', units: [256], dropout: 0.2 },
  fit: { epochs, batchSize: 32 },
  evaluation: { intervals: { resamples: 500 }, importance: { repeats: 20 } },
}));

interface Start {
  readonly graceSeconds?: number;
  readonly uri?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

function start(place: Folder, { graceSeconds = 60, uri = 'configmap://digits/digits.csv', environment = {} }: Start = {}): Process {
  mkdirSync(`${place.path}/volume`, { recursive: true });
  return trainer(['train', '--termination-message', `${place.path}/last-words`, '--grace-seconds', String(graceSeconds)], {
    [trainerEnv.spec]: specFor(uri),
    [trainerEnv.volume]: `${place.path}/volume`,
    [trainerEnv.sourceDirectory]: path.dirname(digitsCsv),
    [trainerEnv.checkpointIntervalSeconds]: '3600',
    ...environment,
  });
}

/** Resolves at once when a line of the log says it. */
const says = (mark: string) => (run: Process): Promise<void> => new Promise((resolve) => run.child.stdout?.on('data', () => {
  if (run.output().includes(mark)) resolve();
}));

/** Resolves at once when a name that begins so comes to be in a folder of the volume. */
const writes = (below: string, beginning: string) => (_: Process, place: Folder): Promise<void> => new Promise((resolve) => {
  const at = path.join(place.path, 'volume', below);
  mkdirSync(at, { recursive: true });
  const watcher = watch(at, (_event, name) => {
    if (name?.startsWith(beginning) !== true) return;
    watcher.close();
    resolve();
  });
});

/** What is at work, and how one sees that it has begun. */
const phases: Readonly<Record<string, (run: Process, place: Folder) => Promise<void>>> = {
  'it reads the rows': writes(volumeLayout.attempts, 'trainer-0.json'),
  'it looks at the data': says('Data read'),
  'it writes the report of the data': writes(volumeLayout.reports, '.tmp-'),
  'it fits the pipeline': writes(volumeLayout.reports, 'data-report.html'),
  'it learns': says('"epoch":2'),
  'it evaluates, with bootstrap and importance': writes(volumeLayout.checkpoints, lastCheckpoint),
  'it compares the ONNX form': says('Model evaluated'),
  'it writes the model': writes('', '.tmp-model'),
};

const weightsIn = (place: Folder): string => sha256(readFileSync(`${place.path}/volume/model/weights.bin`));

/** Names that were to be renamed once they were whole. */
const leftovers = (place: Folder): string[] => readdirSync(`${place.path}/volume`, { recursive: true, encoding: 'utf8' }).filter((name) => path.basename(name).startsWith('.tmp-'));

async function signalled(run: Process, begun: Promise<void>): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  await Promise.race([begun, run.exit]);
  expect(run.child.exitCode, run.output()).to.equal(null);
  run.child.kill('SIGTERM');
  try {
    await until(() => run.child.exitCode !== null || run.child.signalCode !== null, `the process ends: ${run.output()}`, 60);
    return await run.exit;
  } finally {
    run.child.kill('SIGKILL');
  }
}

async function listening(answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Half of a file, and the rest only when it is asked for from there. */
function halfServer(content: Buffer): Promise<Server> {
  return listening(({ headers: { range } }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { 'etag': '"digits"', 'content-length': content.length - from, ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}) });
    if (from > 0) response.end(content.subarray(from));
    else response.write(content.subarray(0, halfOf(content)));
  });
}

const halfOf = (content: Buffer): number => content.length >> 1;

/** Bytes of downloads that have not come whole. */
function arrived(place: Folder): number {
  const partial = `${place.path}/volume/data/files/partial`;
  return existsSync(partial) ? Math.max(0, ...readdirSync(partial).map((name) => statSync(path.join(partial, name), { throwIfNoEntry: false })?.size ?? 0)) : 0;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

describe('SIGTERM', function suite() {
  this.timeout(300_000);
  let undisturbed: string;

  before(async () => {
    await using place = await folder();
    const run = start(place);
    expect((await run.exit).code, run.output()).to.equal(0);
    undisturbed = weightsIn(place);
  });

  async function expectGoesOn(place: Folder, how: Start = {}): Promise<Process> {
    const next = start(place, how);
    expect((await next.exit).code, next.output()).to.equal(0);
    expect(weightsIn(place)).to.equal(undisturbed);
    expect(leftovers(place)).to.deep.equal([]);
    return next;
  }

  for (const [phase, begins] of Object.entries(phases)) {
    it(`while ${phase} ends the process when the grace time is over, and the next one comes to the same weights`, async () => {
      await using place = await folder();
      const first = start(place, { graceSeconds: 0 });
      const { code, signal } = await signalled(first, begins(first, place));
      expect(signal, first.output()).to.equal(null);
      // What was done before the thread could be ended is done.
      expect(code, first.output()).to.equal(existsSync(`${place.path}/volume/model`) ? 0 : 143);
      if (code === 0) expect(weightsIn(place)).to.equal(undisturbed);
      await expectGoesOn(place);
    });
  }

  it('costs nothing that was learnt, also when it comes after the last epoch', async () => {
    await using place = await folder();
    const first = start(place, { graceSeconds: 0 });
    expect((await signalled(first, writes(volumeLayout.checkpoints, lastCheckpoint)(first, place))).code).to.equal(143);
    const second = await expectGoesOn(place);
    expect(second.output()).to.contain('Going on from a checkpoint').and.not.to.contain('Epoch ended');
  });

  it('lets a run that can finish within the grace time do so', async () => {
    await using place = await folder();
    const run = start(place);
    expect((await signalled(run, writes(volumeLayout.checkpoints, lastCheckpoint)(run, place))).code, run.output()).to.equal(0);
    expect(weightsIn(place)).to.equal(undisturbed);
  });

  it('ends a download from a server that has fallen silent, and the next one goes on with what came', async () => {
    await using place = await folder();
    const content = readFileSync(digitsCsv);
    const server = await halfServer(content);
    const uri = `${addressOf(server)}/digits.csv`;
    const first = start(place, { uri });
    expect((await signalled(first, until(() => arrived(place) === halfOf(content), 'half of the file comes'))).code, first.output()).to.equal(143);
    await expectGoesOn(place, { uri });
    await closed(server);
  });

  for (const [what, asks] of Object.entries({ 'its own': trainerEnv.checkpointBucket, 'another job\'s': trainerEnv.restoreFrom })) {
    it(`ends the wait for a bucket that does not answer, with ${what} checkpoints`, async () => {
      await using place = await folder();
      let ask = (): void => undefined;
      const asked = new Promise<void>((resolve) => (ask = resolve));
      const server = await listening(() => ask());
      const bucket = { bucket: 'b', prefix: 'p', endpoint: addressOf(server), region: 'us-east-1', addressing: 'Path' };
      const run = start(place, { environment: { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's', [asks]: JSON.stringify(asks === trainerEnv.restoreFrom ? { bucket } : bucket) } });
      expect((await signalled(run, asked)).code, run.output()).to.equal(143);
      await closed(server);
      await expectGoesOn(place);
    });
  }
});
