import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { makePlan } from '../../../trainer-image/src/local/plan/make.ts';
import type { Plan } from '../../../trainer-image/src/local/plan/plan.ts';
import { renderPlan } from '../../../trainer-image/src/local/plan/render.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { blobs, codeOf, folder, line, root, trainerSpec, until } from '../support.ts';
import { annealTrain, ended, jobYaml } from './support.ts';

/** A plan on a clock that moves a fixed time with each look at it. */
async function planOf(spec: TrainerSpec, { tickMs = 10, totalMemory = 2 ** 40, look }: { readonly tickMs?: number; readonly totalMemory?: number; readonly look?: (volume: string) => void } = {}): Promise<Plan> {
  await using volume = await folder();
  let clock = 0;
  const plan = await makePlan({
    name: 'job',
    order: { spec, volume: volume.path, attempt: 1, threads: 1, checkpointIntervalSeconds: 0, checkpointKeep: 2, fence: { jobUid: '', place: 'trainer-0', attempt: 1 } },
    log: () => undefined,
    signal: new AbortController().signal,
    now: () => (clock += tickMs),
    begun: 0,
    memory: { resident: () => 300 * 2 ** 20, peak: () => 400 * 2 ** 20, total: totalMemory },
  });
  look?.(volume.path);
  return plan;
}

/** 80 rows: a text, a number with gaps, an identifier, a constant, and a class that is rare. */
function mixed(): string {
  const rows = Array.from({ length: 80 }, (_, row) => [['red', 'green', 'blue'][row % 3], row % 10 === 0 ? '' : row * 100, `id-${row}`, 1, row % 40 === 0 ? 'rare' : row % 2 === 0 ? 'yes' : 'no'].join(','));
  return ['colour,size,id,one,answer', ...rows].join('\n');
}

const warned = ({ warnings }: Plan): string => warnings.map(({ at, message }) => `${at}: ${message}`).join('\n');

