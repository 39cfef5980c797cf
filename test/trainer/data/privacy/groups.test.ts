import { expect } from 'chai';
import * as fc from 'fast-check';
import { smallGroups, uniformGroups } from '../../../../trainer-image/src/data/privacy/groups.ts';
import { protect } from '../../../../trainer-image/src/data/privacy/index.ts';
import { rowNumber, valueAt } from '../../../../trainer-image/src/data/table.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { codeOf } from '../../support.ts';
import { inBlocks, rowText, smallTables } from '../sources.ts';
import { number, tableOf, text } from '../tables.ts';

/** Rows of each group. */
function groupsOf(table: Table, names: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  for (let row = 0; row < table.rows; row++) {
    const key = rowText(table, row, names);
    groups.set(key, [...groups.get(key) ?? [], row]);
  }
  return [...groups.values()];
}

function valuesIn(table: Table, rows: readonly number[], name: string): string[] {
  const column = table.columns.find((each) => each.name === name);
  return rows.map((row) => (column === undefined ? '' : valueAt(column, row) ?? 'missing'));
}

function entropy(values: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - count / values.length * Math.log(count / values.length), 0);
}

const maskOf = (rows: number, chosen: readonly number[]): number[] => Array.from({ length: rows }, (_, row) => (chosen.includes(row) ? 1 : 0));
const quasi = fc.subarray(['n', 't', 'd'], { minLength: 1 });
const few = fc.integer({ min: 1, max: 60 });

describe('rows that could be told apart', () => {
  it('are those that brute force finds, however few hashes may be held', async () => {
    await fc.assert(fc.asyncProperty(smallTables(), quasi, fc.integer({ min: 2, max: 5 }), few, async (table, names, k, most) => {
      const groups = groupsOf(table, names);
      const small = groups.filter((rows) => rows.length < k);
      const found = await smallGroups(inBlocks(table, 7), names, k, most);
      expect([...found.mask]).to.deep.equal(maskOf(table.rows, small.flat()));
      expect(found).to.include({ rows: small.flat().length, groups: small.length, smallest: Math.min(...groups.map(({ length }) => length)) });
    }));
  });

  it('are those whose group has too few values of what is sensitive, or too uneven ones', async () => {
    await fc.assert(fc.asyncProperty(smallTables(), quasi, fc.constantFrom('y', 'n', 't'), fc.integer({ min: 2, max: 3 }), fc.constantFrom('Distinct' as const, 'Entropy' as const), few, async (table, names, sensitive, l, method, most) => {
      fc.pre(!names.includes(sensitive));
      const uniform = groupsOf(table, names).filter((rows) => {
        const values = valuesIn(table, rows, sensitive);
        return method === 'Distinct' ? new Set(values).size < l : entropy(values) < Math.log(l) - 1e-9;
      });
      const found = await uniformGroups(inBlocks(table, 7), names, sensitive, l, method, most);
      expect([...found.mask]).to.deep.equal(maskOf(table.rows, uniform.flat()));
    }));
  });
});

