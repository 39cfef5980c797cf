import { expect } from 'chai';
import * as fc from 'fast-check';
import { prepare, preprocess } from '../../../trainer-image/src/data/prepare.ts';
import { applyPipeline } from '../../../trainer-image/src/data/pipeline/index.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import { take } from '../../../trainer-image/src/data/table.ts';
import type { Table } from '../../../trainer-image/src/data/table.ts';
import { codeOf, trainerSpec } from '../support.ts';
import { fitted, run } from './steps/support.ts';
import { cells, number, tableOf, text } from './tables.ts';

describe('the pipeline', () => {
  it('imputes by median, mean, most frequent value and constant, as scikit-learn defines them', async () => {
    const table = tableOf(number('v', 1, NaN, 3, 10, 3.5, 3));
    expect(await run(table, { impute: { strategy: 'Median' } })).to.deep.equal({ v: [1, 3, 3, 10, 3.5, 3] });
    expect(await run(table, { impute: { strategy: 'Mean' } })).to.deep.equal({ v: [1, 4.1, 3, 10, 3.5, 3] });
    expect(await run(table, { impute: { strategy: 'MostFrequent' } })).to.deep.equal({ v: [1, 3, 3, 10, 3.5, 3] });
    expect(await run(table, { impute: { strategy: 'Constant', value: -1 } })).to.deep.equal({ v: [1, -1, 3, 10, 3.5, 3] });
    expect(await run(tableOf(text('t', 'b', null, 'a')), { impute: { strategy: 'MostFrequent' } })).to.deep.equal({ t: ['b', 'a', 'a'] });
    expect(await run(tableOf(text('t', 'b', null)), { impute: { strategy: 'Constant', text: 'none' } })).to.deep.equal({ t: ['b', 'none'] });
  });

  it('marks what was missing, only where training had missing values', async () => {
    expect(await run(tableOf(number('v', 1, NaN), number('w', 1, 2)), { impute: { indicator: true } })).to.deep.equal({ v: [1, 1], v_missing: [0, 1], w: [1, 2] });
  });

  it('scales by population deviation, range, interpolated quartiles and largest value', async () => {
    const table = tableOf(number('v', 1, 2, 4, 9));
    const spread = Math.sqrt(((1 - 4) ** 2 + (2 - 4) ** 2 + 0 + 25) / 4);
    expect((await run(table, { scale: { method: 'Standard' } })).v).to.deep.equal([-3 / spread, -2 / spread, 0, 5 / spread]);
    expect((await run(table, { scale: { method: 'MinMax' } })).v).to.deep.equal([0, 1 / 8, 3 / 8, 1]);
    expect((await run(table, { scale: { method: 'Robust' } })).v).to.deep.equal([-2 / 3.5, -1 / 3.5, 1 / 3.5, 6 / 3.5]);
    expect((await run(tableOf(number('v', -8, 2)), { scale: { method: 'MaxAbs' } })).v).to.deep.equal([-1, 0.25]);
  });

  it('only shifts a constant column, also one that rounding made uneven', async () => {
    for (const method of ['Standard', 'MinMax', 'Robust', 'MaxAbs']) {
      const values = (await run(tableOf(number('v', 0.1 + 0.2, 0.3, 0.3)), { scale: { method } })).v;
      for (const value of values ?? []) expect(Math.abs(Number(value)), method).to.be.at.most(1);
    }
    expect((await run(tableOf(number('v', 5, 5)), { scale: { method: 'Standard' } })).v).to.deep.equal([0, 0]);
  });

  it('leaves missing values out of statistics and keeps them', async () => {
    expect((await run(tableOf(number('v', 0, NaN, 10)), { scale: { method: 'MinMax' } })).v).to.deep.equal([0, NaN, 1]);
  });

  it('encodes categories in sorted order, numbers by size', async () => {
    const table = tableOf(text('t', 'b', 'a', 'b'), number('n', 10, 9, 10));
    expect(await run(table, { encode: { columns: ['t'] } })).to.deep.equal({ 't=a': [0, 1, 0], 't=b': [1, 0, 1], n: [10, 9, 10] });
    expect(await run(table, { encode: { columns: ['t', 'n'], method: 'Ordinal' } })).to.deep.equal({ t: [1, 0, 1], n: [1, 0, 1] });
  });

  it('treats a category that training never saw as told', async () => {
    const [seen, unseen] = [tableOf(text('t', 'a', 'b')), tableOf(text('t', 'c'))];
    const apply = async (encode: object) => (await applyPipeline((await fitted(seen, { encode })).steps, unseen)).columns.map(cells);
    expect(await apply({ method: 'OneHot' })).to.deep.equal([[0], [0]]);
    expect(await apply({ method: 'Ordinal' })).to.deep.equal([[-1]]);
    const refused = await codeOf(() => apply({ unknown: 'Refuse' }));
    expect(refused).to.include({ code: 'DATA_CATEGORIES' });
    expect(refused.message).to.contain('Row 1 has "c" in column "t"');
  });

  it('is fitted on training rows alone', async () => {
    const whole = tableOf(number('v', 0, 10, 1000));
    const seen = await fitted(take(whole, Int32Array.of(0, 1)), { scale: { method: 'MinMax' } });
    expect((await applyPipeline(seen.steps, whole)).columns.map(cells)[0]).to.deep.equal([0, 1, 100]);
  });

  const wrong: readonly (readonly [string, Table, object, string, RegExp])[] = [
    ['a column that is not there', tableOf(number('v', 1)), { scale: { columns: ['w'] } }, 'SPEC_COLUMN_MISSING', /no column "w" at this point; there are "v"/],
    ['text that is scaled', tableOf(text('t', 'x')), { scale: { columns: ['t'] } }, 'SPEC_COLUMN_KIND', /scale needs numbers, and column "t" is text, for example "x"/],
    ['a mean of text', tableOf(text('t', 'x')), { impute: { columns: ['t'], strategy: 'Mean' } }, 'SPEC_COLUMN_KIND', /strategy: Mean needs numbers/],
    ['a constant of the wrong kind', tableOf(text('t', 'x')), { impute: { columns: ['t'], strategy: 'Constant', value: 1 } }, 'SPEC_COLUMN_KIND', /Write the constant for it as text/],
    ['a column without any value', tableOf(number('v', NaN, NaN)), { impute: {} }, 'DATA_COLUMN_EMPTY', /"v" has no value in the training rows/],
    ['missing values that are encoded', tableOf(text('t', 'a', null)), { encode: {} }, 'DATA_NOT_NUMERIC', /"t" has no value in row 2.*impute/],
    ['an identifier that is encoded', tableOf(text('id', ...Array.from({ length: 10_001 }, (_, row) => `id-${row}`))), { encode: {} }, 'DATA_CATEGORIES', /10001 different values/],
  ];
  for (const [what, table, step, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await codeOf(() => run(table, step));
      expect(error.code).to.equal(code);
      expect(error.message).to.match(message);
    });
  }
});

