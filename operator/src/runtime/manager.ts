/** Puts the parts together: one store for each watched type, the leader gate, the controllers; and takes them apart in order. */
import type { Random } from '../kube/backoff.ts';
import { Client } from '../kube/client.ts';
import { sleep } from '../kube/clock.ts';
import type { Clock } from '../kube/clock.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Transport } from '../kube/transport.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AttachedController, Controller } from './controller.ts';
import { EventRecorder } from './events.ts';
import { expectationMs } from './expectations.ts';
import { checks, serveEndpoint } from './health.ts';
import { Leader } from './leader.ts';
import { Reflector } from './reflector.ts';
import { secretMaterial } from './secret-material.ts';
import { Store } from './store.ts';
import type { ReadStore, Watched } from './watched.ts';

export interface ManagerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly controllers: readonly Controller[];
  /** What can be alive only once: the pod's name. */
  readonly instance: string;
  readonly lease: ObjectKey;
  /** Only this namespace is watched; all of them when left out. */
  readonly namespace?: string;
  /** 0 takes a free port; left out, nothing is served. */
  readonly metricsPort?: number;
  readonly healthPort?: number;
}

/** Why a manager stopped. After `lostLeadership` the process must exit with an error: another one writes now. */
export type Stopped = 'asked' | 'lostLeadership';

