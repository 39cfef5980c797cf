/** Keeps one store equal to what the API server holds: lists, then follows the watch, through every kind of interruption. */
import { fullJitter } from '../kube/backoff.ts';
import type { Random } from '../kube/backoff.ts';
import type { Client } from '../kube/client.ts';
import { sleep } from '../kube/clock.ts';
import type { Clock, Monotonic } from '../kube/clock.ts';
import { ApiError, TransportError, asError, isGone, isInvalid, isNotFound, isTransportError } from '../kube/errors.ts';
import { compareResourceVersions, keyOf, keyString } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { watch } from '../kube/watch.ts';
import type { WatchEvent } from '../kube/watch.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Store } from './store.ts';

export interface ReflectorOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Only this namespace; all of them when left out. */
  readonly namespace?: string | undefined;
  /** Objects in one page of a list. */
  readonly pageSize?: number;
}

const backoffs = {
  /** As client-go's reflector, for a server that answers but refuses. */
  refused: { baseMs: 800, capMs: 30_000 },
  /** For a server that is away: it must be found again within five seconds of its return. */
  away: { baseMs: 400, capMs: 3_000 },
};
const absentRecheckMs = 60_000;
/**
 * A list older than the store comes from an API server that lags behind: taken for true, it would tell of pods that are gone. Lists that
 * stay older for this long come from a restored backup.
 */
const staleListsRefusedMs = 60_000;

export class Reflector<T extends KubeObject = KubeObject, I extends string = string> {
  readonly store: Store<T, I>;
  /** Resolves when the store first equals the server's state, or its optional type is known to be absent. */
  readonly synced: Promise<void>;

  readonly #options: ReflectorOptions;
  readonly #resource: string;
  readonly #stop = new AbortController();
  #resolveSynced: () => void = () => undefined;
  #reconnect = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #hasSynced = false;
  #streamsLists = true;
  #mustList = true;
  /** In a row, each kind by itself: how long the server was away says nothing about how soon to ask again once it refuses. */
  #failures = { refused: 0, away: 0 };
  #staleSince: Monotonic | undefined;
  #lastHeard: Monotonic;
  #isOpen = false;
  #connectedAt: Monotonic;

