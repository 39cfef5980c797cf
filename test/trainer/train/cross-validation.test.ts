import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { summaryOf } from '../../../trainer-image/src/train/cross-validation.ts';
import { blobs, digitsCsv, folder, succeeded, train, trainerSpec } from '../support.ts';

interface MetricsFile {
  readonly metrics: Readonly<Record<string, number>>;
  readonly folds?: readonly { readonly fold: number; readonly metrics: Readonly<Record<string, number>> }[];
}

const metricsIn = (volume: string): MetricsFile => JSON.parse(readFileSync(`${volume}/model/metrics.json`, 'utf8')) as MetricsFile;

const digits = () => trainerSpec({
  data: { source: { uri: `file://${digitsCsv}` }, target: 'label', pipeline: [{ scale: { method: 'MinMax' } }] },
  model: { preset: 'MLP', units: [32] }, fit: { epochs: 6, batchSize: 64, optimizer: { learningRate: 0.005 } }, validation: { kFold: 4 },
});

describe('cross-validation', function suite() {
  this.timeout(120_000);

  it('tells the mean of the folds, and how far they lie apart, beside the metrics of the model', async () => {
    await using place = await folder();
    const logged: string[] = [];
    const { metrics } = succeeded(await train(digits(), place.path, { onLog: (_level, message) => logged.push(message) }));
    expect(logged, 'no fold meets what another left').to.not.include('Passed over a checkpoint');
    const { folds = [] } = metricsIn(place.path);
    expect(folds.map(({ fold }) => fold)).to.deep.equal([1, 2, 3, 4]);
    const accuracies = folds.map((fold) => fold.metrics.val_accuracy ?? NaN);
    const mean = accuracies.reduce((sum, value) => sum + value, 0) / 4;
    expect(metrics.cv_accuracy).to.be.closeTo(mean, 1e-12).and.to.be.above(0.85);
    expect(metrics.cv_accuracy_std).to.be.closeTo(Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3), 1e-12);
    expect(metrics.test_accuracy).to.be.within(mean - 0.06, mean + 0.06);
    expect(new Set(accuracies).size, 'the folds are different rows').to.be.above(1);
  });

  it('goes on, after a stop in any fold, to the very model of a run that was not stopped', async () => {
    await using undisturbed = await folder();
    await using stopped = await folder();
    const { model } = succeeded(await train(digits(), undisturbed.path));
    const told: number[] = [];
    for (let attempt = 1; ; attempt++) {
      let asked = 0;
      const outcome = await train(digits(), stopped.path, { attempt, stopRequested: () => ++asked > 250, onReport: ({ percent }) => told.push(percent) });
      if (outcome.kind === 'Stopped') continue;
      expect(attempt).to.be.above(2);
      expect(succeeded(outcome).model.digest).to.equal(model.digest);
      break;
    }
    expect(told).to.deep.equal(told.toSorted((a, b) => a - b));
    expect(metricsIn(stopped.path)).to.deep.equal(metricsIn(undisturbed.path));
  });

  it('is refused for a job of several pods', async () => {
    await using place = await folder();
    const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', blobs(60)) }, target: 'colour' }, model: { preset: 'Linear' }, validation: { kFold: 3 } });
    const outcome = await train(spec, place.path, { replicas: { job: 'a/b', index: 0, peers: [], replicas: 2, minReplicas: 2, tlsDirectory: '', silenceMs: 1000 } });
    expect(outcome).to.deep.include({ kind: 'Failed', needsUser: true });
    expect(existsSync(`${place.path}/model`)).to.equal(false);
  });

  it('summarises only what each fold has', () => {
    expect(summaryOf([])).to.deep.equal({});
    expect(summaryOf([{ fold: 1, metrics: { val_loss: 2, val_rocAuc: 0.5 } }, { fold: 2, metrics: { val_loss: 4 } }])).to.deep.equal({ cv_loss: 3, cv_loss_std: Math.SQRT2 });
  });
});
