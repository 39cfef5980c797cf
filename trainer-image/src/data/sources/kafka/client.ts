/** A reader's way to the brokers of one topic: where its partitions are, their offsets, and what lies in them. */
import { Admin, GenericError, MultipleErrors, ProtocolError, kGetApi } from '@platformatic/kafka';
import type { ClusterMetadata, ConnectionOptions, fetchV17 } from '@platformatic/kafka';
import { AnnealError, list } from '../../../errors.ts';
import type { Environment } from '../../../store/s3.ts';
import { Passing, persistently } from '../../../store/transfer.ts';
import type { Patience } from '../../../store/transfer.ts';
import { sourceField } from '../spec.ts';
import type { KafkaSpec } from '../spec.ts';
import { takeJavaSnappy } from './snappy.ts';

export interface TopicPlace {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly kafka: KafkaSpec;
  readonly environment: Environment;
  /** Beginning of the variables with the credentials. */
  readonly credentialsPrefix: string;
  readonly patience: Patience;
}

export interface Topic extends AsyncDisposable {
  /** Which topic this is: another of the same name has another. */
  readonly id: string;
  /** By partition. @param timestamp  milliseconds; -1n the end of what is committed, -2n the beginning */
  offsets(timestamp: bigint): Promise<bigint[]>;
  /** What lies from an offset on, at least one batch of records where there is one. */
  fetch(partition: number, offset: bigint): Promise<fetchV17.FetchResponsePartition & { readonly isThrottled: boolean }>;
}

const readCommitted = 1;
const fetchBytes = 8 * 1024 * 1024;
/** Versions of Fetch that a release of the client may choose from name a topic by its id, and are alike. */
type Fetch = [maxWaitMs: number, minBytes: number, maxBytes: number, isolation: number, session: number, epoch: number, topics: fetchV17.FetchRequestTopic[], forgotten: [], rack: string];

