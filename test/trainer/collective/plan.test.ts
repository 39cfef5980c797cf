import { expect } from 'chai';
import fc from 'fast-check';
import { nodesOf, partOf, push, shardsFor } from '../../../trainer-image/src/train/collective/plan.ts';
import type { Partial } from '../../../trainer-image/src/train/collective/plan.ts';

/** The sum that every way of sharing out must give: children before parents, left before right. */
function treeSum(leaves: readonly Float32Array[]): Float32Array {
  if (leaves.length === 1) return leaves[0] ?? new Float32Array(0);
  const half = leaves.length / 2;
  const [left, right] = [treeSum(leaves.slice(0, half)), treeSum(leaves.slice(half))];
  return left.map((value, index) => Math.fround(value + (right[index] ?? NaN)));
}

const shardCount = fc.integer({ min: 0, max: 6 }).map((level) => 2 ** level);
const leavesOf = (count: number, length: number): fc.Arbitrary<Float32Array[]> => fc.array(fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true, min: -(2 ** 100), max: 2 ** 100 }), { minLength: count, maxLength: count });
const leaf = (values: Float32Array, start: number): Partial => ({ start, size: 1, values: values.slice() });

describe('the plan of an all-reduce', () => {
  it('cuts anything into contiguous parts that differ by one at most', () => {
    fc.assert(fc.property(fc.nat(1000), fc.integer({ min: 1, max: 64 }), (length, count) => {
      const parts = Array.from({ length: count }, (_, index) => partOf(length, index, count));
      expect(parts[0]?.from).to.equal(0);
      expect(parts.at(-1)?.to).to.equal(length);
      parts.slice(1).forEach((part, index) => expect(part.from).to.equal(parts[index]?.to));
      const sizes = parts.map(({ from, to }) => to - from);
      expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
    }));
  });

  it('takes as many shards as the next power of two', () => {
    expect([1, 2, 3, 4, 5, 33, 64].map(shardsFor)).to.deep.equal([1, 2, 4, 4, 8, 64, 64]);
  });

  it('covers a range of shards with the largest nodes of the tree, in order', () => {
    fc.assert(fc.property(shardCount, fc.nat(64), fc.nat(64), (shards, one, other) => {
      const [from, to] = [Math.min(one, other) % (shards + 1), Math.max(one, other) % (shards + 1)].sort((a, b) => a - b) as [number, number];
      const nodes = nodesOf({ from, to });
      expect(nodes.flatMap(({ start, size }) => Array.from({ length: size }, (_, at) => start + at))).to.deep.equal(Array.from({ length: to - from }, (_, at) => from + at));
      for (const { start, size } of nodes) expect(start % size).to.equal(0);
      nodes.slice(1).forEach((node, index) => {
        const left = nodes[index];
        expect(left?.size === node.size && left.start % (2 * left.size) === 0, 'siblings are their parent').to.equal(false);
      });
    }));
  });

  it('gives the same bits for every number of replicas', () => {
    fc.assert(fc.property(shardCount.chain((shards) => fc.tuple(leavesOf(shards, 3), fc.integer({ min: 1, max: shards }))), ([leaves, replicas]) => {
      const total: Partial[] = [];
      for (let replica = 0; replica < replicas; replica++) {
        const { from, to } = partOf(leaves.length, replica, replicas);
        const own: Partial[] = [];
        leaves.slice(from, to).forEach((values, index) => push(own, leaf(values, from + index)));
        for (const partial of own) push(total, partial);
      }
      expect(total).to.have.length(1);
      expect(total[0]).to.deep.include({ start: 0, size: leaves.length });
      expect(Buffer.from(Float32Array.from(total[0]?.values ?? []).buffer).equals(Buffer.from(Float32Array.from(treeSum(leaves)).buffer))).to.equal(true);
    }), { numRuns: 300 });
  });
});
