import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { changeTable, openSteps, protect, readKey, stepsOf } from '../../../../trainer-image/src/data/privacy/index.ts';
import type { PrivacySpec, PrivacyStep } from '../../../../trainer-image/src/data/privacy/index.ts';
import { keyOf } from '../../../../trainer-image/src/data/privacy/key.ts';
import { rowsOf } from '../../../../trainer-image/src/data/rows.ts';
import { take } from '../../../../trainer-image/src/data/table.ts';
import type { Table } from '../../../../trainer-image/src/data/table.ts';
import { codeOf, folder } from '../../support.ts';
import { inBlocks, smallTables } from '../sources.ts';
import { cells, number, tableOf, text, time } from '../tables.ts';

const key = keyOf(Buffer.from('0123456789abcdef0123456789abcdef'));
const other = keyOf(Buffer.from('fedcba9876543210fedcba9876543210'));

const pseudonym = (name: string, value: string): string => {
  const ofColumn = createHmac('sha256', '0123456789abcdef0123456789abcdef').update(`anneal pseudonym v1 of column ${name}`).digest();
  return createHmac('sha256', ofColumn).update(value).digest('hex').slice(0, 32);
};

async function protectedCells(spec: PrivacySpec, table: Table): Promise<Record<string, unknown[]>> {
  const { rows } = await protect(spec, inBlocks(table, 3), key);
  const columns = await Promise.all(rows.columns.map(({ name }) => rows.column(name)));
  return Object.fromEntries(columns.map((column) => [column.name, cells(column)]));
}

describe('pseudonyms', () => {
  const people = tableOf(text('card', '4111', '4222', null, '4111'), number('customer', 7, 8, NaN, 7), text('friend', '4222', null, null, '4111'));

  it('are an HMAC of the text by a key of the column, equal for equal texts, and missing where those are', async () => {
    const done = await protectedCells({ pseudonymise: { columns: ['card', 'customer', 'friend'] } }, people);
    expect(done.card).to.deep.equal([pseudonym('card', '4111'), pseudonym('card', '4222'), null, pseudonym('card', '4111')]);
    expect(done.customer).to.deep.equal([pseudonym('customer', '7'), pseudonym('customer', '8'), null, pseudonym('customer', '7')]);
    expect(done.card?.[1], 'in another column').to.not.equal(done.friend?.[0]);
  });

  it('have 128 bits, and no two of 10,000 texts share one', async () => {
    const texts = Array.from({ length: 10_000 }, (_, row) => `person ${row}`);
    const done = await protectedCells({ pseudonymise: { columns: ['t'] } }, tableOf(text('t', ...texts)));
    expect(new Set(done.t).size).to.equal(10_000);
    for (const value of done.t ?? []) if (!/^[0-9a-f]{32}$/.test(String(value))) throw new Error(String(value));
  });

  it('are refused for times, and for numbers that were rounded when they were read', async () => {
    expect(await codeOf(() => protectedCells({ pseudonymise: { columns: ['d'] } }, tableOf(time('d', '2024-01-01'))))).to.include({ code: 'SPEC_COLUMN_KIND' });
    const error = await codeOf(() => protectedCells({ pseudonymise: { columns: ['n'] } }, tableOf(number('n', 1, 2 ** 60))));
    expect(error.code).to.equal('DATA_PRIVACY');
    expect(error.message).to.contain('Give the column as text').and.not.contain(String(2 ** 60));
  });
});

