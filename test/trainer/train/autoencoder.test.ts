import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { TrainerSpec } from '@anneal/operator/api';
import { rowErrors } from '../../../trainer-image/src/data/anomalies.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import { createLearner } from '../../../trainer-image/src/train/learner.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { ReconstructionEvaluation } from '../../../trainer-image/src/evaluate/evaluation.ts';
import { loadPredictor } from '../../../trainer-image/src/serve/predictor.ts';
import { floats } from '../model/support.ts';
import { admitted, folder, succeeded, train } from '../support.ts';

/** Four readings that hang together, in a unit of their own; in one row of 25 they do not. */
function machines(rows: number): string {
  const source = random(7, 'machines');
  const unit = (): number => source.uint32() / 2 ** 32;
  const lines = ['id,load,heat,noise,current,state'];
  for (let row = 0; row < rows; row++) {
    const load = unit();
    const broken = row % 25 === 3;
    const [heat, current] = broken ? [1 - load + (load > 0.5 ? -1 : 1), load] : [load, load];
    lines.push([`m${row}`, 100 * load, 20 + 30 * heat + unit(), 50 + 10 * load + unit(), 5 * current + unit() / 10, broken ? 'broken' : 'fine'].join(','));
  }
  return `${lines.join('\n')}\n`;
}

const manifest = (uri: string, more = ''): TrainerSpec => admitted(`
data:
  source: {uri: "${uri}"}
  features: {exclude: [id]}
  split: {validation: 0.2, test: 0.2}
  pipeline: [{scale: {}}]
model: {preset: Autoencoder, units: [8, 1], activation: Tanh}
fit: {epochs: 30, batchSize: 16, optimizer: {learningRate: 0.01}}
evaluation: {anomaly: {quantile: 0.95, label: {column: state, value: broken}}}
${more}`);

const read = (at: string, file: string): unknown => JSON.parse(readFileSync(path.join(at, 'model', file), 'utf8'));
const features = (values: readonly number[]) => ['load', 'heat', 'noise', 'current'].map((name, place) => ({ kind: 'Number' as const, name, values: Float64Array.of(values[place] ?? NaN) }));