describe('the plan of a run', function suite() {
  this.timeout(180_000);

  it('tells columns, target, split, pipeline and features', async () => {
    await using place = await folder();
    const plan = await planOf(trainerSpec({
      data: { source: { uri: place.write('mixed.csv', mixed()) }, target: 'answer', features: { exclude: ['id'] }, pipeline: [{ impute: { indicator: true } }, { scale: { columns: ['size'] } }, { encode: {} }] },
      model: { preset: 'MLP', units: [4] }, fit: { epochs: 3, batchSize: 10 },
    }));
    expect(plan.data.columns).to.deep.equal([
      { name: 'colour', kind: 'Text', role: 'Feature', missing: 0, distinct: 3, from: 'blue', to: 'red' },
      { name: 'size', kind: 'Number', role: 'Feature', missing: 8, distinct: 72, from: '100', to: '7900' },
      { name: 'id', kind: 'Text', role: 'Unused' },
      { name: 'one', kind: 'Number', role: 'Feature', missing: 0, distinct: 1, from: '1', to: '1' },
      { name: 'answer', kind: 'Text', role: 'Target', missing: 0, distinct: 3, from: 'no', to: 'yes' },
    ]);
    expect(plan.target).to.deep.equal({ name: 'answer', task: 'Classification', why: 'since it is text', classes: ['no', 'rare', 'yes'] });
    expect(plan.split.map(({ rows }) => rows).reduce((sum, rows) => sum + rows)).to.equal(80);
    expect(plan.split.map(({ classes = [] }) => classes[1])).to.deep.equal([2, 0, 0]);
    expect(plan.pipeline.map(({ step, columnsOut }) => [step, columnsOut])).to.deep.equal([
      ['impute', ['colour', 'size', 'size_missing', 'one']],
      ['scale', ['colour', 'size', 'size_missing', 'one']],
      ['encode', ['colour=blue', 'colour=green', 'colour=red', 'size', 'size_missing', 'one']],
    ]);
    expect(plan.features).to.deep.include({ count: 6, shape: [6] });
    expect(warned(plan)).to.contain('Fewer than 5 rows train "rare"').and.contain('The test part has no row of "rare"').and.contain('but column "one" has one value').and.not.contain('"id"');
  });

  it('tells the network as Keras does', async () => {
    await using place = await folder();
    const plan = await planOf(trainerSpec({ data: { source: { uri: place.write('blobs.csv', blobs(60)) }, target: 'colour' }, model: { preset: 'MLP', units: [8, 4], batchNorm: true }, fit: { epochs: 2 } }));
    const dense = plan.network.layers.filter(({ type }) => type === 'Dense');
    expect(dense.map(({ shape, parameters }) => [shape, parameters])).to.deep.include([[2], 4 * 2 + 2]);
    const normalised = plan.network.layers.filter(({ type }) => type === 'BatchNormalization');
    expect(normalised.map(({ parameters }) => parameters)).to.deep.equal([4 * 8, 4 * 4]);
    expect(plan.network.parameters - plan.network.trainable).to.equal(2 * 8 + 2 * 4);
    expect(plan.network.parameters).to.equal(plan.network.layers.reduce((sum, { parameters }) => sum + parameters, 0));
  });

  it('estimates the time from steps on the clock that it was given', async () => {
    await using place = await folder();
    const spec = trainerSpec({ data: { source: { uri: place.write('line.csv', line(100)) }, target: 'y', split: { validation: 0.2, test: 0.1 } }, model: { preset: 'MLP', units: [4] }, fit: { epochs: 5, batchSize: 20, earlyStopping: {} }, validation: { kFold: 3 } });
    const { training, target, estimates: { time } } = await planOf(spec, { tickMs: 10 });
    expect(target).to.deep.equal({ name: 'y', task: 'Regression', why: 'since it has numbers that are not whole, or more than 50 different ones' });
    expect(training).to.deep.equal({ epochs: 5, batchSize: 20, stepsPerEpoch: 4, networks: 4, steps: 80 });
    const { prepareSeconds, finishSeconds, loss, ...measured } = time.measured;
    expect(measured).to.deep.equal({ threads: 1, steps: 50, stepSeconds: 0.01, validationSeconds: 0.01, checkpointSeconds: 0.01 });
    expect(loss).to.be.a('number');
    expect(time).to.include({ isAtMost: true }).and.have.property('seconds').that.is.closeTo(prepareSeconds + 4 * 5 * (4 * 0.01 + 0.01 + 0.01) + finishSeconds, 1e-9);
  });

  it('makes the reference profile of all training rows, so that its time and its memory count', async () => {
    await using place = await folder();
    let profile: unknown;
    await planOf(trainerSpec({ data: { source: { uri: place.write('line.csv', line(100)) }, target: 'y' }, model: { preset: 'MLP', units: [4] }, fit: {} }), {
      look: (volume) => {
        profile = JSON.parse(readFileSync(path.join(volume, 'model/reference-profile.json'), 'utf8')) as unknown;
      },
    });
    expect(profile).to.have.nested.property('inputs.rows', 70);
    expect(profile).to.have.nested.property('inputs.columns').that.has.length(2);
  });

  it('takes few steps where each is long', async () => {
    await using place = await folder();
    const { estimates: { time } } = await planOf(trainerSpec({ data: { source: { uri: place.write('line.csv', line(100)) }, target: 'y' }, model: { preset: 'MLP' }, fit: {} }), { tickMs: 1500 });
    expect(time.measured).to.include({ steps: 2, stepSeconds: 1.5 });
  });

  it('warns of what is likely not meant', async () => {
    await using place = await folder();
    const uri = place.write('rows.csv', ['id,one,big,size', ...Array.from({ length: 50 }, (_, row) => `id-${row},7,${row * 1e6},${row}.5`)].join('\n'));
    const text = warned(await planOf(trainerSpec({
      data: { source: { uri }, target: 'size', split: { validation: 0, test: 0.2 }, pipeline: [{ encode: { method: 'Ordinal' } }] },
      model: { preset: 'MLP', units: [512, 512] }, fit: { epochs: 3, batchSize: 500, optimizer: { name: 'SGD', learningRate: 100 }, earlyStopping: { metric: 'loss', patience: 3 } },
      evaluation: { intervals: { confidence: 0.9, resamples: 200 } },
    }), { totalMemory: 2 ** 20 }));
    for (const said of ['column "one" has one value', ',000,000 in "big"', 'by heart. Make it smaller', 'A batch of 500 rows', 'Early stopping waits for 3 epochs', 'The loss became', 'importance and intervals', 'this machine has 1 MiB']) {
      expect(text).to.contain(said);
    }
  });

  it('is refused as the run would be', async () => {
    await using place = await folder();
    const uri = place.write('mixed.csv', mixed());
    expect(await codeOf(() => planOf(trainerSpec({ data: { source: { uri }, target: 'answer' }, model: { preset: 'MLP' } })))).to.include({ code: 'DATA_NOT_NUMERIC' });
    expect(await codeOf(() => planOf(trainerSpec({ data: { source: { uri }, target: 'nothing' }, model: { preset: 'MLP' } })))).to.include({ code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.data.target' });
  });

  it('reads well', async () => {
    await using place = await folder();
    const plan = await planOf(trainerSpec({ data: { source: { uri: place.write('blobs.csv', blobs(100)) }, target: 'colour', pipeline: [{ scale: { method: 'Robust' } }] }, model: { preset: 'MLP', units: [8] }, fit: { epochs: 2, batchSize: 32 } }));
    const text = renderPlan({ ...plan, data: { ...plan.data, uri: 'file:///blobs.csv' } });
    expect(text).to.contain('Data: file:///blobs.csv, 100 rows of 3 columns. All rows were read, since');
    expect(text).to.contain('column  kind    role     missing  distinct  from  to\nx       number  feature        0        14  -1.6  1.6\n');
    expect(text).to.contain('Target: "colour", Classification, since it is text. 2 classes: "blue", "red".');
    expect(text).to.match(/part +rows +blue +red\ntrain +70 +34 +36\n/);
    expect(text).to.contain('1. scale {method: Robust}: 2 columns in, 2 out\nThen a row is 2 numbers.');
    expect(text).to.contain('layer          type        output  parameters\n').and.contain('dense_1        Dense            8          24\n');
    expect(text).to.contain('Training: 2 epochs of 3 steps, 6 in all; a batch has 32 rows.');
    expect(text).to.contain('Memory: about 400 MiB at the most, 300 MiB of it before any data.');
    expect(text).not.to.match(/undefined|NaN|\n\n\n/);
  });
});

describe('anneal-train --dry-run', function suite() {
  this.timeout(300_000);

  it('prints the plan and leaves nothing behind', async () => {
    await using place = await folder();
    const args = ['-f', path.join(root, 'docs/examples/digits/1-train.yaml'), '--mount', `configmap://digits=${path.join(root, 'docs/examples/digits')}`, '--dry-run'];
    const { code, stdout, stderr } = await ended(args, { directory: place.path });
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^Plan of digits; nothing was trained\.\n/).and.contain('Conv2D').and.contain('Network, 35,914 parameters:');
    expect(existsSync(path.join(place.path, 'digits'))).to.equal(false);
    const json = await ended([...args, '--json'], { directory: place.path });
    expect(JSON.parse(json.stdout)).to.have.nested.property('features.shape').that.deep.equals([8, 8, 1]);
  });

  it('gives a long document whole', async () => {
    await using place = await folder();
    const names = Array.from({ length: 1500 }, (_, column) => `column_with_a_long_name_${column}`);
    const uri = place.write('wide.csv', [[...names, 'y'].join(','), ...Array.from({ length: 20 }, (_, row) => [...names.map((_name, column) => row * column), row % 2].join(','))].join('\n'));
    const { stdout } = await ended(['-f', '-', '--dry-run', '--json'], { directory: place.path, input: jobYaml(uri).replace('colour', '"y"') });
    expect(stdout.length).to.be.above(200_000);
    expect((JSON.parse(stdout) as Plan).data.columns).to.have.length(1501);
  });

  it('tells an error as a run does', async () => {
    await using place = await folder();
    const { code, stderr } = await ended(['-f', '-', '--dry-run'], { directory: place.path, input: jobYaml(place.write('blobs.csv', blobs(50)), { fit: '{earlyStopping: {metric: val_rmse}}' }) });
    expect(code).to.equal(2);
    expect(stderr).to.match(/\nerror: val_rmse is no metric of a Classification\. .* \(SPEC_TASK_MISMATCH at spec\.trainer\.fit\.earlyStopping\.metric\)\n$/);
  });

  it('ends on Ctrl-C', async () => {
    await using place = await folder();
    const run = annealTrain(['-f', '-', '--dry-run'], { directory: place.path, input: jobYaml(place.write('blobs.csv', blobs(200_000))) });
    await until(() => run.stderr().includes('200,000 rows') || run.child.exitCode !== null, 'the data are read', 120);
    run.child.kill('SIGINT');
    expect(await run.exit).to.equal(143);
    expect(run.stdout()).to.equal('');
  });

  /** What a run took beside the program, and what its plan said that it would. */
  async function growth(yaml: string): Promise<{ readonly planned: number; readonly measured: number }> {
    await using place = await folder();
    writeFileSync(path.join(place.path, 'job.yaml'), yaml);
    const { estimates: { memory } } = JSON.parse((await ended(['-f', 'job.yaml', '--dry-run', '--json'], { directory: place.path })).stdout) as Plan;
    const { peakMemoryBytes } = JSON.parse((await ended(['-f', 'job.yaml', '--json'], { directory: place.path })).stdout) as { readonly peakMemoryBytes: number };
    return { planned: memory.peakBytes - memory.programBytes, measured: peakMemoryBytes - memory.programBytes };
  }

  const uniform = (name: string): (() => number) => {
    const source = random(7, name);
    return () => source.uint32() % 1000;
  };

  it('estimates the memory of many rows', async () => {
    await using place = await folder();
    const next = uniform('rows');
    const rows = Array.from({ length: 60_000 }, () => Array.from({ length: 41 }, next).join(','));
    const uri = place.write('rows.csv', [[...Array.from({ length: 40 }, (_, column) => `x${column}`), 'label'].join(','), ...rows].join('\n'));
    const { planned, measured } = await growth(jobYaml(uri, { fit: '{epochs: 2, batchSize: 256}' }).replace('colour', 'label'));
    expect(planned / measured).to.be.within(1 / 1.5, 1.5);
  });

  it('estimates the memory of large images', async () => {
    await using place = await folder();
    const next = uniform('images');
    const rows = Array.from({ length: 800 }, (_, row) => [...Array.from({ length: 784 }, next), row % 3].join(','));
    const uri = place.write('images.csv', [[...Array.from({ length: 784 }, (_, pixel) => `p${pixel}`), 'label'].join(','), ...rows].join('\n'));
    const yaml = jobYaml(uri, { fit: '{epochs: 1, batchSize: 256}' }).replace('target: colour', 'target: label, features: {shape: [28, 28, 1]}').replace('MLP, units: [8]', 'CNN');
    const { planned, measured } = await growth(yaml);
    expect(planned / measured).to.be.within(1 / 1.5, 1.5);
  });
});