/** @throws AnnealError `KAFKA_REFUSED`, `KAFKA_FAILED`, `DATA_NOT_FOUND` for a topic that is not there */
export async function openTopic(place: TopicPlace): Promise<Topic> {
  const { topic, brokers } = place;
  takeJavaSnappy();
  // Retries are ours, so that they end when the run does.
  const client = new Admin({ clientId: 'anneal', bootstrapBrokers: [...brokers], retries: 0, metadataMaxAge: 60_000, ...connectionOf(place) });
  const insistently = <T>(work: () => Promise<T>): Promise<T> => persistently(() => work().catch((error: unknown) => {
    client.clearMetadata();
    throw toldOrPassing(error, place);
  }), () => Promise.resolve(0), place.patience, (last, tries) => new AnnealError('KAFKA_FAILED', { at: `${sourceField}.uri`, message: `Topic ${topic} could not be read from ${brokers.join(', ')} after ${tries} tries: ${last.message}. Check that the brokers can be reached from the cluster under the addresses that they announce.`, cause: last }));

  const located = async (): Promise<{ metadata: ClusterMetadata; found: NonNullable<ReturnType<ClusterMetadata['topics']['get']>> }> => {
    const metadata = await client.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    if (found === undefined) throw new Passing(`the brokers tell nothing of topic ${topic}`);
    const leaderless = found.partitions.findIndex(({ leader }) => !metadata.brokers.has(leader));
    if (leaderless >= 0) throw new Passing(`partition ${leaderless} has no leader`);
    return { metadata, found };
  };

  try {
    const { found: { id, partitionsCount } } = await insistently(located).catch(async (error: unknown) => {
      throw isUnknownTopic(error) ? await notFound(client, place) : error;
    });
    return {
      id,
      offsets: (timestamp) => insistently(async () => {
        await located();
        const asked = Array.from({ length: partitionsCount }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
        const answers = await client.listOffsets({ topics: [{ name: topic, partitions: asked }], isolationLevel: readCommitted });
        const offsets = asked.map(() => -1n);
        for (const { partitionIndex, offset } of answers.flatMap(({ partitions }) => partitions)) offsets[partitionIndex] = offset;
        return offsets;
      }),
      fetch: (partition, offset) => insistently(async () => {
        const { metadata, found } = await located();
        const broker = metadata.brokers.get(found.partitions[partition]?.leader ?? -1);
        if (broker === undefined) throw new Passing(`partition ${partition} has no leader`);
        const connection = await client.connections.get(broker);
        const wanted = [{ topicId: id, partitions: [{ partition, currentLeaderEpoch: -1, fetchOffset: offset, lastFetchedEpoch: -1, partitionMaxBytes: fetchBytes }] }];
        const api = await new Promise<{ async: (to: typeof connection, ...request: Fetch) => Promise<fetchV17.FetchResponse> }>((done, failed) => client[kGetApi]<Fetch, fetchV17.FetchResponse>('Fetch', (error, known) => {
          if (known === undefined) failed(error ?? new Error('the broker knows no Fetch')); else done(known);
        }));
        const { throttleTimeMs, responses } = await api.async(connection, 1000, 1, fetchBytes, readCommitted, 0, -1, wanted, [], '');
        const part = responses[0]?.partitions[0];
        if (part === undefined) throw new Passing(`the broker tells nothing of partition ${partition}`);
        return { ...part, isThrottled: throttleTimeMs > 0 };
      }),
      [Symbol.asyncDispose]: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

function connectionOf({ kafka: { security, sasl }, environment, credentialsPrefix }: TopicPlace): ConnectionOptions {
  const value = (name: string): string => environment[`${credentialsPrefix}${name}`] ?? '';
  const [ca, cert, key] = [value('KAFKA_CA'), value('KAFKA_CERTIFICATE'), value('KAFKA_CERTIFICATE_KEY')];
  return {
    connectTimeout: 10_000,
    requestTimeout: 60_000,
    ...(security === 'Plaintext' ? {} : { tls: { ...(ca === '' ? {} : { ca }), ...(cert === '' ? {} : { cert, key }) } }),
    ...(sasl === 'None' ? {} : { sasl: { mechanism: sasl, username: value('KAFKA_USERNAME'), password: value('KAFKA_PASSWORD') } }),
  };
}

/** Answers of a broker that only another manifest, Secret or access list can change. */
const refusals = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE', 'INVALID_TOPIC_EXCEPTION', 'UNSUPPORTED_VERSION']);

function toldOrPassing(error: unknown, { topic, brokers }: TopicPlace): unknown {
  if (error instanceof AnnealError || error instanceof Passing || isUnknownTopic(error)) return error;
  const causes = causesOf(error);
  const refusal = causes.find((cause) => (cause instanceof ProtocolError && refusals.has(idOf(cause))) || (cause instanceof GenericError && cause.code === 'PLT_KFK_AUTHENTICATION'));
  if (refusal !== undefined) return new AnnealError('KAFKA_REFUSED', { at: `${sourceField}.uri`, message: `${brokers.join(', ')} refused to let topic ${topic} be read: ${sentence(causes)}. Check source.kafka, and that the keys of source.credentials may read and describe the topic.`, cause: error });
  if (causes.some((cause) => cause instanceof ProtocolError && idOf(cause) === 'OFFSET_OUT_OF_RANGE')) {
    return new AnnealError('KAFKA_FAILED', { at: `${sourceField}.uri`, message: `Records of topic ${topic} were deleted while they were read. Keep them longer than a run takes to read them, or write a later kafka.from.`, cause: error });
  }
  return new Passing(sentence(causes), error);
}

const idOf = (error: ProtocolError): string => String((error as unknown as { readonly apiId: unknown }).apiId);

/** The error and all that lies behind it. */
function causesOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const behind = error instanceof MultipleErrors || error instanceof AggregateError ? error.errors as unknown[] : [];
  return [error, ...behind.flatMap(causesOf), ...causesOf(error.cause)];
}

/** What went wrong is told by what lies deepest; what the client wraps it in says only that something did. */
const sentence = (causes: readonly Error[]): string => (causes.at(-1)?.message ?? 'unknown error').replace(/\.$/, '');

const isUnknownTopic = (error: unknown): boolean => causesOf(error).some((cause) => cause.message.startsWith('Unknown topic'));

async function notFound(client: Admin, { topic, brokers }: TopicPlace): Promise<AnnealError> {
  const there = await client.listTopics().catch(() => []);
  return new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.uri`, message: `There is no topic ${topic} on ${brokers.join(', ')}${there.length === 0 ? '' : `; there are ${list(there.sort())}`}. Correct the uri.` });
}
