import { expect } from 'chai';
import { applyPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import { prepare } from '../../../../trainer-image/src/data/prepare.ts';
import { rowsOf } from '../../../../trainer-image/src/data/rows.ts';
import { take } from '../../../../trainer-image/src/data/table.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { codeOf, trainerSpec } from '../../support.ts';
import { cells, number, tableOf, text, time } from '../tables.ts';
import { asLists, fitted, run } from './support.ts';

const ten = Array.from({ length: 10 }, (_, row) => row);

describe('times that are filled in', () => {
  const table = tableOf(time('t', '2026-01-01', null, '2026-01-03', '2026-01-03'));
  const dayOf = async (impute: object) => (await run(table, { impute })).t?.map((moment) => new Date(Number(moment) / 1000).toISOString().slice(0, 10));

  it('get the median, the most frequent moment or a constant', async () => {
    expect(await dayOf({ strategy: 'Median' })).to.deep.equal(['2026-01-01', '2026-01-03', '2026-01-03', '2026-01-03']);
    expect(await dayOf({ strategy: 'MostFrequent' })).to.deep.equal(['2026-01-01', '2026-01-03', '2026-01-03', '2026-01-03']);
    expect(await dayOf({ strategy: 'Constant', text: '2020-02-29' })).to.deep.equal(['2026-01-01', '2020-02-29', '2026-01-03', '2026-01-03']);
  });

  it('need a constant that is a time', async () => {
    const error = await codeOf(() => run(table, { impute: { columns: ['t'], strategy: 'Constant', text: 'unknown' } }));
    expect(error).to.include({ code: 'SPEC_COLUMN_KIND' });
    expect(error.message).to.contain('Column "t" holds times. Write the constant for it as text, for example "1970-01-01T00:00:00.000Z"');
  });
});

describe('outliers', () => {
  const table = tableOf(number('v', ...ten, 100, NaN), number('w', ...ten, 5, 5));

  it('are clipped to their limits, or made missing', async () => {
    // Quartiles of 0…9 and 100 are 2.5 and 7.5.
    expect((await run(table, { outliers: { method: 'IQR', action: 'Clip' } })).v).to.deep.equal([...ten, 15, NaN]);
    expect((await run(table, { outliers: { method: 'IQR', factor: 0.5, action: 'Missing' } })).v).to.deep.equal([...ten, NaN, NaN]);
    expect((await run(table, { outliers: { method: 'Quantile', lower: 0.1, upper: 0.9, action: 'Clip', columns: ['w'] } })).w).to.deep.equal([1.1, 1.1, 2, 3, 4, 5, 6, 7, 7.9, 7.9, 5, 5]);
    const mean = 145 / 11;
    const deviation = Math.sqrt([...ten, 100].reduce((sum, value) => sum + (value - mean) ** 2, 0) / 11);
    const clipped = (await run(table, { outliers: { method: 'ZScore', factor: 2, action: 'Clip' } })).v;
    expect(clipped?.[10]).to.be.closeTo(mean + 2 * deviation, 1e-12);
  });

  it('are dropped from the training rows, and from what later steps are fitted on', async () => {
    const pipeline = await fitted(table, { outliers: { method: 'IQR', action: 'DropTrainingRows' } }, { scale: { method: 'MinMax' } });
    expect([...pipeline.rows]).to.deep.equal([...ten, 11]);
    expect(asLists(await applyPipeline(pipeline.steps, table)).v).to.deep.equal([...ten.map((value) => value / 9), 100 / 9, NaN]);
  });

  it('stay in the validation rows', async () => {
    const rows = Array.from({ length: 60 }, (_, row) => row);
    const data = tableOf(number('v', ...rows.map((row) => (row % 10 === 0 ? 1000 : row % 7))), number('y', ...rows.map((row) => row / 3)));
    const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', task: 'Regression', split: { validation: 0.3, test: 0 }, pipeline: [{ outliers: { method: 'IQR', action: 'DropTrainingRows', columns: ['v'] } }] }, model: { preset: 'MLP' } });
    const { train, validation, preprocessing } = await prepare(spec.data, rowsOf(data));
    expect(Math.max(...train.features.range(0, train.rows))).to.equal(6);
    expect(train.rows).to.be.below(60 - validation.rows);
    expect(train.targets.length).to.equal(train.rows);
    expect(Math.max(...validation.features.range(0, validation.rows))).to.equal(1000);
    // The unit of the target is that of the rows that are learnt from.
    const mean = [...train.targets].reduce((sum, value) => sum + value, 0) / train.rows;
    expect(mean).to.be.closeTo(0, 1e-6);
    expect(preprocessing.steps).to.have.length(1);
  });

  it('may not be all there is', async () => {
    const error = await codeOf(() => fitted(tableOf(number('v', 1, 2, 3, 4)), { outliers: { method: 'ZScore', factor: 0.1, action: 'DropTrainingRows' } }));
    expect(error).to.include({ code: 'DATA_TOO_FEW_ROWS', message: 'Each of the 4 training rows has an outlier, so dropping them leaves none. Name fewer columns, raise factor, or write action: Clip.' });
  });
});

describe('bins', () => {
  it('take values beyond the edges into the outer ones and leave missing ones missing', async () => {
    const seen = await fitted(tableOf(number('v', 0, 10)), { discretise: { bins: 5, strategy: 'Uniform' } });
    expect((await applyPipeline(seen.steps, tableOf(number('v', -3, 0, 2, 1.99, 10, 99, NaN)))).columns.map(cells)[0]).to.deep.equal([0, 0, 1, 0, 4, 4, NaN]);
  });

  it('are one for a constant', async () => {
    expect((await run(tableOf(number('v', 4, 4)), { discretise: { bins: 3, strategy: 'Quantile' } })).v).to.deep.equal([0, 0]);
  });
});

describe('products of columns', () => {
  const table = tableOf(number('a', 2, 3), number('b', 5, 7), number('c', 1, NaN));

  it('stand beside them, in the order of their factors', async () => {
    expect(await run(table, { polynomial: { columns: ['a', 'b'], degree: 2, interactionOnly: false } })).to.deep.equal({ a: [2, 3], b: [5, 7], c: [1, NaN], 'a^2': [4, 9], 'a*b': [10, 21], 'b^2': [25, 49] });
    expect(Object.keys(await run(table, { polynomial: { degree: 3, interactionOnly: true } }))).to.deep.equal(['a', 'b', 'c', 'a*b', 'a*c', 'b*c', 'a*b*c']);
  });

  it('are not made by the thousand', async () => {
    const wide = tableOf(...Array.from({ length: 200 }, (_, place) => number(`f${place}`, 1)));
    expect(await codeOf(() => run(wide, { polynomial: { degree: 2, interactionOnly: false } }))).to.include({ code: 'SPEC_CONFLICT', message: '200 columns have 20100 products, more than 10000. Name fewer columns, or a lower degree.' });
  });
});

describe('values that a transformation has no result for', () => {
  const transform = (method: string, ...values: number[]) => run(tableOf(number('v', ...values)), { transform: { method } });

  it('are refused with their row', async () => {
    expect(await codeOf(() => transform('BoxCox', 1, 0))).to.include({ code: 'DATA_OUT_OF_RANGE', message: 'Row 2 has 0 in column "v", and BoxCox needs values above 0. Clip such values in a step - outliers before, or write method: YeoJohnson.' });
    expect((await codeOf(() => transform('Log1p', 1, 5, -1))).message).to.contain('Row 3 has -1');
  });

  it('leave a constant column as it is, but for its mean', async () => {
    expect(await transform('YeoJohnson', 3, 3)).to.deep.equal({ v: [0, 0] });
    expect(await transform('Quantile', 3, 3)).to.deep.equal({ v: [0, 0] });
  });
});

describe('principal components', () => {
  const table = tableOf(number('a', 1, 2, 4), number('b', 3, 1, 2), text('t', 'x', 'y', 'z'));
  const components = (wanted: number, columns?: string[]) => codeOf(() => run(table, { pca: { components: wanted, whiten: false, ...(columns === undefined ? {} : { columns }) } }));

  it('are as many as there can be', async () => {
    expect(await components(3)).to.include({ code: 'SPEC_CONFLICT', message: '2 columns of 3 training rows have at most 2 principal components, not 3. Write fewer.' });
    expect(await components(1.5)).to.include({ code: 'SPEC_CONFLICT', message: '1.5 is no number of components. Write a whole number, or a share of the variance below 1.' });
    expect(await components(1, ['t'])).to.include({ code: 'SPEC_COLUMN_KIND' });
  });
});

describe('a value whose square is no number', () => {
  const table = tableOf(number('a', 1, 2, 4), number('v', 3, Infinity, 2));
  const steps: readonly object[] = [
    { pca: { components: 1, whiten: false } }, { outliers: { method: 'ZScore' } }, { impute: { strategy: 'Mean' } },
    { select: { method: 'Variance', keep: 1 } }, { select: { method: 'Correlation' } }, { select: { method: 'FTest', keep: 1 } }, { select: { method: 'L1', keep: 1 } },
  ];
  for (const step of steps) {
    it(`is refused with its row by ${JSON.stringify(step)}`, async () => {
      const error = await codeOf(() => run(table, step));
      expect(error).to.include({ code: 'DATA_OUT_OF_RANGE' });
      expect(error.message).to.match(/^Column "v" has Infinity in row 2, which is too large for .* to compute with\. Correct the data, or clip it/);
    });
  }

  it('can be clipped before', async () => {
    const longer = tableOf(number('a', 1, 2, 4, 3, 1, 2, 4, 3), number('v', 1, 2, 3, 4, 5, 6, 7, Infinity));
    expect(await run(longer, { outliers: { method: 'IQR' } }, { pca: { components: 1, whiten: false } })).to.have.keys('pca_0');
  });
});

describe('columns that are dropped', () => {
  it('are gone, and must have been there', async () => {
    const table: Table = tableOf(number('a', 1), text('b', 'x'));
    expect(await run(table, { drop: { columns: ['b'] } })).to.deep.equal({ a: [1] });
    expect(await codeOf(() => run(table, { drop: { columns: ['c'] } }))).to.include({ code: 'SPEC_COLUMN_MISSING' });
  });
});

describe('a column that a step would make twice', () => {
  it('is refused', async () => {
    const table = tableOf(number('v', 1, NaN), number('v_missing', 1, 2));
    expect(await codeOf(() => run(table, { impute: { indicator: true } }))).to.include({ code: 'SPEC_CONFLICT', message: 'After this step there are two columns named "v_missing". Rename one in the data, or drop it in a step before.' });
  });
});

describe('a table with some of the columns', () => {
  it('goes through steps that work column by column, and past those that need them all', async () => {
    const table = tableOf(number('a', 1, 3), number('b', 2, 8), time('t', '2026-01-01', '2026-02-01'));
    const { steps } = await fitted(table, { scale: { method: 'MinMax' } }, { dates: { parts: ['Month'], cyclic: false } }, { pca: { columns: ['a', 'b'], components: 1, whiten: false } });
    const some = { rows: 2, columns: table.columns.slice(1) };
    expect(asLists(await applyPipeline(steps, some))).to.deep.equal({ b: [0, 1], t_month: [1, 2] });
    expect((await applyPipeline(steps, take(table, new Int32Array(0)))).columns.map(({ name }) => name)).to.deep.equal(['t_month', 'pca_0']);
  });
});
