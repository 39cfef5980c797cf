/** Steps against scikit-learn, on 100,000 rows with missing values, outliers and categories, and on its own data sets. */
import { applyPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { FittedPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { FittedSelect } from '../../../../trainer-image/src/data/pipeline/select.ts';
import type { Target } from '../../../../trainer-image/src/data/pipeline/step.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { expectClose, science, sizeOf, survey, valuesOf } from '../parity.ts';
import { cells, number, tableOf } from '../tables.ts';
import { fitted, fittedTo } from './support.ts';
import { expect } from 'chai';

const { table, classes, amounts } = survey(100_000);
const only = (...names: string[]): Table => ({ ...table, columns: names.flatMap((name) => table.columns.filter((column) => column.name === name)) });
const given = (...names: string[]): Record<string, unknown> => Object.fromEntries(only(...names).columns.map((column) => [column.name, cells(column).map((cell) => (Number.isNaN(cell) ? null : cell))]));
const apply = async (pipeline: FittedPipeline, to = table): Promise<Table> => applyPipeline(pipeline.steps, to);
const classTarget: Target = { task: 'Classification', classes: ['low', 'middle', 'high'], codes: classes };
const amountTarget: Target = { task: 'Regression', values: amounts };

describe('steps give what scikit-learn gives, on 100,000 rows', function () {
  this.timeout(300_000);

  it('impute and scale', async () => {
    const names = ['age', 'income', 'height', 'balance'];
    const expected = await science<Record<string, Record<string, (number | null)[]>>>(`
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler
X = np.column_stack([numbers(given[name]) for name in given])
done = {k: SimpleImputer(strategy=k).fit_transform(X) for k in ["mean", "median", "most_frequent"]}
done |= {s.__name__: s().fit_transform(X) for s in [StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler]}
answer({k: {name: v[:, i] for i, name in enumerate(given)} for k, v in done.items()})`, given(...names));
    const steps = {
      mean: { impute: { columns: names, strategy: 'Mean' } }, median: { impute: { columns: names, strategy: 'Median' } }, most_frequent: { impute: { columns: names, strategy: 'MostFrequent' } },
      StandardScaler: { scale: { method: 'Standard' } }, MinMaxScaler: { scale: { method: 'MinMax' } }, RobustScaler: { scale: { method: 'Robust' } }, MaxAbsScaler: { scale: { method: 'MaxAbs' } },
    };
    for (const [kind, step] of Object.entries(steps)) {
      const done = await apply(await fitted(table, step));
      for (const name of names) expectClose(valuesOf(done, name), expected[kind]?.[name] ?? [], `${kind} of ${name}`);
    }
  });

  it('transform and discretise', async () => {
    const names = ['age', 'income', 'balance'];
    const expected = await science<Record<string, Record<string, (number | null)[]>>>(`
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, KBinsDiscretizer
X = np.column_stack([numbers(given[name]) for name in given])
filled = np.nan_to_num(X)
done = {
  "YeoJohnson": PowerTransformer().fit_transform(X),
  "Uniform": QuantileTransformer(subsample=None).fit_transform(X),
  "Normal": QuantileTransformer(n_quantiles=300, output_distribution="normal", subsample=None).fit_transform(X),
  "log": np.log1p(np.abs(X)),
  "bins": KBinsDiscretizer(n_bins=7, encode="ordinal", strategy="uniform", subsample=None).fit_transform(filled),
  "quantiles": KBinsDiscretizer(n_bins=7, encode="ordinal", strategy="quantile", subsample=None).fit_transform(filled),
}
done["BoxCox"] = np.column_stack([PowerTransformer("box-cox").fit_transform(X[:, :2]), X[:, 2]])
answer({k: {name: v[:, i] for i, name in enumerate(given)} for k, v in done.items()})`, given(...names));
    const check = async (kind: string, step: object, columns: readonly string[] = names, from = table, unit?: number): Promise<void> => {
      const done = await apply(await fitted(from, step), from);
      for (const name of columns) expectClose(valuesOf(done, name), expected[kind]?.[name] ?? [], `${kind} of ${name}`, unit);
    };
    const filled: Table = { ...table, columns: table.columns.map((column) => (column.kind === 'Number' ? { ...column, values: column.values.map((value) => (Number.isNaN(value) ? 0 : value)) } : column)) };
    await check('YeoJohnson', { transform: { method: 'YeoJohnson', columns: names } }, names, table, 1);
    await check('BoxCox', { transform: { method: 'BoxCox', columns: ['age', 'income'] } }, ['age', 'income'], table, 1);
    await check('Uniform', { transform: { method: 'Quantile', columns: names } });
    await check('Normal', { transform: { method: 'Quantile', columns: names, output: 'Normal', quantiles: 300 } }, names, table, 1);
    await check('log', { transform: { method: 'Log1p', columns: ['age', 'income'] } }, ['age', 'income']);
    await check('bins', { discretise: { columns: names, bins: 7, strategy: 'Uniform' } }, names, filled);
    await check('quantiles', { discretise: { columns: names, bins: 7, strategy: 'Quantile' } }, names, filled);
  });

  it('pca', async () => {
    const names = ['age', 'income', 'height', 'balance'];
    const steps = [{ impute: { strategy: 'Mean', columns: names } }, { drop: { columns: ['city', 'plan', 'joined'] } }, { scale: { method: 'Standard' } }, { pca: { components: 3, whiten: false } }];
    const expected = await science<number[][]>(`
from sklearn.pipeline import make_pipeline
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.decomposition import PCA
X = np.column_stack([numbers(given[name]) for name in given])
answer(make_pipeline(SimpleImputer(), StandardScaler(), PCA(3)).fit_transform(X).T)`, given(...names));
    const done = await apply(await fitted(table, ...steps));
    expect(done.columns.map(({ name }) => name)).to.deep.equal(['pca_0', 'pca_1', 'pca_2']);
    done.columns.forEach((column, at) => expectClose(valuesOf(done, column.name), expected[at] ?? [], column.name, 1));
  });

  it('encode one-hot with rare categories as one, ordinal, and by the target', async () => {
    const complete = await apply(await fitted(only('city', 'plan'), { impute: { strategy: 'MostFrequent' } }), only('city', 'plan'));
    const [city, plan] = complete.columns.map(cells);
    const crossFitted = await fittedTo(classTarget, complete, { encode: { method: 'Target', unknown: 'Ignore', folds: 4 } });
    const { stratifiedKFold } = await import('../../../../trainer-image/src/data/folds.ts');
    const folds = stratifiedKFold(classes, 4, 0);
    const expected = await science<{ hot: number[][]; names: string[]; share: number[][]; ordinal: number[][]; classes: number[][]; amounts: number[][]; cross: number[][]; unknown: number[] }>(`
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
X = np.column_stack([np.array(given["city"], dtype=object), np.array(given["plan"], dtype=object)])
y, amounts, folds = np.array(given["classes"]), numbers(given["amounts"]), np.array(given["folds"])
hot = OneHotEncoder(max_categories=6, sparse_output=False).fit(X)
share = OneHotEncoder(min_frequency=0.01, sparse_output=False).fit(X)
cv = [(np.where(folds != k)[0], np.where(folds == k)[0]) for k in range(4)]
t = TargetEncoder(target_type="continuous", smooth=20.0).fit(X, amounts)
answer({
  "hot": hot.transform(X).T, "names": list(hot.get_feature_names_out()), "share": share.transform(X).T,
  "ordinal": OrdinalEncoder().fit_transform(X).T,
  "classes": TargetEncoder().fit(X, y).transform(X).T,
  "amounts": t.transform(X).T, "unknown": t.transform(np.array([["?", "?"]], dtype=object))[0],
  "cross": TargetEncoder(cv=cv).fit_transform(X, y).T,
})`, { city, plan, classes: [...classes], amounts: [...amounts], folds: [...folds] });
    const all = (done: Table): number[][] => done.columns.map((column) => cells(column) as number[]);
    const encoded = async (target: Target, step: object): Promise<Table> => applyPipeline((await fittedTo(target, complete, { encode: { unknown: 'Ignore', ...step } })).steps, complete);
    const hot = await encoded(classTarget, { method: 'OneHot', maxCategories: 6 });
    expect(all(hot)).to.deep.equal(expected.hot);
    expect(hot.columns.map(({ name }) => name)).to.include('city=(other)');
    expect(all(await encoded(classTarget, { method: 'OneHot', minFrequency: 0.01 }))).to.deep.equal(expected.share);
    expect(all(await encoded(classTarget, { method: 'Ordinal' }))).to.deep.equal(expected.ordinal);
    const byClass = await encoded(classTarget, { method: 'Target' });
    expect(byClass.columns.map(({ name }) => name)).to.deep.equal(['city:low', 'city:middle', 'city:high', 'plan:low', 'plan:middle', 'plan:high']);
    byClass.columns.forEach((column, at) => expectClose(valuesOf(byClass, column.name), expected.classes[at] ?? [], column.name));
    const byAmount = await encoded(amountTarget, { method: 'Target', smoothing: 20 });
    byAmount.columns.forEach((column, at) => expectClose(valuesOf(byAmount, column.name), expected.amounts[at] ?? [], column.name));
    const whileTraining = await crossFitted.whileTraining(complete);
    whileTraining.columns.forEach((column, at) => expectClose(valuesOf(whileTraining, column.name), expected.cross[at] ?? [], `${column.name}, cross-fitted`));
  });
});

type Sets = Readonly<Record<string, { readonly X: number[][]; readonly y: number[] }>>;

describe('principal components and scores of columns are those of scikit-learn, on its data sets', function () {
  this.timeout(300_000);
  let sets: Sets;

  before(async () => {
    sets = await science<Sets>(`
from sklearn import datasets
answer({n: dict(zip("Xy", getattr(datasets, "load_" + n)(return_X_y=True))) for n in ["digits", "wine", "breast_cancer", "diabetes"]})`);
  });

  const tableIn = (name: string): Table => {
    const rows = sets[name]?.X ?? [];
    return tableOf(...(rows[0] ?? []).map((_, place) => number(`f${place}`, ...rows.map((row) => row[place] ?? NaN))));
  };
  const targetIn = (name: string): Target => {
    const y = sets[name]?.y ?? [];
    return name === 'diabetes' ? { task: 'Regression', values: Float64Array.from(y) } : { task: 'Classification', classes: [...new Set(y)].map(String), codes: Int32Array.from(y) };
  };

  it('pca, also whitened and by share of the variance', async () => {
    const expected = await science<Record<string, Record<string, number[][]>>>(`
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
def run(d):
    X = StandardScaler().fit_transform(np.array(d["X"]))
    return {"first": PCA(5).fit_transform(X).T, "white": PCA(5, whiten=True).fit_transform(X).T, "share": PCA(0.9).fit_transform(X).T}
answer({n: run(d) for n, d in given.items()})`, sets);
    for (const name of Object.keys(sets)) {
      for (const [kind, step] of Object.entries({ first: { components: 5, whiten: false }, white: { components: 5, whiten: true }, share: { components: 0.9, whiten: false } })) {
        const done = await applyPipeline((await fitted(tableIn(name), { scale: { method: 'Standard' } }, { pca: step })).steps, tableIn(name));
        expect(done.columns.length).to.equal(expected[name]?.[kind]?.length);
        done.columns.forEach((column, at) => {
          const wanted = expected[name]?.[kind]?.[at] ?? [];
          expectClose(valuesOf(done, column.name), wanted, `${name}, ${kind}, ${column.name}`, sizeOf(wanted));
        });
      }
    }
  });

  it('variance, F test, and selection by them', async () => {
    const expected = await science<Record<string, { variance: number[]; f: (number | null)[]; best: boolean[] }>>(`
from sklearn.feature_selection import VarianceThreshold, SelectKBest, f_classif, f_regression
def run(n, d):
    X, y = np.array(d["X"]), np.array(d["y"])
    score = f_regression if n == "diabetes" else f_classif
    return {"variance": VarianceThreshold(1e-12).fit(X).variances_, "f": score(X, y)[0], "best": SelectKBest(score, k=4).fit(X, y).get_support()}
answer({n: run(n, d) for n, d in given.items()})`, sets);
    for (const name of Object.keys(sets)) {
      const scores = async (step: object) => (await fittedTo(targetIn(name), tableIn(name), { select: step })).steps[0] as FittedSelect;
      expectClose(Object.values((await scores({ method: 'Variance' })).scores), expected[name]?.variance ?? [], `variance in ${name}`);
      expectClose(Object.values((await scores({ method: 'FTest' })).scores), (expected[name]?.f ?? []).map((value) => value ?? 0), `F in ${name}`);
      const { dropped } = await scores({ method: 'FTest', keep: 4 });
      expect(tableIn(name).columns.map((column) => !dropped.includes(column.name)), name).to.deep.equal(expected[name]?.best);
    }
  });
});
