/**
 * Leader election on a Lease: at most one process writes at a time. Only the local monotonic clock decides, by when
 * something was sent or received here; the times in the Lease are for people. So no jump of a wall clock, and no
 * difference between two of them, can make two leaders.
 *
 * A leader may write until `renewDeadlineMs` after it sent its last good renewal; another may take over no sooner than
 * `leaseDurationMs` after it saw that renewal. The difference is the margin for writes on their way.
 *
 * A leader that could not renew in time stops writing, but is deposed only once it sees another holder: a renewal names the
 * version of the lease that it replaces, so it can only succeed when nobody held the lease meanwhile. An API server that
 * was away for minutes thus costs no restart.
 */
import { randomUUID } from 'node:crypto';
import type { Client } from '../kube/client.ts';
import { sleep } from '../kube/clock.ts';
import type { Clock, Monotonic } from '../kube/clock.ts';
import { TransportError, asError, isConflict, isNotFound } from '../kube/errors.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { microTime } from './events.ts';

export const leaseType: ResourceType = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', namespaced: true };

export const leaseTimes = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, requestMs: 2_000 } as const;

const contestedMs = 100;
/** The lease is also how the end of an outage is noticed, so an unreachable server is asked more often. */
const outageRetryMs = 500;
/** One late answer is no outage: it may be our own event loop that was busy. */
const outageTries = 2;

export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface LeaderOptions {
  /** On a connection of its own, without a write gate. */
  readonly client: Pick<Client, 'get' | 'create' | 'replace'>;
  readonly lease: ObjectKey;
  /**
   * What can be alive only once, such as a pod by its name: a lease that an earlier process of this instance left behind
   * is taken at once, so that a restarted container need not wait for its own ghost.
   */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The API server answers again after it could not be reached. */
  readonly onOutageOver: () => void;
}

/** What was last seen of the lease, and when it was first seen like that. */
interface Observation {
  readonly lease: Lease;
  readonly at: Monotonic;
}

export class Leader {
  /** Resolves when this process becomes the leader. */
  readonly elected: Promise<void>;
  /** Resolves when it was the leader and is no more. It never becomes it again: the process must end. */
  readonly lost: Promise<void>;

