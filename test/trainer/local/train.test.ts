import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { blobs, folder, root, until } from '../support.ts';
import type { Folder } from '../support.ts';
import { annealTrain, ended, jobYaml } from './support.ts';

const digitsJob = path.join(root, 'docs/examples/digits/1-train.yaml');
const digitsMount = ['--mount', `configmap://digits=${path.join(root, 'docs/examples/digits')}`];

interface Document {
  readonly outcome: string;
  readonly alreadyThere: boolean;
  readonly metrics: Readonly<Record<string, number>>;
  readonly model: { readonly path: string; readonly digest: string };
  readonly peakMemoryBytes: number;
  readonly serve: string;
  readonly ask: string;
}

/** The job in its own folder, with the data beside. */
async function withBlobs(options: Parameters<typeof jobYaml>[1] = {}, rows = 200): Promise<Folder> {
  const place = await folder();
  writeFileSync(path.join(place.path, 'job.yaml'), jobYaml(place.write('blobs.csv', blobs(rows)), options));
  return place;
}

describe('anneal-train', function suite() {
  this.timeout(300_000);

  describe('on the digits of the examples', () => {
    let place: Folder;
    let first: { readonly code: number | null; readonly stdout: string; readonly stderr: string };
    const args = ['-f', digitsJob, ...digitsMount, '--set', 'fit.epochs=6', '--set', 'model.filters=8'];

    before(async () => {
      place = await folder();
      first = await ended(args, { directory: place.path });
    });
    after(async () => place[Symbol.asyncDispose]());

    it('trains into a folder with the name of the job', () => {
      expect(first.code, first.stderr).to.equal(0);
      expect(readdirSync(path.join(place.path, 'digits'))).to.have.members(['attempts', 'checkpoints', 'model', 'reports']);
      const report = JSON.parse(readFileSync(path.join(place.path, 'digits/reports/run.json'), 'utf8')) as Document & { readonly spec: object };
      expect(report.metrics.test_accuracy).to.be.above(0.5);
      expect(report).to.have.nested.property('spec.fit.optimizer.name', 'Adam');
    });

    it('tells each epoch, the metrics, the confusion matrix and where the model is', () => {
      expect(first.stderr).to.contain('"digits.csv": 1,797 rows of 65 columns.\nwarning: No feature is expected to be the same in every row');
      expect(first.stderr).to.contain('\nClassification: 1,257 rows train, 270 validate, 270 test; 64 numbers a row.\n');
      expect(first.stderr.match(/^epoch \d\/6: loss /gm)).to.have.length(6);
      expect(first.stdout).to.match(/^Trained digits in /);
      expect(first.stdout).to.match(/^accuracy +0\.\d+ +0\.\d+ +0\.\d+$/m);
      expect(first.stdout).to.match(/^ +0 +1 +2 +3 +4 +5 +6 +7 +8 +9\n0 /m);
      expect(first.stdout).to.contain('Model: digits/model (');
    });

    it('says that the model is there when it is run again', async () => {
      const again = await ended([...args, '--json'], { directory: place.path });
      expect(again.code, again.stderr).to.equal(0);
      const document = JSON.parse(again.stdout) as Document;
      expect(document).to.include({ outcome: 'Succeeded', alreadyThere: true });
      expect(first.stdout).to.contain(document.model.digest);
      const told = await ended(args, { directory: place.path });
      expect(told.stdout).to.match(/^The model of this spec and these data is already there; nothing was trained\./);
    });

    it('gives a command that serves the model, and one that asks it', async () => {
      const [, serve = '', ask = ''] = /Serve it:\n {2}anneal-train (.*)\nAsk it:\n {2}(curl .*)\n/.exec(first.stdout) ?? [];
      const server = annealTrain([...serve.split(' '), '--port', '0', '--drain-seconds', '0'], { directory: place.path });
      await until(() => server.stdout().includes('Model is ready'), 'the model is served', 120);
      const [, port = ''] = /"port":(\d+)/.exec(server.stdout()) ?? [];
      const { stdout } = await promisify(execFile)('sh', ['-c', ask.replace(':8080', `:${port}`)]);
      const { outputs } = JSON.parse(stdout) as { outputs: { name: string; data: unknown[] }[] };
      expect(outputs.map(({ name }) => name)).to.deep.equal(['label', 'probabilities']);
      expect(outputs[0]?.data).to.have.length(1);
      server.child.kill('SIGTERM');
      expect(await server.exit).to.equal(0);
    });
  });

  it('writes a checkpoint on Ctrl-C, says how to go on, and does', async () => {
    await using place = await withBlobs({ fit: '{epochs: 2000, batchSize: 16}' });
    const run = annealTrain(['-f', 'job.yaml', '--out', 'out'], { directory: place.path });
    await until(() => run.stderr().includes('epoch 3/2000'), 'three epochs end', 120);
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    expect(await run.exit, run.stderr()).to.equal(143);
    const [, epoch = ''] = /Stopped after epoch (\d+), step \d+; the checkpoint is out\/checkpoints\/epoch-/.exec(run.stderr()) ?? [];
    expect(Number(epoch)).to.be.at.least(3);
    expect(run.stderr()).to.contain('Go on with: anneal-train -f job.yaml --out out\n');
    expect(existsSync(path.join(place.path, 'out/model'))).to.equal(false);
    const second = annealTrain(['-f', 'job.yaml', '--out', 'out'], { directory: place.path });
    await until(() => /epoch \d+\/2000: /.test(second.stderr()), 'an epoch ends', 120);
    second.child.kill('SIGINT');
    expect(await second.exit).to.equal(143);
    expect(second.stderr()).to.contain(`Going on after epoch ${epoch}, step `);
  });

  it('trains the same model as one that was never stopped', async () => {
    await using place = await withBlobs({ fit: '{epochs: 60, batchSize: 16}' });
    const whole = await ended(['-f', 'job.yaml', '--out', 'whole', '--json'], { directory: place.path });
    const run = annealTrain(['-f', 'job.yaml', '--out', 'stopped'], { directory: place.path });
    await until(() => run.stderr().includes('epoch 2/60') || run.child.exitCode !== null, 'two epochs end', 120);
    run.child.kill('SIGINT');
    await run.exit;
    const rest = await ended(['-f', 'job.yaml', '--out', 'stopped', '--json'], { directory: place.path });
    expect((JSON.parse(rest.stdout) as Document).model.digest).to.equal((JSON.parse(whole.stdout) as Document).model.digest);
  });

  it('begins anew when the spec has changed, and says so', async () => {
    await using place = await withBlobs();
    await ended(['-f', 'job.yaml'], { directory: place.path });
    const changed = await ended(['-f', 'job.yaml', '--set', 'fit.seed=1'], { directory: place.path });
    expect(changed.code).to.equal(0);
    expect(changed.stderr).to.contain('warning: The checkpoint epoch-000003 is not gone on from, since it is of another spec or other data.');
    expect(changed.stdout).to.match(/^Trained blobs in /);
  });

  it('leaves a folder alone that is not its own', async () => {
    await using place = await withBlobs();
    mkdirSync(path.join(place.path, 'blobs/model'), { recursive: true });
    const refused = await ended(['-f', 'job.yaml'], { directory: place.path });
    expect(refused).to.include({ code: 2, stderr: 'error: The folder blobs holds other files, for example model. Write --out with a folder that is empty or not there yet. (COMMAND_INVALID)\n' });
    expect(readdirSync(path.join(place.path, 'blobs'))).to.deep.equal(['model']);
  });

  it('ends where no folder can be made', async () => {
    await using place = await withBlobs();
    const { code, stderr } = await ended(['-f', 'job.yaml', '--out', '/proc/blobs/run'], { directory: place.path });
    expect(stderr).to.match(/^error: The job's volume cannot be written to: .*mkdir '\/proc\/blobs'.* \(VOLUME_WRITE\)\n$/);
    expect(code).to.equal(1);
  });

  it('ends a run that another has followed into the same folder', async () => {
    await using place = await withBlobs({ fit: '{epochs: 100000, batchSize: 16}' }, 2000);
    const first = annealTrain(['-f', 'job.yaml'], { directory: place.path });
    await until(() => first.stderr().includes('epoch 1/'), 'an epoch ends', 120);
    const second = annealTrain(['-f', 'job.yaml'], { directory: place.path });
    expect(await first.exit).to.equal(1);
    expect(first.stderr()).to.match(/error: This is attempt 1 of trainer-0, and attempt 2 has taken its place\. It writes nothing more\. \(SUPERSEDED\)/);
    second.child.kill('SIGINT');
    expect(await second.exit).to.equal(143);
  });

  describe('says what is wrong in one line', () => {
    const cases: readonly (readonly [string, readonly string[], string, RegExp])[] = [
      ['bad YAML', [], 'data: [\n', /^error: - is no YAML: .* \(SPEC_INVALID at -\)\n$/],
      ['a wrong path', ['--file', 'none.yaml'], '', /^error: There is no file none\.yaml\. .* \(COMMAND_INVALID\)\n$/],
      ['an unknown flag', ['--epochs', '3'], '', /^error: Unknown option '--epochs'\. See anneal-train --help\. \(COMMAND_INVALID\)\n$/],
      ['an unknown field', [], jobYaml('file:///x', { fit: '{epoch: 3}' }), /^error: unknown field "spec\.trainer\.fit\.epoch"; did you mean "epochs"\? \(SPEC_INVALID at spec\.trainer\.fit\.epoch\)\n$/],
      ['a broken rule', [], jobYaml('file:///x').replace('MLP, units: [8]', 'CNN'), /^error: write data\.features\.shape as \[height, width, channels\].* \(SPEC_INVALID at spec\.trainer\)\n$/],
      ['a source in a cluster', [], jobYaml('configmap://digits/digits.csv'), /^error: configmap:\/\/digits\/digits\.csv lies in a cluster\. .* \(SPEC_SOURCE at spec\.trainer\.data\.source\.uri\)\n$/],
      ['a file that is not there', [], jobYaml('file:///none.csv'), /^error: There is no readable file at file:\/\/\/none\.csv[;.] .* \(DATA_NOT_FOUND at spec\.trainer\.data\.source\.uri\)\n$/],
    ];
    for (const [what, args, input, said] of cases) {
      it(`of ${what}`, async () => {
        await using place = await folder();
        const { code, stderr, stdout } = await ended(args.includes('--file') ? args : ['-f', '-', ...args], { directory: place.path, input });
        expect(stderr).to.match(said);
        expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
      });
    }

    it('of each of several fields, and as JSON when asked', async () => {
      await using place = await folder();
      const { code, stderr, stdout } = await ended(['-f', '-', '--json'], { directory: place.path, input: jobYaml('ftp://x', { fit: '{epochs: 0}' }) });
      expect(code).to.equal(2);
      expect(stderr.trimEnd().split('\n')).to.have.length(2);
      expect(JSON.parse(stdout)).to.have.nested.property('errors[0].at', 'spec.trainer.fit.epochs');
    });
  });

  it('names once what takes a cluster', async () => {
    await using place = await withBlobs({ spec: '  replicas: 2\n  backup: {on: [Succeeded]}\n' });
    const { code, stderr } = await ended(['-f', 'job.yaml'], { directory: place.path });
    expect(code, stderr).to.equal(0);
    expect(stderr).to.contain('Not used here, since it takes a cluster: replicas, backup.\n');
  });

  it('asks for the key that a cluster has in a Secret', async () => {
    await using place = await withBlobs();
    const args = ['-f', 'job.yaml', '--set', 'data.privacy.pseudonymise={columns: [name], key: {secretName: pseudonyms, key: current}}'];
    const { code, stderr } = await ended(args, { directory: place.path });
    expect(code).to.equal(2);
    expect(stderr).to.match(/^error: .*--pseudonym-key FILE\. \(PRIVACY_KEY at spec\.trainer\.data\.privacy\.pseudonymise\.key\)\n$/);
    const missing = await ended([...args, '--pseudonym-key', 'none'], { directory: place.path });
    expect(missing.stderr).to.contain('PRIVACY_KEY').and.contain(path.join(place.path, 'none'));
  });

  it('prints how it is used', async () => {
    await using place = await folder();
    const { code, stdout } = await ended(['--help'], { directory: place.path });
    expect(code).to.equal(0);
    expect(stdout).to.contain('--dry-run').and.contain('anneal-train serve');
  });

  it('needs the Node.js that it says it needs', () => {
    const text = readFileSync(path.join(root, 'trainer-image/bin/anneal-train.cjs'), 'utf8');
    const told: string[] = [];
    const old = { versions: { node: '20.20.2' }, version: 'v20.20.2', stderr: { write: (line: string) => told.push(line) }, exit: (code: number) => { throw new Error(`exit ${code}`); } };
    // As an old Node.js runs it: nothing of its text may be newer than ECMAScript 5.
    const launch = (): unknown => runInNewContext(text.replace(/^#!.*\n/, ''), { process: old, require: () => expect.fail('It went on.') });
    expect(launch).to.throw('exit 2');
    expect(told).to.deep.equal(['error: anneal-train needs Node.js 24 or later, and this is v20.20.2. Install it from https://nodejs.org and run the command again.\n']);
    expect(text).not.to.match(/\b(?:const|let|import|async)\b|=>|`/);
  });
});
