import { expect } from 'chai';
import { prepare } from '../../../trainer-image/src/data/prepare.ts';
import type { Prepared } from '../../../trainer-image/src/data/prepare.ts';
import { upTo } from '../../../trainer-image/src/data/random.ts';
import { rowsOf } from '../../../trainer-image/src/data/rows.ts';
import type { Column } from '../../../trainer-image/src/data/table.ts';
import { measure } from '../../../trainer-image/src/evaluate/measure.ts';
import { predictionsFrom } from '../../../trainer-image/src/train/judging.ts';
import { codeOf, trainerSpec } from '../support.ts';
import { number, tableOf, text, time } from './tables.ts';

const ten = Array.from({ length: 10 }, (_, row) => row);

function prepared(data: object, ...columns: Column[]): Promise<Prepared> {
  return prepare(trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', split: { validation: 0, test: 0 }, ...data }, model: { preset: 'MLP' } }).data, rowsOf(tableOf(...columns)));
}

describe('preparing data', () => {
  it('finds out the task from the target', async () => {
    const task = async (...target: Column[]) => (await prepared({}, number('a', ...ten), ...target)).preprocessing.target.task;
    expect(await task(text('y', ...ten.map((row) => (row % 2 === 0 ? 'yes' : 'no'))))).to.equal('Classification');
    expect(await task(number('y', ...ten.map((row) => row % 3)))).to.equal('Classification');
    expect(await task(number('y', ...ten.map((row) => row / 3)))).to.equal('Regression');
    const many = Array.from({ length: 60 }, (_, row) => row);
    expect((await prepared({}, number('a', ...many), number('y', ...many))).preprocessing.target.task).to.equal('Regression');
    expect((await prepared({ task: 'Classification' }, number('a', ...many), number('y', ...many))).preprocessing.target.task).to.equal('Classification');
  });

  it('orders number classes by size and gives rows their place', async () => {
    const { preprocessing, train } = await prepared({}, number('a', 1, 2, 3), number('y', 10, 9, 10));
    expect(preprocessing.target).to.deep.equal({ task: 'Classification', name: 'y', classes: ['9', '10'] });
    expect([...train.targets]).to.deep.equal([1, 0, 1]);
  });

  it('standardises a regression target by its training rows', async () => {
    const { preprocessing: { target }, train } = await prepared({ task: 'Regression' }, number('a', 1, 2), number('y', 10, 30));
    expect(target).to.deep.equal({ task: 'Regression', name: 'y', mean: 20, scale: 10 });
    expect([...train.targets]).to.deep.equal([-1, 1]);
  });

  it('judges rows that are held back by the target as it stands in the data', async () => {
    const values = Array.from({ length: 60 }, (_, row) => (row % 3 === 0 ? 0 : row / 10));
    const { preprocessing: { target }, train, validation, test } = await prepared({ task: 'Regression', split: { validation: 0.3, test: 0.3 } }, number('a', ...values), number('y', ...values));
    if (target.task !== 'Regression') expect.fail('It is a regression.');
    expect(train.truth).to.equal(undefined);
    for (const part of [validation, test]) {
      const truth = [...part.features.gather(upTo(part.rows))].map((value) => Math.round(value * 10) / 10);
      const predictions = predictionsFrom(new Float32Array(part.rows), part, target);
      expect([...predictions.truth]).to.deep.equal(truth).and.to.include(0);
      // |error| / ε of a true 0, as in scikit-learn; of one that was rounded some millions.
      expect(measure(predictions, ['mape']).mape).to.be.above(1e12);
    }
  });

  it('groups rows that are held back by times that read as times', async () => {
    const days = Array.from({ length: 40 }, (_, row) => `2024-02-${String(28 + (row % 2))}T12:00:00Z`);
    const { data } = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', features: { columns: ['a'] }, split: { validation: 0.4, test: 0.4, stratify: false } }, model: { preset: 'MLP' } });
    const { slices } = await prepare(data, rowsOf(tableOf(number('a', ...days.keys()), time('day', ...days), number('y', ...Array.from(days.keys(), (row) => row % 4 >> 1)))), { sliceBy: ['day'] });
    expect(slices?.test.map(({ value }) => value)).to.include.members(['2024-02-29T12:00:00.000Z']);
  });

  it('sees all columns but the target, those that are named, or all but the excluded', async () => {
    const columns = [number('a', 1, 2), number('b', 3, 4), number('y', 0, 1)];
    const features = (written?: object) => prepared(written === undefined ? {} : { features: written }, ...columns).then(({ preprocessing }) => preprocessing.features);
    expect(await features()).to.deep.equal(['a', 'b']);
    expect(await features({ columns: ['b', 'a'] })).to.deep.equal(['b', 'a']);
    expect(await features({ exclude: ['a'] })).to.deep.equal(['b']);
  });

  it('does not see what rows are grouped or ordered by, nor pseudonyms, unless a step lists them', async () => {
    const columns = [number('a', ...ten), text('person', ...ten.map((row) => `p${row}`)), number('day', ...ten), number('y', ...ten.map((row) => row % 2))];
    const keyed = { split: { validation: 0, test: 0.2, groupBy: 'person', orderBy: 'day' } };
    const seen = async (data: object) => {
      const { preprocessing: { inputs, features } } = await prepared({ ...keyed, ...data }, ...columns);
      return { inputs: inputs.map(({ name }) => name), features };
    };
    expect(await seen({})).to.deep.equal({ inputs: ['a'], features: ['a'] });
    expect(await seen({ split: { validation: 0, test: 0 }, privacy: { pseudonymise: { columns: ['person'], key: { secretName: 's', key: 'k' } } } })).to.deep.equal({ inputs: ['a', 'day'], features: ['a', 'day'] });
    expect(await seen({ pipeline: [{ scale: { method: 'Standard', columns: ['day'] } }] })).to.deep.equal({ inputs: ['a', 'day'], features: ['a', 'day'] });
    expect(await seen({ pipeline: [{ text: { column: 'person', method: 'Hashing', features: 2 } }] })).to.deep.equal({ inputs: ['a', 'person'], features: ['a', 'person#0', 'person#1'] });
    expect(await seen({ features: { columns: ['day'] } })).to.deep.equal({ inputs: ['day'], features: ['day'] });
    expect(await seen({ features: { exclude: ['day'] } })).to.deep.equal({ inputs: ['a'], features: ['a'] });
  });

  it('does not see an index that pandas wrote, unless it is listed', async () => {
    const columns = [number('a', 1, 2), number('__index_level_0__', 7, 9), number('y', 0, 1)];
    const features = (written: object) => prepared(written, ...columns).then(({ preprocessing }) => preprocessing.features);
    expect(await features({})).to.deep.equal(['a']);
    expect(await features({ features: { exclude: ['__index_level_0__'] } })).to.deep.equal(['a']);
    expect(await features({ features: { columns: ['a', '__index_level_0__'] } })).to.deep.equal(['a', '__index_level_0__']);
    expect(await features({ pipeline: [{ scale: { method: 'Standard', columns: ['__index_level_0__'] } }] })).to.deep.equal(['a', '__index_level_0__']);
  });

  it('derives a column from what rows are ordered by without seeing that itself', async () => {
    const { preprocessing: { inputs, features } } = await prepared(
      { split: { validation: 0, test: 0.2, orderBy: 'day' }, pipeline: [{ derive: { name: 'week day', expression: '"day" % 7' } }, { scale: { method: 'Standard' } }] },
      number('a', ...ten), number('day', ...ten), number('y', ...ten.map((row) => row % 2)),
    );
    expect(inputs.map(({ name }) => name)).to.deep.equal(['a', 'day']);
    expect(features).to.deep.equal(['a', 'week day']);
  });

  const wrong: readonly (readonly [string, object, readonly Column[], string, string, RegExp])[] = [
    ['a target that is not there', { target: 'z' }, [number('a', 1), number('y', 1)], 'SPEC_COLUMN_MISSING', 'spec.trainer.data.target', /no column "z" at this point; there are "a", "y"/],
    ['a target among the features', { features: { columns: ['a', 'y'] } }, [number('a', 1, 2), number('y', 0, 1)], 'SPEC_CONFLICT', 'spec.trainer.data.features.columns', /would see the answer/],
    ['no feature at all', { features: { exclude: ['a'] } }, [number('a', 1, 2), number('y', 0, 1)], 'SPEC_CONFLICT', 'spec.trainer.data.features', /No column is left/],
    ['an unknown column that is excluded', { features: { exclude: ['q'] } }, [number('a', 1, 2), number('y', 0, 1)], 'SPEC_COLUMN_MISSING', 'spec.trainer.data.features.exclude', /"q"/],
    ['a row without target', {}, [number('a', 1, 2, 3), text('y', 'x', null, 'y')], 'DATA_TARGET', 'spec.trainer.data.target', /Row 2 has no value in the target column "y"/],
    ['one class only', {}, [number('a', 1, 2), text('y', 'x', 'x')], 'DATA_TARGET', 'spec.trainer.data.target', /"x" in every row/],
    ['one number only', { task: 'Regression' }, [number('a', 1, 2), number('y', 7.5, 7.5)], 'DATA_TARGET', 'spec.trainer.data.target', /"7\.5" in every row, so there is nothing to learn\. Give rows of at least two different values\./],
    ['numbers too far apart', { task: 'Regression' }, [number('a', 1, 2, 3), number('y', 1e300, -1e300, 5)], 'DATA_TARGET', 'spec.trainer.data.target', /"y" lie too far apart for their variance to be computed; one is 1e\+300\. Write the target in another unit\./],
    ['numbers too close together', { task: 'Regression' }, [number('a', 1, 2), number('y', 1e-200, 2e-200)], 'DATA_TARGET', 'spec.trainer.data.target', /lie too close together/],
    ['text to regress on', { task: 'Regression' }, [number('a', 1, 2), text('y', '1', 'x')], 'SPEC_TASK_MISMATCH', 'spec.trainer.data.task', /column "y" has "x"/],
    ['strata of numbers', { task: 'Regression', split: { stratify: true } }, [number('a', ...ten), number('y', ...ten)], 'SPEC_CONFLICT', 'spec.trainer.data.split.stratify', /needs classes/],
    ['a sample by strata of numbers', { task: 'Regression', sample: { fraction: 0.5, stratify: true } }, [number('a', ...ten), number('y', ...ten)], 'SPEC_CONFLICT', 'spec.trainer.data.sample.stratify', /^stratify needs classes/],
    ['as many classes as rows', { task: 'Classification', split: { validation: 0, test: 0.2 } }, [number('a', ...ten), number('y', ...ten)], 'DATA_TOO_FEW_ROWS', 'spec.trainer.data.split.test', /10 rows, too few to hold back 0.2 of them for test, since each of its 10 classes keeps one/],
    ['a pipeline that leaves no column', { pipeline: [{ drop: { columns: ['a'] } }] }, [number('a', 1, 2), number('y', 0, 1)], 'SPEC_CONFLICT', 'spec.trainer.data.pipeline', /No column is left after the pipeline/],
    ['text that nothing encodes', {}, [text('a', 'u', 'v'), number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /Column "a" is text.*encode: \{columns: \[a\]\}/],
    ['a word among numbers of a form that only JavaScript reads', {}, [text('a', '1', '0x10'), number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /"0x10" in row 2.*Correct it/],
    ['numbers with commas', {}, [text('a', '1,230.15', '7,5'), number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /"1,230\.15" in row 1.*write them as 1234\.5/],
    ['numbers as texts', {}, [text('a', '12', '13'), number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /"12" in row 1.*without quotes/],
    ['whole numbers that a double has no place for', {}, [text('a', '9007199254740993', '9007199254740995'), number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /beyond 2\^53, for example "9007199254740993" in row 1/],
    ['a time that no step turns into numbers', {}, [{ kind: 'Time', name: 'a', values: Float64Array.of(0, 1) }, number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /is a time.*dates: \{columns: \[a\]/],
    ['missing values that nothing fills in', {}, [number('a', 1, NaN), number('y', 0, 1)], 'DATA_NOT_NUMERIC', 'spec.trainer.data.pipeline', /"a" has no value in row 2.*impute/],
    ['a shape that does not fit', { features: { shape: [2, 2, 1] } }, [number('a', 1, 2), number('y', 0, 1)], 'SPEC_SHAPE_MISMATCH', 'spec.trainer.data.features.shape', /holds 4 values, but a row has 1/],
  ];
  for (const [what, data, columns, code, at, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await codeOf(() => prepared(data, ...columns));
      expect(error).to.include({ code, at });
      expect(error.message).to.match(message);
    });
  }

  it('refuses folds by strata of numbers, and names the field that asks for them', async () => {
    const { data } = trainerSpec({ data: { source: { uri: 'file:///x' }, target: 'y', task: 'Regression' }, model: { preset: 'MLP' } });
    const error = await codeOf(() => prepare(data, rowsOf(tableOf(number('a', ...ten), number('y', ...ten))), { fold: { kFold: 2, index: 0, stratified: true } }));
    expect(error).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.validation.stratified' });
  });
});
