import { expect } from 'chai';
import * as fc from 'fast-check';
import { dealGroups } from '../../../trainer-image/src/data/deal.ts';
import { groupKFold, kFold, sizesOf, stratifiedKFold } from '../../../trainer-image/src/data/folds.ts';
import { holdouts } from '../../../trainer-image/src/data/holdouts.ts';
import type { Holdouts, SplitKeys } from '../../../trainer-image/src/data/holdouts.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import { splitKeys } from '../../../trainer-image/src/data/split-keys.ts';
import type { AnnealError } from '../../../trainer-image/src/errors.ts';
import { codeOf } from '../support.ts';
import { science, survey } from './parity.ts';
import { number, tableOf, text, time } from './tables.ts';

const rowsIn = (fold: Int32Array, which: number): number[] => [...fold.keys()].filter((row) => fold[row] === which);

/** Groups may end at so few moments that no part is left; that is refused, and no case of a property. */
function parted(...args: Parameters<typeof holdouts>): Holdouts {
  try {
    return holdouts(...args);
  } catch (error) {
    fc.pre((error as AnnealError).code !== 'DATA_TOO_FEW_ROWS');
    throw error;
  }
}

const spec = fc.record({
  rows: fc.integer({ min: 60, max: 300 }), seed: fc.nat(), validation: fc.constantFrom(0, 0.15, 0.3), test: fc.constantFrom(0, 0.1, 0.25), folds: fc.constantFrom(undefined, 2, 3, 5),
  classes: fc.integer({ min: 1, max: 4 }), groups: fc.integer({ min: 20, max: 40 }), times: fc.integer({ min: 20, max: 200 }),
});

/** All rows in order of appearance in some part; each holdout with the test part is a partition. */
function expectPartition(rows: number, { holdouts: all, test }: Holdouts): void {
  for (const { train, validation } of all) {
    const parts = [...train, ...validation, ...test];
    expect(new Set(parts).size, 'no row twice').to.equal(parts.length);
    for (const part of [train, validation, test]) expect([...part]).to.deep.equal([...part].sort((a, b) => a - b));
  }
  const together = new Set(all.flatMap(({ train, validation }) => [...train, ...validation]));
  expect(together.size + test.length, 'all rows').to.equal(rows);
}

