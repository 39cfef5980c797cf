import { expect } from 'chai';
import { randomPoint, uniformBelow, wordsFor } from '../../../operator/src/domain/search/random.ts';
import { categorical, float, int, type Parameter } from '../../support/builders/sweep.ts';
import { chiSquare, chiSquareLimit, correlation, kolmogorovSmirnov, kolmogorovSmirnovLimit } from '../../support/statistics.ts';

const draws = 20_000;

function sample(parameter: Parameter, seed = 7): unknown[] {
  return Array.from({ length: draws }, (_, place) => randomPoint([parameter], seed, place)[parameter.name]);
}

function shareOf(values: readonly unknown[], levels: readonly unknown[]): number[] {
  return levels.map((level) => values.filter((value) => value === level).length);
}

describe('random draws', () => {
  it('are the same on every machine and in every version: these are the first of seed 7', () => {
    const parameters = [float('dropout', 0, 0.5), int('units', 8, 64, { step: 8 }), categorical('optimizer', 'Adam', 'SGD')];
    expect([0, 1, 2].map((place) => randomPoint(parameters, 7, place))).to.deep.equal([
      { dropout: 0.3631109761727324, units: 8, optimizer: 'SGD' },
      { dropout: 0.3940911711356142, units: 32, optimizer: 'SGD' },
      { dropout: 0.08374696718276836, units: 40, optimizer: 'SGD' },
    ]);
  });

  it('of a Float are uniform', () => {
    const values = sample(float('dropout', -1, 3)) as number[];
    expect(kolmogorovSmirnov(values.map((value) => (value + 1) / 4))).to.be.below(kolmogorovSmirnovLimit);
  });

  it('of a Float with scale Log have a uniform logarithm', () => {
    const values = sample(float('rate', 1e-5, 1, { scale: 'Log' })) as number[];
    expect(kolmogorovSmirnov(values.map((value) => 1 + Math.log10(value) / 5))).to.be.below(kolmogorovSmirnovLimit);
  });

  it('of a Float with a step take every step equally often', () => {
    const levels = [0, 0.1, 0.2, 0.3, 0.4, 0.5];
    const counts = shareOf(sample(float('dropout', 0, 0.5, { step: 0.1 })), levels);
    expect(counts.reduce((sum, count) => sum + count)).to.equal(draws);
    expect(chiSquare(counts, levels.map(() => 1 / 6))).to.be.below(chiSquareLimit(5));
  });

  it('of an Int take both ends as often as what lies between', () => {
    const levels = [1, 2, 3, 4, 5, 6, 7];
    const counts = shareOf(sample(int('layers', 1, 7)), levels);
    expect(counts.reduce((sum, count) => sum + count)).to.equal(draws);
    expect(chiSquare(counts, levels.map(() => 1 / 7))).to.be.below(chiSquareLimit(6));
  });

  it('of an Int with scale Log take k in proportion to log((k + 1/2) / (k - 1/2))', () => {
    const levels = Array.from({ length: 16 }, (_, index) => index + 1);
    const counts = shareOf(sample(int('units', 1, 16, { scale: 'Log' })), levels);
    expect(counts.reduce((sum, count) => sum + count)).to.equal(draws);
    expect(chiSquare(counts, levels.map((k) => Math.log((k + 0.5) / (k - 0.5)) / Math.log(16.5 / 0.5)))).to.be.below(chiSquareLimit(15));
  });

  it('of a Categorical take a value as often as it is listed', () => {
    const counts = shareOf(sample(categorical('optimizer', 'Adam', 'SGD', 'Adam')), ['Adam', 'SGD']);
    expect(chiSquare(counts, [2 / 3, 1 / 3])).to.be.below(chiSquareLimit(1));
  });

  it('of two parameters, of neighbouring trials and of neighbouring seeds have nothing to do with each other', () => {
    const a = sample(float('a', 0, 1)) as number[];
    const limit = 2.58 / Math.sqrt(draws);
    expect(Math.abs(correlation(a, sample(float('b', 0, 1)) as number[]))).to.be.below(limit);
    expect(Math.abs(correlation(a.slice(1), a.slice(0, -1)))).to.be.below(limit);
    expect(Math.abs(correlation(a, sample(float('a', 0, 1), 8) as number[]))).to.be.below(limit);
  });

  it('need no whole power of two to be fair: the last, broken round of the words is not used', () => {
    const words = [2n ** 64n - 1n, 5n].values();
    expect(uniformBelow(3n, () => words.next().value ?? 0n)).to.equal(2n);
    const spare = [2n ** 64n - 1n, 2n ** 64n - 2n, 7n].values();
    expect(uniformBelow(2n ** 63n + 1n, () => spare.next().value ?? 0n)).to.equal(7n);
  });

  it('reach past 64 bits where there are more values than that', () => {
    const count = 2n ** 100n;
    const drawn = Array.from({ length: 100 }, (_, place) => uniformBelow(count, wordsFor(1, place, 'wide')));
    expect(drawn.every((value) => value < count)).to.equal(true);
    expect(drawn.some((value) => value > 2n ** 90n)).to.equal(true);
  });
});
