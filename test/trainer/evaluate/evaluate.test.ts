import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { classFacts, classSample } from '../../../trainer-image/src/evaluate/classification.ts';
import { curvesOf } from '../../../trainer-image/src/evaluate/curves.ts';
import type { Curve } from '../../../trainer-image/src/evaluate/curves.ts';
import { errorHistogram, predictedByTrue, scoreHistogram } from '../../../trainer-image/src/evaluate/distribution.ts';
import { evaluate } from '../../../trainer-image/src/evaluate/evaluate.ts';
import type { EvaluationRequest } from '../../../trainer-image/src/evaluate/evaluate.ts';
import type { ClassificationEvaluation, Evaluation } from '../../../trainer-image/src/evaluate/evaluation.ts';
import { measure } from '../../../trainer-image/src/evaluate/measure.ts';
import { subset, weightsOf } from '../../../trainer-image/src/evaluate/predictions.ts';
import type { ClassPredictions } from '../../../trainer-image/src/evaluate/predictions.ts';
import { evaluatedMetrics } from '../../../trainer-image/src/evaluate/registry.ts';
import { valueFacts, valueSample } from '../../../trainer-image/src/evaluate/regression.ts';
import { slicesOf } from '../../../trainer-image/src/evaluate/slices.ts';
import { thin } from '../../../trainer-image/src/evaluate/thin.ts';
import { classPredictions, classesForPython, normal, uniform, valuePredictions } from './support.ts';

const sampleOf = (predictions: ClassPredictions) => classSample(classFacts(predictions), weightsOf(predictions));
const valuesOf = (options: Parameters<typeof valuePredictions>[0]) => {
  const predictions = valuePredictions(options);
  return valueSample(valueFacts(predictions), weightsOf(predictions));
};

/** Distance of a point from a line through points. */
function distance(x: number, y: number, line: readonly (readonly [number, number])[]): number {
  let least = Infinity;
  for (let at = 1; at < line.length; at++) {
    const [[fromX, fromY], [toX, toY]] = [line[at - 1] ?? [NaN, NaN], line[at] ?? [NaN, NaN]];
    const length = (toX - fromX) ** 2 + (toY - fromY) ** 2;
    const share = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - fromX) * (toX - fromX) + (y - fromY) * (toY - fromY)) / length));
    least = Math.min(least, Math.hypot(x - fromX - share * (toX - fromX), y - fromY - share * (toY - fromY)));
  }
  return least;
}

describe('a thinned curve', () => {
  it('keeps its ends, and no point that it leaves out is far from it', () => {
    fc.assert(fc.property(fc.nat(1000), fc.integer({ min: 2, max: 300 }), fc.constantFrom('ROC', 'zigzag'), (seed, points, kind) => {
      const source = random(seed, 'curve');
      const rising = (): number[] => Array.from({ length: points }, () => uniform(source) ** 3).sort((a, b) => a - b);
      const x = rising();
      const y = kind === 'ROC' ? rising() : x.map((value) => Math.min(1, Math.max(0, 0.5 + 0.3 * Math.sin(9 * value) + 0.02 * normal(source))));
      const kept = thin(x, y, 1000);
      expect(kept).to.deep.equal(Array.from(x.keys()));
      const few = thin(x, y, 40);
      expect(few.length).to.be.at.most(40);
      expect([few[0], few.at(-1)]).to.deep.equal([0, points - 1]);
      const line = few.map((place): [number, number] => [x[place] ?? NaN, y[place] ?? NaN]);
      x.forEach((value, at) => expect(distance(value, y[at] ?? NaN, line)).to.be.below(kind === 'ROC' ? 0.03 : 0.1));
    }));
  });

  it('is within a hundredth for a smooth curve of a million points', () => {
    const count = 1e6;
    const x = Float64Array.from({ length: count }, (_, at) => at / (count - 1));
    const y = x.map((value) => Math.sqrt(value));
    const kept = thin(x, y, 100);
    expect(kept.length).to.be.within(5, 100);
    const line = kept.map((place): [number, number] => [x[place] ?? NaN, y[place] ?? NaN]);
    for (let at = 0; at < count; at += 997) expect(distance(x[at] ?? NaN, y[at] ?? NaN, line)).to.be.below(0.01);
  });
});

