import { expect } from 'chai';
import * as fc from 'fast-check';
import { generaliser, requireGeneralisable } from '../../../../trainer-image/src/data/privacy/generalise.ts';
import type { Generalisation } from '../../../../trainer-image/src/data/privacy/spec.ts';
import type { Column } from '../../../../trainer-image/src/data/table.ts';
import { codeOf } from '../../support.ts';
import { cells, number, text, time } from '../tables.ts';

const done = (how: Generalisation, column: Column): (number | string | null)[] => cells(generaliser(how)(column));

describe('generalising', () => {
  it('puts numbers into stretches of a width, or between edges', () => {
    expect(done({ method: 'Bin', width: 10 }, number('n', 0, 9.9, 10, -0.1, NaN, 35))).to.deep.equal([0, 0, 10, -10, NaN, 30]);
    expect(done({ method: 'Bin', edges: [18, 30, 65] }, number('n', 5, 18, 29.9, 30, 64, 65, 99, NaN))).to.deep.equal([18, 18, 18, 30, 30, 65, 65, NaN]);
    expect(done({ method: 'Round', to: 0.5 }, number('n', 1.2, 1.25, -3.9, NaN))).to.deep.equal([1, 1.5, -4, NaN]);
  });

  it('keeps the first characters of a text, and the beginning of a time', () => {
    expect(done({ method: 'Prefix', length: 2 }, text('t', '10115', '10999', '9', null, '👩‍🔬👩‍🔬x'))).to.deep.equal(['10', '10', '9', null, '👩‍']);
    const moment = '2024-05-17T13:45:59.123Z';
    const [year, month, day, hour] = (['Year', 'Month', 'Day', 'Hour'] as const).map((unit) => done({ method: 'TruncateTime', unit }, time('d', moment, null)));
    expect([year, month, day, hour]).to.deep.equal(['2024-01-01', '2024-05-01', '2024-05-17', '2024-05-17T13:00:00Z'].map((start) => [Date.parse(start) * 1000, NaN]));
    expect(done({ method: 'TruncateTime', unit: 'Year' }, time('d', '1901-07-01', '1969-12-31T23:59:59Z'))).to.deep.equal([Date.parse('1901-01-01') * 1000, Date.parse('1969-01-01') * 1000]);
  });

  it('keeps the last microsecond of a month in it, also before 1970', () => {
    const last = ['1970-01-01', '1965-03-01', '2024-03-01'].map((next) => Date.parse(next) * 1000 - 1);
    const begin = (unit: 'Year' | 'Month'): unknown[] => done({ method: 'TruncateTime', unit }, { kind: 'Time', name: 'd', values: Float64Array.from(last) });
    expect(begin('Month')).to.deep.equal(['1969-12-01', '1965-02-01', '2024-02-01'].map((start) => Date.parse(start) * 1000));
    expect(begin('Year')).to.deep.equal(['1969-01-01', '1965-01-01', '2024-01-01'].map((start) => Date.parse(start) * 1000));
  });

  it('changes nothing more when it is done twice, and never moves a bin above its values', () => {
    const width = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    const values = fc.array(fc.oneof(fc.double({ noNaN: true }), fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer()), { minLength: 1 });
    fc.assert(fc.property(width, values, (size, column) => {
      // Multiples of the width are where rounding is most dangerous.
      const all = number('n', ...column, ...[1, 2, 3, 7, 1001].flatMap((times) => [times * size, -times * size]));
      for (const how of [{ method: 'Bin', width: size }, { method: 'Round', to: size }, { method: 'Bin', edges: [-size, 0, size] }] as const) {
        const once = generaliser(how)(all);
        expect(cells(generaliser(how)(once))).to.deep.equal(cells(once));
        const before = cells(all);
        if ('width' in how) expect(cells(once).findIndex((value, row) => Number(value) > Number(before[row]))).to.equal(-1);
      }
    }), { numRuns: 50 });
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), fc.integer({ min: 0, max: 5 }), (texts, length) => {
      const once = generaliser({ method: 'Prefix', length })(text('t', ...texts));
      expect(cells(generaliser({ method: 'Prefix', length })(once))).to.deep.equal(cells(once));
      expect(cells(once)).to.deep.equal(texts.map((each) => Array.from(each).slice(0, length).join('')));
    }), { numRuns: 50 });
    fc.assert(fc.property(fc.array(fc.date({ min: new Date('1000-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }), { minLength: 1 }), fc.constantFrom('Year', 'Month', 'Day', 'Hour'), (dates, unit) => {
      const once = generaliser({ method: 'TruncateTime', unit })(time('d', ...dates.map((date) => date.toISOString())));
      expect(cells(generaliser({ method: 'TruncateTime', unit })(once))).to.deep.equal(cells(once));
      const shown = { Year: 4, Month: 7, Day: 10, Hour: 13 }[unit];
      cells(once).forEach((value, row) => expect(new Date(Number(value) / 1000).toISOString().slice(0, shown)).to.equal(dates[row]?.toISOString().slice(0, shown)));
    }), { numRuns: 50 });
  });

  it('refuses a method for another kind of column, and names the right one', async () => {
    const error = await codeOf(() => requireGeneralisable({ method: 'Prefix', length: 2 }, { name: 'postcode', kind: 'Number' }, 'spec.x'));
    expect(error).to.deep.include({ code: 'SPEC_COLUMN_KIND', at: 'spec.x', message: 'Prefix is for a column of text, and "postcode" holds numbers. Write method: Bin or Round.' });
  });
});
