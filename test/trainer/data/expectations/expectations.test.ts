import { expect } from 'chai';
import * as fc from 'fast-check';
import { checkExpectations, requireExpectations } from '../../../../trainer-image/src/data/expectations/index.ts';
import { told } from '../../../../trainer-image/src/data/expectations/finding.ts';
import type { Finding } from '../../../../trainer-image/src/data/expectations/finding.ts';
import type { ExpectationSpec } from '../../../../trainer-image/src/data/expectations/spec.ts';
import { Evidence } from '../../../../trainer-image/src/data/profile/evidence.ts';
import type { Subject } from '../../../../trainer-image/src/data/profile/evidence.ts';
import { mostShown } from '../../../../trainer-image/src/data/rowhash/repeats.ts';
import type { Rows } from '../../../../trainer-image/src/data/rows.ts';
import { textAt } from '../../../../trainer-image/src/data/table.ts';
import type { Column, Table } from '../../../../trainer-image/src/data/table.ts';
import { percent } from '../../../../trainer-image/src/data/words.ts';
import { codeOf } from '../../support.ts';
import { inBlocks, rowText, smallTables } from '../sources.ts';
import { number, tableOf, text, time } from '../tables.ts';

const none = new Int32Array(0);
type Item = Omit<ExpectationSpec, 'onViolation'>;

/** All rows train, unless told otherwise. */
function evidence(rows: Rows, of: Partial<Subject> = {}): Evidence {
  const target = of.target ?? 'y';
  const features = rows.columns.map(({ name }) => name).filter((name) => name !== target);
  return new Evidence({ rows, columns: rows.columns.map(({ name }) => name), target, task: 'Classification', features, parts: { train: Int32Array.from({ length: rows.rows }, (_, row) => row), validation: none, test: none }, seed: 0, ...of });
}

const written = (findings: readonly Finding[]): Finding[] => findings.filter(({ at }) => at !== undefined);
const check = async (item: Item, table: Table, of: Partial<Subject> = {}): Promise<Finding[]> => written(await checkExpectations([{ onViolation: 'Fail', ...item }], evidence(inBlocks(table, 3), of)));

/** The one finding of an item. */
async function finding(item: Item, table: Table, of: Partial<Subject> = {}): Promise<Finding> {
  const [only, ...others] = await check(item, table, of);
  if (only === undefined || others.length > 0) throw new Error('There is not one finding.');
  return only;
}

const y = (rows: number): Column => text('y', ...Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? 'no' : 'yes')));