describe('the curves of a classification', () => {
  it('are those of scikit-learn', async function () {
    this.timeout(300_000);
    const cases = [classPredictions({ rows: 60, steps: 10, seed: 1 }), classPredictions({ rows: 60, steps: 7, seed: 2, weights: true })];
    const program = `
import json, sys
import numpy as np
from sklearn import metrics as m
def one(case):
    y, s, w = np.array(case['truth']), np.array(case['probabilities'])[:, 1], case['weights']
    x, t, _ = m.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    p, r, _ = m.precision_recall_curve(y, s, sample_weight=w)
    return [x.tolist(), t.tolist(), r[::-1].tolist(), p[::-1].tolist()]
json.dump([one(case) for case in json.load(sys.stdin)], sys.stdout)`;
    const told = await askPython('science', program, cases.map(classesForPython)) as [number[], number[], number[], number[]][];
    const near = (curve: Curve | undefined, x: number[], y: number[]): void => {
      const line = x.map((value, at): [number, number] => [value, y[at] ?? NaN]);
      for (const [at, value] of (curve?.x ?? []).entries()) expect(distance(value, curve?.y[at] ?? NaN, line)).to.be.below(1e-4);
      const mine = (curve?.x ?? []).map((value, at): [number, number] => [value, curve?.y[at] ?? NaN]);
      for (const [value, other] of line) expect(distance(value, other, mine)).to.be.below(0.001);
    };
    cases.forEach((predictions, at) => {
      const { roc: [roc], precisionRecall: [precisionRecall] } = curvesOf(sampleOf(predictions));
      const [fpr = [], tpr = [], recall = [], precision = []] = told[at] ?? [];
      near(roc, fpr, tpr);
      // scikit-learn begins with a precision of 1 at recall 0; here it is that of the strictest decision.
      near(precisionRecall, [0, ...recall.slice(1)], [precision[1] ?? NaN, ...precision.slice(1)]);
    });
  });

  it('are of the second of two classes, of each of a few, and of many of the mean and the worst', () => {
    const classesOf = (classes: number): (string | undefined)[] => curvesOf(sampleOf(classPredictions({ rows: 400, classes }))).roc.map((curve) => curve.class);
    expect(classesOf(2)).to.deep.equal(['class 1']);
    expect(classesOf(4)).to.deep.equal(['class 0', 'class 1', 'class 2', 'class 3']);
    expect(classesOf(12)).to.have.length(6);
    expect(classesOf(12)[0]).to.equal(undefined);
  });

  it('have a mean whose area is the mean of the areas', () => {
    const predictions = classPredictions({ rows: 3000, classes: 10, seed: 3 });
    const { roc: [roc], precisionRecall: [precisionRecall] } = curvesOf(sampleOf(predictions));
    const under = ({ x, y }: Curve): number => x.reduce((sum, at, place) => sum + (place === 0 ? 0 : ((at - (x[place - 1] ?? 0)) * ((y[place] ?? 0) + (y[place - 1] ?? 0))) / 2), 0);
    const { rocAuc = NaN, prAuc = NaN } = measure(predictions, ['rocAuc', 'prAuc']);
    expect(roc?.area).to.be.closeTo(rocAuc, 1e-9);
    expect(precisionRecall?.area).to.be.closeTo(prAuc, 1e-9);
    expect(roc === undefined ? NaN : under(roc)).to.be.closeTo(rocAuc, 0.005);
    expect(precisionRecall === undefined ? NaN : under(precisionRecall)).to.be.closeTo(prAuc, 0.01);
  });
});

