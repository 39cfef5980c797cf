import { createHash } from 'node:crypto';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { random, shuffle } from '../../../trainer-image/src/data/random.ts';
import { split } from '../../../trainer-image/src/data/split.ts';
import { codeOf } from '../support.ts';

const share = fc.oneof(fc.constant(0), fc.double({ min: 0.11, max: 0.4, noNaN: true }));
const shares = fc.record({ validation: share, test: share, seed: fc.nat() });

describe('splitting rows', () => {
  it('puts each row into exactly one part, in the same way for the same seed', () => {
    fc.assert(fc.property(fc.integer({ min: 30, max: 400 }), shares, fc.integer({ min: 1, max: 6 }), (rows, asked, classes) => {
      const strata = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes);
      for (const by of [undefined, strata]) {
        const parts = split(rows, asked, by);
        const all = [...parts.train, ...parts.validation, ...parts.test].sort((a, b) => a - b);
        expect(all).to.deep.equal(Array.from({ length: rows }, (_, row) => row));
        expect(split(rows, asked, by)).to.deep.equal(parts);
      }
    }));
  });

  it('gives every part each class in proportion, to within one row', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 300 }), fc.nat(), (classes, seed) => {
      const strata = Int32Array.from(classes);
      const parts = split(strata.length, { validation: 0.2, test: 0.3, seed }, strata);
      for (const stratum of new Set(classes)) {
        const size = classes.filter((of) => of === stratum).length;
        const inTest = parts.test.filter((row) => strata[row] === stratum).length;
        expect(Math.abs(inTest - 0.3 * size)).to.be.at.most(1);
      }
      expect(Math.abs(parts.test.length - 0.3 * strata.length)).to.be.at.most(4);
    }));
  });

  it('lets a class with a single row train', () => {
    const strata = Int32Array.from([...Array.from({ length: 20 }, () => 0), 1]);
    const parts = split(21, { validation: 0.3, test: 0.3, seed: 5 }, strata);
    expect([...parts.train]).to.include(20);
  });

  it('refuses a part that would be empty', async () => {
    expect(await codeOf(() => split(3, { validation: 0, test: 0.1, seed: 0 }))).to.include({ code: 'DATA_TOO_FEW_ROWS', at: 'spec.trainer.data.split.test' });
  });
});

describe('random numbers', () => {
  it('are the same in every release, whatever the runtime', () => {
    const source = random(7, 'shuffle', 3);
    expect([source.uint32(), source.uint32(), source.uint32()]).to.deep.equal([3629072856, 46665641, 107611847]);
  });

  it('are those of xoshiro128**, written down as in its paper', () => {
    fc.assert(fc.property(fc.integer(), fc.string(), (seed, purpose) => {
      const [ours, theirs] = [random(seed, purpose), xoshiro128(seed, purpose)];
      for (let drawing = 0; drawing < 50; drawing++) expect(ours.uint32()).to.equal(theirs());
    }));
  });

  it('below a bound leave out the last, incomplete multiple of it', () => {
    fc.assert(fc.property(fc.nat(), fc.oneof(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer({ min: 2 ** 31, max: 2 ** 32 })), (seed, n) => {
      const [ours, theirs] = [random(seed, 'below'), xoshiro128(seed, 'below')];
      for (let drawing = 0; drawing < 20; drawing++) {
        let expected = theirs();
        while (expected >= 2 ** 32 - 2 ** 32 % n) expected = theirs();
        expect(ours.below(n)).to.equal(expected % n);
      }
    }));
  });

  it('depend on seed and purpose', () => {
    const heads = [random(1, 'a'), random(1, 'b'), random(2, 'a'), random(1, 'a', 0)].map((source) => source.uint32());
    expect(new Set(heads).size).to.equal(heads.length);
  });

  it('shuffle every place equally often', () => {
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    const source = random(3, 'test');
    for (let draw = 0; draw < 8000; draw++) {
      const values = Int32Array.from([0, 1, 2, 3]);
      shuffle(values, source);
      values.forEach((value, place) => {
        const row = counts[value];
        if (row !== undefined) row[place] = (row[place] ?? 0) + 1;
      });
    }
    // 2,000 expected, standard deviation 39: six of them.
    for (const count of counts.flat()) expect(count).to.be.within(1766, 2234);
  });
});

/** Blackman and Vigna (2021), figure 1, with whole numbers that never overflow. */
function xoshiro128(seed: number, purpose: string): () => number {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  const rotated = (value: bigint, bits: bigint): bigint => word(value << bits) | (value >> (32n - bits));
  const digest = createHash('sha256').update(JSON.stringify(['anneal', seed, purpose])).digest();
  let [s0 = 0n, s1 = 0n, s2 = 0n, s3 = 0n] = [0, 4, 8, 12].map((at) => BigInt(digest.readUInt32LE(at)));
  s3 |= 1n;
  return () => {
    const result = word(rotated(word(s1 * 5n), 7n) * 9n);
    const shifted = word(s1 << 9n);
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotated(s3, 11n);
    return Number(result);
  };
}
