import { expect } from 'chai';
import * as fc from 'fast-check';
import { RowHasher, hashWords } from '../../../../trainer-image/src/data/rowhash/hash.ts';
import { Keys } from '../../../../trainer-image/src/data/rowhash/keys.ts';
import { mostShown, repeatedRows, sharedRows } from '../../../../trainer-image/src/data/rowhash/repeats.ts';
import { inBlocks, rowText, smallTables } from '../sources.ts';
import { number, tableOf } from '../tables.ts';

const names = ['n', 't', 'd', 'y'];

const shown = (rows: readonly number[]) => ({ rows: rows.length, first: rows.slice(0, mostShown).map((row) => row + 1) });

describe('hashes of rows', () => {
  it('differ for rows that differ in one bit of one value, in all four words', () => {
    const values = Array.from({ length: 5000 }, (_, row) => row / 7);
    const hashes = new RowHasher().hash([number('a', ...values)], values.length);
    for (let word = 0; word < hashWords; word++) {
      const different = new Set(values.map((_, row) => hashes[row * hashWords + word]));
      // Of 5,000 draws from 2^32 a pair meets with a chance of 0.3 %.
      expect(different.size, `word ${word}`).to.be.at.least(values.length - 1);
    }
  });

  it('tell which column holds a value', () => {
    const hasher = new RowHasher();
    const [one, other] = [hasher.hash([number('a', 1), number('b', 2)], 1), hasher.hash([number('a', 2), number('b', 1)], 1)];
    expect([...one]).to.not.deep.equal([...other]);
  });

  it('are numbered in the order in which they come', () => {
    const values = Array.from({ length: 10_000 }, (_, row) => row % 6000);
    const hashes = new RowHasher().hash([number('a', ...values)], values.length);
    const keys = new Keys();
    values.forEach((value, row) => expect(keys.add(hashes, row * hashWords)).to.equal(value));
    expect(keys.size).to.equal(6000);
    values.forEach((value, row) => expect(keys.find(hashes, row * hashWords)).to.equal(value));
  });
});

describe('rows that repeat', () => {
  it('are those that brute force finds, however few hashes may be held', async () => {
    await fc.assert(fc.asyncProperty(smallTables(), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 50 }), fc.subarray(names, { minLength: 1 }), async (table, most, keys, chosen) => {
      const seen = new Set<string>();
      const repeats = Array.from({ length: table.rows }, (_, row) => row).filter((row) => {
        const size = seen.size;
        return seen.add(rowText(table, row, chosen)).size === size;
      });
      expect(await repeatedRows(inBlocks(table, most), chosen, false, keys)).to.deep.equal(shown(repeats));
    }));
  });

  it('count a missing value only where that is asked for', async () => {
    const source = inBlocks(tableOf(number('a', NaN, 1, NaN, 1, 2)), 2);
    expect(await repeatedRows(source, ['a'])).to.deep.equal({ rows: 2, first: [3, 4] });
    expect(await repeatedRows(source, ['a'], true)).to.deep.equal({ rows: 1, first: [4] });
  });
});

describe('rows of one part that are in another', () => {
  it('are those that brute force finds', async () => {
    await fc.assert(fc.asyncProperty(smallTables(), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 50 }), fc.infiniteStream(fc.constantFrom('Known' as const, 'Asked' as const, undefined)), async (table, most, keys, roles) => {
      const role = Array.from({ length: table.rows }, () => roles.next().value as 'Known' | 'Asked' | undefined);
      const rows = role.map((_, row) => row);
      const known = new Set(rows.filter((row) => role[row] === 'Known').map((row) => rowText(table, row, names)));
      const shared = rows.filter((row) => role[row] === 'Asked' && known.has(rowText(table, row, names)));
      expect(await sharedRows(inBlocks(table, most), names, (row) => role[row], keys)).to.deep.equal(shown(shared));
    }));
  });
});