describe('a histogram', () => {
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

  it('holds every row once', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(100), (rows, seed) => {
      const errors = errorHistogram(valuesOf({ rows, seed }));
      expect(sum(errors.series[0]?.rows ?? []) + errors.outside).to.equal(rows);
      const grid = predictedByTrue(valuesOf({ rows, seed }));
      expect(sum(grid.rows.map(sum)) + grid.outside).to.equal(rows);
      const scores = scoreHistogram(sampleOf(classPredictions({ rows, seed, steps: 10 })));
      expect(sum(scores.series.map(({ rows: counts }) => sum(counts)))).to.equal(rows);
    }));
  });

  it('is not stretched by one value that is far away', () => {
    const predictions = valuePredictions({ rows: 2000 });
    predictions.predicted[7] = 1e9;
    const { edges, outside } = errorHistogram(valueSample(valueFacts(predictions), weightsOf(predictions)));
    expect(edges.at(-1)).to.be.below(20);
    expect(outside).to.be.within(1, 10);
  });

  it('has a bin also where all values are equal', () => {
    const predictions = { ...valuePredictions({ rows: 5 }), predicted: new Float64Array(5).fill(3), truth: new Float64Array(5).fill(3) };
    expect(errorHistogram(valueSample(valueFacts(predictions), weightsOf(predictions))).outside).to.equal(0);
  });
});

describe('slices', () => {
  it('hold every row once', () => {
    fc.assert(fc.property(fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd')), { minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 }), (values, fewestRows, mostSlices) => {
      const slices = slicesOf('x', values, { fewestRows, mostSlices });
      expect(slices.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b)).to.deep.equal(Array.from(values.keys()));
      const named = slices.filter(({ value }) => !value.startsWith('('));
      expect(named.length).to.be.at.most(mostSlices);
      for (const { value, rows } of named) expect([...rows].every((row) => values[row] === value) && rows.length >= fewestRows).to.be.true;
    }));
  });

  it('are the quarters of a quantity, and the values of a few numbers', () => {
    const quantity = slicesOf('age', Float64Array.from({ length: 101 }, (_, row) => row));
    expect(quantity.map(({ value, rows }) => [value, rows.length])).to.deep.equal([['up to 25', 26], ['over 25 to 50', 25], ['over 50 to 75', 25], ['over 75', 25]]);
    const numbers = slicesOf('number', Float64Array.from({ length: 100 }, (_, row) => 1_000_001 + row));
    expect(numbers.map(({ value }) => value).sort()).to.deep.equal(['over 1000025 to 1000050', 'over 1000050 to 1000075', 'over 1000075', 'up to 1000025']);
    expect(slicesOf('tenths', Float64Array.from({ length: 101 }, (_, row) => row * 0.1)).map(({ value }) => value)).to.deep.equal(['up to 2.5', 'over 2.5 to 5', 'over 5 to 7.5', 'over 7.5']);
    expect(slicesOf('beds', Float64Array.from({ length: 60 }, (_, row) => (row % 4 === 0 ? NaN : row % 2 + 1))).map(({ value }) => value)).to.deep.equal(['2', '1', '(missing)']);
  });
});

describe('the quarters of a quantity', () => {
  const near = fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 12, maxLength: 60 })).map(([from, steps]) => steps.map((step) => from + step * 1e-4));
  const far = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 12, maxLength: 60 });

  it('have names that tell them apart, and that every row but the limits themselves fits', () => {
    fc.assert(fc.property(fc.oneof(near, far), (drawn) => {
      const values = Float64Array.from(drawn);
      fc.pre(new Set(values).size > 10);
      const sorted = values.toSorted();
      const limits = new Set([0.25, 0.5, 0.75].map((share) => sorted[Math.ceil(share * sorted.length) - 1]));
      const slices = slicesOf('x', values, { fewestRows: 1 });
      expect(new Set(slices.map(({ value }) => value)).size).to.equal(slices.length);
      for (const { value: name, rows } of slices) {
        const [, over = '-Infinity', to = 'Infinity'] = /^(?:over (\S+?))?(?: to |up to |$)(\S+)?$/.exec(name) ?? [];
        for (const row of rows) {
          const value = values[row] ?? NaN;
          if (!limits.has(value)) expect(value, name).to.be.above(Number(over)).and.to.be.below(Number(to));
        }
      }
    }));
  });
});

