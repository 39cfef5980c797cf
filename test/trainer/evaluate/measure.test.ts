import { expect } from 'chai';
import fc from 'fast-check';
import { askPython } from '../../../hack/python/venv.ts';
import { measure } from '../../../trainer-image/src/evaluate/measure.ts';
import { confusionOf, perClass } from '../../../trainer-image/src/evaluate/confusion.ts';
import { mostProbable } from '../../../trainer-image/src/evaluate/classification.ts';
import { risingOrder, sort } from '../../../trainer-image/src/evaluate/order.ts';
import { subset, weightsOf } from '../../../trainer-image/src/evaluate/predictions.ts';
import type { ClassPredictions, Predictions, ValuePredictions } from '../../../trainer-image/src/evaluate/predictions.ts';
import { evaluatedMetrics, isLargerBetter, metricsOfTask, needsPredictions, suitsTask, usualMetrics } from '../../../trainer-image/src/evaluate/registry.ts';
import { classPredictions, classesForPython, valuePredictions, valuesForPython } from './support.ts';
import { classificationProgram, regressionProgram } from './scikit.ts';

type Told = Record<string, number | null>;

/** Every metric that Python gives, equal to 1e-9 relative or absolute; what is null there is left out here. */
function expectEqual(told: Told, measured: Readonly<Record<string, number>>, what: string, tolerance = 1e-9): void {
  for (const [name, value] of Object.entries(told)) {
    if (value === null) expect(measured, what).not.to.have.property(name);
    else expect(measured[name], `${name} of ${what}`).to.be.closeTo(value, tolerance * Math.max(1, Math.abs(value)));
  }
}

describe('metrics of a classification', () => {
  const constant = classPredictions({ rows: 60 });
  const perfect = classPredictions({ rows: 50, classes: 3 });
  const cases: Record<string, ClassPredictions> = {
    'two classes': classPredictions({ rows: 400 }),
    'two classes with weights': classPredictions({ rows: 400, seed: 2, weights: true }),
    'five classes': classPredictions({ rows: 500, classes: 5, seed: 3 }),
    'five classes with weights': classPredictions({ rows: 500, classes: 5, seed: 4, weights: true }),
    'many ties': classPredictions({ rows: 300, steps: 4, seed: 5 }),
    'many ties, classes and weights': classPredictions({ rows: 300, classes: 4, steps: 3, seed: 6, weights: true }),
    'probabilities on the edges of the bins': classPredictions({ rows: 300, steps: 10, seed: 7 }),
    'a class that never occurs': classPredictions({ rows: 200, classes: 4, absent: [2], seed: 8 }),
    'one true class of two': classPredictions({ rows: 30, absent: [1], seed: 9 }),
    'the other true class of two': classPredictions({ rows: 30, absent: [0], seed: 10 }),
    'one true class of four': classPredictions({ rows: 30, classes: 4, absent: [0, 1, 3], seed: 11 }),
    'worse than chance': classPredictions({ rows: 200, skill: -3, seed: 12 }),
    'one score for all': { ...constant, probabilities: constant.probabilities.map((_, at) => (at % 2 === 0 ? 0.75 : 0.25)) },
    'no mistake': { ...perfect, probabilities: perfect.probabilities.map((_, at) => (perfect.truth[Math.floor(at / 3)] === at % 3 ? 1 : 0)) },
    'one row': classPredictions({ rows: 1, seed: 13 }),
    'two rows': classPredictions({ rows: 2, classes: 3, seed: 14 }),
  };
  const names = [...evaluatedMetrics('Classification'), 'recallAtPrecision90', 'recallAtPrecision60', 'precisionAtRecall80'];

  it('are those of scikit-learn', async function () {
    this.timeout(300_000);
    const told = await askPython('science', classificationProgram, Object.values(cases).map(classesForPython)) as (Told & { each: unknown; logLoss32: number })[];
    Object.entries(cases).forEach(([what, predictions], at) => {
      const { each, logLoss32, ...values } = told[at] ?? { each: [], logLoss32: NaN };
      const measured = measure(predictions, names);
      expect(Object.keys(values), what).to.have.members(names);
      expectEqual(values, measured, what);
      expect(measured.logLoss, what).to.be.closeTo(logLoss32, 1e-6 * Math.max(1, logLoss32));
      const mine = perClass(confusionOf(predictions.classes.length, predictions.truth, mostProbable(predictions), weightsOf(predictions)));
      (each as number[][]).forEach((column, metric) => {
        const field = (['precision', 'recall', 'f1', 'support'] as const)[metric] ?? 'f1';
        column.forEach((value, place) => expect(mine[place]?.[field], `${field} of class ${place} of ${what}`).to.be.closeTo(value, 1e-9));
      });
    });
  });

  it('say nothing about no rows', () => {
    expect(measure(classPredictions({ rows: 0 }), names)).to.deep.equal({});
  });

  it('do not see rows of weight 0', () => {
    fc.assert(fc.property(fc.nat(1000), fc.integer({ min: 2, max: 4 }), fc.constantFrom(undefined, 3), (seed, classes, steps) => {
      const predictions = classPredictions({ rows: 40, classes, seed, weights: true, ...(steps === undefined ? {} : { steps }) });
      const counting = Int32Array.from(predictions.truth.keys()).filter((row) => predictions.weights?.[row] !== 0);
      expectEqual({ ...measure(subset(predictions, counting), names) }, measure(predictions, names), `seed ${seed}`);
    }), { numRuns: 50 });
  });

  it('take a weight of 2 for a row that is there twice', () => {
    fc.assert(fc.property(fc.nat(1000), fc.array(fc.nat(3), { minLength: 30, maxLength: 30 }), (seed, counts) => {
      const predictions = classPredictions({ rows: 30, classes: 3, steps: 5, seed });
      const repeated = Int32Array.from(counts.flatMap((count, row) => Array.from({ length: count }, () => row)));
      expectEqual({ ...measure(subset(predictions, repeated), names) }, measure({ ...predictions, weights: Float64Array.from(counts) }, names), `seed ${seed}`);
    }), { numRuns: 50 });
  });

  it('refuse outputs that are not finite', () => {
    const predictions = classPredictions({ rows: 3 });
    predictions.probabilities[4] = NaN;
    expect(() => measure(predictions, ['accuracy'])).to.throw('row 2').with.property('code', 'TRAINING_DIVERGED');
  });
});

