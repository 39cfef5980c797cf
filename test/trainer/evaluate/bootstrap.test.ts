import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { intervals } from '../../../trainer-image/src/evaluate/bootstrap.ts';
import type { Interval, IntervalOptions } from '../../../trainer-image/src/evaluate/bootstrap.ts';
import { measure } from '../../../trainer-image/src/evaluate/measure.ts';
import { normalCdf, normalQuantile } from '../../../trainer-image/src/evaluate/normal.ts';
import type { Predictions, ValuePredictions } from '../../../trainer-image/src/evaluate/predictions.ts';
import { classPredictions, normal, uniform, valuePredictions } from './support.ts';

const options: IntervalOptions = { confidence: 0.9, resamples: 200, method: 'BCa', stratify: false, seed: 1 };

describe('the normal distribution', () => {
  it('is that of SciPy', async function () {
    this.timeout(300_000);
    const points = [-6.9, -4, -2.5, -1.959963984540054, -0.3, 0, 1e-9, 0.7, 1.2815515655446004, 3.3, 6];
    const probabilities = [1e-9, 0.001, 0.025, 0.3, 0.5, 0.6, 0.975, 1 - 1e-9];
    const told = await askPython('science', 'import json, sys; from scipy.stats import norm; i = json.load(sys.stdin); json.dump([list(norm.cdf(i[0])), list(norm.ppf(i[1]))], sys.stdout)', [points, probabilities]) as [number[], number[]];
    points.forEach((point, at) => expect(normalCdf(point)).to.be.closeTo(told[0][at] ?? NaN, 1e-15));
    probabilities.forEach((probability, at) => expect(normalQuantile(probability)).to.be.closeTo(told[1][at] ?? NaN, 1e-6));
  });
});