describe('an evaluation', () => {
  const predictions = classPredictions({ rows: 300, classes: 3, seed: 2 });
  const features = Float32Array.from({ length: 600 }, (_, at) => at % 7);
  const request: EvaluationRequest = {
    part: 'test', target: 'species', predictions, seed: 1,
    metrics: ['accuracy', 'rocAuc', 'recallAtPrecision90'],
    slices: slicesOf('site', Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? 'north' : 'south'))),
    intervals: { confidence: 0.9, resamples: 50, method: 'Percentile', stratify: true },
    importance: { features, groups: [{ name: 'a', columns: [0] }, { name: 'b', columns: [1] }], predict: () => predictions.probabilities, metric: 'accuracy', repeats: 2, mostRows: 1000 },
    thresholds: { tune: { maximise: 'F1' } },
  };
  const classified = (of: EvaluationRequest): ClassificationEvaluation => {
    const found = evaluate(of);
    if (found.task !== 'Classification') throw new Error('Not a classification.');
    return found;
  };

  it('tells metrics with their intervals, of classes and of slices', () => {
    const found = classified(request);
    expect(found).to.include({ part: 'test', target: 'species', rows: 300 });
    expect(found.metrics).to.have.keys('accuracy', 'rocAuc', 'recallAtPrecision90');
    expect(found.metrics.accuracy?.value).to.equal(measure(predictions, ['accuracy']).accuracy);
    expect(found.metrics.accuracy?.value).to.be.within(found.metrics.accuracy?.low ?? NaN, found.metrics.accuracy?.high ?? NaN);
    expect(found.perClass.map((of) => of.class)).to.deep.equal(predictions.classes);
    const south = found.slices.find(({ value }) => value === 'south');
    expect(south?.rows).to.equal(200);
    expect(south?.metrics.accuracy).to.equal(measure(subset(predictions, Int32Array.from({ length: 300 }, (_, row) => row).filter((row) => row % 3 !== 0)), ['accuracy']).accuracy);
    expect(found.importance?.features.map(({ mean }) => mean)).to.deep.equal([0, 0]);
  });

  it('applies to one part the thresholds that were tuned on another', () => {
    const validation = classified(request).decisions;
    expect(validation?.tunedFor).to.deep.equal({ maximise: 'F1' });
    const test = classified({ part: 'test', target: 'species', predictions: classPredictions({ rows: 100, classes: 3, seed: 3 }), thresholds: { apply: validation?.thresholds ?? [] }, seed: 1 }).decisions;
    expect(test?.thresholds).to.deep.equal(validation?.thresholds);
    expect(test).not.to.have.property('tunedFor');
    expect(test?.metrics).to.have.keys('accuracy', 'precision', 'recall', 'f1', 'balancedAccuracy', 'mcc', 'cohenKappa');
  });

  it('leaves metrics that thresholds do not change as they are', () => {
    const plain = classified({ ...request, metrics: evaluatedMetrics('Classification') });
    expect(plain.decisions?.metrics.accuracy).to.be.at.most(1);
    expect(plain.metrics.accuracy?.value).to.equal(measure(predictions, ['accuracy']).accuracy);
  });

  it('is a function of the request, without NaN, and small', () => {
    const requests: EvaluationRequest[] = [
      request,
      { part: 'test', target: 'y', predictions: classPredictions({ rows: 1 }), seed: 1, intervals: { confidence: 0.95, resamples: 10, method: 'BCa', stratify: false } },
      { part: 'test', target: 'y', predictions: classPredictions({ rows: 500, classes: 100 }), seed: 1 },
      { part: 'test', target: 'y', predictions: classPredictions({ rows: 20_000 }), seed: 1 },
      { part: 'test', target: 'y', predictions: valuePredictions({ rows: 5000, weights: true }), seed: 1 },
      { part: 'test', target: 'y', predictions: valuePredictions({ rows: 1 }), seed: 1 },
    ];
    for (const of of requests) {
      const found: Evaluation = evaluate(of);
      const text = JSON.stringify(found);
      expect(evaluate(of)).to.deep.equal(found);
      expect(JSON.parse(text)).to.deep.equal(found);
      expect(text).not.to.include('null');
      expect(text.length).to.be.below(100_000);
    }
  });

  it('refuses a part without rows', () => {
    expect(() => evaluate({ part: 'test', target: 'y', predictions: classPredictions({ rows: 0 }), seed: 1 })).to.throw('no rows').with.property('code', 'DATA_TOO_FEW_ROWS');
  });
});
