import { expect } from 'chai';
import { mutualInformation } from '../../../../trainer-image/src/data/mutual-information.ts';
import type { Variable } from '../../../../trainer-image/src/data/mutual-information.ts';
import type { FittedSelect } from '../../../../trainer-image/src/data/pipeline/select.ts';
import { informationOf, lassoWeights, standardised, targetVariable, variableOf } from '../../../../trainer-image/src/data/pipeline/scores.ts';
import type { Target } from '../../../../trainer-image/src/data/pipeline/step.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { codeOf } from '../../support.ts';
import { expectClose, science, survey } from '../parity.ts';
import { number, tableOf, text } from '../tables.ts';
import { fittedTo } from './support.ts';

const { table, classes, amounts } = survey(4000, 3);
const filled = table.columns.flatMap((column) => (column.kind === 'Number' ? [{ name: column.name, values: column.values.map((value) => (Number.isNaN(value) ? 40 : value)) }] : []));
const flags = Float64Array.from(classes, (code, row) => (code === 1 || row % 3 === 0 ? 1 : 0));
const columns = [...filled, { name: 'flag', values: flags }];
const byClass: Target = { task: 'Classification', classes: ['a', 'b', 'c'], codes: classes };
const byAmount: Target = { task: 'Regression', values: amounts };
const listed = (variable: Variable) => (variable.kind === 'Discrete' ? { discrete: true, values: [...variable.codes] } : { discrete: false, values: [...variable.values] });

describe('mutual information', function () {
  this.timeout(300_000);

  /** Both sides get the same values, noise included; scikit-learn's own functions differ from these by their noise alone. */
  const estimates = (x: readonly Variable[], y: Variable): Promise<number[]> => science<number[]>(`
from sklearn.feature_selection._mutual_info import _compute_mi
v = lambda d: np.array(d["values"], dtype=int if d["discrete"] else float)
y = given["y"]
answer([_compute_mi(v(x), v(y), x["discrete"], y["discrete"], 3) for x in given["x"]])`, { x: x.map(listed), y: listed(y) });

  it('is that of scikit-learn, of classes and quantities in any pairing', async () => {
    const x = columns.map(({ name, values }) => variableOf(values, name));
    expect(new Set(x.map(({ kind }) => kind))).to.deep.equal(new Set(['Discrete', 'Continuous']));
    for (const target of [byClass, byAmount]) {
      const y = targetVariable(target);
      expectClose(x.map((own) => mutualInformation(own, y)), await estimates(x, y), target.task, 1e-3);
    }
  });

  it('is so on its data sets', async () => {
    const sets = await science<Record<string, { X: number[][]; y: number[] }>>(`
from sklearn import datasets
def columns(n):
    X, y = getattr(datasets, "load_" + n)(return_X_y=True)
    return {"X": X.T, "y": y}
answer({n: columns(n) for n in ["digits", "wine", "breast_cancer", "diabetes"]})`);
    for (const [name, { X, y }] of Object.entries(sets)) {
      const target = targetVariable(name === 'diabetes' ? { task: 'Regression', values: Float64Array.from(y) } : { task: 'Classification', classes: [], codes: Int32Array.from(y) });
      const x = X.map((values, place) => variableOf(Float64Array.from(values), `${name} ${place}`));
      expectClose(x.map((own) => mutualInformation(own, target)), await estimates(x, target), name, 1e-3);
    }
  });

  it('is so on 100,000 rows', async () => {
    const large = survey(100_000, 8);
    const values = large.table.columns.flatMap((column) => (column.name === 'height' || column.name === 'balance' ? column.kind === 'Number' ? [column.values] : [] : []));
    const x = values.map((each, place) => variableOf(each, `large ${place}`));
    for (const target of [{ ...byClass, codes: large.classes }, { ...byAmount, values: large.amounts }]) {
      const y = targetVariable(target);
      expectClose(x.map((own) => mutualInformation(own, y)), await estimates(x, y), target.task, 1e-3);
    }
  });

  it('is near that of scikit-learn with noise of its own', async () => {
    const expected = await science<{ classes: number[]; amounts: number[] }>(`
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
X = np.column_stack([numbers(c) for c in given["columns"]])
discrete = np.array(given["discrete"])
answer({"classes": mutual_info_classif(X, np.array(given["classes"]), discrete_features=discrete, random_state=0), "amounts": mutual_info_regression(X, numbers(given["amounts"]), discrete_features=discrete, random_state=0)})`, {
      columns: columns.map(({ values }) => [...values]), discrete: columns.map(({ name, values }) => variableOf(values, name).kind === 'Discrete'), classes: [...classes], amounts: [...amounts],
    });
    for (const [target, wanted] of [[byClass, expected.classes], [byAmount, expected.amounts]] as const) {
      const variable = targetVariable(target);
      // The estimate of 4,000 rows itself has a deviation of about 1 / sqrt(4,000).
      columns.forEach(({ name, values }, at) => expect(informationOf(values, name, variable), name).to.be.closeTo(wanted[at] ?? NaN, 0.03));
    }
  });
});

