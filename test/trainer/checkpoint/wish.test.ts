import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ProgressReport } from '@anneal/operator/api';
import { trainerEnv } from '@anneal/operator/api';
import { hearControl, speakControl } from '../../../trainer-image/src/train/control.ts';
import { blobs, folder, succeeded, train, trainer, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

const colours = (place: Folder, epochs = 6) => trainerSpec({
  data: { source: { uri: place.write('rows.csv', blobs(203)) }, target: 'colour' },
  model: { preset: 'MLP', units: [8], dropout: 0.3 },
  fit: { epochs, batchSize: 16 },
});

/** True at the n-th question only. */
const at = (polls: number): (() => boolean) => () => polls-- === 0;

const filesOf = (model: string): Record<string, string> => Object.fromEntries(readdirSync(model).sort().map((name) => [name, readFileSync(`${model}/${name}`, 'base64')]));

describe('a checkpoint that is asked for', function suite() {
  this.timeout(120_000);

  it('is written at the next step, also in the middle of an epoch, and a run that goes on from it equals an undisturbed one', async () => {
    await using undisturbed = await folder();
    const spec = colours(undisturbed);
    succeeded(await train(spec, undisturbed.path));
    await using place = await folder();
    let steps = 0;
    const outcome = await train(spec, place.path, {
      checkpointIntervalSeconds: 3600,
      checkpointRequested: at(12),
      // A kill, as far as the volume is concerned: the step after the checkpoint throws, and nothing more is written.
      stopRequested: () => {
        if (steps++ === 20) throw new Error('killed');
        return false;
      },
    });
    expect(outcome.kind).to.equal('Failed');
    const [only = '', ...others] = readdirSync(`${place.path}/checkpoints`);
    expect([only, others]).to.deep.equal(['epoch-000001-step-000000013', []]);
    succeeded(await train(spec, place.path, { checkpointIntervalSeconds: 3600 }));
    expect(filesOf(`${place.path}/model`)).to.deep.equal(filesOf(`${undisturbed.path}/model`));
  });

  it('follows the interval that the operator last told, and says how long each write took', async () => {
    await using place = await folder();
    const reports: ProgressReport[] = [];
    succeeded(await train(colours(place), place.path, { checkpointIntervalSeconds: 3600, checkpointInterval: () => 1e-6, checkpointKeep: 100, onReport: (report) => reports.push(report) }));
    expect(readdirSync(`${place.path}/checkpoints`)).to.have.length(54);
    expect(reports.at(-1)?.checkpoint?.writeSeconds).to.be.above(0);
  });
});

describe('what the main thread tells the training thread', () => {
  it('is obeyed once for each wish, however often it is told', () => {
    const speaker = speakControl();
    const heard = hearControl(speaker.memory);
    expect([heard.stopRequested(), heard.checkpointRequested(), heard.checkpointInterval()]).to.deep.equal([false, false, undefined]);
    for (const wish of ['node-a/taint', 'node-a/taint', 'node-a/taint']) speaker.heed({ checkpointNow: wish, checkpointIntervalSeconds: 12.4 });
    expect([heard.checkpointRequested(), heard.checkpointRequested(), heard.checkpointInterval()]).to.deep.equal([true, false, 12]);
    speaker.heed({});
    expect([heard.checkpointRequested(), heard.checkpointInterval()]).to.deep.equal([false, 12]);
    speaker.heed({ checkpointNow: 'node-b/taint' });
    speaker.stop();
    expect([heard.checkpointRequested(), heard.stopRequested()]).to.deep.equal([true, true]);
  });
});

describe('the training process', function suite() {
  this.timeout(120_000);

  it('writes a checkpoint when the answer to its report asks for one', async () => {
    await using place = await folder();
    const written: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString())).on('end', () => {
        const { checkpoint } = JSON.parse(body) as ProgressReport;
        if (checkpoint?.path !== undefined) written.push(checkpoint.path);
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ checkpointNow: 'notice' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const run = trainer(['train', '--termination-message', `${place.path}/last-words`], {
      [trainerEnv.spec]: JSON.stringify(colours(place, 20_000)),
      [trainerEnv.volume]: `${place.path}/volume`,
      [trainerEnv.checkpointIntervalSeconds]: '3600',
      [trainerEnv.progressUrl]: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    });
    const deadline = Date.now() + 60_000;
    while (written.length === 0 && Date.now() < deadline && run.child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
    run.child.kill('SIGTERM');
    expect((await run.exit).code, run.output()).to.equal(143);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(written[0], run.output()).to.match(/^checkpoints\/epoch-\d{6}/);
  });
});
