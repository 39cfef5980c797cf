import { expect } from 'chai';
import * as fc from 'fast-check';
import { balanced, sampled } from '../../../trainer-image/src/data/balance.ts';
import type { BalanceSpec } from '../../../trainer-image/src/data/balance.ts';
import { classWeights } from '../../../trainer-image/src/data/class-weights.ts';
import { matrixOf } from '../../../trainer-image/src/data/matrix.ts';
import type { Part } from '../../../trainer-image/src/data/part.ts';
import { codeOf } from '../support.ts';
import { expectClose, science } from './parity.ts';

const partOf = (rows: readonly (readonly number[])[], targets: Int32Array | Float32Array): Part => ({ rows: rows.length, features: matrixOf(Float32Array.from(rows.flat()), rows[0]?.length ?? 0), targets });
const countsOf = (targets: Int32Array | Float32Array): Record<string, number> => Object.fromEntries([...new Set(targets)].sort().map((target) => [target, targets.filter((each) => each === target).length]));
const rowsOfPart = ({ rows, features }: Part): number[][] => Array.from({ length: rows }, (_, row) => [...features.range(row, row + 1)]);
const spec = (method: BalanceSpec['method'], ratio = 1): BalanceSpec => ({ method, ratio, neighbours: 5, seed: 7 });

describe('balancing classes', function () {
  this.timeout(300_000);
  let X: number[][];
  let y: Int32Array;
  /** The same with a class fewer. */
  let two: Part;

  before(async () => {
    const wine = await science<{ X: number[][]; y: number[] }>(`
from sklearn.datasets import load_wine
X, y = load_wine(return_X_y=True)
answer({"X": X, "y": y})`);
    X = wine.X;
    y = Int32Array.from(wine.y);
    const kept = [...y.keys()].filter((row) => y[row] !== 0);
    two = partOf(kept.map((row) => X[row] ?? []), Int32Array.from(kept, (row) => (y[row] ?? 0) - 1));
  });

  it('gives the counts that imbalanced-learn gives', async () => {
    const expected = await science<Record<string, Record<string, number>>>(`
from collections import Counter
from imblearn.over_sampling import RandomOverSampler, SMOTE
from imblearn.under_sampling import RandomUnderSampler
X, y = np.array(given["X"]), np.array(given["y"])
keep = y != 0
out = {}
for name, S in [("Oversample", RandomOverSampler), ("Undersample", RandomUnderSampler), ("SMOTE", SMOTE)]:
    out[name] = Counter(S(random_state=0).fit_resample(X, y)[1].tolist())
    out[name + "2"] = Counter((S(sampling_strategy=0.83, random_state=0).fit_resample(X[keep], y[keep])[1] - 1).tolist())
answer(out)`, { X, y: [...y] });
    for (const method of ['Oversample', 'Undersample', 'SMOTE'] as const) {
      expect(countsOf(balanced(partOf(X, y), spec(method)).targets), method).to.deep.equal(expected[method]);
      expect(countsOf(balanced(two, spec(method, 0.83)).targets), `${method} of two`).to.deep.equal(expected[`${method}2`]);
    }
  });

  it('keeps each row with its target', () => {
    const original = new Map(rowsOfPart(partOf(X, y)).map((row, at) => [row.join(), y[at]]));
    for (const method of ['Oversample', 'Undersample'] as const) {
      const done = balanced(partOf(X, y), spec(method));
      rowsOfPart(done).forEach((row, at) => expect(original.get(row.join())).to.equal(done.targets[at]));
    }
    const under = rowsOfPart(balanced(partOf(X, y), spec('Undersample')));
    expect(new Set(under.map((row) => row.join())).size).to.equal(under.length);
  });

  it('makes up rows between a row of the rare class and one of its five neighbours', async () => {
    const done = balanced(partOf(X, y), spec('SMOTE'));
    expect(rowsOfPart(done).slice(0, X.length)).to.deep.equal(rowsOfPart(partOf(X, y)));
    const made = rowsOfPart(done).slice(X.length).map((row, at) => ({ row, target: done.targets[X.length + at] }));
    const misses = await science<number[]>(`
from sklearn.neighbors import NearestNeighbors
X, y = np.array(given["X"]).astype(np.float32).astype(float), np.array(given["y"])
misses = []
for made in given["made"]:
    own, p = X[y == made["target"]], np.array(made["row"])
    near = NearestNeighbors(n_neighbors=6).fit(own).kneighbors(own)[1][:, 1:]
    a = np.repeat(own, 5, axis=0); d = own[near.ravel()] - a
    t = np.clip(((p - a) * d).sum(axis=1) / (d * d).sum(axis=1), 0, 1)
    misses.append(np.abs(a + t[:, None] * d - p).max(axis=1).min())
answer(misses)`, { X, y: [...y], made });
    // The last digit of a float32 of 1,680, the largest value.
    expect(Math.max(...misses)).to.be.at.most(1e-3);
    expect(new Set(made.map(({ row }) => row.join())).size).to.equal(made.length);
  });

  it('makes up no flag between 0 and 1, and no code, and keeps those together that belong together', () => {
    fc.assert(fc.property(fc.array(fc.record({ v: fc.double({ min: -5, max: 5, noNaN: true }), category: fc.nat({ max: 2 }), code: fc.nat({ max: 9 }) }), { minLength: 3, maxLength: 12 }), fc.nat(), (rare, seed) => {
      const rowOf = ({ v, category, code }: { v: number; category: number; code: number }): number[] => [Math.fround(v), category === 0 ? 1 : 0, category === 1 ? 1 : 0, category === 2 ? 1 : 0, code];
      const frequent = Array.from({ length: 40 }, (_, row) => rowOf({ v: row, category: row % 3, code: row % 10 }));
      const part = partOf([...rare.map(rowOf), ...frequent], Int32Array.from({ length: rare.length + 40 }, (_, row) => (row < rare.length ? 1 : 0)));
      const made = rowsOfPart(balanced(part, { ...spec('SMOTE'), seed }, [4])).slice(part.rows);
      expect(made.length).to.equal(40 - rare.length);
      const known = new Set(rare.map((each) => rowOf(each).slice(1).join()));
      for (const row of made) expect(known.has(row.slice(1).join())).to.equal(true);
    }));
  });

  it('reads made-up rows like any others', () => {
    const done = balanced(two, spec('SMOTE')).features;
    const order = Int32Array.of(done.rows - 1, 0, 60, done.rows - 2, 3);
    expect([...done.gather(order)]).to.deep.equal([...order].flatMap((row) => [...done.range(row, row + 1)]));
    expect(done.range(two.rows - 2, two.rows + 2).length).to.equal(4 * done.width);
  });

  it('refuses numbers to balance, and a class of one row to make up others from', async () => {
    expect(await codeOf(() => balanced(partOf([[1], [2]], Float32Array.of(0.5, 1)), spec('Oversample')))).to.include({ code: 'SPEC_CONFLICT' });
    expect(await codeOf(() => balanced(partOf([[1], [2], [3]], Int32Array.of(0, 0, 1)), spec('SMOTE'), [], ['often', 'once']))).to.include({ code: 'DATA_TOO_FEW_ROWS', message: 'The class "once" has one training row, and SMOTE makes up rows between two. Give more rows of it, or write method: Oversample.' });
  });
});

