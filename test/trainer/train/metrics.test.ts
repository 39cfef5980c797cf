import { expect } from 'chai';
import { measure } from '../../../trainer-image/src/evaluate/measure.ts';
import { addBatch, emptyTally, metricsOf, perClass } from '../../../trainer-image/src/train/metrics.ts';
import { judgeStopping, startStopping } from '../../../trainer-image/src/train/stopping.ts';
import type { StoppingState } from '../../../trainer-image/src/train/stopping.ts';
import { trainerSpec } from '../support.ts';

const classes = { task: 'Classification', name: 'y', classes: ['a', 'b', 'c'] } as const;
const values = { task: 'Regression', name: 'y', mean: 100, scale: 10 } as const;

describe('metrics of a classification', () => {
  const tally = emptyTally(classes);
  addBatch(tally, [0, 0, 1, 1], [0, 1, 1, 1], 0.5);
  addBatch(tally, [2, 2], [2, 0], 2);

  it('weigh batches by their rows', () => {
    expect(metricsOf(tally, classes).loss).to.equal((4 * 0.5 + 2 * 2) / 6);
  });

  it('are accuracy and macro averages, as scikit-learn computes them', () => {
    const { accuracy, precision, recall, f1 } = metricsOf(tally, classes, '');
    expect(accuracy).to.equal(4 / 6);
    expect(precision).to.be.closeTo((1 / 2 + 2 / 3 + 1) / 3, 1e-12);
    expect(recall).to.be.closeTo((1 / 2 + 1 + 1 / 2) / 3, 1e-12);
    expect(f1).to.be.closeTo((1 / 2 + 4 / 5 + 2 / 3) / 3, 1e-12);
  });

  it('count 0 for a class that is never predicted, and leave out one that never occurs', () => {
    const some = emptyTally(classes);
    addBatch(some, [0, 1], [0, 0], 0);
    expect(metricsOf(some, classes).recall).to.equal(0.5);
    expect(perClass([[1, 0], [1, 0]])[1]).to.deep.equal({ precision: 0, recall: 0, f1: 0, support: 1 });
  });

  it('are those that are asked for, where a tally is enough', () => {
    const { val_mcc, val_balancedAccuracy, ...others } = metricsOf(tally, classes, 'val_', ['mcc', 'balancedAccuracy', 'rocAuc', 'mae']);
    expect(val_balancedAccuracy).to.be.closeTo((1 / 2 + 1 + 1 / 2) / 3, 1e-12);
    expect(val_mcc).to.be.closeTo((4 * 6 - (2 * 2 + 2 * 3 + 2 * 1)) / Math.sqrt((36 - 12) * (36 - 14)), 1e-12);
    expect(others).to.deep.equal({});
  });

  it('say nothing about no rows', () => {
    expect(metricsOf(emptyTally(classes), classes, 'val_')).to.deep.equal({});
  });
});

describe('metrics of a regression', () => {
  it('are in the units of the target', () => {
    const tally = emptyTally(values);
    addBatch(tally, [-1, 1], [-1.5, 1], 0.125);
    const metrics = metricsOf(tally, values, 'test_');
    expect(metrics).to.include({ test_mae: 2.5, test_loss: 0.125 });
    expect(metrics.test_rmse).to.be.closeTo(10 * Math.sqrt(0.125), 1e-12);
    expect(metrics.test_r2).to.be.closeTo(1 - 0.25 / 2, 1e-12);
  });

  it('are those of the whole part, whatever the batches', () => {
    const tally = emptyTally(values);
    const truth = [-1.2, 0.3, 2, -0.5, 0.1];
    const predicted = [-1, 0, 1.5, 0.5, 0.1];
    addBatch(tally, truth.slice(0, 2), predicted.slice(0, 2), 0);
    addBatch(tally, truth.slice(2), predicted.slice(2), 0);
    const unscaled = (numbers: readonly number[]): Float64Array => Float64Array.from(numbers, (number) => number * values.scale + values.mean);
    const whole = measure({ task: 'Regression', truth: unscaled(truth), predicted: unscaled(predicted) }, ['mae', 'mse', 'rmse', 'r2']);
    for (const [name, value] of Object.entries(metricsOf(tally, values, '', ['mae', 'mse', 'rmse', 'r2']))) expect(value, name).to.be.closeTo(whole[name] ?? NaN, 1e-9);
  });

  it('take equal targets for explained when there is no error, as scikit-learn does', () => {
    const r2 = (...predicted: number[]): number | undefined => {
      const tally = emptyTally(values);
      addBatch(tally, [0.1, 0.1, 0.1], predicted, 0);
      return metricsOf(tally, values).r2;
    };
    expect(r2(0.1, 0.1, 0.1)).to.equal(1);
    expect(r2(0.1, 0.1, 0.2)).to.equal(0);
  });
});

describe('early stopping', () => {
  const stopping = (written: object) => {
    const { fit } = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y' }, model: { preset: 'MLP' }, fit: { earlyStopping: written } });
    if (fit.earlyStopping === undefined) throw new Error('No early stopping.');
    return fit.earlyStopping;
  };
  /** Epoch in which it stopped, or 0, and the best epoch. */
  function follow(written: object, metric: string, ...series: number[]): [number, number] {
    let state: StoppingState = startStopping;
    for (const [index, value] of series.entries()) {
      const verdict = judgeStopping(stopping(written), state, index + 1, { [metric]: value });
      state = verdict.state;
      if (verdict.stop) return [index + 1, state.bestEpoch];
    }
    return [0, state.bestEpoch];
  }

  it('stops after as many epochs without improvement as patience says', () => {
    expect(follow({ patience: 2 }, 'val_loss', 3, 2, 2.5, 2)).to.deep.equal([4, 2]);
    expect(follow({ patience: 2 }, 'val_loss', 3, 2, 2.5, 1.9, 2)).to.deep.equal([0, 4]);
  });

  it('knows which metrics are better when larger', () => {
    expect(follow({ metric: 'val_accuracy', patience: 1 }, 'val_accuracy', 0.5, 0.6, 0.6)).to.deep.equal([3, 2]);
    expect(follow({ metric: 'rmse', patience: 1 }, 'rmse', 5, 6)).to.deep.equal([2, 1]);
  });

  it('takes a gain up to minDelta for none', () => {
    expect(follow({ patience: 1, minDelta: 0.1 }, 'val_loss', 1, 0.95)).to.deep.equal([2, 1]);
  });
});