describe('weights under an L1 penalty', function () {
  this.timeout(300_000);

  it('are those of scikit-learn\'s Lasso and logistic regression', async () => {
    const scaled = columns.map(({ values }) => standardised(values));
    const expected = await science<{ lasso: number[]; two: number[]; three: number[] }>(`
from sklearn.linear_model import Lasso, LogisticRegression
X, y, c = np.array(given["X"]).T, numbers(given["y"]), np.array(given["classes"])
n, a = len(y), given["penalty"]
model = lambda t: LogisticRegression(l1_ratio=1, C=1 / (n * a), solver="saga", tol=1e-9, max_iter=20000).fit(X, t).coef_
answer({"lasso": np.abs(Lasso(a, tol=1e-12, max_iter=100000).fit(X, (y - y.mean()) / y.std()).coef_), "two": np.abs(model(c == 1)).sum(axis=0), "three": np.abs(model(c)).sum(axis=0)})`, { X: scaled.map((values) => [...values]), y: [...amounts], classes: [...classes], penalty: 0.02 });
    expectClose(await lassoWeights(scaled, byAmount, 0.02), expected.lasso, 'lasso', 1e-2, 1e-6);
    expectClose(await lassoWeights(scaled, { task: 'Classification', classes: ['no', 'yes'], codes: classes.map((code) => (code === 1 ? 1 : 0)) }, 0.02), expected.two, 'two classes', 1e-2, 1e-4);
    expectClose(await lassoWeights(scaled, byClass, 0.02), expected.three, 'three classes', 1e-2, 1e-4);
    expect(expected.lasso).to.include(0);
  });
});

describe('selecting columns', () => {
  const small: Table = tableOf(number('same', ...new Array<number>(40).fill(7)), ...columns.map(({ name, values }) => number(name, ...values.subarray(0, 40))), text('t', ...new Array<string>(40).fill('x')));
  const target: Target = { ...byClass, codes: classes.slice(0, 40) };
  const select = async (step: object): Promise<string[]> => {
    const { steps: [done] } = await fittedTo(target, small, { select: step });
    return [...(done as FittedSelect).dropped];
  };

  it('takes out what never varies, what repeats another, and what says least', async () => {
    expect(await select({ method: 'Variance' })).to.deep.equal(['same']);
    const twice = tableOf(number('a', 1, 2, 3, 9), number('b', -2, -4, -6, -18.1), number('c', 1, 0, 1, 0));
    const { steps: [done] } = await fittedTo({ task: 'Regression', values: new Float64Array(4) }, twice, { select: { method: 'Correlation', threshold: 0.9 } });
    expect((done as FittedSelect).dropped).to.deep.equal(['b']);
    expect(await select({ method: 'FTest', keep: 1 })).to.have.length(5);
    expect(await select({ method: 'MutualInformation', keep: 0.5 })).to.have.length(3);
    expect(await select({ method: 'L1', penalty: 0.05 })).to.include('same');
  });

  it('never takes out all', async () => {
    const error = await codeOf(() => select({ method: 'Variance', threshold: 1e18 }));
    expect(error).to.include({ code: 'SPEC_CONFLICT' });
    expect(error.message).to.match(/None of the 6 columns scores above 1000000000000000000; the highest score is/);
  });

  it('needs values in all rows', async () => {
    const missing = tableOf(number('v', 1, NaN));
    expect((await codeOf(() => fittedTo({ task: 'Regression', values: Float64Array.of(1, 2) }, missing, { select: { method: 'FTest' } }))).message).to.contain('select cannot work with a missing value. Put an impute step before it');
  });
});
