/** Which records of a fetched part of a partition count. */
import type { RecordsBatch } from '@platformatic/kafka';

export interface FetchedPart {
  readonly records?: readonly RecordsBatch[];
  /** By which producer, and from which offset on; as the broker lists those that overlap the part. */
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
}

export interface ReadPart {
  /** By offset. null is a record without a value. */
  readonly values: readonly (Buffer | null)[];
  /** Offset to go on from; undefined when there was nothing in the part. */
  readonly next: bigint | undefined;
}

const isTransactional = 1 << 4;
const isControl = 1 << 5;
/** Type of a control record that ends a transaction without effect. */
const abortMarker = 0;

/**
 * Values of the records with offsets from, …, to - 1 that a reader of committed data sees. Markers of transactions and records that
 * compaction removed leave gaps between offsets (KIP-98; Fetcher of Kafka's own consumer).
 */
export function readPart({ records: batches = [], abortedTransactions }: FetchedPart, from: bigint, to: bigint): ReadPart {
  const waiting = [...abortedTransactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  /** Producers whose transaction at this place comes to nothing. */
  const aborted = new Set<bigint>();
  const values: (Buffer | null)[] = [];
  let next: bigint | undefined;
  for (const batch of batches) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    while (waiting[0] !== undefined && waiting[0].firstOffset <= last) aborted.add(waiting.shift()?.producerId ?? -1n);
    next = last + 1n;
    if ((batch.attributes & isControl) !== 0) {
      if (batch.records[0]?.key?.readInt16BE(2) === abortMarker) aborted.delete(batch.producerId);
      continue;
    }
    if ((batch.attributes & isTransactional) !== 0 && aborted.has(batch.producerId)) continue;
    for (const { offsetDelta, value } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta);
      if (offset >= from && offset < to) values.push(value);
    }
  }
  return { values, next };
}
