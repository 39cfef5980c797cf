import type { RecordsBatch } from '@platformatic/kafka';
import { expect } from 'chai';
import fc from 'fast-check';
import { readPart } from '../../../../../trainer-image/src/data/sources/kafka/records.ts';

/** What a producer does: adds records to its transaction, ends it, or adds records outside of one. */
const act = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), producer: fc.integer({ min: 1, max: 3 }), records: fc.integer({ min: 1, max: 3 }), lost: fc.nat(2) }),
  fc.record({ kind: fc.constantFrom('commit' as const, 'abort' as const), producer: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('plain' as const), records: fc.integer({ min: 1, max: 3 }), lost: fc.nat(2) }),
);

interface Aborted { readonly producerId: bigint; readonly firstOffset: bigint; readonly lastOffset: bigint }

/** A partition as a broker keeps it. @param lost  records at the beginning of a batch that compaction removed */
function partition(acts: readonly (typeof act extends fc.Arbitrary<infer A> ? A : never)[]) {
  const batches: RecordsBatch[] = [];
  const aborted: Aborted[] = [];
  const open = new Map<number, { first: bigint; values: string[] }>();
  const committed: { offset: bigint; value: string }[] = [];
  let offset = 0n;
  const batch = (producer: number, attributes: number, count: number, lost: number, key: Buffer | null = null): string[] => {
    const kept = Array.from({ length: count }, (_, delta) => delta).slice(Math.min(lost, count));
    const values = kept.map((delta) => String(offset + BigInt(delta)));
    batches.push({
      firstOffset: offset, lastOffsetDelta: count - 1, attributes, producerId: BigInt(producer), length: 0, partitionLeaderEpoch: 0, magic: 2, crc: 0, firstTimestamp: 0n, maxTimestamp: 0n, producerEpoch: 0, firstSequence: 0,
      records: kept.map((offsetDelta, place) => ({ length: 0, attributes: 0, timestampDelta: 0n, offsetDelta, key, value: Buffer.from(values[place] ?? ''), headers: [] })),
    });
    offset += BigInt(count);
    return values;
  };
  for (const each of acts) {
    if (each.kind === 'plain') for (const value of batch(-1, 0, each.records, each.lost)) committed.push({ offset: BigInt(value), value });
    if (each.kind === 'add') {
      const transaction = open.get(each.producer) ?? { first: offset, values: [] };
      open.set(each.producer, transaction);
      transaction.values.push(...batch(each.producer, 1 << 4, each.records, each.lost));
    }
    if (each.kind === 'commit' || each.kind === 'abort') {
      const transaction = open.get(each.producer);
      open.delete(each.producer);
      // An end of a transaction that wrote nothing here leaves a marker too.
      batch(each.producer, (1 << 4) | (1 << 5), 1, 0, Buffer.from([0, 0, 0, each.kind === 'commit' ? 1 : 0]));
      if (each.kind === 'commit') for (const value of transaction?.values ?? []) committed.push({ offset: BigInt(value), value });
      else if (transaction !== undefined) aborted.push({ producerId: BigInt(each.producer), firstOffset: transaction.first, lastOffset: offset - 1n });
    }
  }
  const stable = [...open.values()].reduce((least, { first }) => (first < least ? first : least), offset);
  return { batches, aborted, stable, committed: committed.sort((a, b) => (a.offset < b.offset ? -1 : 1)) };
}

describe('records of a partition', () => {
  it('are those that a reader of committed data sees, however the partition is cut into answers', () => {
    fc.assert(fc.property(fc.array(act, { maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }), fc.nat(20), fc.nat(60), (acts, sizes, first, end) => {
      const { batches, aborted, stable, committed } = partition(acts);
      const to = BigInt(end) < stable ? BigInt(end) : stable;
      const from = BigInt(first) < to ? BigInt(first) : to;
      const found: string[] = [];
      let answers = 0;
      for (let at = from; at < to;) {
        // A broker answers with whole batches, the first of which holds the offset, and lists what was aborted in them.
        const start = batches.findIndex((batch) => batch.firstOffset + BigInt(batch.lastOffsetDelta) >= at);
        const records = batches.slice(start, start + (sizes[answers++ % sizes.length] ?? 1));
        const [head, tail] = [records[0], records.at(-1)];
        if (head === undefined || tail === undefined) return;
        const last = tail.firstOffset + BigInt(tail.lastOffsetDelta);
        const abortedTransactions = aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= at && firstOffset <= last);
        const { values, next } = readPart({ records, abortedTransactions }, at, to);
        found.push(...values.map(String));
        at = next ?? to;
      }
      expect(found).to.deep.equal(committed.filter(({ offset }) => offset >= from && offset < to).map(({ value }) => value));
    }), { numRuns: 300 });
  });

  it('may be none', () => {
    expect(readPart({ abortedTransactions: [] }, 0n, 10n)).to.deep.equal({ values: [], next: undefined });
  });
});