describe('expectations', function suite() {
  this.timeout(60_000);

  it('find the rows that brute force finds', async () => {
    const item = fc.oneof<fc.Arbitrary<Item>[]>(
      fc.constantFrom<Item>({ column: 'n', notNull: true }, { column: 't', notNull: true }, { column: 'd', notNull: true }, { column: 't', matches: '^[ab]?$' }, { column: 't', oneOf: ['a', 'größe'] }, { column: 'n', oneOf: [0, 2.5] }, { column: 'n', unique: true }, { column: 't', unique: true }, { duplicates: { max: 0 } }),
      fc.constantFrom(-3, 0, 1, 2).map((min) => ({ column: 'n', min })),
      fc.constantFrom(-3, 0, 1, 2).map((max) => ({ column: 'n', max })),
    );
    await fc.assert(fc.asyncProperty(smallTables(2), item, async (table, spec) => {
      const columnOf = (name: string): Column => table.columns.find((column) => column.name === name) ?? number(name);
      const isMissing = (column: Column, row: number): boolean => (column.kind === 'Text' ? textAt(column, row) === null : Number.isNaN(column.values[row]));
      const repeats = (row: number, names: readonly string[]): boolean => Array.from({ length: row }, (_, before) => before).some((before) => rowText(table, before, names) === rowText(table, row, names));
      const violates = (row: number): boolean => {
        if (spec.column === undefined) return repeats(row, ['n', 't', 'd', 'y']);
        const column = columnOf(spec.column);
        if (isMissing(column, row)) return spec.notNull === true;
        const value = column.kind === 'Text' ? textAt(column, row) ?? '' : column.values[row] ?? NaN;
        return (spec.min !== undefined && Number(value) < spec.min) || (spec.max !== undefined && Number(value) > spec.max)
          || (spec.oneOf !== undefined && !spec.oneOf.includes(value)) || (spec.matches !== undefined && !new RegExp(spec.matches).test(String(value)))
          || (spec.unique === true && repeats(row, [spec.column]));
      };
      const rows = Array.from({ length: table.rows }, (_, row) => row).filter(violates);
      const found = await finding(spec, table, { task: 'Regression', target: 'n' });
      expect(found.outcome).to.equal(rows.length === 0 ? 'Pass' : 'Fail');
      expect(found.rows).to.equal(rows.length);
      expect(found.firstRows ?? []).to.deep.equal(rows.slice(0, mostShown).map((row) => row + 1));
    }), { numRuns: 100 });
  });

  it('let a share of rows pass', async () => {
    const table = tableOf(number('n', NaN, 1, 2, 3, 100), y(5));
    expect((await finding({ column: 'n', maxMissing: 0.2 }, table)).outcome).to.equal('Pass');
    expect(told(await finding({ column: 'n', maxMissing: 0.1 }, table))).to.equal('Column "n" is expected to lack a value in at most 10 % of the rows, but 1 of 5 rows, 20 %, has none (row 1).');
    expect((await finding({ column: 'n', maxOutliers: 0.2 }, table)).outcome).to.equal('Pass');
    expect(told(await finding({ column: 'n', maxOutliers: 0.19 }, table))).to.match(/farther than 1\.5 quartile ranges .* 1 of 5 rows, 20 %, has such a value \(row 5, for example "100"\)\.$/);
  });

  const sentences: readonly (readonly [string, Item, Table, string])[] = [
    ['a value too low', { column: 'n', min: 0 }, tableOf(number('n', 3, -1, -2), y(3)), 'Column "n" is expected to have no value below 0, but 2 of 3 rows have one (rows 2 and 3, for example "-1").'],
    ['a value that holds', { column: 'n', min: -5 }, tableOf(number('n', 3, -1, -2), y(3)), 'Column "n" is expected to have no value below -5, and none of 3 rows has one.'],
    ['a value that is not among those allowed', { column: 't', oneOf: ['DE', 'FR'] }, tableOf(text('t', 'DE', 'XX'), y(2)), 'Column "t" is expected to have only the values "DE", "FR", but 1 of 2 rows has another (row 2, for example "XX").'],
    ['a text of another form', { column: 't', matches: '^\\d{5}$' }, tableOf(text('t', '12345', '1234', null), y(3)), 'Column "t" is expected to match ^\\d{5}$, but 1 of 3 rows does not (row 2, for example "1234").'],
    ['many rows', { column: 'n', notNull: true }, tableOf(number('n', ...Array.from({ length: 1234 }, () => NaN)), y(1234)), 'Column "n" is expected to have a value in every row, but 1,234 of 1,234 rows have none (rows 1, 2, 3, 4, 5 and 1,229 more).'],
    ['another kind', { column: 't', type: 'Number' }, tableOf(text('t', 'a', 'b'), y(2)), 'Column "t" is expected to hold numbers, but it holds text.'],
    ['a mean', { column: 'n', meanBetween: { min: 0, max: 1 } }, tableOf(number('n', 2, 3, NaN), y(3)), 'The mean of column "n" is expected to be between 0 and 1, but its mean is 2.5, of 2 values.'],
    ['too few rows', { rows: { min: 1000 } }, tableOf(number('n', 1, 2), y(2)), 'The data is expected to have at least 1,000 rows, but it has 2.'],
    ['a rare class', { classShare: { min: 0.3 } }, tableOf(number('n', 1, 2, 3, 4), text('y', 'a', 'a', 'a', 'b')), 'Every class of the target "y" is expected to have at least 30 % of the rows, but the rarest, "b", has 25 % (1 row).'],
  ];
  for (const [what, item, table, sentence] of sentences) {
    it(`say in one sentence what was expected and what was found: ${what}`, async () => {
      expect(told(await finding(item, table))).to.equal(sentence);
    });
  }

  it('find rows of validation and test whose features a training row has, whatever their class', async () => {
    const table = tableOf(number('n', 1, 2, 3, 1, 2), text('t', 'a', 'b', 'c', 'a', 'x'), text('y', 'no', 'yes', 'no', 'yes', 'yes'));
    const parts = { train: Int32Array.of(0, 1), validation: Int32Array.of(2, 3), test: Int32Array.of(4) };
    expect(told(await finding({ splitLeakage: { max: 0 } }, table, { parts }))).to.equal('No row of validation and test is expected to have the same features as a training row, but 1 of 3 rows does (row 4).');
    expect((await finding({ splitLeakage: { max: 0.4 } }, table, { parts })).outcome).to.equal('Pass');
  });

  it('name the column that gives the target away, and how much', async () => {
    const rows = Array.from({ length: 400 }, (_, row) => row);
    const table = tableOf(number('n', ...rows.map((row) => (row * 37) % 101)), number('refund', ...rows.map((row) => row % 2 + ((row * 13) % 7) / 10)), y(400));
    const found = await finding({ targetLeakage: { max: 0.8 } }, table);
    expect(found).to.include({ outcome: 'Fail', column: 'refund' });
    expect(told(found)).to.match(/^No column is expected to give away more than 80 % of the target "y", but column "refund" alone removes 9\d(\.\d+)? % of the uncertainty about it \(in 400 training rows\), so it may have been made from the target or be known only after it\.$/);
    expect((await finding({ targetLeakage: { max: 0.8 } }, tableOf(number('n', ...rows.map((row) => (row * 37) % 101)), y(400)))).outcome).to.equal('Pass');
  });

  const wrong: readonly (readonly [string, Item, Table, string, RegExp])[] = [
    ['a column that is not there', { column: 'z', notNull: true }, tableOf(number('n', 1), y(2)), 'SPEC_COLUMN_MISSING', /no column "z"/],
    ['a least value of text', { column: 't', min: 1 }, tableOf(text('t', 'a', 'b'), y(2)), 'SPEC_COLUMN_KIND', /min needs numbers, and column "t" holds text/],
    ['a pattern for numbers', { column: 'n', matches: '1' }, tableOf(number('n', 1, 2), y(2)), 'SPEC_COLUMN_KIND', /matches needs text, and column "n" holds numbers/],
    ['times to choose from', { column: 'd', oneOf: ['2024'] }, tableOf(time('d', '2024-01-01', '2024-01-02'), y(2)), 'SPEC_COLUMN_KIND', /oneOf needs numbers or text, and column "d" holds times/],
    ['what is no pattern', { column: 't', matches: '(' }, tableOf(text('t', 'a', 'b'), y(2)), 'SPEC_INVALID', /"\(" is no regular expression of RE2 \(missing \)/],
    ['a pattern that RE2 lacks', { column: 't', matches: '(?=a)b' }, tableOf(text('t', 'a', 'b'), y(2)), 'SPEC_INVALID', /neither look-around nor back-references/],
    ['an empty item', {}, tableOf(number('n', 1, 2), y(2)), 'SPEC_INVALID', /The expectation is empty/],
  ];
  for (const [what, item, table, code, message] of wrong) {
    it(`refuse ${what}`, async () => {
      const error = await codeOf(() => check(item, table));
      expect(error.code).to.equal(code);
      expect(error.at).to.match(/^spec\.trainer\.data\.expectations\[0\]/);
      expect(error.message).to.match(message);
    });
  }

  it('refuse classes where numbers are predicted', async () => {
    expect(await codeOf(() => check({ classShare: { min: 0.1 } }, tableOf(number('n', 1, 2), number('y', 1, 2)), { task: 'Regression' }))).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.data.expectations[0].classShare' });
  });

  it('take as long as the text is, whatever the pattern', async () => {
    const table = tableOf(text('t', `${'a'.repeat(5000)}b`, 'x'), y(2));
    expect((await finding({ column: 't', matches: '^(a+)+$' }, table)).rows).to.equal(2);
  });
});

