/** From where to where each partition of a topic is read. */
import { AnnealError } from '../../../errors.ts';
import { sourceField } from '../spec.ts';
import type { KafkaSpec } from '../spec.ts';

export interface Range {
  readonly partition: number;
  /** Offset of the first record, and of the one behind the last. */
  readonly from: bigint;
  readonly to: bigint;
}

/** Offsets of each partition: of the first record that there is, behind the last committed one, and of the first not before a time. */
export interface Offsets {
  earliest(): Promise<readonly bigint[]>;
  latest(): Promise<readonly bigint[]>;
  /** -1 where there is no such record. */
  at(timeMs: bigint): Promise<readonly bigint[]>;
}

type Bound = { readonly kind: 'Edge' } | { readonly kind: 'Offset'; readonly offset: bigint } | { readonly kind: 'Time'; readonly timeMs: bigint };

export const wholeTopic: KafkaSpec = { from: 'Earliest', to: 'Latest', security: 'Plaintext', sasl: 'None' };

/** @throws AnnealError `SPEC_SOURCE` for a bound that is none, `DATA_NOT_FOUND` for records that are not there any more */
export async function resolve({ from, to }: Pick<KafkaSpec, 'from' | 'to'>, offsets: Offsets): Promise<Range[]> {
  const [first, end] = [boundOf(from, 'from', 'Earliest'), boundOf(to, 'to', 'Latest')];
  const [earliest, latest] = [await offsets.earliest(), await offsets.latest()];
  const starts = await placesOf(first, earliest, latest, offsets);
  const ends = await placesOf(end, latest, latest, offsets);
  return earliest.map((least, partition) => {
    const start = starts[partition] ?? least;
    const most = latest[partition] ?? least;
    if (start < least) throw new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.kafka.from`, message: `Partition ${partition} begins at offset ${least} by now; the records from ${start} on were deleted. Write from: Earliest, or an offset that is still there.` });
    const begin = start < most ? start : most;
    const stop = (ends[partition] ?? most) < most ? ends[partition] ?? most : most;
    return { partition, from: begin, to: stop < begin ? begin : stop };
  });
}

async function placesOf(bound: Bound, edge: readonly bigint[], latest: readonly bigint[], offsets: Offsets): Promise<readonly bigint[]> {
  switch (bound.kind) {
    case 'Edge': return edge;
    case 'Offset': return edge.map(() => bound.offset);
    case 'Time': return (await offsets.at(bound.timeMs)).map((offset, partition) => (offset < 0n ? latest[partition] ?? 0n : offset));
  }
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

function boundOf(written: string, field: 'from' | 'to', edge: string): Bound {
  if (written === edge) return { kind: 'Edge' };
  if (/^\d{1,18}$/.test(written)) return { kind: 'Offset', offset: BigInt(written) };
  const timeMs = rfc3339.test(written) ? Date.parse(written) : NaN;
  if (!Number.isNaN(timeMs)) return { kind: 'Time', timeMs: BigInt(timeMs) };
  throw new AnnealError('SPEC_SOURCE', { at: `${sourceField}.kafka.${field}`, message: `"${written}" is no place in a topic. Write ${edge}, an offset such as "1200", or a time such as 2026-01-31T00:00:00Z.` });
}