/** The kubelet kills a pod 30 s after it asked it to stop. Without the leadership no run can do anything more. */
const drainMs = { asked: 20_000, lostLeadership: 2_000 } as const;
const eventDrainMs = 2_000;
/** Bookmarks come every minute; after two without any, a watch has failed to recover by itself. */
const staleMs = 150_000;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #leader: Leader;
  readonly #events: EventRecorder;
  readonly #reflectors: ReadonlyMap<string, Reflector>;
  readonly #controllers: readonly AttachedController[];
  readonly #servers = new AsyncDisposableStack();
  readonly #ports: { metrics?: number; health?: number } = {};

  constructor(options: ManagerOptions) {
    const { transport, clock, random, log, metrics, lease, instance } = options;
    this.#options = options;
    this.#leader = new Leader({
      client: new Client(transport, { fieldManager: 'anneal-leader', lane: 'lease' }),
      lease, instance, clock, log, metrics,
      onOutageOver: () => {
        transport.dropSilent();
        for (const reflector of this.#reflectors.values()) reflector.retryNow();
      },
    });
    this.#events = new EventRecorder({
      client: this.#clientFor('events'), clock, log, metrics, reportingController: 'anneal.dev/operator', reportingInstance: instance,
    });
    this.#reflectors = new Map(
      distinct(options.controllers.flatMap((controller) => controller.watches)).map((watched) => [
        nameOf(watched.type),
        new Reflector(new Store(watched), { client: this.#clientFor('reflector'), clock, random, log, metrics, namespace: options.namespace }),
      ]),
    );
    this.#controllers = options.controllers.map((controller) =>
      controller.attach({
        clock, random, log, metrics,
        events: this.#events,
        secretMaterial: secretMaterial(clock),
        clientFor: (name) => this.#clientFor(name),
        storeOf: (type) => this.#reflectors.get(nameOf(type))?.store,
        onStale: (type) => this.#reflectors.get(nameOf(type))?.suspect(expectationMs),
      }),
    );
  }

  /** The ports that are served, once `run` has started. */
  get ports(): { readonly metrics?: number; readonly health?: number } {
    return this.#ports;
  }

  get isLeader(): boolean {
    return this.#leader.mayWrite();
  }

  /** Instance of the process that leads, as far as this one knows. */
  get leaderInstance(): string | undefined {
    return this.isLeader ? this.#options.instance : this.#leader.holder;
  }

  /** The cache of a type that some controller watches. */
  store<T extends KubeObject, I extends string>(watched: Watched<T, I>): ReadStore<T, I> {
    const reflector = this.#reflectors.get(nameOf(watched.type));
    if (reflector === undefined) throw new RangeError(`No controller watches ${watched.type.plural}`);
    return reflector.store as unknown as ReadStore<T, I>;
  }

  get hasSynced(): boolean {
    return [...this.#reflectors.values()].every((reflector) => reflector.hasSynced);
  }

  /**
   * Runs until `signal` is aborted or the leadership is lost. Caches fill before leadership, so that a standby takes over
   * warm. Rejects when a port cannot be listened on.
   */
  async run(signal: AbortSignal): Promise<Stopped> {
    const asked = new Promise<'asked'>((resolve) => {
      if (signal.aborted) resolve('asked');
      else signal.addEventListener('abort', () => resolve('asked'), { once: true });
    });
    await this.#serve();
    for (const reflector of this.#reflectors.values()) reflector.start();
    this.#leader.start();
    const lost = this.#leader.lost.then(() => 'lostLeadership' as const);
    const synced = Promise.all([...this.#reflectors.values()].map((reflector) => reflector.synced));
    const ready = Promise.all([synced, this.#leader.elected]).then(() => 'ready' as const);
    const first = await Promise.race([asked, lost, ready]);
    if (first === 'ready') for (const controller of this.#controllers) controller.start();
    const stopped = first === 'ready' ? await Promise.race([asked, lost]) : first;
    await this.#stop(stopped);
    return stopped;
  }

  async #serve(): Promise<void> {
    const { metrics, metricsPort, healthPort } = this.#options;
    if (metricsPort !== undefined) {
      const render = async () => {
        for (const controller of this.#controllers) controller.measure();
        return { code: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
      };
      this.#ports.metrics = this.#servers.use(await serveEndpoint({ port: metricsPort, paths: { '/metrics': render } })).port;
    }
    if (healthPort !== undefined) {
      const paths = { '/healthz': checks({ watches: () => this.#isFresh() }), '/readyz': checks({ caches: () => this.hasSynced }) };
      this.#ports.health = this.#servers.use(await serveEndpoint({ port: healthPort, paths })).port;
    }
  }

  /** An API server that is away is no reason to restart; a watch that stays silent while another hears is. */
  #isFresh(): boolean {
    const silences = [...this.#reflectors.values()].filter((reflector) => reflector.store.installed).map((reflector) => reflector.silentMs);
    return silences.length === 0 || Math.min(...silences) > staleMs || Math.max(...silences) < 2 * staleMs;
  }

  async #stop(why: Stopped): Promise<void> {
    const { clock, log, transport } = this.#options;
    log.info('Stopping', { why });
    const deadline = new AbortController();
    const expired = sleep(clock, drainMs[why], deadline.signal).then(() => 'expired' as const);
    // After the loss of leadership the gate stops every write, so runs under way end at their next one.
    const drained = Promise.all(this.#controllers.map((controller) => controller.drain())).then(() => 'drained' as const);
    if ((await Promise.race([drained, expired])) === 'expired') log.warn('Reconciles still ran when the time to stop was up', { seconds: drainMs[why] / 1000 });
    deadline.abort();
    await this.#events.close(why === 'asked' ? eventDrainMs : 0);
    await this.#leader.release();
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
    await transport.close();
    await this.#servers.disposeAsync();
  }

  #clientFor(name: string): Client {
    return new Client(this.#options.transport, { fieldManager: `anneal-${name}`, maySend: () => this.#leader.mayWrite() });
  }
}

/** Each declaration once. Two of one type would be two caches that disagree. */
function distinct(all: readonly Watched[]): Watched[] {
  const byType = new Map<string, Watched>();
  for (const watched of all) {
    const held = byType.get(nameOf(watched.type));
    if (held !== undefined && held !== watched) throw new RangeError(`${watched.type.plural} is declared as watched twice: share one declaration`);
    byType.set(nameOf(watched.type), watched);
  }
  return [...byType.values()];
}

function nameOf(type: ResourceType): string {
  return `${type.plural}.${type.group}`;
}
