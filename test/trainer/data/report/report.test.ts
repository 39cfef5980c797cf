import { expect } from 'chai';
import * as fc from 'fast-check';
import { checkExpectations } from '../../../../trainer-image/src/data/expectations/index.ts';
import type { ExpectationSpec } from '../../../../trainer-image/src/data/expectations/spec.ts';
import { protect } from '../../../../trainer-image/src/data/privacy/index.ts';
import type { PrivacySpec } from '../../../../trainer-image/src/data/privacy/index.ts';
import { keyOf } from '../../../../trainer-image/src/data/privacy/key.ts';
import { Evidence } from '../../../../trainer-image/src/data/profile/evidence.ts';
import { reportPage } from '../../../../trainer-image/src/data/report/html.ts';
import { shownDuration, shownNumber, shownTime } from '../../../../trainer-image/src/data/report/numbers.ts';
import { reportOf } from '../../../../trainer-image/src/data/report/report.ts';
import type { DataReport } from '../../../../trainer-image/src/data/report/report.ts';
import { rowsOf } from '../../../../trainer-image/src/data/rows.ts';
import type { Rows } from '../../../../trainer-image/src/data/rows.ts';
import { split } from '../../../../trainer-image/src/data/split.ts';
import type { Task } from '../../../../trainer-image/src/data/target.ts';
import { html } from '../../../../trainer-image/src/report/markup.ts';
import { inBlocks } from '../sources.ts';
import { number, tableOf, text, time } from '../tables.ts';

const key = keyOf(Buffer.from('0123456789abcdef0123456789abcdef'));

async function report(rows: Rows, target = 'y', task: Task = 'Classification', privacy: PrivacySpec = {}, spec: ExpectationSpec[] = []): Promise<DataReport> {
  const done = await protect(privacy, rows, key);
  const columns = done.rows.columns.map(({ name }) => name);
  const parts = split(done.rows.rows, { validation: 0.2, test: 0.2, seed: 0 });
  const evidence = new Evidence({ rows: done.rows, columns, target, task, features: columns.filter((name) => name !== target), parts, seed: 0 });
  return reportOf(evidence, await checkExpectations(spec, evidence), done.report);
}

/** That every element is closed, as a parser of XML would want it, apart from those that HTML never closes. */
function requireWellFormed(page: string): void {
  const open: string[] = [];
  for (const [, close, name = '', self] of page.replace(/<!doctype html>|<style>[^]*?<\/style>/g, '').matchAll(/<(\/)?([a-z0-9]+)(?:\s[^<>]*?)?(\/)?>/g)) {
    if (close === undefined && self === undefined && name !== 'meta') open.push(name);
    else if (close !== undefined) expect(open.pop()).to.equal(name);
  }
  expect(open).to.be.empty;
}

const rows = Array.from({ length: 60 }, (_, row) => row);
const people = tableOf(
  number('amount', ...rows.map((row) => (row % 7 === 0 ? NaN : row * 1.5))),
  text('card', ...rows.map((row) => `canary-card-${row % 20}`)),
  text('job', ...rows.map((row) => (row === 33 ? 'canary-astronaut' : row % 2 === 0 ? 'cook' : 'nurse'))),
  text('city', ...rows.map((row) => ['Ulm', 'Bonn', 'Köln'][row % 3] ?? '')),
  text('note', ...rows.map((row) => (row === 5 ? '<script>alert(1)</script>' : 'a & b'))),
  time('when', ...rows.map((row) => new Date(Date.UTC(2024, 0, 1 + row)).toISOString())),
  text('y', ...rows.map((row) => (row % 3 === 0 ? 'yes' : 'no'))),
);
const privacy: PrivacySpec = { pseudonymise: { columns: ['card'] }, suppress: [{ column: 'job', fewerThan: 2 }], kAnonymity: { quasiIdentifiers: ['city'], k: 5, onViolation: 'Suppress' } };

