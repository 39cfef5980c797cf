import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { ClassificationEvaluation } from '../../../trainer-image/src/evaluate/evaluation.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import type { Manifest } from '../../../trainer-image/src/model/directory.ts';
import { metricNames } from '../../../trainer-image/src/train/judging.ts';
import { folder, succeeded, train, trainerSpec } from '../support.ts';

/** One row in ten is positive, and two columns say a little of it; the third says nothing, the fourth is a group. */
function rare(rows: number): string {
  const source = random(3, 'rare');
  const unit = (): number => source.uint32() / 2 ** 32;
  const lines = ['a,b,noise,shop,fraud'];
  for (let row = 0; row < rows; row++) {
    const fraud = unit() < 0.1;
    const about = fraud ? 1 : 0;
    lines.push([about + unit() * 1.6, about + unit() * 1.6, unit(), unit() < 0.3 ? 'north' : 'south', fraud ? 'yes' : 'no'].join(','));
  }
  return `${lines.join('\n')}\n`;
}

interface Written {
  readonly validation: ClassificationEvaluation;
  readonly test: ClassificationEvaluation;
}

async function evaluated(over: object, data: object = {}, fit: object = {}) {
  await using place = await folder();
  const spec = trainerSpec({
    data: { source: { uri: place.write('rows.csv', rare(1500)) }, target: 'fraud', features: { columns: ['a', 'b', 'noise'] }, split: { validation: 0.25, test: 0.25 }, pipeline: [{ scale: {} }], ...data },
    model: { preset: 'Linear' }, fit: { epochs: 30, optimizer: { learningRate: 0.02 }, ...fit }, ...over,
  });
  const { metrics } = succeeded(await train(spec, place.path));
  const read = (file: string): unknown => JSON.parse(readFileSync(`${place.path}/model/${file}`, 'utf8'));
  return { metrics, manifest: read('manifest.json') as Manifest, evaluation: read('evaluation.json') as Written, preprocessing: read('preprocessing.json') as { thresholds?: { class: string; threshold: number }[] } };
}

