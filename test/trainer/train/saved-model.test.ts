import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import type { Preprocessing } from '../../../trainer-image/src/data/prepare.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { admitted, folder, line, succeeded, train } from '../support.ts';
import type { Folder } from '../support.ts';

/** Who stays, by age, and by city where that is known. */
function stays(rows: number, seed: number, cities: readonly string[] = ['Bern', 'Graz']): string {
  const source = random(seed, 'stays');
  const unit = (): number => source.uint32() / 2 ** 32;
  const lines = ['age,city,stays'];
  for (let row = 0; row < rows; row++) {
    const [age, city] = [18 + 60 * unit(), cities[source.below(cities.length)] ?? ''];
    lines.push(`${age.toFixed(2)},${city},${age + (city === 'Bern' ? 20 : 0) + 8 * unit() > 55 ? 'yes' : 'no'}`);
  }
  return `${lines.join('\n')}\n`;
}

const first = (uri: string, pipeline = '[{impute: {}}, {scale: {columns: [age]}}, {encode: {}}]', model = '{preset: MLP, units: [8], dropout: 0.1}'): TrainerSpec => admitted(`
data: {source: {uri: "${uri}"}, target: stays, pipeline: ${pipeline}}
model: ${model}
fit: {epochs: 4, batchSize: 16, optimizer: {learningRate: 0.02}}`);

const next = (place: Folder, uri: string, fit = '{epochs: 1, optimizer: {name: SGD, learningRate: 1.0e-10}}', more = ''): TrainerSpec => admitted(`
data: {source: {uri: "${uri}"}, target: stays${more}}
model: {from: {uri: "${pathToFileURL(path.join(place.path, 'model')).href}"}}
fit: ${fit}`);

const read = (at: string, file: string): unknown => JSON.parse(readFileSync(path.join(at, 'model', file), 'utf8'));