describe('a column that is private', () => {
  const secret = 'canary';
  const hidden = (how: 'Pseudonyms' | 'Suppressed', column: Column): Column => ({ ...column, private: how });

  it('shows no value in a finding', async () => {
    const table = tableOf(hidden('Suppressed', text('t', secret, 'b', secret, 'b', 'b', 'b')), hidden('Suppressed', number('n', 5, 1234567, 6, 6, 6, 6)), y(6));
    const items = [{ column: 't', oneOf: ['b'] }, { column: 't', matches: '^b$' }, { column: 't', unique: true }, { column: 'n', max: 10 }, { column: 'n', maxOutliers: 0 }, { column: 'n', meanBetween: { min: 0, max: 1 } }] as const;
    for (const item of items) {
      const found = await finding(item, table);
      expect(found.outcome, found.check).to.equal('Fail');
      expect(JSON.stringify(found)).to.not.contain(secret).and.not.contain('1234567').and.not.contain('205766');
    }
  });

  it('is not judged by what its pseudonyms look like', async () => {
    const table = tableOf(hidden('Pseudonyms', text('t', 'f00d', 'beef')), y(2));
    const error = await codeOf(() => check({ column: 't', matches: '^\\d+$' }, table));
    expect(error).to.include({ code: 'SPEC_CONFLICT', at: 'spec.trainer.data.expectations[0].matches' });
    expect((await finding({ column: 't', unique: true }, table)).outcome).to.equal('Pass');
  });
});

