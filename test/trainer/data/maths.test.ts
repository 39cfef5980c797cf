import { expect } from 'chai';
import * as fc from 'fast-check';
import { eigen } from '../../../trainer-image/src/data/maths/eigen.ts';
import { minimise } from '../../../trainer-image/src/data/maths/minimise.ts';
import { bucketOf, murmur3 } from '../../../trainer-image/src/data/maths/murmur3.ts';
import { neighboursAmong } from '../../../trainer-image/src/data/maths/neighbours.ts';
import { orderStatistics } from '../../../trainer-image/src/data/maths/selection.ts';
import { digamma, normalQuantile } from '../../../trainer-image/src/data/maths/special.ts';
import { moments, mostFrequent, quantile, quantiles } from '../../../trainer-image/src/data/statistics.ts';
import { civil, dayOfYear, formatTime, isoWeek, parseTime, weekday } from '../../../trainer-image/src/data/time.ts';
import { expectClose, science } from './parity.ts';

const few = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
const numbers = (minLength: number) => fc.array(few, { minLength, maxLength: 400 }).map((values) => Float64Array.from(values));

describe('statistics of a column', () => {
  it('find order statistics that a sort would give, whatever repeats', () => {
    fc.assert(fc.property(numbers(1), fc.array(fc.nat({ max: 399 }), { maxLength: 50 }), (values, ranks) => {
      const sorted = values.slice().sort();
      for (const [rank, value] of orderStatistics(values.slice(), ranks)) expect(value === sorted[rank], `rank ${rank}`).to.equal(true);
    }));
  });

  it('give quantiles as those of sorted values, missing ones left out', () => {
    fc.assert(fc.property(numbers(1), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }), (values, shares) => {
      const sorted = values.slice().sort();
      const withMissing = Float64Array.from([...values].flatMap((value) => [NaN, value]));
      quantiles(withMissing, shares).forEach((value, at) => expect(value === quantile(sorted, shares[at] ?? 0)).to.equal(true));
    }));
  });

  it('find quantiles in time that grows with the rows, also where many are equal or in order', () => {
    for (const value of [(row: number) => row % 3, (row: number) => row, (row: number) => -row, (row: number) => (row % 2 === 0 ? row : -row)]) {
      const values = Float64Array.from({ length: 200_000 }, (_, row) => value(row));
      expect(quantiles(values, [0.25, 0.5, 0.9])).to.deep.equal([0.25, 0.5, 0.9].map((share) => quantile(values.slice().sort(), share)));
    }
  });

  it('are not there for a column without values', () => {
    expect(quantiles(Float64Array.of(NaN), [0.5])).to.deep.equal([NaN]);
    expect(moments(Float64Array.of(NaN)).count).to.equal(0);
    expect(mostFrequent(Float64Array.of(NaN))).to.equal(undefined);
  });
});

describe('eigenvectors of a symmetric matrix', () => {
  it('are unit vectors at right angles that the matrix only stretches', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }).chain((size) => fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: size * size, maxLength: size * size }).map((cells) => ({ size, cells }))), ({ size, cells }) => {
      const at = (i: number, j: number): number => cells[Math.min(i, j) * size + Math.max(i, j)] ?? 0;
      const matrix = Float64Array.from({ length: size * size }, (_, place) => at(Math.floor(place / size), place % size));
      const { values, vectors } = eigen(matrix, size);
      const vector = (k: number): number[] => [...vectors.subarray(k * size, (k + 1) * size)];
      const scale = Math.max(1e-3, ...matrix.map(Math.abs));
      for (let k = 0; k < size; k++) {
        if (k > 0) expect(values[k - 1] ?? 0).to.be.at.least(values[k] ?? 0);
        const own = vector(k);
        for (let i = 0; i < size; i++) {
          const stretched = own.reduce((sum, value, j) => sum + at(i, j) * value, 0);
          expect(Math.abs(stretched - (values[k] ?? 0) * (own[i] ?? 0))).to.be.at.most(1e-12 * scale * size);
        }
        for (let other = 0; other <= k; other++) {
          const product = own.reduce((sum, value, i) => sum + value * (vector(other)[i] ?? 0), 0);
          expect(Math.abs(product - (other === k ? 1 : 0))).to.be.at.most(1e-12);
        }
      }
    }));
  });
});

