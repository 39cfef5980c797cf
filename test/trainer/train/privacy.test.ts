import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { textColumn } from '../../../trainer-image/src/data/table.ts';
import type { Table } from '../../../trainer-image/src/data/table.ts';
import { loadPredictor } from '../../../trainer-image/src/serve/predictor.ts';
import type { TrainingOutcome } from '../../../trainer-image/src/train/order.ts';
import { codeOf, folder, succeeded, train, trainerSpec } from '../support.ts';
import type { Folder } from '../support.ts';

/** Every value that must never be seen again has this in it. */
const canary = 'canary';
const secret = '00112233445566778899aabbccddeeff';
const rows = 240;

/** Cards that tell the class, names, a job that one person has, and cities. */
function people(): string {
  const lines = ['card,name,job,city,amount,y'];
  for (let row = 0; row < rows; row++) {
    const job = row === 17 ? `${canary}-astronaut` : row % 2 === 0 ? 'cook' : 'nurse';
    const city = row === 23 ? `${canary}-village` : ['Ulm', 'Bonn'][row % 2] ?? '';
    lines.push(`${canary}-card-${row % 8},${canary}-name-${row},${job},${city},${(row * 37) % 101},${row % 4 < 2 ? 'good' : 'bad'}`);
  }
  return `${lines.join('\n')}\n`;
}

const privacy = { pseudonymise: { columns: ['card'], key: { secretName: 'pseudonyms', key: 'current' } }, drop: ['name'], suppress: [{ column: 'job', fewerThan: 5 }], kAnonymity: { quasiIdentifiers: ['city'], k: 5, onViolation: 'Suppress' } };
const pipeline = [{ impute: { strategy: 'MostFrequent', columns: ['job'] } }, { encode: { columns: ['card', 'job', 'city'], unknown: 'Refuse' } }, { scale: {} }];

const spec = (source: Folder, data: object = {}): TrainerSpec => trainerSpec({
  data: { source: { uri: source.write('rows.csv', people()) }, target: 'y', privacy, pipeline, ...data },
  model: { preset: 'MLP', units: [8] },
  fit: { epochs: 8, batchSize: 16, optimizer: { learningRate: 0.05 } },
});

interface Seen {
  readonly outcome: TrainingOutcome;
  /** All that the run left or said. */
  readonly words: string;
}