describe('the data report', () => {
  it('says of each column what it is like, and how much it says about the target', async () => {
    const { columns, parts, classes } = await report(rowsOf(people));
    expect(parts).to.deep.equal({ train: 36, validation: 12, test: 12 });
    expect(classes?.names).to.deep.equal(['no', 'yes']);
    expect(columns.map(({ name, role }) => `${name} ${role}`)).to.include.members(['amount Feature', 'y Target']);
    const amount = columns.find(({ name }) => name === 'amount');
    expect(amount).to.deep.include({ kind: 'Number', missing: 9, distinct: 51, exact: true });
    expect(amount?.statistics).to.include({ least: 1.5, greatest: 88.5 });
    expect(columns.find(({ name }) => name === 'city')?.top).to.deep.equal([{ value: 'Bonn', rows: 20 }, { value: 'Köln', rows: 20 }, { value: 'Ulm', rows: 20 }]);
    expect(columns.find(({ name }) => name === 'note')?.top, 'without what one row alone has').to.deep.equal([{ value: 'a & b', rows: 59 }]);
  });

  it('is the same for rows in memory and for rows that come in blocks', async () => {
    // Sums of blocks differ in the last digit.
    const rounded = (found: DataReport): unknown => JSON.parse(JSON.stringify(found), (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(12)) : value));
    expect(rounded(await report(inBlocks(people, 7), 'y', 'Classification', privacy))).to.deep.equal(rounded(await report(rowsOf(people), 'y', 'Classification', privacy)));
  });

  it('shows counts alone of columns that are private', async () => {
    const found = await report(rowsOf(people), 'y', 'Classification', privacy, [{ column: 'job', oneOf: ['cook'], onViolation: 'Warn' }]);
    for (const column of found.columns.filter(({ name }) => name === 'card' || name === 'job')) expect(column).to.not.have.any.keys('top', 'statistics', 'lengths');
    const card = await (await protect(privacy, rowsOf(people), key)).rows.column('card');
    const pseudonyms = card.kind === 'Text' ? card.dictionary : [];
    for (const written of [JSON.stringify(found), reportPage(found)]) {
      for (const secret of ['canary', 'astronaut', 'nurse', ...pseudonyms]) expect(written).to.not.contain(secret);
    }
  });

  it('hides the classes of a private target', async () => {
    const found = await report(rowsOf(people), 'card', 'Classification', privacy);
    expect(found.classes?.names[0]).to.equal('class 1');
    const dictionary = await (await protect(privacy, rowsOf(people), key)).rows.column('card');
    if (dictionary.kind === 'Text') for (const pseudonym of dictionary.dictionary) expect(reportPage(found)).to.not.contain(pseudonym);
  });
});

