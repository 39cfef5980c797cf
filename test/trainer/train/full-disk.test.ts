import { createCipheriv } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainingFailure } from '@anneal/operator/api';
import { trainerEnv, volumeLayout } from '@anneal/operator/api';
import { sha256 } from '../../../trainer-image/src/files.ts';
import { digitsCsv, folder, trainer, trainerSpec, until } from '../support.ts';
import type { Folder, Process } from '../support.ts';

/** Plain gradient descent keeps nothing beside the weights, so that a checkpoint is smaller than the model's ONNX file. */
const digits = (uri: string): object => trainerSpec({
  data: { source: { uri }, target: 'label', pipeline: [{ scale: { method: 'MinMax' } }] },
  model: { preset: 'MLP', units: [64] },
  fit: { epochs: 30, batchSize: 8, optimizer: { name: 'SGD' } },
});

/** Rows of such a length that their table is worth a file on the volume. */
function notes(): string {
  const [rows, bytes] = [400, 75_000];
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(rows * bytes));
  return `x,colour,note\n${Array.from({ length: rows }, (_, row) => `${row % 2 === 0 ? row : -row},${row % 2 === 0 ? 'red' : 'blue'},${noise.toString('base64', row * bytes, (row + 1) * bytes)}`).join('\n')}\n`;
}

const withNotes = (uri: string): object => trainerSpec({
  data: { source: { uri }, target: 'colour', pipeline: [{ drop: { columns: ['note'] } }, { scale: {} }] },
  model: { preset: 'MLP', units: [8] },
  fit: { epochs: 100, batchSize: 8 },
});

interface Case {
  /** Bytes that a file may have, or the file of the volume that is to be a byte too large. */
  readonly limit: number | string;
  readonly source: 'Mounted' | 'Web' | 'Notes';
  /** Removed before: what an earlier attempt wrote. */
  readonly gone: string;
  readonly code: 0 | 1;
  readonly says: string;
}

const cases: Readonly<Record<string, Case>> = {
  'a download': { limit: statSync(digitsCsv).size - 1, source: 'Web', gone: 'data', code: 1, says: 'Data could not be written' },
  'the table of the rows': { limit: 1024 ** 2, source: 'Notes', gone: 'data', code: 1, says: 'The rows could not be written to the volume' },
  'the report of the data': { limit: `${volumeLayout.reports}/data-report.html`, source: 'Mounted', gone: volumeLayout.reports, code: 0, says: 'Report of the data could not be written' },
  'the ONNX file': { limit: 'model/model.onnx', source: 'Mounted', gone: 'data', code: 1, says: 'The model could not be written' },
  'the page of the evaluation': { limit: 'model/evaluation.html', source: 'Mounted', gone: 'data', code: 1, says: 'The model could not be written' },
};

function start(place: Folder, spec: object, prefix: readonly string[] = []): Process {
  mkdirSync(`${place.path}/volume`, { recursive: true });
  return trainer(['train', '--termination-message', `${place.path}/last-words`], {
    [trainerEnv.spec]: JSON.stringify(spec),
    [trainerEnv.volume]: `${place.path}/volume`,
    [trainerEnv.sourceDirectory]: path.dirname(digitsCsv),
    [trainerEnv.checkpointIntervalSeconds]: '3600',
  }, prefix);
}

const within = (place: Folder, name: string): string => path.join(place.path, 'volume', name);
const weightsIn = (place: Folder): string => sha256(readFileSync(within(place, 'model/weights.bin')));
const checkpointsIn = (place: Folder): string[] => readdirSync(within(place, volumeLayout.checkpoints)).sort();

describe('a full disk', function suite() {
  this.timeout(300_000);
  let server: Server;

  before(async () => {
    server = createServer((_, response) => void response.end(readFileSync(digitsCsv)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const specOf = (source: Case['source'], place: Folder): object => {
    switch (source) {
      case 'Mounted': return digits('configmap://digits/digits.csv');
      case 'Web': return digits(`http://127.0.0.1:${(server.address() as AddressInfo).port}/digits.csv`);
      case 'Notes': return withNotes(place.write('rows.csv', notes()));
    }
  };

  for (const [what, { limit, source, gone, code, says }] of Object.entries(cases)) {
    it(`under ${what} loses no checkpoint, leaves nothing half-written, and is gone on from`, async () => {
      await using data = await folder();
      const spec = specOf(source, data);
      await using whole = await folder();
      const undisturbed = start(whole, spec);
      expect((await undisturbed.exit).code, undisturbed.output()).to.equal(0);
      const bytes = typeof limit === 'number' ? limit : statSync(within(whole, limit)).size - 1;

      await using place = await folder();
      const first = start(place, spec);
      await until(() => first.output().includes('"epoch":2') || first.child.exitCode !== null, 'two epochs end', 60);
      first.child.kill('SIGTERM');
      expect((await first.exit).code, first.output()).to.equal(143);
      const before = checkpointsIn(place);
      rmSync(within(place, gone), { recursive: true, force: true });

      // No file may grow beyond the limit: a write fails in its middle, as on a full disk.
      const full = start(place, spec, ['prlimit', `--fsize=${bytes}`]);
      expect((await full.exit).code, full.output()).to.equal(code);
      expect(full.output()).to.contain(says);
      expect(checkpointsIn(place)).to.include.members(before);
      expect(existsSync(within(place, 'model'))).to.equal(code === 0);
      expect(readdirSync(within(place, ''), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'))).to.deep.equal([]);
      if (code === 1) expect((JSON.parse(readFileSync(`${place.path}/last-words`, 'utf8')) as TrainingFailure).error.code).to.equal('VOLUME_WRITE');

      const last = start(place, spec);
      expect((await last.exit).code, last.output()).to.equal(0);
      expect(weightsIn(place)).to.equal(weightsIn(whole));
    });
  }
});
