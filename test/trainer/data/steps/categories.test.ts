import { expect } from 'chai';
import { applyPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import { prepare } from '../../../../trainer-image/src/data/prepare.ts';
import { rowsOf } from '../../../../trainer-image/src/data/rows.ts';
import { codeOf, trainerSpec } from '../../support.ts';
import { cells, number, tableOf, text } from '../tables.ts';
import { asLists, fitted, fittedTo, run } from './support.ts';

const colours = tableOf(text('t', 'red', 'red', 'red', 'blue', 'blue', 'green', 'ochre'), number('n', 1, 1, 2, 2, 2, 3, 10));
const encode = (step: object) => ({ encode: { unknown: 'Ignore', ...step } });

describe('categories', () => {
  it('that are rare become one, and so do strangers', async () => {
    const { steps } = await fitted(colours, encode({ method: 'OneHot', columns: ['t'], minFrequency: 2 }));
    const unseen = tableOf(text('t', 'blue', 'ochre', 'pink'), number('n', 0, 0, 0));
    expect(asLists(await applyPipeline(steps, unseen))).to.deep.equal({ 't=blue': [1, 0, 0], 't=red': [0, 0, 0], 't=(other)': [0, 1, 1], n: [0, 0, 0] });
    const { steps: refusing } = await fitted(colours, encode({ method: 'Ordinal', columns: ['t'], maxCategories: 3, unknown: 'Refuse' }));
    expect(asLists(await applyPipeline(refusing, colours)).t).to.deep.equal([1, 1, 1, 0, 0, 2, 2]);
    expect((await codeOf(() => applyPipeline(refusing, unseen))).message).to.contain('Row 3 has "pink" in column "t", which no training row had');
  });

  it('become their share of the training rows', async () => {
    expect((await run(colours, encode({ method: 'Frequency', columns: ['t', 'n'] }))).t).to.deep.equal([3 / 7, 3 / 7, 3 / 7, 2 / 7, 2 / 7, 1 / 7, 1 / 7]);
    const { steps } = await fitted(colours, encode({ method: 'Frequency', columns: ['n'] }));
    expect(asLists(await applyPipeline(steps, tableOf(text('t', 'x'), number('n', 77)))).n).to.deep.equal([0]);
  });

  it('fall into buckets by their hash, known or not', async () => {
    const { steps } = await fitted(colours, encode({ method: 'Hash', columns: ['t'], buckets: 4 }));
    const done = asLists(await applyPipeline(steps, tableOf(text('t', 'never seen', 'red'), number('n', 1, 1))));
    expect(Object.keys(done)).to.deep.equal(['t#0', 't#1', 't#2', 't#3', 'n']);
    for (const row of [0, 1]) expect([0, 1, 2, 3].reduce((sum, place) => sum + Number(done[`t#${place}`]?.[row]), 0)).to.equal(1);
  });
});

describe('codes for an embedding', () => {
  const step = encode({ method: 'Embedding', columns: ['t'], maxCategories: 3 });

  it('are 0 for what is no category of its own, and tell the network how many there are', async () => {
    const data = tableOf(...colours.columns, number('y', 0, 1, 0, 1, 0, 1, 0));
    const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', split: { validation: 0, test: 0 }, pipeline: [step, { scale: { method: 'Standard' } }] }, model: { preset: 'MLP' } });
    const { preprocessing, train } = await prepare(spec.data, rowsOf(data));
    expect(preprocessing.features).to.deep.equal(['t', 'n']);
    expect(preprocessing.embeddings).to.deep.equal([{ feature: 0, categories: 3 }]);
    const rows = train.features.range(0, train.rows);
    expect(Array.from({ length: 7 }, (_, row) => rows[row * 2])).to.deep.equal([2, 2, 2, 1, 1, 0, 0]);
  });

  it('are no quantities: a step for numbers leaves them out, or refuses them by name', async () => {
    expect((await run(colours, step, { scale: { method: 'MinMax' } })).t).to.deep.equal([2, 2, 2, 1, 1, 0, 0]);
    const error = await codeOf(() => run(colours, step, { scale: { method: 'MinMax', columns: ['t'] } }));
    expect(error).to.include({ code: 'SPEC_COLUMN_KIND', message: 'scale needs quantities, and column "t" holds the codes of an embedding. Leave it out.' });
  });

  it('are told of only where there are some', async () => {
    const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', split: { validation: 0, test: 0 } }, model: { preset: 'MLP' } });
    const { preprocessing } = await prepare(spec.data, rowsOf(tableOf(number('a', 1, 2, 3), number('y', 0, 1, 0))));
    expect(preprocessing).not.to.have.property('embeddings');
  });
});

describe('encoding by the target', () => {
  it('shows a training row what the others say, and a new row what all say', async () => {
    // Each category has one row with target 1; a row that saw itself would know its own target.
    const rows = 200;
    const names = Array.from({ length: rows }, (_, row) => `c${row % 100}`);
    const codes = Int32Array.from({ length: rows }, (_, row) => (row < 100 ? 0 : 1));
    const data = tableOf(text('t', ...names));
    const pipeline = await fittedTo({ task: 'Classification', classes: ['no', 'yes'], codes }, data, encode({ method: 'Target', smoothing: 0, folds: 200 }));
    const [shown = []] = (await pipeline.whileTraining(data)).columns.map(cells);
    // The other row of the category has the other target.
    shown.forEach((value, row) => expect(Number(value), `row ${row}`).to.be.closeTo(row < 100 ? 1 : 0, 1e-12));
    const [served = []] = (await applyPipeline(pipeline.steps, data)).columns.map(cells);
    for (const value of served) expect(value).to.equal(0.5);
  });

  it('knows its training rows by where they stood in the data', async () => {
    const rows = Array.from({ length: 90 }, (_, row) => row);
    const data = tableOf(text('t', ...rows.map((row) => `c${row % 4}`)), number('y', ...rows.map((row) => (row % 4) * 10 + (row % 5) / 7)));
    const spec = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', task: 'Regression', split: { validation: 0.3, test: 0 }, pipeline: [encode({ method: 'Target' })] }, model: { preset: 'MLP' } });
    const { train, validation, preprocessing } = await prepare(spec.data, rowsOf(data));
    const [step] = preprocessing.steps;
    if (step?.kind !== 'Encode' || step.method !== 'Target') throw new Error('The step is another one.');
    const plain = new Set(step.columns[0]?.outputs[0]?.values.map(Math.fround));
    for (const value of validation.features.range(0, validation.rows)) expect(plain.has(value)).to.equal(true);
    // Five folds of four categories: training rows see up to 20 values, none of them the plain one.
    const seen = new Set(train.features.range(0, train.rows));
    expect(seen.size).to.be.within(10, 20);
    for (const value of seen) expect(plain.has(value)).to.equal(false);
  });
});
