/** A topic of Kafka, read once from bound to bound: each partition as a file with a record's value in each line, by offset. Joins no group and commits nothing. */
import { open } from 'node:fs/promises';
import { AnnealError } from '../../../errors.ts';
import type { Remote } from '../../../store/cache/index.ts';
import type { Growing } from '../../../store/transfer.ts';
import { sourceField, tooLarge } from '../spec.ts';
import type { SourceSpec } from '../spec.ts';
import { resolve, wholeTopic } from './bounds.ts';
import type { Range } from './bounds.ts';
import { openTopic } from './client.ts';
import type { Topic, TopicPlace } from './client.ts';
import { readPart } from './records.ts';

export interface FoundPartition extends Range {
  /** `TOPIC/PARTITION@FROM-TO`, so that a digest over names is one over offsets too. */
  readonly name: string;
}

export interface Partitions extends AsyncDisposable {
  /** Those with anything in them, in order. */
  readonly files: readonly FoundPartition[];
  remote(file: FoundPartition, expected: Remote['expected'], onBytes: (bytes: number) => void): Remote;
}

/** @throws AnnealError `KAFKA_…`, `DATA_NOT_FOUND`, `DATA_EMPTY`, `SPEC_CONFLICT` */
export async function openPartitions(source: SourceSpec, place: Omit<TopicPlace, 'kafka'>): Promise<Partitions> {
  requireLines(source);
  const kafka = source.kafka ?? wholeTopic;
  await using opened = new AsyncDisposableStack();
  const topic = opened.use(await openTopic({ ...place, kafka }));
  const ranges = await resolve(kafka, { earliest: () => topic.offsets(-2n), latest: () => topic.offsets(-1n), at: (timeMs) => topic.offsets(timeMs) });
  const files = ranges.filter(({ from, to }) => to > from).map((range) => ({ ...range, name: `${place.topic}/${range.partition}@${range.from}-${range.to}` }));
  if (files.length === 0) throw new AnnealError('DATA_EMPTY', { at: `${sourceField}.kafka`, message: `Topic ${place.topic} has no records from ${kafka.from} to ${kafka.to}. Write other bounds, or wait until there are some.` });
  const kept = opened.move();
  return {
    files,
    remote: (file, expected, onBytes) => ({
      id: JSON.stringify([[...place.brokers].sort(), topic.id, source.format, file.partition, String(file.from), String(file.to)]),
      expected,
      // Between two offsets of one topic there is always the same.
      isCurrent: (version) => Promise.resolve(version === topic.id),
      bring: async (growing) => {
        await copyPartition(topic, file, growing, { source, signal: place.patience.signal, onBytes });
        return topic.id;
      },
    }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function requireLines({ format, csv, uri }: SourceSpec): void {
  if (format !== 'JSONLines' && format !== 'CSV') throw new AnnealError('SPEC_CONFLICT', { at: `${sourceField}.format`, message: `Values of a topic are read as JSONLines or CSV, and the format of ${uri} is ${format}. Write one of them.` });
  if (format === 'CSV' && csv.header !== 'Absent') throw new AnnealError('SPEC_CONFLICT', { at: `${sourceField}.csv.header`, message: 'A value of a topic is a row without a header. Write csv: {header: Absent}; columns are then column_0, column_1 and so on.' });
}

interface Copying {
  readonly source: SourceSpec;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

async function copyPartition(topic: Topic, { name, partition, from, to }: FoundPartition, growing: Growing, { source, signal, onBytes }: Copying): Promise<void> {
  await growing.begin(undefined);
  const file = await open(growing.path, 'w');
  try {
    let bytes = 0;
    for (let at = from; at < to;) {
      signal?.throwIfAborted();
      const part = await topic.fetch(partition, at);
      const { values, next } = readPart(part, at, to);
      if (next === undefined && !part.isThrottled) {
        if (part.lastStableOffset < to) throw new AnnealError('KAFKA_FAILED', { at: `${sourceField}.uri`, message: `Partition ${partition} of ${source.uri} ended at offset ${to} when the run began, and ends at ${part.lastStableOffset} by now: brokers lost records. Run it again.` });
        // Compaction removed all that there was up to the end.
        return;
      }
      const lines = Buffer.concat(values.flatMap((value) => (value === null || value.length === 0 ? [] : [lineOf(value, source.format), newline])));
      bytes += lines.length;
      if (bytes > source.maxBytes) throw tooLarge(name, bytes, source.maxBytes);
      await file.writeFile(lines);
      onBytes(bytes);
      at = next ?? at;
    }
  } finally {
    await file.close();
  }
}

const newline = Buffer.from('\n');

/** JSON may be written over several lines, and line breaks in it are always blanks; a row of CSV has its own at the end at most. */
function lineOf(value: Buffer, format: string): Buffer {
  const end = value.at(-1) === 10 ? value.length - (value.at(-2) === 13 ? 2 : 1) : value.length;
  const line = value.subarray(0, end);
  if (format !== 'JSONLines' || !line.includes(10)) return line;
  return Buffer.from(line.map((byte) => (byte === 10 || byte === 13 ? 32 : byte)));
}