describe('what is looked at when nobody asks', () => {
  const rows = Array.from({ length: 200 }, (_, row) => row);
  const warnings = async (table: Table, of: Partial<Subject> = {}, spec: ExpectationSpec[] = []) => (await checkExpectations(spec, evidence(inBlocks(table, 50), of))).filter(({ outcome }) => outcome === 'Warn');

  const suspicious: readonly (readonly [string, Column, string, RegExp])[] = [
    ['constant', number('x', ...rows.map(() => 7)), 'constant', /column "x" has one value in all/],
    ['identifier', text('x', ...rows.map((row) => `id-${row}`)), 'identifier', /column "x" has 200 different texts in 200 rows/],
    ['identifier of numbers', number('x', ...rows.map((row) => 5000 + row)), 'identifier', /different whole number in every row/],
    ['almost empty', number('x', ...rows.map((row) => (row % 40 === 0 ? row % 3 : NaN))), 'empty', /column "x" lacks a value in 97\.5 % of the rows/],
    ['infinite', number('x', ...rows.map((row) => (row === 9 ? Infinity : row / 7))), 'infinite', /column "x" is in 1/],
    ['the target again', text('x', ...rows.map((row) => (row % 2 === 0 ? 'n' : 'j'))), 'targetLeakage', /column "x" alone removes/],
  ];
  for (const [what, column, name, message] of suspicious) {
    it(`warns of a column that is ${what}`, async () => {
      const found = await warnings(tableOf(number('n', ...rows.map((row) => ((row * 37) % 101) / 3)), column, y(200)));
      expect(found.map((each) => each.check)).to.deep.equal([name]);
      expect(found.map(told)[0]).to.match(message);
      expect(found[0]).to.not.have.property('at');
    });
  }

  it('warns of rows that repeat, of rows that parts share, and of a rare class', async () => {
    const table = tableOf(number('n', ...rows.map((row) => (row % 50) / 3)), text('y', ...rows.map((row) => (row % 50 === 0 ? 'rare' : 'often'))));
    const parts = { train: Int32Array.from(rows.slice(0, 100)), validation: Int32Array.from(rows.slice(100, 150)), test: Int32Array.from(rows.slice(150)) };
    expect((await warnings(table, { parts })).map(({ check: name }) => name)).to.deep.equal(['duplicates', 'splitLeakage', 'classShare']);
    const spec: ExpectationSpec[] = [{ duplicates: { max: 1 }, onViolation: 'Fail' }, { splitLeakage: { max: 1 }, onViolation: 'Fail' }, { classShare: { min: 0.01 }, onViolation: 'Fail' }];
    expect(await warnings(table, { parts }, spec), 'where the manifest has an item for it').to.be.empty;
  });

  it('has nothing against sound data', async () => {
    expect(await warnings(tableOf(number('n', ...rows.map((row) => ((row * 37) % 101) / 3)), text('t', ...rows.map((row) => 'abc'[row % 3] ?? '')), y(200)))).to.be.empty;
  });
});

describe('a run whose data is not what was expected', () => {
  it('ends with the worst of it, and says how many others there are', async () => {
    const table = tableOf(number('n', 1, -1, -2, NaN), text('t', 'a', 'b', null, 'd'), y(4));
    const findings = await checkExpectations([
      { column: 'n', notNull: true, min: 0, onViolation: 'Fail' }, { column: 't', notNull: true, onViolation: 'Warn' }, { rows: { min: 4 }, onViolation: 'Fail' },
    ], evidence(inBlocks(table, 2)));
    expect(written(findings).map(({ check: name, outcome }) => `${name} ${outcome}`)).to.deep.equal(['notNull Fail', 'min Fail', 'notNull Warn', 'rows Pass']);
    const error = await codeOf(() => requireExpectations(findings, 'data-report.html'));
    expect(error).to.include({ code: 'DATA_EXPECTATION', at: 'spec.trainer.data.expectations[0].min' });
    expect(error.message).to.equal('Column "n" is expected to have no value below 0, but 2 of 4 rows have one (rows 2 and 3, for example "-1"). One other expectation fails too. data-report.html lists all. Correct the data or the expectation, or write onViolation: Warn.');
    requireExpectations(findings.filter(({ outcome }) => outcome !== 'Fail'), 'data-report.html');
  });
});

describe('a share in words', () => {
  it('is never 0 % or 100 % unless it is', () => {
    expect([0, 1e-9, 0.000123, 0.0125, 0.5, 0.99876, 0.99999, 1].map(percent)).to.deep.equal(['0 %', 'less than 0.001 %', '0.0123 %', '1.25 %', '50 %', '99.88 %', 'more than 99.99 %', '100 %']);
  });
});