describe('the page of the data report', () => {
  it('runs nothing and loads nothing', async () => {
    const page = reportPage(await report(rowsOf(people), 'y', 'Classification', privacy));
    expect(page).to.not.match(/<script|<link|<img|<iframe|javascript:|https?:|url\(|@import|\son\w+=/i);
    expect(page).to.contain('<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;');
    requireWellFormed(page);
  });

  it('escapes whatever columns, classes and values are called', async () => {
    const nasty = fc.string({ unit: fc.constantFrom('<', '>', '"', '\'', '&', 'a', '\u0000', '\ud800', '/', ' ', '-', 'b>'), minLength: 1, maxLength: 12 });
    await fc.assert(fc.asyncProperty(nasty, nasty, nasty, async (name, value, target) => {
      fc.pre(name !== target);
      const table = tableOf(text(name, ...rows.map((row) => (row % 4 === 0 ? value : 'x'))), text(target, ...rows.map((row) => (row % 2 === 0 ? 'no' : value))));
      fc.pre(value !== 'no' && value !== 'x');
      const page = reportPage(await report(rowsOf(table), target, 'Classification', {}, [{ column: name, oneOf: ['x'], onViolation: 'Warn' }]));
      requireWellFormed(page);
      expect(page.isWellFormed()).to.equal(true);
      const raw = page.replace(/<!doctype html>|<style>[^]*?<\/style>|<\/?[a-z0-9]+(?:\s+[a-z-]+(?:="[^"<>]*")?)*\s*\/?>/gi, '');
      expect(raw).to.not.match(/[<>]/);
      expect(page).to.not.match(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    }), { numRuns: 30 });
  });

  it('is written for a regression, for a table without a number, and for columns without a value', async () => {
    const table = tableOf(number('a', ...rows.map(() => NaN)), text('t', ...rows.map(() => null)), number('i', ...rows.map(() => Infinity)), number('c', ...rows.map(() => 5)), number('y', ...rows.map((row) => row / 7)));
    requireWellFormed(reportPage(await report(rowsOf(table), 'y', 'Regression')));
    requireWellFormed(reportPage(await report(rowsOf(tableOf(text('t', ...rows.map((row) => String(row % 3))), text('y', ...rows.map((row) => String(row % 2))))))));
  });

  it('does not speak of a target where the rows themselves are learnt', async () => {
    const evidence = new Evidence({ rows: rowsOf(people), columns: ['amount', 'city'], task: 'Reconstruction', features: ['amount'], parts: split(people.rows, { validation: 0.2, test: 0.2, seed: 0 }), seed: 0 });
    const page = reportPage(await reportOf(evidence, await checkExpectations([], evidence)));
    requireWellFormed(page);
    expect(page).to.not.match(/the target/);
    expect(page).to.match(/>amount<.*?>feature</s).and.match(/>city<.*?>not a feature</s);
  });

  it('stays readable with hundreds of columns', async () => {
    const many = Array.from({ length: 320 }, (_, place) => number(`feature ${place}`, ...rows.map((row) => (row * (place + 1)) % 11)));
    const page = reportPage(await report(rowsOf(tableOf(...many, text('y', ...rows.map((row) => String(row % 2)))))));
    requireWellFormed(page);
    expect(page.match(/class="card"/g)).to.have.length(300);
    expect(page).to.contain('21 more columns');
    expect(page.length).to.be.below(3_000_000);
  });
});

describe('markup', () => {
  it('escapes texts and keeps what is markup', () => {
    expect(html`<p title="${'"<&>\''}">${html`<b>${1}</b>`}${[html`<i>x</i>`, html`<i>${'\u0001'}</i>`]}${undefined}</p>`.markup).to.equal('<p title="&quot;&lt;&amp;&gt;&#39;"><b>1</b><i>x</i><i>\ufffd</i></p>');
  });
});

describe('numbers and times on the page', () => {
  it('are written as the language of the page has them', () => {
    fc.assert(fc.property(fc.double({ min: 1e-3, max: 1e9, maxExcluded: true }), fc.boolean(), (size, isBelowZero) => {
      const digits = size >= 1000 ? Math.floor(Math.log10(size)) + 1 : 4;
      const value = isBelowZero ? -size : size;
      expect(shownNumber(value)).to.equal(Number(value.toPrecision(digits)).toLocaleString('en', { maximumSignificantDigits: digits, useGrouping: size >= 10_000 }));
    }));
  });

  it('have four digits, or all before the point', () => {
    expect([0, -0.5, 3.14159, 1950, 12345, 1234.5678, 123456.7, 1e9, -2.5e12, 0.000123456, 5e-324, Infinity].map(shownNumber)).to.deep.equal(['0', '-0.5', '3.142', '1950', '12,345', '1235', '123,457', '1e9', '-2.5e12', '1.235e-4', '4.941e-324', 'Infinity']);
    expect(['2024-01-02', '2024-01-02T03:04:00Z', '2024-01-02T03:04:05.678Z'].map((moment) => shownTime(Date.parse(moment) * 1000))).to.deep.equal(['2024-01-02', '2024-01-02 03:04', '2024-01-02 03:04:05']);
    expect([90e6, 5.25 * 86_400e6, 0.5e6].map(shownDuration)).to.deep.equal(['90 seconds', '5.25 days', '0.5 seconds']);
  });
});
