import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { admitted, blobs, folder, line, succeeded, train } from '../support.ts';

const layers = (width: number, outputs: string): string => `{"class_name": "Sequential", "config": {"name": "own", "layers": [{"class_name": "InputLayer", "config": {"batch_shape": [null, ${width}]}}, {"class_name": "Dense", "config": {"units": 8, "activation": "relu"}}, {"class_name": "Dense", "config": ${outputs}}]}}`;

describe('layers in a manifest', function suite() {
  this.timeout(60_000);

  it('are trained and exported as a preset is', async () => {
    await using place = await folder();
    const { metrics } = succeeded(await train(admitted(`
data: {source: {uri: "${place.write('rows.csv', blobs(200))}"}, target: colour}
model: {layers: ${layers(2, '{"units": 2, "activation": "softmax"}')}}
fit: {epochs: 20, batchSize: 16, optimizer: {learningRate: 0.02}}`), place.path));
    expect(metrics.test_accuracy).to.equal(1);
    expect(JSON.parse(readFileSync(`${place.path}/model/manifest.json`, 'utf8'))).to.include({ engine: 'OnnxRuntime' });
  });

  it('learn numbers', async () => {
    await using place = await folder();
    const { metrics } = succeeded(await train(admitted(`
data: {source: {uri: "${place.write('rows.csv', line(300))}"}, target: y, pipeline: [{scale: {}}]}
model: {layers: ${layers(2, '{"units": 1}')}}
fit: {epochs: 40, batchSize: 16, optimizer: {learningRate: 0.02}}`), place.path));
    expect(metrics.test_r2).to.be.above(0.98);
  });

  it('that do not fit the rows are refused in one sentence', async () => {
    await using place = await folder();
    const outcome = await train(admitted(`
data: {source: {uri: "${place.write('rows.csv', blobs(60))}"}, target: colour}
model: {layers: ${layers(3, '{"units": 2}')}}`), place.path);
    expect(outcome).to.have.nested.property('failure.error').that.deep.equals({
      code: 'SPEC_SHAPE_MISMATCH', at: 'spec.trainer.model.layers',
      message: 'The network takes rows of shape [3], and the data have [2]. Write layers that fit, or change features.shape.',
    });
  });
});
