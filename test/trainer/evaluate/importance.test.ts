import { expect } from 'chai';
import { askPython } from '../../../hack/python/venv.ts';
import { random } from '../../../trainer-image/src/data/random.ts';
import { permutationImportance } from '../../../trainer-image/src/evaluate/importance.ts';
import type { ImportanceRequest } from '../../../trainer-image/src/evaluate/importance.ts';
import type { ValuePredictions } from '../../../trainer-image/src/evaluate/predictions.ts';
import { normal } from './support.ts';

const coefficients = [3, -1.5, 0.5, 0];
const rows = 400;

const linear = (features: Float32Array, count: number): Float32Array => Float32Array.from({ length: count }, (_, row) => (
  coefficients.reduce((sum, coefficient, column) => sum + coefficient * (features[row * coefficients.length + column] ?? 0), 0)));

const source = random(1, 'importance test');
const features = Float32Array.from({ length: rows * coefficients.length }, () => normal(source));
const predicted = Float64Array.from(linear(features, rows));
const predictions: ValuePredictions = { task: 'Regression', predicted, truth: predicted.map((value) => value + normal(source)) };
const groups = coefficients.map((_, column) => ({ name: `x${column}`, columns: [column] }));
const request: ImportanceRequest = { features, groups, predict: linear, metric: 'r2', repeats: 30, seed: 1, mostRows: 10_000 };

describe('permutation importance', () => {
  it('is that of scikit-learn, but for the draw', async function () {
    this.timeout(300_000);
    const program = `
import json, sys
import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
given = json.load(sys.stdin)
x, y = np.array(given['features']).reshape(-1, 4), np.array(given['truth'])
model = LinearRegression().fit(x, y)
model.coef_, model.intercept_ = np.array(given['coefficients']), 0.0
json.dump([{'mean': found.importances_mean.tolist(), 'deviation': found.importances_std.tolist()} for scoring in ['r2', 'neg_mean_absolute_error']
    for found in [permutation_importance(model, x, y, scoring=scoring, n_repeats=30, random_state=3)]], sys.stdout)`;
    const told = await askPython('science', program, { features: [...features], truth: [...predictions.truth], coefficients }) as { mean: number[]; deviation: number[] }[];
    ['r2', 'mae'].forEach((metric, at) => {
      const found = permutationImportance(predictions, { ...request, metric });
      expect(found.map(({ name }) => name), metric).to.deep.equal(['x0', 'x1', 'x2', 'x3']);
      found.forEach(({ mean, deviation }, column) => {
        const theirs = { mean: told[at]?.mean[column] ?? NaN, deviation: told[at]?.deviation[column] ?? NaN };
        expect(mean, `${metric} of x${column}`).to.be.closeTo(theirs.mean, 4 * Math.hypot(deviation, theirs.deviation) / Math.sqrt(30) + 1e-6);
        expect(deviation, `deviation of ${metric} of x${column}`).to.be.closeTo(theirs.deviation, 0.6 * theirs.deviation + 1e-6);
      });
    });
  });

  it('is 0 for a feature that the model does not use', () => {
    expect(permutationImportance(predictions, request).find(({ name }) => name === 'x3')).to.deep.include({ mean: 0, deviation: 0 });
  });

  it('does not change the features, and is a function of its arguments', () => {
    const held = features.slice();
    const found = permutationImportance(predictions, request);
    expect(features).to.deep.equal(held);
    expect(permutationImportance(predictions, request)).to.deep.equal(found);
    expect(permutationImportance(predictions, { ...request, seed: 2 })).not.to.deep.equal(found);
  });

  it('moves the columns of a group together', () => {
    let seen = 0;
    const oneHot = Float32Array.from({ length: 300 }, (_, at) => (at % 3 === Math.floor(at / 3) % 3 ? 1 : 0));
    const predict = (given: Float32Array, count: number): Float32Array => {
      for (let row = 0; row < count; row++) {
        expect(given.subarray(row * 3, row * 3 + 3).reduce((sum, value) => sum + value, 0)).to.equal(1);
        seen++;
      }
      return Float32Array.from({ length: count }, (_, row) => given[row * 3] ?? 0);
    };
    const truth = Float64Array.from({ length: 100 }, (_, row) => oneHot[row * 3] ?? 0);
    const [colour] = permutationImportance({ task: 'Regression', predicted: truth, truth }, { ...request, features: oneHot, groups: [{ name: 'colour', columns: [0, 1, 2] }], predict, metric: 'mae', repeats: 5 });
    expect(colour?.mean).to.be.greaterThan(0.2);
    expect(seen).to.equal(600);
  });

  it('looks at a part of many rows', () => {
    const counts = new Set<number>();
    const found = permutationImportance(predictions, { ...request, mostRows: 150, predict: (given, count) => {
      counts.add(count);
      return linear(given, count);
    } });
    expect([...counts]).to.deep.equal([150]);
    expect(found[0]?.name).to.equal('x0');
  });
});