describe('metrics of a regression', () => {
  const large = valuePredictions({ rows: 100, seed: 4 });
  const constant = new Float64Array(20).fill(7);
  const cases: Record<string, ValuePredictions> = {
    'an odd number of rows': valuePredictions({ rows: 301 }),
    'an even number of rows': valuePredictions({ rows: 300, seed: 2 }),
    'weights': valuePredictions({ rows: 300, seed: 3, weights: true }),
    'whole weights': { ...valuePredictions({ rows: 40, seed: 6 }), weights: Float64Array.from({ length: 40 }, (_, row) => row % 4) },
    'values far from 0': { ...large, truth: large.truth.map((value) => value + 1e8), predicted: large.predicted.map((value) => value + 1e8) },
    'true values of 0': { ...large, truth: large.truth.map((value, row) => (row % 3 === 0 ? 0 : value)) },
    'equal truths': { task: 'Regression', truth: constant, predicted: constant.map((value, row) => value + row % 2) },
    'equal truths, no error': { task: 'Regression', truth: constant, predicted: constant },
    'no error': { ...large, predicted: large.truth },
    'one row': valuePredictions({ rows: 1, seed: 5 }),
  };
  const names = evaluatedMetrics('Regression');

  it('are those of scikit-learn', async function () {
    this.timeout(300_000);
    const told = await askPython('science', regressionProgram, Object.values(cases).map(valuesForPython)) as Told[];
    Object.entries(cases).forEach(([what, predictions], at) => {
      expect(Object.keys(told[at] ?? {}), what).to.have.members(names);
      expectEqual(told[at] ?? {}, measure(predictions, names), what, what === 'values far from 0' ? 1e-7 : 1e-9);
    });
  });

  it('do not see rows of weight 0', () => {
    fc.assert(fc.property(fc.nat(1000), fc.integer({ min: 2, max: 30 }), (seed, rows) => {
      const predictions = valuePredictions({ rows, seed, weights: true });
      const counting = Int32Array.from(predictions.truth.keys()).filter((row) => predictions.weights?.[row] !== 0);
      fc.pre(counting.length > 1);
      expectEqual({ ...measure(subset(predictions, counting), names) }, measure(predictions, names), `seed ${seed}`);
    }), { numRuns: 50 });
  });
});