describe('the key for pseudonyms', () => {
  it('is read from a file as it is, and known by a digest', async () => {
    await using place = await folder();
    const file = path.join(place.path, 'key');
    writeFileSync(file, '0123456789abcdef0123456789abcdef');
    expect(readKey(file).id).to.equal(key.id);
    writeFileSync(file, '0123456789abcdef0123456789abcdef\n');
    expect(readKey(file).id, 'with a line break').to.not.equal(key.id);
    expect(key.id).to.match(/^[0-9a-f]{16}$/);
  });

  const weak: readonly (readonly [string, string | Buffer])[] = [
    ['nothing', ''], ['15 bytes', Buffer.from('b1d3f5a79bcddeff00e18273645564', 'hex')], ['16 hexadecimal digits', '0f1e2d3c4b5a6978'], ['a long number', '314159265358979323846264338327'],
    ['a word', 'correct horse battery'], ['one letter many times', 'a'.repeat(64)],
  ];
  for (const [what, bytes] of weak) {
    it(`is refused when it is ${what}`, async () => {
      await using place = await folder();
      const file = path.join(place.path, 'key');
      writeFileSync(file, bytes);
      const error = await codeOf(() => readKey(file));
      expect(error).to.include({ code: 'PRIVACY_KEY', at: 'spec.trainer.data.privacy.pseudonymise.key' });
      expect(error.message).to.match(/(at least 128 are needed|few characters again and again).*openssl rand -hex 32/);
      if (bytes.length > 0) expect(error.message).to.not.contain(String(bytes));
    });
  }

  it('is accepted with 128 random bits, as bytes, hexadecimal digits or base64', async () => {
    await using place = await folder();
    const bytes = Buffer.from('b1d3f5a79bcddeff00e1827364556477', 'hex');
    for (const written of [bytes, bytes.toString('hex'), `${bytes.toString('base64')}\n`]) {
      const file = path.join(place.path, 'key');
      writeFileSync(file, written);
      expect(readKey(file).id).to.have.length(16);
    }
  });

  it('is missed when it is not given, and told from another', async () => {
    expect(await codeOf(() => protect({ pseudonymise: { columns: ['t'] } }, rowsOf(tableOf(text('t', 'a'))), undefined))).to.include({ code: 'PRIVACY_KEY' });
    const { steps } = await protect({ pseudonymise: { columns: ['t'] } }, rowsOf(tableOf(text('t', 'a'))), key);
    const error = await codeOf(() => openSteps(steps, other));
    expect(error.code).to.equal('PRIVACY_KEY');
    expect(error.message).to.contain(key.id).and.contain(other.id);
  });
});

