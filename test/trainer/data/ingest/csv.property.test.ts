/** The scanner beside a plain reading of the same bytes by another parser: same tables, same refusals. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Resources } from '../../../../trainer-image/src/data/ingest/index.ts';
import type { AnnealError } from '../../../../trainer-image/src/errors.ts';
import type { Column } from '../../../../trainer-image/src/data/table.ts';
import { folder } from '../../support.ts';
import type { Folder } from '../../support.ts';
import { cells } from '../tables.ts';
import { readPlainly } from './plain-csv.ts';
import { columnsOf, csv, open } from './support.ts';

const signal = new AbortController().signal;

interface Written {
  readonly delimiter: string;
  readonly header: 'Present' | 'Absent';
  readonly missing: readonly string[];
}

/** A table as plain values, or the code of what is wrong. */
type Outcome = Readonly<Record<string, unknown>> | string;

async function outcome(read: () => Promise<readonly Column[]>): Promise<Outcome> {
  try {
    return Object.fromEntries((await read()).map((column) => [column.name, { kind: column.kind, cells: cells(column) }]));
  } catch (error) {
    return (error as AnnealError).code;
  }
}

const isoTime = /^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?:[Tt ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:[zZ]|[+-]([01]\d|2[0-3])(?::?[0-5]\d)?)?)?$/;