async function run(volume: Folder, source: Folder, data: object = {}): Promise<Seen> {
  const said: unknown[] = [];
  const outcome = await train(spec(source, data), volume.path, { pseudonymKey: keyFile(source), onLog: (...line) => said.push(line), onReport: (report) => said.push(report) });
  const files = readdirSync(volume.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
  return { outcome, words: [JSON.stringify([outcome, said]), ...files].join('\n') };
}

function keyFile(place: Folder, content = secret): string {
  const file = path.join(place.path, `key-${content.slice(0, 4)}`);
  writeFileSync(file, content);
  return file;
}

const person = (card: string): Table => ({
  rows: 1,
  columns: [textColumn('card', [card]), textColumn('job', ['cook']), textColumn('city', ['Ulm']), { kind: 'Number', name: 'amount', values: Float64Array.of(5) }],
});

describe('a run on personal data', function suite() {
  this.timeout(120_000);

  it('leaves and says nothing of what is private, and serves rows as they come', async () => {
    await using volume = await folder();
    await using source = await folder();
    const { outcome, words } = await run(volume, source);
    expect(succeeded(outcome).metrics.test_accuracy).to.be.above(0.9);
    expect(words).to.not.contain(canary).and.not.contain(secret);
    const preprocessing = readFileSync(path.join(volume.path, 'model/preprocessing.json'), 'utf8');
    const keyId = /"keyId": "([0-9a-f]{16})"/.exec(preprocessing)?.[1];
    expect(keyId).to.be.a('string').and.to.equal(succeeded(outcome).model.pseudonymKeyId);
    expect(JSON.parse(readFileSync(path.join(volume.path, 'model/manifest.json'), 'utf8'))).to.include({ pseudonymKeyId: keyId });
    expect(readdirSync(path.join(volume.path, 'reports')).sort()).to.deep.equal(['data-report.html', 'data-report.json']);
    const report = JSON.parse(readFileSync(path.join(volume.path, 'reports/data-report.json'), 'utf8')) as { rows: number; privacy: { rowsRemoved: number } };
    expect(report).to.include({ rows: rows - 1 });
    expect(report.privacy.rowsRemoved).to.equal(1);

    const predictor = await loadPredictor(path.join(volume.path, 'model'), 1, keyFile(source));
    const labels = await Promise.all(Array.from({ length: 8 }, async (_, card) => (await predictor.predict(person(`${canary}-card-${card}`)))[0]?.data[0]));
    expect(labels).to.deep.equal(['good', 'good', 'bad', 'bad', 'good', 'good', 'bad', 'bad']);
    const stranger = await codeOf(() => predictor.predict(person(`${canary}-card-999`)));
    expect(stranger.code).to.equal('DATA_CATEGORIES');
    expect(stranger.message).to.contain('Row 1 has "(private)" in column "card"').and.not.contain(canary);
    for (const key of [undefined, keyFile(source, 'ffeeddccbbaa99887766554433221100')]) {
      expect(await codeOf(() => loadPredictor(path.join(volume.path, 'model'), 1, key))).to.include({ code: 'PRIVACY_KEY' });
    }
  });

  const failing: readonly (readonly [string, object, string])[] = [
    ['a pseudonym that is scaled', { pipeline: [{ scale: { columns: ['card'] } }] }, 'SPEC_COLUMN_KIND'],
    ['a pseudonym that nothing encodes', { pipeline: [] }, 'DATA_NOT_NUMERIC'],
    ['a step on a column that was dropped', { pipeline: [{ encode: { columns: ['name'] } }] }, 'SPEC_COLUMN_MISSING'],
    ['a pseudonym to regress on', { target: 'card', task: 'Regression' }, 'SPEC_TASK_MISMATCH'],
    ['an expectation of a suppressed column', { expectations: [{ column: 'job', oneOf: ['baker'], onViolation: 'Fail' }] }, 'DATA_EXPECTATION'],
    ['an expectation of pseudonyms', { expectations: [{ column: 'card', unique: true, onViolation: 'Fail' }] }, 'DATA_EXPECTATION'],
    ['rows that can be told apart', { privacy: { ...privacy, kAnonymity: { quasiIdentifiers: ['city', 'amount'], k: 50, onViolation: 'Fail' } } }, 'DATA_PRIVACY'],
    ['a rare value in a column that the model does not see', { features: { exclude: ['job'] }, expectations: [{ rows: { min: 1000 } }] }, 'DATA_EXPECTATION'],
    ['a missing value where a rare one was', { pipeline: [{ encode: {} }] }, 'DATA_NOT_NUMERIC'],
  ];
  for (const [what, data, code] of failing) {
    it(`says nothing of it in an error: ${what}`, async () => {
      await using volume = await folder();
      await using source = await folder();
      const { outcome, words } = await run(volume, source, data);
      expect(outcome.kind === 'Failed' ? outcome.failure.error.code : outcome.kind).to.equal(code);
      expect(words).to.not.contain(canary).and.not.contain(secret);
    });
  }

  it('suppresses rare values also of a column that the model does not see', async () => {
    await using volume = await folder();
    await using source = await folder();
    const { outcome, words } = await run(volume, source, { features: { columns: ['card', 'amount'] }, pipeline: [{ encode: { columns: ['card'] } }, { scale: { columns: ['amount'] } }] });
    expect(outcome.kind, words.slice(0, 400)).to.equal('Succeeded');
    expect(succeeded(outcome).model.pseudonymKeyId).to.be.a('string');
    expect(words).to.not.contain(`${canary}-astronaut`);
  });

  it('asks for no key to serve a model that does not know rows by pseudonyms', async () => {
    await using volume = await folder();
    await using source = await folder();
    const { outcome } = await run(volume, source, { features: { columns: ['amount'] }, pipeline: [{ scale: {} }] });
    expect(succeeded(outcome).model).not.to.have.property('pseudonymKeyId');
    expect(await loadPredictor(path.join(volume.path, 'model'), 1)).to.include({ engine: 'OnnxRuntime' });
  });

  it('begins anew with another key, and finds its model again with the same', async () => {
    await using volume = await folder();
    await using source = await folder();
    const digest = async (key: string) => succeeded(await train(spec(source), volume.path, { pseudonymKey: keyFile(source, key) })).model.digest;
    const first = await digest(secret);
    expect(await digest(secret)).to.equal(first);
    expect(await digest('ffeeddccbbaa99887766554433221100')).to.not.equal(first);
  });
});

describe('a run whose data is not what was expected', function suite() {
  this.timeout(60_000);

  it('ends before training, with a report of all that was found', async () => {
    await using volume = await folder();
    await using source = await folder();
    const { outcome } = await run(volume, source, { expectations: [{ rows: { min: 1000 }, onViolation: 'Fail' }, { column: 'amount', max: 50, onViolation: 'Fail' }] });
    expect(outcome).to.deep.include({ kind: 'Failed', needsUser: true });
    expect(outcome.kind === 'Failed' ? outcome.failure.error.message : '').to.match(/^The data is expected to have at least 1,000 rows, but it has 239\. One other expectation fails too\. data-report\.html lists all\./);
    const { findings } = JSON.parse(readFileSync(path.join(volume.path, 'reports/data-report.json'), 'utf8')) as { findings: { outcome: string; at?: string }[] };
    expect(findings.filter(({ outcome: how }) => how === 'Fail').map(({ at }) => at)).to.deep.equal(['spec.trainer.data.expectations[0].rows', 'spec.trainer.data.expectations[1].max']);
  });
});
