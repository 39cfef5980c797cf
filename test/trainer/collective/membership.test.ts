import { expect } from 'chai';
import fc from 'fast-check';
import { firstView, hasQuorum, nextNumber, viewsToSucceed } from '../../../trainer-image/src/train/collective/membership.ts';
import type { Loss, Member, View } from '../../../trainer-image/src/train/collective/membership.ts';

const member = (index: number): Member => ({ index, incarnation: `p${index}` });
const members = (...places: number[]): Member[] => places.map(member);
const view = (number: number, ...places: number[]): View => ({ number, members: members(...places) });
const losses = (entries: Readonly<Record<number, Loss>>): Map<string, Loss> => new Map(Object.entries(entries).map(([index, how]) => [`p${index}`, how]));

describe('a view of replicas', () => {
  it('is followed by one of fewer when the others are known to be dead, however many', () => {
    expect(hasQuorum(view(4, 0, 1, 2, 3), members(3), losses({ 0: 'Dead', 1: 'Dead', 2: 'Dead' }))).to.equal(true);
  });

  it('needs more than half, or half with the lowest index, where some are only silent', () => {
    const of = view(4, 0, 1, 2, 3);
    expect(hasQuorum(of, members(0, 1), losses({ 2: 'Silent', 3: 'Silent' }))).to.equal(true);
    expect(hasQuorum(of, members(2, 3), losses({ 0: 'Silent', 1: 'Silent' }))).to.equal(false);
    expect(hasQuorum(of, members(1, 2, 3), losses({ 0: 'Silent' }))).to.equal(true);
    expect(hasQuorum(view(2, 0, 1), members(1), losses({ 0: 'Silent' }))).to.equal(false);
  });

  it('begins with whoever is at the first indexes', () => {
    expect(hasQuorum(firstView(4), members(0, 1, 2), new Map())).to.equal(true);
    expect(hasQuorum(firstView(4), members(2, 3), new Map())).to.equal(false);
  });

  it('is not forgotten by one who joined it, until a step was completed in it or a later one', () => {
    const [first, second, third] = [view(4, 0, 1, 2, 3, 4), view(5, 0, 1, 2), view(8, 0, 2)];
    expect(viewsToSucceed([{ views: [first, second] }, { views: [first] }])).to.deep.equal([first, second]);
    expect(viewsToSucceed([{ views: [second, third] }, { views: [first, second] }])).to.deep.equal([second, third]);
  });

  it('has a number of its own', () => {
    fc.assert(fc.property(fc.nat(10_000), fc.nat(10_000), fc.integer({ min: 1, max: 64 }).chain((places) => fc.tuple(fc.constant(places), fc.nat(places - 1), fc.nat(places - 1))), (seen, other, [places, a, b]) => {
      expect(nextNumber(seen, a, places)).to.be.above(seen);
      if (a !== b) expect(nextNumber(seen, a, places)).not.to.equal(nextNumber(other, b, places));
    }));
  });

  /** Two sides of a partition: each knows of some that truly died, and takes the rest of the other side for silent. */
  it('never lets both sides of a partition go on', () => {
    const scene = fc.integer({ min: 2, max: 9 }).chain((size) => fc.array(fc.record({
      fate: fc.constantFrom('A', 'B', 'Dead'), knownToA: fc.boolean(), knownToB: fc.boolean(),
    }), { minLength: size, maxLength: size }));
    fc.assert(fc.property(scene, (fates) => {
      const of = view(9, ...fates.keys());
      const goesOn = (side: 'A' | 'B'): boolean => {
        const here = of.members.filter(({ index }) => fates[index]?.fate === side);
        const known = new Map(of.members.filter((one) => !here.includes(one)).map(({ index, incarnation }): [string, Loss] => {
          const fate = fates[index];
          return [incarnation, fate?.fate === 'Dead' && (side === 'A' ? fate.knownToA : fate.knownToB) ? 'Dead' : 'Silent'];
        }));
        return here.length > 0 && hasQuorum(of, here, known);
      };
      expect(goesOn('A') && goesOn('B')).to.equal(false);
    }), { numRuns: 5000 });
  });
});
