import { expect } from 'chai';
import { readCsv } from '../../../trainer-image/src/data/csv.ts';
import type { CsvOptions } from '../../../trainer-image/src/data/csv.ts';
import type { Table } from '../../../trainer-image/src/data/table.ts';
import { codeOf, folder } from '../support.ts';
import { cells } from './tables.ts';

const options: CsvOptions = { delimiter: ',', header: 'Present', missing: ['', 'NA'] };

async function read(content: string | Buffer, changed: Partial<CsvOptions> = {}): Promise<Table> {
  await using place = await folder();
  place.write('rows.csv', content);
  return await readCsv(`${place.path}/rows.csv`, 'rows.csv', { ...options, ...changed }, new AbortController().signal);
}

const column = (table: Table, name: string): unknown => {
  const found = table.columns.find((candidate) => candidate.name === name);
  return found === undefined ? undefined : cells(found);
};

describe('reading CSV', () => {
  it('types a column by its values, and keeps missing ones', async () => {
    const table = await read('a,b,c\n1,x,\n2.5,NA,-3e2\n');
    expect(table.rows).to.equal(2);
    expect(column(table, 'a')).to.deep.equal([1, 2.5]);
    expect(column(table, 'b')).to.deep.equal(['x', null]);
    expect(column(table, 'c')).to.deep.equal([NaN, -300]);
  });

  it('keeps texts that begin with numbers as they were written', async () => {
    expect(column(await read('code\n007\n1.50\n\nNA\nx1\n008\n'), 'code')).to.deep.equal(['007', '1.50', null, 'x1', '008']);
  });

  it('reads quotes, line breaks in values, carriage returns, and a byte-order mark', async () => {
    const table = await read('\ufeffname,note\r\n"Ann ""A.""","two\nlines"\r\nBob,"a,b"\r\n');
    expect(table.columns.map(({ name }) => name)).to.deep.equal(['name', 'note']);
    expect(column(table, 'name')).to.deep.equal(['Ann "A."', 'Bob']);
    expect(column(table, 'note')).to.deep.equal(['two\nlines', 'a,b']);
  });

  it('names columns itself when there is no header, and splits at other delimiters', async () => {
    const table = await read('1;2\n3;4\n', { header: 'Absent', delimiter: ';' });
    expect(column(table, 'column_1')).to.deep.equal([2, 4]);
  });

  it('keeps Unicode across the borders of chunks', async () => {
    const table = await read(`word\ngröße🙂\n${'é'.repeat(100_001)}\n`);
    expect(column(table, 'word')).to.deep.equal(['größe🙂', 'é'.repeat(100_001)]);
  });

  it('does not take words or other bases for numbers', async () => {
    for (const text of ['0x10', 'Infinity', '1_000', '1,5', '--1', '.', 'e5']) {
      expect(column(await read(`v\n"${text}"\n`), 'v'), text).to.deep.equal([text]);
    }
  });

  const broken: readonly (readonly [string, string | Buffer, string, string, RegExp])[] = [
    ['an empty file', '', 'DATA_EMPTY', 'rows.csv', /is empty/],
    ['a header alone', 'a,b\n', 'DATA_EMPTY', 'rows.csv', /no rows below its header/],
    ['a short row', 'a,b\n1,2\n3\n', 'DATA_RAGGED', 'rows.csv:3', /Line 3 of rows.csv has 1 value where the first row has 2/],
    ['a long row', 'a,b\n1,2,3\n', 'DATA_RAGGED', 'rows.csv:2', /has 3 values/],
    ['a quote that never closes', 'a,b\n1,"2\n3,4\n', 'DATA_CSV', 'rows.csv:2', /opened in line 2 is never closed/],
    ['text after a closing quote', 'a,b\n1,"2"x\n', 'DATA_CSV', 'rows.csv:2', /follows a closing quote/],
    ['a column without a name', 'a,\n1,2\n', 'DATA_HEADER', 'rows.csv:1', /Column 2 of rows.csv has no name/],
    ['a name twice', 'a,a\n1,2\n', 'DATA_HEADER', 'rows.csv:1', /two columns named "a"/],
    ['Latin-1', Buffer.from('n\nGr\xfc\xdfe\n', 'latin1'), 'DATA_ENCODING', 'rows.csv:2', /not UTF-8/],
    ['UTF-8 that is cut in a letter', Buffer.from([0x61, 0x0a, 0xc3]), 'DATA_ENCODING', 'rows.csv:2', /not UTF-8/],
    ['a line that never ends', `a\n${'x'.repeat(17 * 1024 * 1024)}\n`, 'DATA_CSV', 'rows.csv:2', /longer than 16 MiB/],
  ];
  for (const [what, content, code, at, message] of broken) {
    it(`refuses ${what} in a sentence that says where`, async () => {
      const error = await codeOf(() => read(content));
      expect(error).to.include({ code, at });
      expect(error.message).to.match(message);
    });
  }
});
