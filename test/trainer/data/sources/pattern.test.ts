import { expect } from 'chai';
import fc from 'fast-check';
import { parsePattern } from '../../../../trainer-image/src/data/sources/pattern.ts';

const files = ['lake/a.csv', 'lake/b.csv', 'lake/b.csv.bak', 'lake/2026/a.csv', 'lake/2026/01/c.csv', 'lake/.hidden.csv', 'lake/.git/config', 'lake/2026/x?.csv'];
const matched = (pattern: string): string[] => files.filter(parsePattern(pattern).matches);

describe('a pattern of file names', () => {
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['lake/a.csv', ['lake/a.csv']],
    ['lake/*.csv', ['lake/a.csv', 'lake/b.csv']],
    ['lake/?.csv', ['lake/a.csv', 'lake/b.csv']],
    ['lake/*/a.csv', ['lake/2026/a.csv']],
    ['lake/**/*.csv', ['lake/a.csv', 'lake/b.csv', 'lake/2026/a.csv', 'lake/2026/01/c.csv', 'lake/2026/x?.csv']],
    ['**/c.csv', ['lake/2026/01/c.csv']],
    ['lake/2026/', ['lake/2026/a.csv', 'lake/2026/01/c.csv', 'lake/2026/x?.csv']],
    ['lake/2026/**', ['lake/2026/a.csv', 'lake/2026/01/c.csv', 'lake/2026/x?.csv']],
    ['lake/.*.csv', ['lake/.hidden.csv']],
    ['lake/.git/*', ['lake/.git/config']],
    ['lake/b.c*', ['lake/b.csv', 'lake/b.csv.bak']],
    ['lake/(a|b).csv', []],
    ['*', []],
  ];
  for (const [pattern, expected] of table) it(`${pattern} is ${expected.length} of the files`, () => expect(matched(pattern)).to.deep.equal(expected));

  it('means a wildcard literally where its escape was written', () => {
    const pattern = parsePattern('lake/2026/x%3F.c*', decodeURIComponent);
    expect(files.filter(pattern.matches)).to.deep.equal(['lake/2026/x?.csv']);
    expect(parsePattern('lake/%2A.csv', decodeURIComponent)).to.include({ isPattern: false, prefix: 'lake/*.csv' });
  });

  it('names the folder and the letters that all matches begin with', () => {
    expect(parsePattern('lake/2026/part-*.csv')).to.include({ isPattern: true, folder: 'lake/2026/', prefix: 'lake/2026/part-' });
    expect(parsePattern('lake/a.csv')).to.include({ isPattern: false, folder: 'lake/', prefix: 'lake/a.csv' });
    expect(parsePattern('*.csv')).to.include({ folder: '', prefix: '' });
  });

  const name = fc.stringMatching(/^[.ab]{1,3}$/);
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const pattern = fc.array(fc.oneof(name, fc.constantFrom('*', '**', '?', 'a*', '*b')), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

  it('never leaves a folder out that holds a match, and every match begins with its prefix', () => {
    fc.assert(fc.property(pattern, path, (written, file) => {
      const parsed = parsePattern(written);
      if (!parsed.matches(file)) return;
      expect(file.startsWith(parsed.prefix)).to.equal(true);
      for (let at = file.indexOf('/'); at >= 0; at = file.indexOf('/', at + 1)) expect(parsed.mayHold(file.slice(0, at + 1))).to.equal(true);
    }));
  });

  it('without wildcards matches itself alone', () => {
    fc.assert(fc.property(path, path, (written, file) => {
      expect(parsePattern(written).matches(file)).to.equal(written === file);
    }));
  });
});