/** By JavaScript's own dates; NaN where the text is no moment. */
function moment(text: string): number {
  if (!isoTime.test(text)) return NaN;
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? [];
  const midnight = new Date(`${year}-${month}-${day}T00:00:00Z`);
  if (midnight.getUTCDate() !== Number(day)) return NaN;
  const [, hour = '0', minute = '0', second = '0', fraction = ''] = /^.{10}(?:.(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?/.exec(text) ?? [];
  const [, sign = '+', hours = '0', minutes = '0'] = /.{10}.*([+-])(\d\d):?(\d\d)?$/.exec(text) ?? [];
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return midnight.getTime() * 1000 + ((Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second)) * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** What the plain reader leaves as text, and may be times. */
function withTimes(column: Column): Column {
  if (column.kind !== 'Text') return column;
  const moments = column.dictionary.map(moment);
  if (column.dictionary.length === 0 || moments.some(Number.isNaN)) return column;
  return { kind: 'Time', name: column.name, values: Float64Array.from(column.codes, (code) => moments[code] ?? NaN) };
}

async function plainly(place: Folder, options: Written): Promise<Outcome> {
  return outcome(async () => (await readPlainly(`${place.path}/rows.csv`, 'rows.csv', options, signal)).columns.map(withTimes));
}

async function scanned(place: Folder, options: Written, changed: Partial<Resources>): Promise<Outcome> {
  return outcome(async () => {
    await using rows = await open(place, ['rows.csv'], { ...csv, csv: options }, changed);
    return await columnsOf(rows);
  });
}

const number = fc.oneof(
  fc.double().map(String), fc.integer().map(String), fc.bigInt().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  fc.constantFrom('+5', '-.5', '5.', '.', '+', 'e5', '1e', '1e+', '0x1F', 'inf', 'nan', 'NaN', 'Infinity', '1_000', '1,5', '--1', '007', '-0', '1e400', '-1e-400', '00.100e+007', '123456789012345678901234567890', '9007199254740993'),
  fc.stringMatching(/^[+-]?[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,3})?$/),
);
const time = fc.oneof(
  fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.date({ min: new Date('1900-01-01'), max: new Date('2100-12-31'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
  fc.constantFrom('2024-02-29', '2023-02-29', '2024-02-29 23:59', '2024-02-29T23:59:59.123456789+05:30', '2024-02-29T23:59:59-0130', '2024-02-29T00:00+14', '2024-02-29T24:00', '2024-13-01', '2024-1-1', '2024-01-01T', '2024-01-01T10', '2024-01-01T10:00:', '2024-01-01T10:00:00.', '2024-01-01 10:00:60', '0000-01-01', '2024-01-01T10:00Z0', '2024-01-01T10:00+5', '1900-02-29', '2000-02-29T12:00:00z'),
);
const blank = fc.constantFrom('', ' ', '\t', '  ', '\u00a0', '\u2003', '\ufeff', '\u3000');
const text = fc.oneof(fc.string({ maxLength: 6 }), fc.string({ unit: 'grapheme', maxLength: 4 }), fc.constantFrom('', 'NA', 'a', 'b', '"', '""', 'a,b', 'two\nlines', 'two\r\nlines', 'x\ry', '-999'), fc.string({ minLength: 300, maxLength: 400 }));
/** A column is mostly of one sort, and now and then surprises. */
const cell = (sort: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof({ weight: 30, arbitrary: sort }, { weight: 4, arbitrary: fc.constantFrom('', 'NA', '-999') }, { weight: 1, arbitrary: text });

interface Document {
  readonly options: Written;
  readonly content: string;
}

const document: fc.Arbitrary<Document> = fc.record({
  sorts: fc.array(fc.constantFrom(number, fc.integer().map(String), time, text, fc.constantFrom('red', 'green', 'blue')), { minLength: 1, maxLength: 4 }),
  delimiter: fc.constantFrom(',', ',', ',', ';', '\t', '|', ' ', '.', '-', 'e', '5', '§', '；'),
  header: fc.constantFrom<Written['header']>('Present', 'Present', 'Absent'),
  missing: fc.constantFrom<readonly string[]>(['', 'NA'], ['', 'NA'], ['-999', 'NA'], [], ['0']),
  rowEnd: fc.constantFrom('\n', '\n', '\r\n', '\r'),
  hasMark: fc.boolean(),
  hasEnd: fc.boolean(),
}).chain(({ sorts, ...how }) => fc.record({
  how: fc.constant(how),
  rows: fc.array(fc.tuple(...sorts.map((sort) => fc.tuple(cell(sort), fc.boolean(), fc.tuple(blank, blank)))), { maxLength: 12 }),
  blankAfter: fc.array(fc.nat(11), { maxLength: 2 }),
})).map(({ how: { delimiter, header, missing, rowEnd, hasMark, hasEnd }, rows, blankAfter }) => {
  const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;
  const written = ([value, isQuoted, [before, after]]: readonly [string, boolean, readonly [string, string]]): string => {
    const whole = before + value + after;
    return isQuoted || [delimiter, '"', '\n', '\r'].some((special) => whole.includes(special)) ? quoted(whole) : whole;
  };
  const names = (rows[0] ?? [undefined]).map((_, place) => `c${place}`);
  const lines = [...(header === 'Present' ? [names.join(delimiter)] : []), ...rows.map((row) => row.map(written).join(delimiter))];
  const spaced = lines.flatMap((line, at) => (blankAfter.includes(at) ? [line, ''] : [line]));
  return { options: { delimiter, header, missing }, content: (hasMark ? '\ufeff' : '') + spaced.join(rowEnd) + (hasEnd ? rowEnd : '') };
});

/** Nothing but what is special to somebody. */
const soup: fc.Arbitrary<Document> = fc.record({
  options: fc.constant<Written>({ delimiter: ',', header: 'Present', missing: ['', 'NA'] }),
  content: fc.array(fc.constantFrom(',', ',', '\n', '\n', '"', '"', '\r', '\r\n', ' ', 'a', '1', '-', '.', 'e', 'é', '\u00a0', '\ufeff', '🙂', 'NA', 'a,b\n', '"x",', '1,2\n'), { maxLength: 25 }).map((parts) => parts.join('')),
});

const quotedDelimiter: Document = { options: { delimiter: ',', header: 'Present', missing: [] }, content: '","' };

/** How rows are cut into blocks and shared out must not show. */
const ways: readonly (readonly [string, Partial<Resources>])[] = [
  ['at once', {}],
  ['in blocks of some bytes, to a file', { sizes: { blockBytes: 24, cachedFrom: 0 } }],
];

describe('delimited text', function () {
  this.timeout(120_000);

  for (const [what, documents] of [['written well', document], ['thrown together', soup]] as const) {
    for (const [how, changed] of ways) {
      it(`is read as another parser reads it, or refused for the same reason, when ${what} and read ${how}`, async () => {
        await using place = await folder();
        await fc.assert(fc.asyncProperty(documents, async ({ options, content }) => {
          place.write('rows.csv', content);
          expect(await scanned(place, options, changed)).to.deep.equal(await plainly(place, options));
        }), { numRuns: 300, examples: [[quotedDelimiter]] });
      });
    }
  }

  it('is read alike on several threads', async () => {
    await using place = await folder();
    await fc.assert(fc.asyncProperty(document, async ({ options, content }) => {
      place.write('rows.csv', content);
      expect(await scanned(place, options, { threads: 2, sizes: { blockBytes: 32, cachedFrom: 0 } })).to.deep.equal(await plainly(place, options));
    }), { numRuns: 15 });
  });
});