  readonly #options: LeaderOptions;
  readonly #identity: string;
  readonly #stop = new AbortController();
  #resolveElected: () => void = () => undefined;
  #resolveLost: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #observed: Observation | undefined;
  #mayWriteUntil: Monotonic = -Infinity;
  #state: 'candidate' | 'leader' | 'former' = 'candidate';
  /** Tries in a row that found no server. */
  #unreached = 0;
  #mustRead = false;
  #contested = false;
  #deposed = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#identity = `${options.instance}_${randomUUID()}`;
    this.elected = new Promise((resolve) => {
      this.#resolveElected = resolve;
    });
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
  }

  /** To be asked right before a write goes out: a process that was frozen meanwhile gets the answer of now. */
  mayWrite(): boolean {
    return this.#state === 'leader' && this.#options.clock.monotonic() < this.#mayWriteUntil;
  }

  /** Instance of the process that held the lease when it was last seen; undefined while nobody is known to. */
  get holder(): string | undefined {
    const identity = this.#observed?.lease.spec?.holderIdentity ?? '';
    return identity === '' ? undefined : identity.slice(0, identity.lastIndexOf('_'));
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends the campaign or the term. Call it after the last write: a successor starts at once. */
  async release(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (!this.mayWrite() || this.#observed === undefined) return;
    this.#state = 'former';
    this.#measure();
    try {
      await this.#put(this.#observed.lease, { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(this.#options.clock.now()) });
    } catch (thrown) {
      this.#options.log.warn('Lease not released', { error: asError(thrown).message });
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    this.#measure();
    while (!signal.aborted) {
      await this.#round();
      if (this.#deposed) {
        this.#lose();
        return;
      }
      await sleep(clock, this.#waitMs(), signal);
    }
  }

  async #round(): Promise<void> {
    try {
      if (this.#state === 'leader') await this.#renew();
      else await this.#tryToAcquire();
      if (this.#unreached >= outageTries) this.#options.onOutageOver();
      this.#unreached = 0;
      this.#contested = false;
    } catch (thrown) {
      this.#contested = isConflict(thrown);
      this.#unreached = thrown instanceof TransportError ? this.#unreached + 1 : 0;
      this.#mustRead = true;
      this.#options.metrics.slowPath.inc({ name: this.#options.lease.name });
      this.#options.log.warn(this.#state === 'leader' ? 'Lease not renewed' : 'Lease not acquired', { error: asError(thrown).message });
    }
  }

  /** A leader that was frozen or cut off finds out here whether another one took over. */
  async #renew(): Promise<void> {
    // After a failure the lease may be another's, or our own renewal may have arrived without its answer.
    if (this.#mustRead) this.#observe(await this.#read());
    const held = this.#observed?.lease;
    if (held?.spec?.holderIdentity === this.#identity) await this.#hold(held, {});
    else this.#deposed = true;
  }

  async #tryToAcquire(): Promise<void> {
    const lease = await this.#read();
    this.#observe(lease);
    if (lease === undefined) await this.#createHeld();
    else if (this.#isFree(lease)) await this.#hold(lease, { acquireTime: microTime(this.#options.clock.now()), leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 });
    else return;
    this.#state = 'leader';
    this.#measure();
    this.#options.log.info('Became the leader', { identity: this.#identity });
    this.#resolveElected();
  }

  #isFree(lease: Lease): boolean {
    const holder = lease.spec?.holderIdentity ?? '';
    return holder === '' || holder.startsWith(`${this.#options.instance}_`) || this.#expiresInMs() <= 0;
  }

  /** Until the lease that was last seen may be taken. The holder's own duration counts if it is longer than ours. */
  #expiresInMs(): number {
    if (this.#observed === undefined) return 0;
    const durationMs = Math.max(leaseTimes.leaseDurationMs, (this.#observed.lease.spec?.leaseDurationSeconds ?? 0) * 1000);
    return this.#observed.at + durationMs - this.#options.clock.monotonic();
  }

  #waitMs(): number {
    // Someone else wrote the lease: whether it is still ours must be known now.
    if (this.#contested) return contestedMs;
    if (this.#unreached > 0) return outageRetryMs;
    if (this.#state === 'leader') return leaseTimes.retryMs;
    return this.#observed === undefined ? leaseTimes.retryMs : Math.min(leaseTimes.retryMs, Math.max(50, this.#expiresInMs()));
  }

  async #read(): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get<Lease>(leaseType, this.#options.lease, { timeoutMs: leaseTimes.requestMs, retries: 0 });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return undefined;
    }
  }

  #observe(lease: Lease | undefined): void {
    this.#mustRead = false;
    if (lease === undefined) this.#observed = undefined;
    else if (lease.metadata.resourceVersion !== this.#observed?.lease.metadata.resourceVersion) this.#observed = { lease, at: this.#options.clock.monotonic() };
  }

  async #createHeld(): Promise<void> {
    const { client, clock, lease } = this.#options;
    const sentAt = clock.monotonic();
    const now = microTime(clock.now());
    const created = await client.create<Lease>(
      leaseType,
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: lease.name, namespace: lease.namespace },
        spec: { holderIdentity: this.#identity, leaseDurationSeconds: leaseTimes.leaseDurationMs / 1000, acquireTime: now, renewTime: now, leaseTransitions: 0 },
      } as Lease,
      { timeoutMs: leaseTimes.requestMs, retries: 0 },
    );
    this.#held(created, sentAt);
  }

  async #hold(lease: Lease, changes: Lease['spec'] & object): Promise<void> {
    const { clock } = this.#options;
    const sentAt = clock.monotonic();
    const spec = { holderIdentity: this.#identity, leaseDurationSeconds: leaseTimes.leaseDurationMs / 1000, renewTime: microTime(clock.now()), ...changes };
    this.#held(await this.#put(lease, spec), sentAt);
  }

  /** The term counts from when the renewal was sent: others can have seen it no earlier. */
  #held(lease: Lease, sentAt: Monotonic): void {
    this.#observe(lease);
    this.#mayWriteUntil = sentAt + leaseTimes.renewDeadlineMs;
  }

  /** Fails with `Conflict` when anybody wrote the lease since it was read. */
  #put(lease: Lease, spec: Lease['spec'] & object): Promise<Lease> {
    return this.#options.client.replace<Lease>(leaseType, { ...lease, spec: { ...lease.spec, ...spec } } as Lease, { timeoutMs: leaseTimes.requestMs, retries: 0 });
  }

  #lose(): void {
    this.#mayWriteUntil = -Infinity;
    this.#state = 'former';
    this.#measure();
    this.#options.log.error('Lost the leadership', { identity: this.#identity });
    this.#resolveLost();
  }

  #measure(): void {
    this.#options.metrics.leader.set({ name: this.#options.lease.name }, this.#state === 'leader' ? 1 : 0);
  }
}