describe('holding rows back', () => {
  const made = (of: { rows: number; seed: number; classes: number; groups: number; times: number }) => {
    const { table, classes } = survey(of.rows, of.seed % 1000);
    const value = (row: number): number => (table.columns[2]?.kind === 'Number' ? table.columns[2].values[row] ?? 0 : 0);
    return {
      strata: classes.map((code) => code % of.classes),
      groups: Int32Array.from({ length: of.rows }, (_, row) => Math.abs(Math.floor(value(row) * 7.3)) % of.groups),
      order: Float64Array.from({ length: of.rows }, (_, row) => Math.floor(Math.abs(value(row) * 31)) % of.times),
    };
  };
  const shares = ({ validation, test, seed, folds }: { validation: number; test: number; seed: number; folds: number | undefined }) => ({ validation, test, seed, ...(folds === undefined ? {} : { folds }) });

  it('puts each row into one part, the same for the same seed, and validates each once in turn', () => {
    fc.assert(fc.property(spec, fc.constantFrom<readonly (keyof SplitKeys)[]>([], ['strata'], ['groups'], ['groups', 'strata'], ['order'], ['order', 'groups'], ['order', 'strata'], ['order', 'groups', 'strata']), (of, by) => {
      const keys = made(of);
      const chosen: SplitKeys = Object.fromEntries(by.map((key) => [key, keys[key]]));
      const parts = parted(of.rows, shares(of), chosen);
      expectPartition(of.rows, parts);
      expect(holdouts(of.rows, shares(of), chosen)).to.deep.equal(parts);
      expect(parts.holdouts.length).to.equal(of.folds ?? 1);
      if (of.test > 0) expect(parts.test.length).to.be.above(0);
      const validated = parts.holdouts.flatMap(({ validation }) => [...validation]);
      expect(new Set(validated).size, 'no row validates twice').to.equal(validated.length);
      if (of.folds !== undefined) for (const { validation } of parts.holdouts) expect(validation.length).to.be.above(0);
      if (of.folds !== undefined && (!by.includes('order') || by.includes('strata'))) expect(validated.length + parts.test.length).to.equal(of.rows);
    }));
  });

  it('never tears a group apart', () => {
    fc.assert(fc.property(spec, fc.constantFrom<readonly (keyof SplitKeys)[]>(['groups'], ['groups', 'strata'], ['order', 'groups'], ['order', 'groups', 'strata']), (of, by) => {
      const keys = made(of);
      const parts = parted(of.rows, shares(of), Object.fromEntries(by.map((key) => [key, keys[key]])));
      for (const { train, validation } of parts.holdouts) {
        const [a, b, c] = [train, validation, parts.test].map((part) => new Set([...part].map((row) => keys.groups[row])));
        for (const group of a ?? []) expect(b?.has(group) === true || c?.has(group) === true).to.equal(false);
        for (const group of b ?? []) expect(c?.has(group)).to.equal(false);
      }
    }));
  });

  it('never trains on the future, nor lets equal moments straddle', () => {
    fc.assert(fc.property(spec, fc.boolean(), (of, grouped) => {
      const { order, groups } = made(of);
      const parts = parted(of.rows, shares(of), grouped ? { order, groups } : { order });
      const last = (row: number): number => Math.max(...[...order.keys()].filter((other) => !grouped || groups[other] === groups[row]).filter((other) => grouped || other === row).map((other) => order[other] ?? 0));
      const ends = Float64Array.from(order, (_, row) => last(row));
      for (const { train, validation } of parts.holdouts) {
        const latest = Math.max(...[...train].map((row) => ends[row] ?? 0));
        for (const row of [...validation, ...parts.test]) expect(ends[row]).to.be.above(latest);
        const validating = Math.max(latest, ...[...validation].map((row) => ends[row] ?? 0));
        for (const row of parts.test) expect(ends[row]).to.be.above(validating);
      }
    }), { numRuns: 40 });
  });

  it('tests on the future, also where the classes of the rows before it are dealt in proportion', () => {
    const rows = 1000;
    const order = Float64Array.from({ length: rows }, (_, row) => (row * 377) % rows);
    const strata = Int32Array.from({ length: rows }, (_, row) => (row % 10 === 0 ? 1 : 0));
    const parts = holdouts(rows, { validation: 0, test: 0.2, seed: 1, folds: 4 }, { order, strata });
    expect(Math.min(...[...parts.test].map((row) => order[row] ?? 0))).to.equal(800);
    for (const { validation } of parts.holdouts) expect([...validation].filter((row) => strata[row] === 1).length).to.be.closeTo(20, 1);
  });

  it('keeps shares as nearly as whole groups and equal moments allow', () => {
    const groups = Int32Array.from({ length: 1000 }, (_, row) => row % 100);
    const strata = Int32Array.from({ length: 1000 }, (_, row) => ((row % 100) % 4 === 0 ? 1 : 0));
    const parts = holdouts(1000, { validation: 0.2, test: 0.1, seed: 1 }, { groups, strata });
    expect([parts.holdouts[0]?.train.length, parts.holdouts[0]?.validation.length, parts.test.length]).to.deep.equal([700, 200, 100]);
    expect([...parts.test].filter((row) => strata[row] === 1).length).to.be.within(20, 30);
    const order = Float64Array.from({ length: 1000 }, (_, row) => Math.floor(row / 30));
    const inTime = holdouts(1000, { validation: 0.2, test: 0.1, seed: 1 }, { order });
    expect(inTime.test.length).to.be.within(85, 115);
    expect(inTime.holdouts[0]?.validation.length).to.be.within(185, 215);
  });

  it('refuses a part that would be empty', async () => {
    const shares3 = { validation: 0.3, test: 0.3, seed: 0 };
    expect(await codeOf(() => holdouts(30, shares3, { groups: Int32Array.from({ length: 30 }, (_, row) => row % 2) }))).to.include({ code: 'DATA_TOO_FEW_ROWS' });
    expect(await codeOf(() => holdouts(30, shares3, { order: new Float64Array(30) }))).to.include({ code: 'DATA_TOO_FEW_ROWS', at: 'spec.trainer.data.split.test' });
    expect(await codeOf(() => holdouts(4, { validation: 0, test: 0, seed: 0, folds: 5 }, {}))).to.include({ code: 'DATA_TOO_FEW_ROWS', at: 'spec.trainer.validation.kFold' });
  });
});