describe('an autoencoder in a manifest', function suite() {
  this.timeout(120_000);

  it('finds anomalies without having been told of any, and serves scores and flags', async () => {
    await using place = await folder();
    const { metrics } = succeeded(await train(manifest(place.write('machines.csv', machines(1000))), place.path));
    expect(metrics.test_rocAuc).to.be.above(0.95);
    expect(metrics.val_rocAuc).to.be.above(0.95);
    expect(metrics.test_loss).to.be.below(0.3);
    const { test, validation } = read(place.path, 'evaluation.json') as Record<'test' | 'validation', ReconstructionEvaluation>;
    // The threshold leaves a twentieth of the validation rows above it.
    expect(validation.flagged).to.equal(10);
    expect(test.metrics.recall?.value).to.be.above(0.8);
    expect(test.errors.series.map(({ name }) => name)).to.deep.equal(['others', 'anomalies']);
    expect(read(place.path, 'reference-profile.json')).to.have.nested.property('predictions.flagged', 10);

    const predictor = await loadPredictor(path.join(place.path, 'model'), 1);
    expect(predictor.engine).to.equal('OnnxRuntime');
    expect(predictor.preprocessing.inputs.map(({ name }) => name)).to.deep.equal(['load', 'heat', 'noise', 'current']);
    expect(predictor.manifest.signature.outputs).to.deep.equal([{ name: 'score', datatype: 'FP64', shape: [-1] }, { name: 'anomaly', datatype: 'BOOL', shape: [-1] }]);
    const [usual, odd] = [await predictor.predict({ rows: 1, columns: features([50, 35.5, 55.5, 2.55]) }), await predictor.predict({ rows: 1, columns: features([90, 20, 59.5, 4.55]) })];
    expect(usual.map(({ name }) => name)).to.deep.equal(['score', 'anomaly']);
    expect(usual[1]?.data).to.deep.equal([false]);
    expect(odd[1]?.data).to.deep.equal([true]);
    expect(odd[0]?.data[0]).to.be.above(predictor.preprocessing.anomaly?.threshold ?? NaN);
  });

  it('is cross-validated and compressed by its loss', async () => {
    await using place = await folder();
    const spec = manifest(place.write('machines.csv', machines(300)), 'validation: {kFold: 2}\ncompress: {quantize: Float16, maxLoss: {metric: loss, by: 0.01}}\n');
    const { metrics } = succeeded(await train({ ...spec, fit: { ...spec.fit, epochs: 3, loss: 'Huber' } }, place.path));
    expect(metrics.cv_loss).to.be.above(0);
    expect(read(place.path, 'manifest.json')).to.have.nested.property('compression');
    expect(read(place.path, 'preprocessing.json')).to.have.nested.property('anomaly.error', 'Huber');
  });

  it('needs no labels', async () => {
    await using place = await folder();
    const { evaluation: _evaluation, ...spec } = manifest(place.write('machines.csv', machines(200)));
    const bare = { ...spec, data: { ...spec.data, features: { exclude: ['id', 'state'] } }, fit: { ...spec.fit, epochs: 2 } };
    const { metrics } = succeeded(await train(bare, place.path));
    expect(Object.keys(metrics).sort()).to.deep.equal(['loss', 'test_loss', 'val_loss']);
    expect(read(place.path, 'preprocessing.json')).to.have.nested.property('anomaly.quantile', 0.99);
  });

  const refused: readonly (readonly [string, (spec: TrainerSpec) => TrainerSpec, object])[] = [
    ['a label that no row has', (spec) => ({ ...spec, evaluation: { anomaly: { label: { column: 'state', value: 'odd' } } } }), { code: 'SPEC_CONFLICT', at: 'spec.trainer.evaluation.anomaly.label.value' }],
    ['a label that the model sees', (spec) => ({ ...spec, data: { ...spec.data, features: { columns: ['load', 'heat', 'state'] }, pipeline: [{ encode: { method: 'Ordinal' } }] as unknown as TrainerSpec['data']['pipeline'] } }), { code: 'SPEC_CONFLICT', at: 'spec.trainer.evaluation.anomaly.label.column' }],
    ['an expectation of classes', (spec) => ({ ...spec, data: { ...spec.data, expectations: [{ classShare: { min: 0.1 }, onViolation: 'Fail' }] as unknown as TrainerSpec['data']['expectations'] & object } }), { code: 'SPEC_CONFLICT', at: 'spec.trainer.data.expectations[0].classShare' }],
    ['a step that goes by a target', (spec) => ({ ...spec, data: { ...spec.data, pipeline: [{ select: { method: 'MutualInformation' } }] as unknown as TrainerSpec['data']['pipeline'] } }), { code: 'SPEC_CONFLICT', at: 'spec.trainer.data.pipeline[0].select' }],
    ['a metric of classes', (spec) => ({ ...spec, fit: { ...spec.fit, metrics: ['accuracy'] } }), { code: 'SPEC_TASK_MISMATCH', at: 'spec.trainer.fit.metrics[0]' }],
  ];
  for (const [what, change, error] of refused) {
    it(`is refused with ${what}`, async () => {
      await using place = await folder();
      expect(await train(change(manifest(place.write('machines.csv', machines(100)))), place.path)).to.have.nested.property('failure.error').that.includes(error);
    });
  }

  for (const error of ['MSE', 'MAE', 'Huber'] as const) {
    it(`scores a row by the loss that it learnt: ${error}`, () => {
      const learner = createLearner({ model: { preset: 'Autoencoder', units: [3], activation: 'Tanh', dropout: 0, l2: 0 }, fit: { optimizer: { name: 'Adam', learningRate: 0.01 }, seed: 0, loss: error }, target: { task: 'Reconstruction' }, shape: [5] });
      const values = floats(35, 'rows').map((value) => 3 * value);
      const part = { rows: 7, features: matrixOf(values, 5), targets: new Float32Array(7) };
      const scores = rowErrors(error, values, learner.predict(part), 5);
      expect(scores.reduce((sum, score) => sum + score, 0)).to.be.closeTo(learner.evaluate(part).lossSum, 1e-4);
      learner.measure({ rows: 7, features: values, targets: part.targets }, [0], 1).outputs.forEach((told, row) => expect(scores[row]).to.be.closeTo(told, 1e-5));
      learner.dispose();
    });
  }
});
