/** JSON lines beside JSON.parse: same values, and a line is refused exactly where JSON.parse or a rule of columns refuses it. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { FileOptions, Resources } from '../../../../trainer-image/src/data/ingest/index.ts';
import type { AnnealError } from '../../../../trainer-image/src/errors.ts';
import { folder } from '../../support.ts';
import { cells } from '../tables.ts';
import { columnsOf, csv, open } from './support.ts';

const jsonLines: FileOptions = { ...csv, format: 'JSONLines' };

type Cells = Record<string, { readonly kind: string; readonly cells: unknown[] }>;

/** With the third argument that the reviver has had since ES2026, and the types have not yet. */
const parse = JSON.parse as (text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown) => Record<string, unknown>;

/**
 * By JSON.parse; where it refuses, the refusals of which a reader may tell any, since a line can have two faults. Numbers keep their
 * spelling through a reviver, since a column of texts has them as they were written.
 */
function plainly(content: string): Cells | readonly string[] {
  const rows: Map<string, { value: unknown; source: string }>[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (/^[ \t\r]*$/.test(line)) continue;
    const row = new Map<string, { value: unknown; source: string }>();
    const notJson = `DATA_JSON rows.jsonl:${index + 1}`;
    const nested = `DATA_NESTED rows.jsonl:${index + 1}`;
    if (!/^[ \t\r]*\{/.test(line)) return [notJson];
    const either = /:[ \t\r]*[[{]/.test(line) ? [notJson, nested] : [notJson];
    let isNested = false;
    let names: string[] = [];
    try {
      const whole = parse(line, (key, value, context) => {
        if (context.source !== undefined) row.set(key, { value, source: context.source });
        return value;
      });
      names = Object.keys(whole);
      isNested = Object.values(whole).some((value) => typeof value === 'object' && value !== null);
    } catch {
      return either;
    }
    const keys = Array.from(line.matchAll(/"(k\d)"\s*:/g), ([, key]) => key);
    if (names.includes('') || keys.length > new Set(keys).size) return either;
    const hasHalfCharacter = [...row.values()].some(({ value }) => typeof value === 'string' && !value.isWellFormed());
    if (isNested) return hasHalfCharacter ? either : [nested];
    if (hasHalfCharacter) return [notJson];
    rows.push(row);
  }
  if (rows.length === 0) return ['DATA_EMPTY'];
  const columns: Cells = {};
  for (const name of new Set(rows.flatMap((row) => [...row.keys()]))) {
    const held = rows.map((row) => row.get(name));
    const present = held.filter((each) => each !== undefined && each.value !== null) as { value: unknown; source: string }[];
    const isBig = present.some(({ value, source }) => typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER && /^-?\d+$/.test(source));
    const isTime = present.length > 0 && present.every(({ value }) => typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value));
    if (present.every(({ value }) => typeof value !== 'string') && !isBig) {
      columns[name] = { kind: 'Number', cells: held.map((each) => (each?.value === undefined || each.value === null ? NaN : Number(each.value))) };
    } else if (isTime) {
      columns[name] = { kind: 'Time', cells: held.map((each) => (typeof each?.value === 'string' ? Date.parse(each.value) * 1000 : NaN)) };
    } else {
      columns[name] = { kind: 'Text', cells: held.map((each) => (each === undefined || each.value === null ? null : typeof each.value === 'string' ? each.value : each.source)) };
    }
  }
  return columns;
}

const scalar = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: fc.integer().map(String) },
  { weight: 1, arbitrary: fc.bigInt().map(String) },
  { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null', '-0', '1.0', '1E5', '0.1e-7') },
);
const string = fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.string({ maxLength: 5 }), fc.constantFrom('', 'NA', ' a ', '\u2028', '"', '\\', '\n')).map((text) => JSON.stringify(text));
const date = fc.constantFrom('"2024-01-01"', '"1999-12-31"', '"2024-02-29"');
const broken = fc.constantFrom('01', '+1', '.5', '5.', '1e', '-', 'tru', 'nulll', 'NaN', '"\\x"', '"\\ud800"', '"a', '[1]', '{"a": [1, "}"]}', '', 'True', '\'a\'', '"\u0001"');
const sorts = fc.constantFrom(scalar, scalar, string, date, fc.integer().map(String), fc.oneof(scalar, string));
const gap = fc.constantFrom('', '', ' ', '\t', ' \r');

const line = (columns: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> => fc.tuple(
  fc.tuple(...columns.map((sort, place) => fc.tuple(fc.constant(`"k${place}"`), fc.oneof({ weight: 200, arbitrary: sort }, { weight: 1, arbitrary: broken }, { weight: 6, arbitrary: fc.constant('null') }), fc.nat(9), gap))),
  gap, fc.nat(300),
).map(([members, space, odd]) => {
  const written = members.filter(([, , keep]) => keep > 0).map(([key, value, , before]) => `${before}${key}${space}:${before}${value}${space}`);
  if (odd === 0) written.push('"k0":1');
  if (odd === 1) written.push('"":1');
  if (odd === 2) return written.join(',');
  if (odd === 3) return `[${written.join(',')}]`;
  if (odd === 4) return `{${written.join(',')}} {}`;
  return odd === 5 ? '' : `${space}{${written.join(',')}}${space}`;
});

const document = fc.array(sorts, { minLength: 1, maxLength: 4 }).chain((columns) => fc.array(line(columns), { maxLength: 12 })).map((lines) => lines.join('\n'));

describe('JSON lines', function () {
  this.timeout(120_000);

  const ways: readonly (readonly [string, Partial<Resources>, number])[] = [
    ['at once', {}, 400],
    ['in blocks of some bytes', { sizes: { blockBytes: 24, cachedFrom: 0 } }, 400],
    ['in blocks on two threads', { threads: 2, sizes: { blockBytes: 48, cachedFrom: 0 } }, 15],
  ];
  for (const [how, changed, runs] of ways) {
    it(`are read as JSON.parse reads them, ${how}`, async () => {
      await using place = await folder();
      await fc.assert(fc.asyncProperty(document, async (content) => {
        place.write('rows.jsonl', content);
        const read = async (): Promise<Cells | string> => {
          try {
            await using rows = await open(place, ['rows.jsonl'], jsonLines, changed);
            return Object.fromEntries((await columnsOf(rows)).map((column) => [column.name, { kind: column.kind, cells: cells(column) }]));
          } catch (error) {
            const { code, at } = error as AnnealError;
            return code === 'DATA_EMPTY' ? code : `${code} ${String(at)}`;
          }
        };
        const expected = plainly(content);
        const met = await read();
        if (Array.isArray(expected)) expect(met).to.be.oneOf(expected);
        else expect(met).to.deep.equal(expected);
      }), { numRuns: runs });
    });
  }
});