describe('a finished model', function suite() {
  this.timeout(60_000);

  it('is evaluated on the rows that were held back, with intervals, groups and importance where asked for', async () => {
    const { metrics, evaluation: { test } } = await evaluated({ evaluation: { slices: ['shop'], intervals: { resamples: 50 }, importance: { metric: 'rocAuc', repeats: 3 } } }, {}, { metrics: ['rocAuc', { recallAt: { precision: 0.5 } }] });
    const { value = NaN, low = NaN, high = NaN } = test.metrics.rocAuc ?? {};
    expect(value).to.be.closeTo(metrics.test_rocAuc ?? NaN, 1e-12).and.to.be.above(0.9);
    expect(low).to.be.below(value);
    expect(high).to.be.above(value);
    expect(metrics.val_recallAtPrecision50).to.be.within(0, 1);
    expect(test.slices.map(({ column, value: shop }) => [column, shop])).to.deep.equal([['shop', 'south'], ['shop', 'north']]);
    expect(test.slices.reduce((sum, { rows }) => sum + rows, 0)).to.equal(test.rows);
    expect(test.importance?.features.map(({ name }) => name).at(-1)).to.equal('noise');
  });

  it('tells the importance of a derived column by its own name, and of its categories together', async () => {
    const pipeline = [{ derive: { name: 'a_band', expression: "CASE WHEN b > 1 THEN 'high' ELSE 'low' END" } }, { derive: { name: 'sum', expression: 'a + b' } }, { scale: {} }, { encode: {} }];
    const { evaluation: { test } } = await evaluated({ evaluation: { importance: { metric: 'rocAuc', repeats: 1 } } }, { pipeline });
    expect(test.importance?.features.map(({ name }) => name)).to.have.members(['a', 'b', 'noise', 'a_band', 'sum']);
  });

  it('decides by a threshold that was tuned on validation rows, also when it serves', async () => {
    const { evaluation: { validation, test }, preprocessing } = await evaluated({ evaluation: { threshold: { maximise: 'F1' } } });
    expect(preprocessing.thresholds).to.have.length(1);
    expect(test.decisions?.thresholds).to.deep.equal(preprocessing.thresholds);
    expect(test.decisions?.tunedFor).to.equal(undefined);
    expect(validation.decisions?.metrics.f1).to.be.at.least(validation.metrics.f1?.value ?? NaN);
  });

  it('finds more of a rare class with class weights, repeated rows or made-up rows', async () => {
    const recallOf = async (data: object, fit: object): Promise<number> => (await evaluated({}, data, fit)).evaluation.test.perClass.find(({ class: name }) => name === 'yes')?.recall ?? NaN;
    const plain = await recallOf({}, {});
    expect(await recallOf({}, { classWeights: 'Balanced' })).to.be.above(plain);
    expect(await recallOf({}, { classWeights: 'Given', weights: { yes: 9 } })).to.be.above(plain);
    for (const method of ['Oversample', 'Undersample', 'SMOTE']) expect(await recallOf({ balance: { method } }, {}), method).to.be.above(plain);
  });

  it('stops early by a metric that needs all predictions at once', async () => {
    const { metrics } = await evaluated({}, {}, { epochs: 200, earlyStopping: { metric: 'val_prAuc', patience: 3 } });
    expect(metrics.val_prAuc).to.be.above(0.5);
  });

  it('is served in fewer bytes, unless that costs more than was allowed', async () => {
    const network = { model: { preset: 'MLP', units: [64, 64] } };
    const { manifest, metrics } = await evaluated({ ...network, compress: { quantize: 'Int8', maxLoss: { metric: 'rocAuc', by: 0.02 } } });
    const { size, value } = manifest.compression ?? {};
    expect((size?.after.bytes ?? NaN) / (size?.before.bytes ?? NaN)).to.be.below(0.5);
    expect(value?.after).to.be.closeTo(value?.before ?? NaN, 0.02);
    expect(metrics.compressed_rocAuc).to.equal(value?.after);
    const tooMuch = await evaluated({ ...network, compress: { prune: { sparsity: 0.99 }, maxLoss: { metric: 'rocAuc', by: 0.001 } } }).then(() => 'succeeded', String);
    expect(tooMuch).to.contain('COMPRESSION_LOSS').and.to.contain('pruned to a sparsity of 0.99');
  });

  const refused: readonly (readonly [string, object, object, string])[] = [
    ['the importance for a loss that only training knows', { evaluation: { importance: { metric: 'loss' } } }, {}, 'spec.trainer.evaluation.importance.metric'],
    ['the importance for a metric of another task', { evaluation: { importance: { metric: 'rmse' } } }, {}, 'spec.trainer.evaluation.importance.metric'],
    ['the importance for a metric of one part', { evaluation: { importance: { metric: 'val_f1' } } }, {}, 'spec.trainer.evaluation.importance.metric'],
    ['a compression by the loss', { compress: { quantize: 'Int8', maxLoss: { metric: 'loss', by: 1 } } }, {}, 'spec.trainer.compress.maxLoss.metric'],
    ['a compression by what is no metric', { compress: { quantize: 'Int8', maxLoss: { metric: 'sharpness', by: 1 } } }, {}, 'spec.trainer.compress.maxLoss.metric'],
    ['a threshold between numbers', { evaluation: { threshold: { maximise: 'F1' } } }, { target: 'noise', features: { columns: ['a', 'b'] } }, 'spec.trainer.evaluation.threshold'],
  ];
  for (const [what, over, data, at] of refused) {
    it(`is refused ${what} before its first epoch`, async () => {
      await using place = await folder();
      const spec = trainerSpec({ data: { source: { uri: place.write('rows.csv', rare(200)) }, target: 'fraud', features: { columns: ['a', 'b', 'noise'] }, ...data }, model: { preset: 'Linear' }, ...over });
      let epochs = 0;
      const outcome = await train(spec, place.path, { onReport: () => epochs++ });
      expect(outcome).to.have.nested.property('failure.error').that.includes({ code: 'SPEC_TASK_MISMATCH', at });
      expect(epochs).to.equal(0);
    });
  }

  it('is measured by names without a part, at shares of whole hundredths', () => {
    const names = (...metrics: unknown[]): readonly string[] => metricNames({ ...trainerSpec({ data: { source: { uri: 'file:///rows.csv' }, target: 'y' }, model: { preset: 'Linear' } }).fit, metrics }, 'Classification');
    expect(names({ recallAt: { precision: 0.29 } })).to.include('recallAtPrecision29');
    expect(() => names({ recallAt: { precision: 0.905 } })).to.throw('whole hundredths');
    expect(() => names('val_f1')).to.throw('val_f1 is no metric');
  });

  it('learns vectors for categories', async () => {
    const { metrics } = await evaluated({ model: { preset: 'MLP', units: [8], embedding: { dimension: 3 } } }, { features: { columns: ['a', 'b', 'shop'] }, pipeline: [{ encode: { method: 'Embedding' } }, { scale: { columns: ['a', 'b'] } }] });
    expect(metrics.test_accuracy).to.be.above(0.9);
  });
});