describe('the registry of metrics', () => {
  it('knows the direction of each, with and without the name of the part', () => {
    expect(['val_prAuc', 'rocAuc', 'test_mcc', 'r2', 'val_recallAtPrecision90'].every(isLargerBetter)).to.be.true;
    expect(['val_loss', 'rmse', 'test_brier', 'logLoss', 'mape', 'val_unheard'].some(isLargerBetter)).to.be.false;
  });

  it('knows for which task each is', () => {
    expect(suitsTask('val_prAuc', 'Classification')).to.be.true;
    expect(suitsTask('val_prAuc', 'Regression')).to.be.false;
    expect(suitsTask('val_loss', 'Regression')).to.be.true;
    expect(suitsTask('constructor', 'Classification')).to.be.false;
    expect(suitsTask('recallAtPrecision0', 'Classification')).to.be.false;
    for (const task of ['Classification', 'Regression'] as const) expect(metricsOfTask(task).every((name) => suitsTask(name, task))).to.be.true;
  });

  it('tells those that a tally is enough for', () => {
    expect(['val_f1', 'mcc', 'loss'].some((name) => needsPredictions(name, 'Classification'))).to.be.false;
    expect(['val_rocAuc', 'brier', 'precisionAtRecall50'].every((name) => needsPredictions(name, 'Classification'))).to.be.true;
    expect(usualMetrics('Classification')).to.deep.equal(['loss', 'accuracy', 'precision', 'recall', 'f1']);
    expect(usualMetrics('Regression')).to.deep.equal(['loss', 'mae', 'rmse', 'r2']);
  });
});

describe('the order of numbers', () => {
  const special = fc.constantFrom(0, -0, 1, 1 + 2 ** -50, 1 - 2 ** -50, -1, Infinity, -Infinity, 5e-324, 1e-45, 0.1);
  const stably = (values: ArrayLike<number>): number[] => Array.from(values).map((value, place) => ({ value, place }))
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.place - b.place)).map(({ place }) => place);

  it('is that of a stable sort, in 32 bits', () => {
    fc.assert(fc.property(fc.array(fc.oneof(special, fc.float({ noNaN: true }))), (drawn) => {
      const values = Float32Array.from(drawn);
      const { order, keys } = sort(values);
      expect([...order]).to.deep.equal(stably(values));
      for (let at = 1; at < keys.length; at++) expect(keys[at] === keys[at - 1]).to.equal(values[order[at] ?? 0] === values[order[at - 1] ?? 0]);
    }));
  });

  it('is that of a stable sort, in 64 bits', () => {
    fc.assert(fc.property(fc.array(fc.oneof(special, fc.double({ noNaN: true }))), (drawn) => {
      const values = Float64Array.from(drawn);
      expect([...risingOrder(values)]).to.deep.equal(stably(values));
    }));
  });
});

describe('metrics of a million rows', () => {
  /** Of processor time, which others on the machine take less from; the better of two runs. */
  function seconds(predictions: Predictions, names: readonly string[]): number {
    return Math.min(...[1, 2].map(() => {
      const begin = process.cpuUsage();
      expect(Object.keys(measure(predictions, names))).to.have.length(names.length);
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1e6;
    }));
  }

  it('take less than a second, all of them together', function () {
    this.timeout(300_000);
    expect(seconds(classPredictions({ rows: 1e6 }), evaluatedMetrics('Classification'))).to.be.below(1);
    expect(seconds(valuePredictions({ rows: 1e6 }), evaluatedMetrics('Regression'))).to.be.below(1);
  });
});
