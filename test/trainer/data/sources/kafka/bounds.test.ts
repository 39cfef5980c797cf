import { expect } from 'chai';
import fc from 'fast-check';
import { resolve } from '../../../../../trainer-image/src/data/sources/kafka/bounds.ts';
import { codeOf } from '../../../support.ts';

const offsets = (earliest: bigint[], latest: bigint[], at: bigint[] = []) => ({ earliest: () => Promise.resolve(earliest), latest: () => Promise.resolve(latest), at: () => Promise.resolve(at) });

describe('the bounds of a topic', () => {
  const table: readonly (readonly [string, string, string, bigint[], [bigint, bigint][]])[] = [
    ['are its ends', 'Earliest', 'Latest', [], [[5n, 20n], [0n, 8n]]],
    ['may be offsets', '6', '7', [], [[6n, 7n], [6n, 7n]]],
    ['end with the partition', '6', '9', [], [[6n, 9n], [6n, 8n]]],
    ['may be behind the end', '12', 'Latest', [], [[12n, 20n], [8n, 8n]]],
    ['may be times', '2026-01-31T00:00:00Z', 'Latest', [9n, -1n], [[9n, 20n], [8n, 8n]]],
    ['may end at a time', 'Earliest', '2026-01-31T00:00:00.5+01:00', [9n, -1n], [[5n, 9n], [0n, 8n]]],
    ['may be empty', '7', '6', [], [[7n, 7n], [7n, 7n]]],
  ];
  for (const [what, from, to, at, expected] of table) {
    it(what, async () => {
      expect((await resolve({ from, to }, offsets([5n, 0n], [20n, 8n], at))).map((range) => [range.from, range.to])).to.deep.equal(expected);
    });
  }

  it('may not begin where records were deleted', async () => {
    const error = await codeOf(() => resolve({ from: '3', to: 'Latest' }, offsets([5n, 0n], [20n, 8n])));
    expect(error).to.include({ code: 'DATA_NOT_FOUND', at: 'spec.trainer.data.source.kafka.from' });
    expect(error.message).to.contain('Partition 0 begins at offset 5 by now');
  });

  for (const written of ['Latest', '-1', '1.5', 'yesterday', '2026-01-31', '2026-13-01T00:00:00Z', '']) {
    it(`are not "${written}" to begin with`, async () => {
      expect(await codeOf(() => resolve({ from: written, to: 'Latest' }, offsets([0n], [1n])))).to.include({ code: 'SPEC_SOURCE', at: 'spec.trainer.data.source.kafka.from' });
    });
  }

  it('never leave what there is', async () => {
    const offset = fc.nat(30).map(String);
    const bound = (edge: string) => fc.oneof(offset, fc.constant(edge), fc.constant('2026-01-31T00:00:00Z'));
    const partition = fc.record({ least: fc.nat(10), length: fc.nat(10), at: fc.integer({ min: -1, max: 10 }) });
    await fc.assert(fc.asyncProperty(bound('Earliest'), bound('Latest'), fc.array(partition, { minLength: 1, maxLength: 3 }), async (from, to, partitions) => {
      const known = offsets(partitions.map(({ least }) => BigInt(least)), partitions.map(({ least, length }) => BigInt(least + length)), partitions.map(({ least, length, at }) => (at < 0 ? -1n : BigInt(least + Math.min(at, length)))));
      const ranges = await resolve({ from, to }, known).catch(() => []);
      for (const range of ranges) {
        const { least = 0, length = 0 } = partitions[range.partition] ?? {};
        expect(range.from >= BigInt(least) && range.to <= BigInt(least + length) && range.from <= range.to).to.equal(true);
      }
    }));
  });
});