describe('protecting data', () => {
  const spec: PrivacySpec = {
    pseudonymise: { columns: ['card'] }, drop: ['name'],
    generalise: [{ column: 'age', method: 'Bin', width: 10 }, { column: 'postcode', method: 'Prefix', length: 2 }],
    suppress: [{ column: 'job', fewerThan: 2 }, { column: 'postcode', fewerThan: 2 }],
  };
  const table = tableOf(
    text('card', '1', '2', '3', '4'), text('name', 'Ada', 'Bob', 'Cy', 'Dee'), number('age', 31, 39, 40, 77), text('postcode', '10115', '10999', '89073', null),
    text('job', 'cook', 'cook', 'astronaut', null), number('y', 0, 1, 0, 1),
  );

  it('shows the rest of the run nothing but what is left', async () => {
    const { rows, report } = await protect(spec, inBlocks(table, 3), key);
    expect(rows.columns).to.deep.equal([
      { name: 'card', kind: 'Text', private: 'Pseudonyms' }, { name: 'age', kind: 'Number' }, { name: 'postcode', kind: 'Text', private: 'Suppressed' },
      { name: 'job', kind: 'Text', private: 'Suppressed' }, { name: 'y', kind: 'Number' },
    ]);
    expect(await codeOf(() => rows.column('name'))).to.include({ code: 'SPEC_COLUMN_MISSING' });
    expect(await codeOf(async () => { for await (const block of rows.blocks(['name'], 1)) cells(block.columns[0] ?? number('')); })).to.include({ code: 'SPEC_COLUMN_MISSING' });
    const done = await protectedCells(spec, table);
    expect(done.age).to.deep.equal([30, 30, 40, 70]);
    expect(done.postcode).to.deep.equal(['10', '10', null, null]);
    expect(done.job).to.deep.equal(['cook', 'cook', null, null]);
    expect(report.suppressed).to.deep.equal([{ column: 'job', fewerThan: 2, kept: 1 }, { column: 'postcode', fewerThan: 2, kept: 1 }]);
    expect(JSON.stringify(report)).to.not.contain('astronaut').and.not.contain('Ada');
  });

  it('gives steps that do the same to single rows, without the key and without what was suppressed', async () => {
    const { steps } = await protect(spec, inBlocks(table, 3), key);
    const stored = JSON.parse(JSON.stringify(steps)) as PrivacyStep[];
    expect(JSON.stringify(stored)).to.not.contain('0123456789abcdef').and.not.contain('astronaut').and.not.contain('4111');
    const done = await protectedCells(spec, table);
    const changes = openSteps(stepsOf(stored, ['card', 'age', 'postcode', 'job']), key);
    for (let row = 0; row < table.rows; row++) {
      const single = take({ ...table, columns: table.columns.filter(({ name }) => name !== 'name') }, Int32Array.of(row));
      for (const column of changeTable(changes, single).columns) expect(cells(column)[0], `${column.name} ${row}`).to.deep.equal(done[column.name]?.[row]);
    }
  });

  it('needs the key for rows only where a pseudonym is among the columns', async () => {
    const { steps } = await protect(spec, inBlocks(table, 3), key);
    expect(stepsOf(steps, ['age', 'y']).map(({ kind }) => kind)).to.deep.equal(['Generalise']);
    openSteps(stepsOf(steps, ['age', 'y']), undefined);
  });

  it('gives by column, by rows and by blocks the same', async () => {
    await fc.assert(fc.asyncProperty(smallTables(2), fc.integer({ min: 1, max: 9 }), async (random, most) => {
      const { rows } = await protect({
        pseudonymise: { columns: ['t'] }, generalise: [{ column: 'n', method: 'Round', to: 2 }, { column: 'd', method: 'TruncateTime', unit: 'Year' }], suppress: [{ column: 'y', fewerThan: 2 }],
      }, inBlocks(random, most), key);
      const names = rows.columns.map(({ name }) => name);
      const whole = await Promise.all(names.map(async (name) => cells(await rows.column(name))));
      const chosen = Int32Array.from({ length: random.rows }, (_, row) => row).filter((row) => row % 2 === 1);
      expect(await Promise.all(names.map(async (name) => cells(await rows.column(name, chosen))))).to.deep.equal(whole.map((column) => [...chosen].map((row) => column[row])));
      const joined: unknown[][] = names.map(() => []);
      for await (const block of rows.blocks(names, most)) block.columns.forEach((column, place) => joined[place]?.push(...cells(column)));
      expect(joined).to.deep.equal(whole);
    }));
  });

  const wrong: readonly (readonly [string, PrivacySpec, string, RegExp])[] = [
    ['a column that is not there', { drop: ['z'] }, 'SPEC_COLUMN_MISSING', /no column "z"/],
    ['a column that is dropped and used', { drop: ['age'], generalise: [{ column: 'age', method: 'Round', to: 5 }] }, 'SPEC_CONFLICT', /"age" stands in drop and in generalise/],
    ['a pseudonym that is made coarser', { pseudonymise: { columns: ['card'] }, generalise: [{ column: 'card', method: 'Prefix', length: 2 }] }, 'SPEC_CONFLICT', /"card" stands in pseudonymise\.columns and in generalise/],
    ['a column that is made coarser twice', { generalise: [{ column: 'age', method: 'Round', to: 5 }, { column: 'age', method: 'Bin', width: 10 }] }, 'SPEC_CONFLICT', /"age" stands in generalise twice/],
    ['a quasi-identifier that was dropped', { drop: ['age'], kAnonymity: { quasiIdentifiers: ['age'], k: 2, onViolation: 'Fail' } }, 'SPEC_COLUMN_MISSING', /no column "age"/],
    ['l-diversity without a notion of alike', { lDiversity: { sensitive: 'job', l: 2, method: 'Distinct', onViolation: 'Fail' } }, 'SPEC_CONFLICT', /which rows are alike/],
    ['a sensitive quasi-identifier', { lDiversity: { sensitive: 'job', quasiIdentifiers: ['job'], l: 2, method: 'Distinct', onViolation: 'Fail' } }, 'SPEC_CONFLICT', /sensitive and a quasi-identifier/],
  ];
  for (const [what, written, code, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const error = await codeOf(() => protect(written, rowsOf(table), key));
      expect(error.code).to.equal(code);
      expect(error.message).to.match(message);
    });
  }
});
