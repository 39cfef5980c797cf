import { expect } from 'chai';
import { applyPipeline } from '../../../../trainer-image/src/data/pipeline/index.ts';
import type { FittedStep } from '../../../../trainer-image/src/data/pipeline/index.ts';
import { pureFunctions } from '../../../../trainer-image/src/data/pipeline/pure.ts';
import { sandbox } from '../../../../trainer-image/src/data/pipeline/sandbox.ts';
import { take } from '../../../../trainer-image/src/data/table.ts';
import { codeOf } from '../../support.ts';
import { cells, number, tableOf, text, time } from '../tables.ts';
import { fitted } from './support.ts';

const table = tableOf(number('price', 200, 300, NaN), number('floor area', 50, 0, 4), text('city', 'Oslo', null, 'Łódź'), time('built', '1999-12-31T23:00:00Z', '2026-02-28', null));
const derive = (expression: string) => ({ derive: { name: 'x', expression } });

async function derived(expression: string, from = table): Promise<unknown[]> {
  const { steps } = await fitted(from, derive(expression));
  const column = (await applyPipeline(steps, from)).columns.at(-1);
  if (column === undefined) throw new Error('No column.');
  return [column.kind, ...cells(column)];
}

describe('a derived column', () => {
  const given: readonly (readonly [string, unknown[]])[] = [
    ['price / "floor area"', ['Number', 4, NaN, NaN]],
    ['price > 250', ['Number', 0, 1, NaN]],
    ['CAST(price AS DECIMAL(9, 1)) + 1', ['Number', 201, 301, NaN]],
    ['coalesce(price, -1) ** 2', ['Number', 40_000, 90_000, 1]],
    ['upper(city) || \'!\'', ['Text', 'OSLO!', null, 'ŁÓDŹ!']],
    ['length(city)', ['Number', 4, NaN, 4]],
    ['CASE WHEN city LIKE \'O%\' THEN \'o\' ELSE \'other\' END', ['Text', 'o', 'other', 'other']],
    ['date_trunc(\'month\', built)', ['Time', Date.UTC(1999, 11, 1) * 1000, Date.UTC(2026, 1, 1) * 1000, NaN]],
    ['built::DATE + INTERVAL 1 DAY', ['Time', Date.UTC(2000, 0, 1) * 1000, Date.UTC(2026, 2, 1) * 1000, NaN]],
    ['date_diff(\'year\', built, TIMESTAMP \'2027-01-01\')', ['Number', 28, 1, NaN]],
    ['price IN (200, 1) AND city IS NOT NULL', ['Number', 1, 0, NaN]],
    ['TRY(sqrt("floor area" - 1))', ['Number', 7, NaN, Math.sqrt(3)]],
    ['nullif(price, 200)', ['Number', NaN, 300, NaN]],
    ['42', ['Number', 42, 42, 42]],
    ['price -- in euros', ['Number', 200, 300, NaN]],
  ];
  for (const [expression, values] of given) {
    it(`is ${expression}`, async () => expect(await derived(expression)).to.deep.equal(values));
  }

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['sum(price)', /sum looks at several rows, and an expression sees one \(at character 1, "sum\(price\)"\)/],
    ['price - avg(price)', /avg looks at several rows.*\(at character 9, "avg\(price\)"\)/],
    ['count(*)', /looks at several rows/],
    ['row_number() OVER ()', /it has a window function, which sees other rows/],
    ['price + random()', /random may give another value another time/],
    ['now()', /now may give another value/],
    ['current_date', /there is no column "current_date" at this point; there are "price", "floor area", "city", "built"/],
    ['current_localtimestamp()', /may give another value/],
    ['uuid()', /uuid may give another value/],
    ['version()', /version may give another value/],
    ['current_setting(\'memory_limit\')', /current_setting may give another value/],
    ['getvariable(\'x\')', /getvariable may give another value/],
    ['nextval(\'s\')', /nextval may give another value/],
    ['age(built)', /age may give another value/],
    ['(SELECT 1)', /it has a subquery/],
    ['price IN (SELECT 1)', /it has a subquery/],
    ['EXISTS (SELECT 1)', /it has a subquery/],
    ['read_text(\'/etc/hostname\')', /read_text may give another value/],
    ['getenv(\'HOME\')', /there is no function getenv/],
    ['price FROM read_csv(\'/etc/passwd\')', /it is not one expression alone/],
    ['price, city', /it is not one expression alone/],
    ['price AS p', /it is not one expression alone/],
    ['price LIMIT 1', /it is not one expression alone/],
    ['DISTINCT price', /it is not one expression alone/],
    ['price; SELECT 1', /it is not one expression alone/],
    ['price; DROP TABLE x', /it is not one expression alone/],
    ['1 UNION SELECT 2', /it is not one expression alone/],
    ['price)', /syntax error/],
    ['(price', /syntax error/],
    ['', /cannot be used/],
    ['*', /it has a \*/],
    ['COLUMNS(*)', /it has a \*/],
    ['$1 + price', /it has a parameter/],
    ['#1', /it names a column by its number/],
    ['list_transform([price], v -> v + 1)', /list_transform may give/],
    ['city COLLATE nocase', /it has a COLLATE/],
    ['built::TIMESTAMPTZ', /it makes a TIMESTAMP WITH TIME ZONE/],
    ['area * 2', /there is no column "area" at this point.*\(at character 1, "area \* 2"\)/],
    ['größe + sum(price)', /there is no column "größe"/],
    ['"floor area" + größe', /there is no column "größe".*\(at character 16, "größe"\)/],
    ['sqroot(price)', /there is no function sqroot/],
    ['length(price)', /No function matches the given name and argument types 'length\(DOUBLE\)'/],
    ['INTERVAL 1 DAY', /it gives a value of type INTERVAL/],
    ['1e400', /too large for a double/],
    ['abs(price) FILTER (price > 1)', /it calls abs as an aggregate/],
  ];
  for (const [expression, message] of wrong) {
    it(`is never ${expression || 'nothing'}`, async () => {
      const error = await codeOf(() => derived(expression));
      expect(error.code, error.message).to.equal('SPEC_EXPRESSION');
      expect(error.at).to.equal('spec.trainer.data.pipeline[0].derive.expression');
      expect(error.message).to.match(message);
    });
  }

  it('tells columns apart that differ in case only', async () => {
    const both = tableOf(number('a', 1), number('A', 2));
    expect(await derived('a + 1', both)).to.deep.equal(['Number', 2]);
    expect(await derived('"A" + 1', both)).to.deep.equal(['Number', 3]);
    expect((await codeOf(() => derived('a + "A"', both))).message).to.contain('SQL cannot tell the columns "a" and "A" apart');
  });

  it('names the row that cannot be computed', async () => {
    const many = tableOf(number('v', ...Array.from({ length: 5000 }, (_, row) => 4321 - row)));
    const { steps } = await fitted(many, derive('ln(v)'));
    const error = await codeOf(() => applyPipeline(steps, take(many, Int32Array.from({ length: 4998 }, (_, row) => row + 2))));
    expect(error).to.include({ code: 'DATA_OUT_OF_RANGE', at: 'x', message: 'The column "x" cannot be derived in row 4322: cannot take logarithm of zero. Guard the expression, for example as TRY(…), which gives a missing value instead.' });
  });

  it('names it also when each different text is computed once', async () => {
    const many = tableOf(text('t', ...Array.from({ length: 300 }, (_, row) => (row === 250 ? 'x' : String(row % 7)))));
    const { steps } = await fitted(many, derive('CAST(t AS DOUBLE)'));
    expect((await codeOf(() => applyPipeline(steps, many))).message).to.contain('cannot be derived in row 251: Could not convert string \'x\' to DOUBLE');
  });

  it('is computed for several tables at once, each by itself', async () => {
    const { steps } = await fitted(table, derive('price * 2'));
    const tables = Array.from({ length: 20 }, (_, at) => tableOf(number('price', ...Array.from({ length: at * 150 + 1 }, (_value, row) => at + row))));
    const done = await Promise.all(tables.map((each) => applyPipeline(steps, each)));
    done.forEach(({ columns }, at) => expect(columns[1] === undefined ? [] : cells(columns[1])).to.deep.equal(Array.from({ length: at * 150 + 1 }, (_, row) => 2 * (at + row))));
  });
});