describe('one row and many', () => {
  it('are preprocessed to the same bits', async () => {
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 8, nil: null });
    const row = fc.record({ a: maybe(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 })), b: maybe(fc.integer()), t: maybe(fc.constantFrom('red', 'green', 'blue', 'größe')) });
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 12, maxLength: 60 }), async (rows) => {
      fc.pre(rows.some(({ a }) => a !== null) && rows.some(({ b }) => b !== null) && rows.some(({ t }) => t !== null));
      const table = tableOf(number('a', ...rows.map(({ a }) => a ?? NaN)), number('b', ...rows.map(({ b }) => b ?? NaN)), text('t', ...rows.map(({ t }) => t)), number('y', ...rows.map((_, index) => index % 2)));
      const pipeline = [{ impute: { indicator: true } }, { impute: { strategy: 'MostFrequent', columns: ['t'] } }, { encode: {} }, { scale: {} }];
      const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', split: { validation: 0, test: 0 }, pipeline }, model: { preset: 'MLP' } });
      const { preprocessing } = await prepare(spec.data, rowsOf(table));
      const stored = JSON.parse(JSON.stringify(preprocessing)) as typeof preprocessing;
      const inputs = { rows: table.rows, columns: table.columns.filter(({ name }) => name !== 'y') };
      const batch = await preprocess(preprocessing, inputs);
      const width = preprocessing.features.length;
      for (let index = 0; index < rows.length; index++) {
        const single = await preprocess(stored, take(inputs, Int32Array.of(index)));
        expect(Buffer.from(single.buffer).equals(Buffer.from(batch.slice(index * width, (index + 1) * width).buffer))).to.equal(true);
      }
    }));
  });
});
