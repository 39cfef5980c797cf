/** One watch: typed events from a streaming response, and an error for everything that makes the stream untrustworthy. */
import type { Random } from './backoff.ts';
import type { Clock } from './clock.ts';
import { ApiError, TransportError } from './errors.ts';
import type { StatusBody } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { LineSplitter, LineTooLongError } from './lines.ts';
import { collectionPath } from './resource.ts';
import type { KubeObject, ResourceType } from './resource.ts';
import type { Transport } from './transport.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  /** Nothing changed up to this version. `initialEventsEnd`: all that existed when the watch began has been sent. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labels?: string | undefined;
  readonly fields?: string | undefined;
  /** Events after this version; left out together with `initialEvents`, which sends what exists first (KEP-3157). */
  readonly resourceVersion?: string;
  readonly initialEvents?: boolean;
  /** Told when the server has begun to answer. */
  readonly onOpen?: () => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
}

/** kube-apiserver ends a watch at its timeoutSeconds; a random one keeps all watches from coming back at once, as client-go does. */
const shortestWatchSeconds = 300;
/** The head of a watch comes at once; that of one with initial events only when the server has caught up with etcd. */
const headTimeoutMs = { changes: 4_000, initialEvents: 15_000 };
/**
 * The API server sends a bookmark each minute, but of nothing that it keeps no cache of, such as events, or that never changed since it
 * started. So a stream that is silent for longer may be half-open or just quiet; a new one tells.
 */
const silenceMs = 75_000;
/** While what exists is being sent, the next piece comes at once; an operator that starts is blind until the last one has come. */
const initialSilenceMs = 15_000;

/**
 * Ends when the server ends the watch: go on from the last version seen. Throws `ApiError` for an ERROR event (`isGone`:
 * list again), `TransportError` `GARBLED` for a line that is no event (list again: an update was lost), other codes for a
 * lost connection (go on from the last version).
 */
export async function* watch(transport: Transport, type: ResourceType, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined> {
  const exchange = await transport.stream({
    method: 'GET',
    path: collectionPath(type, options.namespace),
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: Math.floor(shortestWatchSeconds * (1 + options.random())),
      labelSelector: options.labels,
      fieldSelector: options.fields,
      resourceVersion: options.resourceVersion,
      ...(options.initialEvents === true ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' } : {}),
    },
    lane: 'watch',
    retries: 0,
    timeoutMs: options.initialEvents === true ? headTimeoutMs.initialEvents : headTimeoutMs.changes,
    signal: options.signal,
  });
  options.onOpen?.();
  let isUpToDate = options.initialEvents !== true;
  using _watchdog = watchSilence(exchange, options.clock, () => (isUpToDate ? silenceMs : initialSilenceMs));
  const splitter = new LineSplitter();
  for await (const chunk of exchange) {
    for (const line of split(splitter, chunk, exchange)) {
      if (line === '') continue;
      const event = eventOf(line, exchange);
      isUpToDate ||= event.type === 'BOOKMARK' && event.initialEventsEnd;
      yield event;
    }
  }
  if (splitter.hasPartial) throw new TransportError('CONNECTION_FAILED', `${exchange.description} ended in the middle of an event`, true);
}

function watchSilence(exchange: Exchange, clock: Clock, longestMs: () => number): Disposable {
  let timer: Disposable;
  const check = (): void => {
    const now = clock.monotonic();
    // Compared as moments: the difference of two fractions may round to less than the limit for ever.
    const end = exchange.lastHeard + longestMs();
    if (now >= end) exchange.fail('TIMED_OUT', `${exchange.description} was silent for ${Math.round((now - exchange.lastHeard) / 1000)} s`);
    else timer = clock.after(end - now, check);
  };
  timer = clock.after(longestMs(), check);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

function split(splitter: LineSplitter, chunk: Buffer, exchange: Exchange): string[] {
  try {
    return splitter.push(chunk);
  } catch (cause) {
    if (!(cause instanceof LineTooLongError)) throw cause;
    throw garbled(exchange, cause);
  }
}

interface RawEvent {
  readonly type: string;
  readonly object: KubeObject & StatusBody;
}

function eventOf(line: string, exchange: Exchange): WatchEvent {
  const { type, object } = rawEventOf(line, exchange);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object };
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = object.metadata;
      if (resourceVersion === undefined) throw garbled(exchange);
      return { type, resourceVersion, initialEventsEnd: annotations?.['k8s.io/initial-events-end'] === 'true' };
    }
    case 'ERROR':
      throw new ApiError(`${exchange.description} (in the stream)`, object.code ?? 500, object);
    default:
      throw garbled(exchange);
  }
}

function rawEventOf(line: string, exchange: Exchange): RawEvent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw garbled(exchange, cause);
  }
  if (!isRawEvent(parsed)) throw garbled(exchange);
  return parsed;
}

function isRawEvent(value: unknown): value is RawEvent {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('object' in value)) return false;
  const { type, object } = value;
  if (typeof type !== 'string' || typeof object !== 'object' || object === null) return false;
  if (type === 'ERROR') return true;
  return 'metadata' in object && typeof object.metadata === 'object' && object.metadata !== null;
}

function garbled(exchange: Exchange, cause?: unknown): TransportError {
  return new TransportError('GARBLED', `${exchange.description} held a line that is no watch event`, true, cause === undefined ? undefined : { cause });
}