describe('the calculator behind it', () => {
  it('reaches no file, no extension and no setting', async () => {
    const { connection } = await sandbox();
    for (const sql of [`SELECT * FROM read_text('${import.meta.filename}')`, `COPY (SELECT 1) TO '/tmp/x.csv'`, `ATTACH '/tmp/x.db'`, 'INSTALL httpfs', 'LOAD httpfs', 'SET threads = 8', 'SET enable_external_access = true', 'RESET lock_configuration']) {
      const outcome = await connection.run(sql).then(() => 'done', () => 'refused');
      expect(outcome, sql).to.equal('refused');
    }
  });

  it('has each function that an expression may call, and takes none of them for impure', async () => {
    const { connection } = await sandbox();
    const rows = (await connection.runAndReadAll('SELECT function_name, function_type, stability FROM duckdb_functions()')).getRowsJson() as [string, string, string | null][];
    for (const name of pureFunctions) {
      const own = rows.filter(([other, type]) => other === name && type !== 'table');
      expect(own, name).not.to.have.length(0);
      for (const [, type, stability] of own) expect(['scalar/CONSISTENT', 'macro/null'], `${name}: ${type}`).to.include(`${type}/${String(stability)}`);
    }
  });

  it('stores what it checked', async () => {
    const { steps } = await fitted(table, derive('price/"floor area" /* per m² */'));
    expect(steps).to.deep.equal([{ kind: 'Derive', name: 'x', expression: '(price / "floor area")', columns: [{ name: 'price', kind: 'Number' }, { name: 'floor area', kind: 'Number' }], gives: 'Number' } satisfies FittedStep]);
  });
});