describe('a bootstrap interval', () => {
  /** Share of samples whose interval holds what is true of all. */
  function coverage(sample: (seed: number) => Predictions, metric: string, truth: number, chosen: Partial<IntervalOptions> = {}): number {
    const samples = 250;
    let covered = 0;
    for (let seed = 0; seed < samples; seed++) {
      const interval = intervals(sample(seed), [metric], { ...options, ...chosen, seed })[metric];
      if (interval !== undefined && interval.low <= truth && truth <= interval.high) covered++;
    }
    return covered / samples;
  }

  /** Errors are exponential, so that their mean is skewed: mean absolute error 1. */
  function skewed(seed: number, rows = 60): ValuePredictions {
    const source = random(seed, 'skewed');
    const predicted = Float64Array.from({ length: rows }, () => -Math.log(1 - uniform(source)));
    return { task: 'Regression', predicted, truth: new Float64Array(rows) };
  }

  /** Scores are normal, shifted by 1 for class 1: area under the curve Φ(1 / √2). */
  function binormal(seed: number): Predictions {
    const source = random(seed, 'binormal');
    const truth = Int32Array.from({ length: 100 }, (_, row) => row % 2);
    const probabilities = Float32Array.from([...truth].flatMap((place) => {
      const score = 1 / (1 + Math.exp(-normal(source) - place));
      return [1 - score, score];
    }));
    return { task: 'Classification', classes: ['a', 'b'], probabilities, truth };
  }

  // The standard error of a share of 0.9 among 250 is 0.019; small samples cover a little less than they should.
  for (const method of ['Percentile', 'BCa'] as const) {
    it(`holds the true value as often as it says: ${method}`, function () {
      this.timeout(300_000);
      expect(coverage((seed) => skewed(seed), 'mae', 1, { method }), 'mae').to.be.within(0.84, 0.95);
      expect(coverage(binormal, 'rocAuc', normalCdf(Math.SQRT1_2), { method, stratify: true }), 'rocAuc').to.be.within(0.84, 0.95);
    });
  }

  it('is that of SciPy, but for the draw', async function () {
    this.timeout(300_000);
    const { predicted, truth } = skewed(7, 15);
    const program = `
import json, sys
import numpy as np
from scipy.stats import bootstrap
errors = np.abs(np.array(json.load(sys.stdin)))
def of(method):
    found = bootstrap((errors,), np.mean, n_resamples=20000, confidence_level=0.9, method=method, rng=np.random.default_rng(1)).confidence_interval
    return {'low': found.low, 'high': found.high}
json.dump({'Percentile': of('percentile'), 'BCa': of('BCa')}, sys.stdout)`;
    const told = await askPython('science', program, Array.from(predicted, (value, row) => value - (truth[row] ?? 0))) as Record<'Percentile' | 'BCa', Interval>;
    for (const method of ['Percentile', 'BCa'] as const) {
      const { mae } = intervals(skewed(7, 15), ['mae'], { ...options, method, resamples: 20_000 });
      const width = told[method].high - told[method].low;
      expect(mae?.low, `${method}, low`).to.be.closeTo(told[method].low, 0.04 * width);
      expect(mae?.high, `${method}, high`).to.be.closeTo(told[method].high, 0.04 * width);
    }
    // What BCa corrects is more than the tolerance.
    expect(told.BCa.high - told.Percentile.high).to.be.greaterThan(0.05 * (told.BCa.high - told.BCa.low));
  });

  it('is nearly the same for a hundred left-out parts as for single rows', () => {
    const predictions = valuePredictions({ rows: 2000, seed: 3 });
    const { rmse } = intervals(predictions, ['rmse'], { ...options, resamples: 2000 });
    const { rmse: plain } = intervals(predictions, ['rmse'], { ...options, resamples: 2000, method: 'Percentile' });
    const width = (plain?.high ?? NaN) - (plain?.low ?? NaN);
    expect(Math.abs((rmse?.low ?? NaN) - (plain?.low ?? NaN))).to.be.below(0.1 * width);
  });

  it('is a function of its arguments, and another for another seed', () => {
    const predictions = classPredictions({ rows: 80, classes: 3, weights: true });
    const of = (seed: number): unknown => intervals(predictions, ['accuracy', 'prAuc'], { ...options, seed });
    expect(of(1)).to.deep.equal(of(1));
    expect(of(1)).not.to.deep.equal(of(2));
  });

  it('lies within what the metric can be', () => {
    fc.assert(fc.property(fc.nat(1000), fc.integer({ min: 3, max: 30 }), fc.boolean(), fc.boolean(), (seed, rows, stratify, weights) => {
      const found = intervals(classPredictions({ rows, classes: 3, seed, steps: 4, weights }), ['accuracy', 'rocAuc', 'f1', 'mcc'], { ...options, stratify, resamples: 40 });
      for (const [name, { low, high }] of Object.entries(found)) {
        expect(low, name).to.be.at.most(high);
        expect(low, name).to.be.at.least((name === 'mcc' ? -1 : 0) - 1e-12);
        expect(high, name).to.be.at.most(1 + 1e-12);
      }
    }), { numRuns: 60 });
  });

  it('is a point where no resample differs', () => {
    const perfect = classPredictions({ rows: 40 });
    const certain = { ...perfect, probabilities: perfect.probabilities.map((_, at) => (perfect.truth[at >> 1] === at % 2 ? 1 : 0)) };
    expect(intervals(certain, ['accuracy', 'brier'], options)).to.deep.equal({ accuracy: { low: 1, high: 1 }, brier: { low: 0, high: 0 } });
  });

  it('draws each class as often as it is there, where it shall', () => {
    const predictions = classPredictions({ rows: 60, seed: 5 });
    // All rows are predicted as class 0, so that accuracy is its share.
    const one = { ...predictions, probabilities: predictions.probabilities.map((_, at) => (at % 2 === 0 ? 1 : 0)) };
    const { accuracy } = measure(one, ['accuracy']);
    expect(intervals(one, ['accuracy'], { ...options, stratify: true }).accuracy).to.deep.equal({ low: accuracy, high: accuracy });
    const free = intervals(one, ['accuracy'], options).accuracy;
    expect(free?.high).to.be.greaterThan(free?.low ?? NaN);
  });

  it('is not given where many resamples do not define the metric', () => {
    const rare = classPredictions({ rows: 30, seed: 6, absent: [1] });
    rare.truth[3] = 1;
    expect(intervals(rare, ['rocAuc', 'accuracy'], options)).to.have.keys('accuracy');
    expect(intervals(rare, ['rocAuc'], { ...options, stratify: true })).to.have.keys('rocAuc');
  });
});