describe('training on a sample', () => {
  const part = partOf(Array.from({ length: 200 }, (_, row) => [row]), Int32Array.from({ length: 200 }, (_, row) => (row % 4 === 0 ? 1 : 0)));

  it('draws rows without repeating one, each class in proportion', () => {
    const done = sampled(part, { fraction: 0.3, stratified: true, seed: 1 });
    expect(countsOf(done.targets)).to.deep.equal({ 0: 45, 1: 15 });
    const rows = rowsOfPart(done).flat();
    expect(rows).to.deep.equal([...new Set(rows)].sort((a, b) => a - b));
    expect(rowsOfPart(sampled(part, { fraction: 1, stratified: false, seed: 1 }))).to.deep.equal(rowsOfPart(part));
  });

  it('needs classes to keep in proportion', async () => {
    expect(await codeOf(() => sampled(partOf([[1], [2]], Float32Array.of(1, 2)), { fraction: 0.5, stratified: true, seed: 0 }))).to.include({ code: 'SPEC_CONFLICT' });
  });
});

describe('class weights', function () {
  this.timeout(120_000);

  it('are balanced as scikit-learn does, on 100,000 rows', async () => {
    const codes = Int32Array.from({ length: 100_000 }, (_, row) => Math.min(row % 7, row % 11, row % 3));
    const expected = await science<number[]>(`
from sklearn.utils.class_weight import compute_class_weight
y = np.array(given)
answer(compute_class_weight("balanced", classes=np.unique(y), y=y))`, [...codes]);
    expectClose(classWeights('Balanced', ['a', 'b', 'c'], codes), expected, 'weights');
  });

  it('are as written, and 1 for a class that is not named', async () => {
    expect([...classWeights({ yes: 5 }, ['no', 'yes'], Int32Array.of(0, 1))]).to.deep.equal([1, 5]);
    expect(await codeOf(() => classWeights({ maybe: 5 }, ['no', 'yes'], Int32Array.of(0, 1)))).to.include({ code: 'SPEC_CONFLICT', message: 'There is no class "maybe"; the target has "no", "yes". Write one of them.' });
  });
});
