import { expect } from 'chai';
import fc from 'fast-check';
import { autoInterval, meanSecondsBetweenInterruptions, optimalInterval, ratePriors } from '../../../operator/src/domain/checkpoint-interval.ts';

const seconds = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** Share of the time that is spent on anything but new work: Daly (2006), eq. 20, for exponential interruptions without restart time. */
const overhead = (interval: number, write: number, mtbf: number): number => (mtbf / interval) * Math.expm1((interval + write) / mtbf) - 1;

describe('the optimal checkpoint interval', () => {
  // Calculated by a search over the exact expression, to the nearest tenth of a minute.
  for (const [write, mtbf, minutes] of [[2, 4 * 3600, 4], [10, 3600, 4.3], [10, 4 * 3600, 8.8], [10, 12 * 3600, 15.3], [60, 4 * 3600, 21.2]] as const) {
    it(`is about ${minutes} min for a write of ${write} s and an interruption every ${mtbf / 3600} h`, () => {
      expect(optimalInterval(write, mtbf) / 60).to.be.closeTo(minutes, 0.25);
    });
  }

  it('costs at most 0.5 % more than the best of all intervals, as long as checkpoints help', () => {
    fc.assert(fc.property(seconds(0.01, 600), seconds(600, 1e6), (write, mtbf) => {
      fc.pre(write < mtbf / 2);
      const best = Math.min(...Array.from({ length: 400 }, (_, step) => overhead(write * 10 ** (step / 50 - 3) + 1e-3, write, mtbf)));
      expect(overhead(optimalInterval(write, mtbf), write, mtbf)).to.be.at.most(best * 1.005 + 1e-9);
    }));
  });

  it('never is negative, grows with the cost of a write and with the time between interruptions', () => {
    fc.assert(fc.property(seconds(1e-3, 1e4), seconds(1, 1e7), (write, mtbf) => {
      const interval = optimalInterval(write, mtbf);
      expect(interval).to.be.above(0);
      expect(optimalInterval(write, mtbf * 2)).to.be.at.least(interval);
      if (write * 1.1 < mtbf / 2) expect(optimalInterval(write * 1.1, mtbf)).to.be.at.least(interval);
    }));
  });

  it('is the time between interruptions where a write takes twice as long', () => {
    expect(optimalInterval(20, 10)).to.equal(10);
  });
});

describe('the time between interruptions', () => {
  it('is that of the prior before the job has run', () => {
    expect(meanSecondsBetweenInterruptions(ratePriors.spot, 0, 0)).to.equal(4 * 3600);
    expect(meanSecondsBetweenInterruptions(ratePriors.onDemand, 0, 0)).to.equal(7 * 24 * 3600);
  });

  it('comes near the job\'s own, the longer it runs', () => {
    fc.assert(fc.property(fc.constantFrom(...Object.values(ratePriors)), fc.integer({ min: 100, max: 1000 }), seconds(600, 36_000), (prior, interruptions, mean) => {
      const expected = meanSecondsBetweenInterruptions(prior, interruptions, interruptions * mean);
      expect(expected / mean).to.be.within(0.5 ** (100 / interruptions), 10);
      expect(meanSecondsBetweenInterruptions(prior, interruptions * 1e4, interruptions * 1e4 * mean)).to.be.closeTo(mean, mean * 0.01);
    }));
  });
});

describe('mode Auto', () => {
  it('stays within the bounds', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 86_400 }), fc.integer({ min: 1, max: 86_400 }), fc.option(seconds(0, 1e4), { nil: undefined }), seconds(1, 1e7), (a, b, write, mtbf) => {
      const [minSeconds, maxSeconds] = [Math.min(a, b), Math.max(a, b)];
      expect(autoInterval({ mode: 'Auto', minSeconds, maxSeconds }, write, mtbf)).to.be.within(minSeconds, maxSeconds);
    }));
  });

  it('begins with a minute, has bounds of its own, and takes one of the user\'s beyond them', () => {
    expect(autoInterval({ mode: 'Auto' }, undefined, 1e6)).to.equal(60);
    expect(autoInterval({ mode: 'Auto' }, 0, 100)).to.equal(10);
    expect(autoInterval({ mode: 'Auto' }, 500, 1e7)).to.equal(3600);
    expect(autoInterval({ mode: 'Auto', minSeconds: 7200 }, 500, 1e4)).to.equal(7200);
    expect(autoInterval({ mode: 'Auto', maxSeconds: 5 }, 500, 1e7)).to.equal(5);
  });
});