describe('leaving out rows that could be told apart', () => {
  const onViolation = 'Suppress' as const;

  it('leaves groups of at least k rows with at least l values, and no more rows out than one of both asks for', async () => {
    await fc.assert(fc.asyncProperty(smallTables(4, 60), quasi, quasi, fc.integer({ min: 2, max: 4 }), fc.integer({ min: 1, max: 2 }), async (table, quasiIdentifiers, others, k, l) => {
      const spec = { kAnonymity: { quasiIdentifiers, k, onViolation }, lDiversity: { sensitive: 'y', l, method: 'Distinct' as const, quasiIdentifiers: others, onViolation } };
      const source = inBlocks(table, 7);
      const done = await protect(spec, source, undefined).catch((error: unknown) => String(error));
      if (typeof done === 'string') {
        expect(done).to.contain('No row would be left');
        return;
      }
      const kept: number[] = [];
      for await (const block of done.rows.blocks(['n', 't', 'd', 'y'], 5)) for (let row = 0; row < block.rows; row++) kept.push(rowNumber(block, row) - 1);
      const after = tableOf(...await Promise.all(['n', 't', 'd', 'y'].map((name) => done.rows.column(name))));
      expect(kept.length).to.equal(done.rows.rows).and.to.equal(after.rows);
      kept.forEach((row, place) => expect(rowText(after, place, ['n', 't', 'd', 'y'])).to.equal(rowText(table, row, ['n', 't', 'd', 'y'])));
      for (const rows of groupsOf(after, quasiIdentifiers)) expect(rows.length).to.be.at.least(k);
      for (const rows of groupsOf(after, others)) expect(new Set(valuesIn(after, rows, 'y')).size).to.be.at.least(l);
      expect(done.report.rowsRemoved).to.equal(table.rows - after.rows);
      const first = groupsOf(table, quasiIdentifiers).some((rows) => rows.length < k) || groupsOf(table, others).some((rows) => new Set(valuesIn(table, rows, 'y')).size < l);
      expect(done.report.rowsRemoved > 0).to.equal(first);
    }));
  });

  it('keeps the number that a person finds a row by', async () => {
    const { rows } = await protect({ kAnonymity: { quasiIdentifiers: ['t'], k: 2, onViolation } }, inBlocks(tableOf(text('t', 'a', 'x', 'a', 'y', 'b', 'b'), number('n', 0, 1, 2, 3, 4, 5)), 4), undefined);
    expect([...rows.origin ?? []]).to.deep.equal([0, 2, 4, 5]);
    const n = await rows.column('n', Int32Array.of(1, 3));
    expect(n.kind === 'Text' ? [] : [...n.values]).to.deep.equal([2, 5]);
  });
});

describe('a run that must not leave rows out', () => {
  const table = tableOf(text('city', 'Ulm', 'Ulm', 'Bonn', 'Bonn', 'Bonn'), number('year', 1980, 1980, 1980, 1980, 1991), text('illness', 'flu', 'flu', 'flu', 'cold', 'cold'));

  it('ends with how many rows in how many groups, and what to make coarser', async () => {
    const error = await codeOf(() => protect({ kAnonymity: { quasiIdentifiers: ['city', 'year'], k: 2, onViolation: 'Fail' } }, inBlocks(table, 2), undefined));
    expect(error).to.deep.equal({ code: 'DATA_PRIVACY', at: 'spec.trainer.data.privacy.kAnonymity', message: '1 of 5 rows (20 %), in 1 group, has fewer than 2 rows alike in "city", "year"; the smallest has 1. Without "year" there would be none. Make "year" coarser in privacy.generalise, or write onViolation: Suppress to leave these rows out.' });
    const uniform = await codeOf(() => protect({ lDiversity: { quasiIdentifiers: ['city'], sensitive: 'illness', l: 2, method: 'Distinct', onViolation: 'Fail' } }, inBlocks(table, 2), undefined));
    expect(uniform.message).to.equal('2 of 5 rows (40 %), in 1 group, have fewer than 2 different values of "illness" among the rows alike in "city"; the most uniform has 1. Make "city" coarser in privacy.generalise, or write onViolation: Suppress to leave these rows out.');
  });

  it('goes on when generalising was enough', async () => {
    const { rows, report } = await protect({ generalise: [{ column: 'year', method: 'Bin', width: 20 }], kAnonymity: { quasiIdentifiers: ['city', 'year'], k: 2, onViolation: 'Fail' } }, inBlocks(table, 2), undefined);
    expect(rows.rows).to.equal(5);
    expect(report.groups).to.deep.equal([{ measure: 'kAnonymity', quasiIdentifiers: ['city', 'year'], asked: 2, reached: 2 }]);
  });

  it('ends when no row would be left', async () => {
    expect(await codeOf(() => protect({ kAnonymity: { quasiIdentifiers: ['city'], k: 9, onViolation: 'Suppress' } }, inBlocks(table, 2), undefined))).to.include({ code: 'DATA_PRIVACY' });
  });
});