describe('nearest neighbours', () => {
  it('are those that comparing with every point finds', () => {
    const point = (width: number) => fc.array(fc.integer({ min: -20, max: 20 }), { minLength: width, maxLength: width });
    fc.assert(fc.property(fc.constantFrom(1, 2, 3, 6, 7, 11).chain((width) => fc.array(point(width), { minLength: 6, maxLength: 120 })), fc.constantFrom('Euclidean' as const, 'Chebyshev' as const), (points, metric) => {
      const width = points[0]?.length ?? 0;
      const search = neighboursAmong(Float64Array.from(points.flat()), width, metric);
      const distance = (a: number, b: number): number => {
        const differences = (points[a] ?? []).map((value, k) => Math.abs(value - (points[b]?.[k] ?? 0)));
        return metric === 'Euclidean' ? Math.sqrt(differences.reduce((sum, each) => sum + each * each, 0)) : Math.max(...differences);
      };
      points.forEach((_, row) => {
        const all = points.map((_point, other) => other).filter((other) => other !== row).map((other) => distance(row, other)).sort((a, b) => a - b);
        const found = search.nearest(row, 5);
        expect([...found.rows].map((other) => distance(row, other))).to.deep.equal(all.slice(0, 5));
        expect(found.distance).to.equal(all[4]);
        expect(new Set([...found.rows, row]).size).to.equal(6);
      });
    }), { numRuns: 60 });
  });
});

describe('the least value of a function', () => {
  it('is found from any two places to begin from', () => {
    fc.assert(fc.property(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: 0.1, max: 5, noNaN: true }), (at, a, width) => {
      const found = minimise((x) => Math.cosh((x - at) / 10) + (x - at) ** 2, a, a + width);
      expect(Math.abs(found - at)).to.be.at.most(1e-6 * Math.max(1, Math.abs(at)));
    }));
  });
});

describe('special functions and hashes', function () {
  this.timeout(120_000);

  it('are those of SciPy and scikit-learn', async () => {
    const shares = [1e-300, 1e-20, 1e-7, 0.001, 0.02425, 0.075, 0.3, 0.5, 0.7, 0.925, 0.99, 1 - 1e-7, 1 - 1e-15];
    const places = [1e-3, 0.5, 1, 2, 3.7, 9.99, 10, 55, 1e3, 1e7];
    const texts = ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'größe', 'naïve café', '日本語', '😀 x', 'the quick brown fox'];
    const expected = await science<{ quantiles: number[]; digamma: number[]; hashes: number[]; buckets: number[] }>(`
from scipy.special import ndtri, digamma
from sklearn.utils import murmurhash3_32
hashes = [murmurhash3_32(t) for t in given["texts"]]
answer({"quantiles": ndtri(given["shares"]), "digamma": digamma(given["places"]), "hashes": hashes, "buckets": [abs(h) % 10 for h in hashes]})`, { shares, places, texts });
    expectClose(shares.map(normalQuantile), expected.quantiles, 'quantiles', 1e-10, 1e-13);
    expectClose(places.map(digamma), expected.digamma, 'digamma', 1e-10, 1e-12);
    expect(texts.map(murmur3)).to.deep.equal(expected.hashes);
    expect(texts.map((text) => bucketOf(murmur3(text), 10))).to.deep.equal(expected.buckets);
  });
});

describe('moments in time', () => {
  const anyDay = fc.integer({ min: -3_000_000, max: 3_000_000 });

  it('have the date that the calendar gives', () => {
    fc.assert(fc.property(anyDay, (days) => {
      const date = new Date(days * 86_400_000);
      expect(civil(days)).to.deep.equal({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() });
      expect(weekday(days)).to.equal((date.getUTCDay() + 6) % 7);
      const newYear = new Date(0);
      newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1);
      expect(dayOfYear(days)).to.equal(Math.round((date.getTime() - newYear.getTime()) / 86_400_000) + 1);
    }));
  });

  it('are in week 1 with the first Thursday of a year', () => {
    const weekOf = (date: string): number => isoWeek(Date.parse(date) / 86_400_000);
    expect(['2020-12-31', '2021-01-03', '2021-01-04', '2024-12-30', '2026-01-01', '2016-01-03'].map(weekOf)).to.deep.equal([53, 53, 1, 1, 1, 53]);
  });

  it('are read and written as ISO 8601 to the microsecond', () => {
    expect(parseTime('2026-01-31')).to.equal(Date.parse('2026-01-31T00:00:00Z') * 1000);
    expect(parseTime('2026-01-31 12:30')).to.equal(Date.parse('2026-01-31T12:30:00Z') * 1000);
    expect(parseTime('2026-01-31T12:30:15.000250+02:00')).to.equal(Date.parse('2026-01-31T10:30:15Z') * 1000 + 250);
    for (const wrong of ['', 'none', '2026-13-01', '2026-02-30', '31.01.2026', '2026-1-1', '2026-01-31T25:00Z']) expect(parseTime(wrong), wrong).to.equal(undefined);
    fc.assert(fc.property(fc.integer({ min: -8e15, max: 8e15 }), (moment) => {
      expect(parseTime(formatTime(moment))).to.equal(moment);
    }));
  });
});