  constructor(store: Store<T, I>, options: ReflectorOptions) {
    this.store = store;
    this.#options = options;
    this.#resource = store.type.group === '' ? store.type.plural : `${store.type.plural}.${store.type.group}`;
    this.#lastHeard = options.clock.monotonic();
    this.#connectedAt = options.clock.monotonic();
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Milliseconds since the server last said anything about this type. More than 90,000 means that the store may be stale. */
  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#lastHeard;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Asks for a new connection, from the last version seen. */
  reconnect(): void {
    this.#reconnect.abort();
  }

  /** What was written did not come back for `ms`: a connection that has been there for all that time may be dead. */
  suspect(ms: number): void {
    if (this.#options.clock.monotonic() - this.#connectedAt >= ms) this.reconnect();
  }

  /** Cuts a wait between two tries short: called when the server is known to answer again. */
  retryNow(): void {
    this.#wake.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped()) {
      let waitMs = 0;
      try {
        const events = await this.#follow();
        this.#count('ended');
        // A server that closes every watch at once must not be asked in a tight loop.
        if (events === 0) waitMs = this.#backoffMs('away');
      } catch (thrown) {
        if (!this.#isStopped()) waitMs = this.#recoverFrom(asError(thrown));
      }
      this.#wake = new AbortController();
      await sleep(this.#options.clock, waitMs, AbortSignal.any([this.#stop.signal, this.#wake.signal]));
    }
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** One connection: what exists first, if that is not known, then what changes, until the stream ends. Returns how many events it sent. */
  async #follow(): Promise<number> {
    this.#reconnect = new AbortController();
    this.#connectedAt = this.#options.clock.monotonic();
    this.#isOpen = false;
    let events = 0;
    if (this.#mustList && !this.#streamsLists) await this.#list();
    const initial = this.#mustList ? new Map<string, T>() : undefined;
    let pending = initial;
    for await (const event of this.#watch(initial !== undefined)) {
      this.#lastHeard = this.#options.clock.monotonic();
      this.#failures = { refused: 0, away: 0 };
      events += 1;
      this.#options.metrics.watchEvents.inc({ resource: this.#resource, type: event.type });
      if (pending !== undefined) pending = this.#gather(pending, event);
      else this.#apply(event);
    }
    if (pending !== undefined) throw new TransportError('CONNECTION_FAILED', `The watch of ${this.#resource} ended before all that exists was sent`, true);
    return events;
  }

  #watch(initialEvents: boolean): AsyncIterable<WatchEvent> {
    const { client, clock, random, namespace } = this.#options;
    const { type, watched, resourceVersion } = this.store;
    return watch(client.transport, type, {
      namespace,
      labels: watched.selector.labels,
      fields: watched.selector.fields,
      ...(initialEvents ? { initialEvents } : { resourceVersion: resourceVersion ?? '0' }),
      onOpen: () => {
        this.#isOpen = true;
        this.#lastHeard = clock.monotonic();
      },
      signal: AbortSignal.any([this.#stop.signal, this.#reconnect.signal]),
      clock,
      random,
    });
  }

  async #list(): Promise<void> {
    const { client, namespace, pageSize } = this.#options;
    const { watched, type } = this.store;
    const options = { namespace, ...watched.selector, ...(pageSize === undefined ? {} : { pageSize }), signal: this.#stop.signal, retries: 0 };
    const list = await client.list(type, (raw) => watched.project(raw), options);
    this.#lastHeard = this.#options.clock.monotonic();
    this.#replace(list.items, list.resourceVersion);
  }

  #gather(objects: Map<string, T>, event: WatchEvent): Map<string, T> | undefined {
    if (event.type !== 'BOOKMARK') {
      const object = this.store.watched.project(event.object);
      if (event.type === 'DELETED') objects.delete(keyString(keyOf(object)));
      else objects.set(keyString(keyOf(object)), object);
      return objects;
    }
    if (!event.initialEventsEnd) return objects;
    this.#replace(objects.values(), event.resourceVersion);
    return undefined;
  }

  #apply(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') this.store.advance(event.resourceVersion);
    else if (event.type === 'DELETED') this.store.remove(keyOf(event.object), event.object.metadata.resourceVersion);
    else this.store.put(this.store.watched.project(event.object));
    this.#measure();
  }

  #replace(objects: Iterable<T>, resourceVersion: string): void {
    const held = this.store.resourceVersion;
    if (held !== undefined && compareResourceVersions(resourceVersion, held) < 0 && this.#refusesStale()) {
      throw new TransportError('GARBLED', `The list of ${this.#resource} was older (${resourceVersion}) than what was seen before (${held})`, true);
    }
    this.#staleSince = undefined;
    this.#options.metrics.relists.inc({ resource: this.#resource });
    this.store.replace(objects, resourceVersion);
    this.store.setInstalled(true);
    this.#mustList = false;
    this.#failures = { refused: 0, away: 0 };
    this.#measure();
    this.#nowSynced();
  }

  #refusesStale(): boolean {
    const now = this.#options.clock.monotonic();
    this.#staleSince ??= now;
    return now - this.#staleSince < staleListsRefusedMs;
  }

  /** What the failure says about the store, and how long to wait. */
  #recoverFrom(error: Error): number {
    if (this.#reconnect.signal.aborted) return this.#count('reconnect');
    if (this.#streamsLists && this.#mustList && (isInvalid(error) || (error instanceof ApiError && error.code === 400))) {
      // Older than Kubernetes 1.32, or the feature is off: list in pages from now on.
      this.#streamsLists = false;
      return this.#count('unsupported');
    }
    if (isNotFound(error) && this.store.watched.optional) return this.#absent();
    // Quiet or dead, nobody can tell: if it is dead, the next one does not open.
    if (this.#isOpen && !this.#mustList && isTransportError(error, 'TIMED_OUT')) return this.#count('silent');
    if (isGone(error) || isTransportError(error, 'GARBLED')) {
      // An update was missed, or may have been: only a new list can tell.
      this.#mustList = true;
      const waitMs = this.#backoffMs('refused');
      // The watch of a quiet type expires every few minutes, when etcd is compacted: no news for a person.
      if (isGone(error)) this.#count('relist');
      else this.#warn('relist', error);
      return waitMs;
    }
    const cause = error instanceof TransportError || isNotFound(error) || (error instanceof ApiError && error.code >= 500) ? 'away' : 'refused';
    const waitMs = this.#backoffMs(cause);
    this.#warn(cause, error);
    const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
    return asked ?? waitMs;
  }

  #backoffMs(cause: keyof typeof backoffs): number {
    return fullJitter(backoffs[cause], this.#failures[cause]++, this.#options.random);
  }

  #absent(): number {
    this.store.setInstalled(false);
    this.store.replace([], this.store.resourceVersion ?? '0');
    this.#mustList = true;
    this.#measure();
    this.#nowSynced();
    this.#count('absent');
    return absentRecheckMs;
  }

  #nowSynced(): void {
    this.#hasSynced = true;
    this.#resolveSynced();
  }

  #warn(cause: string, error: Error): void {
    this.#options.log.warn('Watch failed', { resource: this.#resource, cause, failures: this.#failures.refused + this.#failures.away, error: error.message });
    this.#count(cause);
  }

  #count(cause: string): 0 {
    this.#options.metrics.watchRestarts.inc({ resource: this.#resource, cause });
    return 0;
  }

  #measure(): void {
    this.#options.metrics.storeObjects.set({ resource: this.#resource }, this.store.size);
  }
}