describe('folds', function () {
  this.timeout(300_000);

  it('are those of scikit-learn where it does not shuffle, to the row', async () => {
    const { table, classes } = survey(1003, 6);
    const groups = Int32Array.from(table.columns[0]?.kind === 'Number' ? table.columns[0].values : [], (age) => (Number.isNaN(age) ? 0 : Math.floor(age / 3)));
    const order = Float64Array.from({ length: 1003 }, (_, row) => (row * 377) % 1003);
    const expected = await science<Record<string, Record<string, number[][]>>>(`
from sklearn.model_selection import KFold, StratifiedKFold, GroupKFold, TimeSeriesSplit
y, g, order = np.array(given["classes"]), np.array(given["groups"]), np.array(given["order"])
X, by_time, out = np.zeros(len(y)), np.argsort(order), {}
for k in [2, 3, 5, 10]:
    out[k] = {"plain": [t for _, t in KFold(k).split(X)], "strata": [t for _, t in StratifiedKFold(k).split(X, y)], "groups": [t for _, t in GroupKFold(k).split(X, y, g)],
      "train": [np.sort(by_time[t]) for t, _ in TimeSeriesSplit(k).split(X)], "time": [np.sort(by_time[t]) for _, t in TimeSeriesSplit(k).split(X)]}
answer(out)`, { classes: [...classes], groups: [...groups], order: [...order] });
    for (const folds of [2, 3, 5, 10]) {
      const each = (of: Int32Array): number[][] => Array.from({ length: folds }, (_, fold) => rowsIn(of, fold));
      expect(each(kFold(1003, folds))).to.deep.equal(expected[folds]?.plain);
      expect(each(stratifiedKFold(classes, folds))).to.deep.equal(expected[folds]?.strata);
      expect(each(groupKFold(groups, folds))).to.deep.equal(expected[folds]?.groups);
      const inTime = holdouts(1003, { validation: 0, test: 0, seed: 0, folds }, { order }).holdouts;
      expect(inTime.map(({ train }) => [...train])).to.deep.equal(expected[folds]?.train);
      expect(inTime.map(({ validation }) => [...validation])).to.deep.equal(expected[folds]?.time);
    }
  });

  it('have each class in proportion, to within one row, also when they are drawn', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 10, maxLength: 200 }), fc.integer({ min: 2, max: 10 }), fc.option(fc.nat(), { nil: undefined }), (classes, folds, seed) => {
      const strata = Int32Array.from(classes);
      const of = stratifiedKFold(strata, folds, seed);
      for (const stratum of new Set(classes)) {
        const counts = Array.from({ length: folds }, (_, fold) => rowsIn(of, fold).filter((row) => strata[row] === stratum).length);
        expect(Math.max(...counts) - Math.min(...counts)).to.be.at.most(1);
      }
      const sizes = Array.from({ length: folds }, (_, fold) => rowsIn(of, fold).length);
      expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
    }));
  });

  it('of groups are as even as the groups allow, with strata too', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 60, maxLength: 300 }), fc.nat(), (given, seed) => {
      const groups = Int32Array.from(given);
      const dealt = dealGroups(groups, groups.map((group) => group % 3), [0.25, 0.25, 0.25, 0.25], seed);
      const sizes = [0, 1, 2, 3].map((part) => rowsIn(dealt, part).length);
      expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(4 * Math.max(...sizesOf(groups)));
    }));
  });
});

describe('the columns that a split goes by', () => {
  const data = rowsOf(tableOf(text('who', 'b', 'a', 'b'), time('when', '2026-01-01', '2026-01-02', null), number('n', 3, 1, 2)));

  it('become groups and an order', async () => {
    expect(await splitKeys({ groupBy: 'who', orderBy: 'n' }, data, undefined)).to.deep.equal({ groups: Int32Array.of(0, 1, 0), order: Float64Array.of(3, 1, 2) });
    expect(await splitKeys({}, data, Int32Array.of(0, 1, 1))).to.deep.equal({ strata: Int32Array.of(0, 1, 1) });
  });

  it('must be there and whole', async () => {
    expect(await codeOf(() => splitKeys({ groupBy: 'whom' }, data, undefined))).to.include({ code: 'SPEC_COLUMN_MISSING', at: 'spec.trainer.data.split.groupBy' });
    expect(await codeOf(() => splitKeys({ orderBy: 'when' }, data, undefined))).to.include({ code: 'DATA_SPLIT', message: 'Row 3 has no value in column "when", which the split goes by. Fill it in in the data, or remove such rows.' });
    expect(await codeOf(() => splitKeys({ orderBy: 'who' }, data, undefined))).to.include({ code: 'SPEC_COLUMN_KIND' });
  });
});