describe('a saved model', function suite() {
  this.timeout(120_000);
  let place: Folder;
  let uri: string;

  before(async () => {
    place = await folder();
    uri = place.write('rows.csv', stays(400, 1));
    succeeded(await train(first(uri), place.path));
  });

  after(() => place[Symbol.asyncDispose]());

  it('is gone on from where it stood: its steps as they are, its weights, its classes', async () => {
    await using other = await folder();
    const { metrics } = succeeded(await train(next(place, uri), other.path));
    const before = read(place.path, 'manifest.json') as { metrics: Record<string, number> };
    expect(metrics.test_loss).to.be.closeTo(before.metrics.test_loss ?? NaN, 1e-5);
    expect(metrics.test_accuracy).to.equal(before.metrics.test_accuracy);
    const { steps, inputs, target } = read(place.path, 'preprocessing.json') as Preprocessing;
    expect(read(other.path, 'preprocessing.json')).to.deep.include({ steps, inputs, target });
    expect(read(other.path, 'manifest.json')).to.include({ engine: 'OnnxRuntime' });
  });

  it('learns more, and from other rows', async () => {
    await using other = await folder();
    await using later = await folder();
    const more = other.write('more.csv', stays(600, 2));
    const { metrics } = succeeded(await train(next(place, more, '{epochs: 15, optimizer: {learningRate: 0.01}}'), other.path));
    const { metrics: before } = succeeded(await train(next(place, more), later.path));
    expect(metrics.test_loss).to.be.below(before.test_loss ?? NaN);
    const { steps } = read(place.path, 'preprocessing.json') as Preprocessing;
    expect((read(other.path, 'preprocessing.json') as Preprocessing).steps).to.deep.equal(steps);
  });

  it('is gone on from to the same bits after a stop', async () => {
    await using undisturbed = await folder();
    await using stopped = await folder();
    const spec = next(place, uri, '{epochs: 3, batchSize: 16}');
    succeeded(await train(spec, undisturbed.path));
    let polls = 0;
    expect((await train(spec, stopped.path, { stopRequested: () => polls++ > 20, checkpointIntervalSeconds: 1000 })).kind).to.equal('Stopped');
    succeeded(await train(spec, stopped.path));
    const files = (at: string): Record<string, string> => Object.fromEntries(readdirSync(path.join(at, 'model')).sort().map((name) => [name, readFileSync(path.join(at, 'model', name), 'base64')]));
    expect(files(stopped.path)).to.deep.equal(files(undisturbed.path));
  });

  it('may embed columns, predict numbers, or give rows back', async () => {
    await using other = await folder();
    await using later = await folder();
    succeeded(await train(first(uri, '[{scale: {columns: [age]}}, {encode: {method: Embedding}}]', '{preset: MLP, units: [8], embedding: {dimension: 2}}'), other.path));
    const { metrics } = succeeded(await train(next(other, uri), later.path));
    expect(metrics.test_loss).to.be.closeTo((read(other.path, 'manifest.json') as { metrics: Record<string, number> }).metrics.test_loss ?? NaN, 1e-5);

    const numbers = other.write('line.csv', line(200));
    for (const [target, model] of [['target: y, ', '{preset: Linear}'], ['', '{preset: Autoencoder, units: [1]}']] as const) {
      const data = (more: string): string => `data: {source: {uri: "${numbers}"}, ${target}${more}}`;
      await using one = await folder();
      await using goneOn = await folder();
      const { metrics: before } = succeeded(await train(admitted(`${data('pipeline: [{scale: {}}]')}\nmodel: ${model}\nfit: {epochs: 3}`), one.path));
      const { metrics: after } = succeeded(await train(admitted(`${data('sample: {fraction: 1}')}\nmodel: {from: {uri: "${pathToFileURL(path.join(one.path, 'model')).href}"}}\nfit: {epochs: 1, optimizer: {name: SGD, learningRate: 1.0e-10}}`), goneOn.path));
      expect(after.test_loss).to.be.closeTo(before.test_loss ?? NaN, 1e-5);
    }
  });

  it('goes on with rows of some of its classes alone', async () => {
    await using other = await folder();
    const { metrics } = succeeded(await train(next(place, other.write('x.csv', stays(200, 5).replace(/^.*,yes\n/gm, ''))), other.path));
    expect(metrics.test_accuracy).to.be.within(0.5, 1);
    const { target } = read(other.path, 'preprocessing.json') as Preprocessing;
    expect(target).to.deep.equal({ task: 'Classification', name: 'stays', classes: ['no', 'yes'] });
    const { classes } = JSON.parse(readFileSync(path.join(other.path, 'reports/data-report.json'), 'utf8')) as { classes: { names: string[]; rows: { train: number[] } } };
    expect(classes.names).to.deep.equal(['no', 'yes']);
    expect(classes.rows.train[1]).to.equal(0);
  });

  it('is another run when it is another model', async () => {
    await using other = await folder();
    await using its = await folder();
    const spec = first(uri);
    succeeded(await train(spec, its.path));
    const begun = succeeded(await train(next(its, uri), other.path));
    succeeded(await train({ ...spec, fit: { ...spec.fit, epochs: 1 } }, its.path));
    expect(succeeded(await train(next(its, uri), other.path)).model.digest).not.to.equal(begun.model.digest);
  });

  const refused: readonly (readonly [string, (other: Folder) => TrainerSpec, object])[] = [
    ['a class that it does not know', (other) => next(place, other.write('x.csv', stays(80, 4).replace(/,no$/m, ',perhaps'))), { code: 'DATA_TARGET', at: 'spec.trainer.data.target' }],
    ['a column missing', (other) => next(place, other.write('x.csv', stays(80, 4).replace('age,', 'years,'))), { code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.model.from' }],
    ['text where it learnt numbers', (other) => next(place, other.write('x.csv', stays(80, 4).replace(/^\d+\.\d+/m, 'old'))), { code: 'SPEC_COLUMN_KIND', at: 'spec.trainer.model.from' }],
    ['personal data that it knows as they are', (other) => next(place, other.write('x.csv', stays(80, 4)), '{epochs: 1}', ', privacy: {generalise: [{column: age, method: Bin, width: 10}]}'), { code: 'SPEC_CONFLICT', at: 'spec.trainer.data.privacy' }],
    ['no model', (other) => ({ ...next(other, uri) }), { code: 'MODEL_INVALID', at: 'spec.trainer.model.from.uri' }],
    ['a claim that is not mounted', () => ({ ...next(place, uri), model: { ...next(place, uri).model, from: { uri: 'pvc://digits/model' } } }), { code: 'SPEC_SOURCE', at: 'spec.trainer.model.from.uri' }],
    ['a target that it gives no answer for', (other) => ({ ...next(place, other.write('x.csv', stays(80, 4))), evaluation: { anomaly: { quantile: 0.9 } } }), { code: 'SPEC_TASK_MISMATCH', at: 'spec.trainer.evaluation.anomaly' }],
  ];
  for (const [what, spec, error] of refused) {
    it(`is refused with ${what}`, async () => {
      await using other = await folder();
      expect(await train(spec(other), other.path)).to.have.nested.property('failure.error').that.includes(error);
    });
  }

  it('is read from the folder that a claim is mounted at', async () => {
    await using other = await folder();
    const spec = next(place, uri);
    succeeded(await train({ ...spec, model: { ...spec.model, from: { uri: 'pvc://jobs/model' } } }, other.path, { modelDirectory: place.path }));
  });

  it('needs a target where it predicts one', async () => {
    await using other = await folder();
    const { target: _target, ...data } = next(place, uri).data;
    expect(await train({ ...next(place, uri), data }, other.path)).to.have.nested.property('failure.error').that.includes({ code: 'SPEC_TASK_MISMATCH', at: 'spec.trainer.data.target' });
  });
});
