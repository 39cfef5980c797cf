/** Runs one controller: changes become keys, keys become runs of its reconcile. */
import type { Client } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Random } from '../kube/backoff.ts';
import { ApiError, asError, isAway, isNamespaceTerminating } from '../kube/errors.ts';
import { keyOf, keyString, parseKey } from '../kube/resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { TerminalError } from './definition.ts';
import type { Change, ControllerDefinition, Trigger } from './definition.ts';
import type { EventRecorder } from './events.ts';
import { execute } from './execute.ts';
import { Expectations } from './expectations.ts';
import type { Next } from './plan.ts';
import type { Scope } from './scope.ts';
import type { MakeSecretMaterial } from './secret-material.ts';
import { StatusWriter } from './status-writer.ts';
import type { Store } from './store.ts';
import type { Stores, Watched, Watches } from './watched.ts';
import { WorkQueue } from './workqueue.ts';

/** What the manager gives to every controller. */
export interface ControllerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: EventRecorder;
  readonly secretMaterial: MakeSecretMaterial;
  /** A client whose writes are the controller's, behind the leader gate. */
  readonly clientFor: (controller: string) => Client;
  readonly storeOf: (type: ResourceType) => Store | undefined;
  /** The watch of this type seems dead: what we wrote does not come back. */
  readonly onStale: (type: ResourceType) => void;
}

/** A controller with its types closed over, as the manager holds it. */
export interface Controller {
  readonly name: string;
  readonly watches: readonly Watched[];
  /** Fills the queue from the stores, before and without leadership. */
  attach(context: ControllerContext): AttachedController;
  /** Something outside of the cluster's objects concerns this key; nothing happens before `attach`. */
  wake(key: ObjectKey): void;
}

export interface AttachedController {
  /** Starts the workers; call once the stores are synced and this process is the leader. */
  start(): void;
  /** Hands out no more keys, and resolves when the runs under way have ended. */
  drain(): Promise<void>;
  /** Brings the queue's gauges up to date. */
  measure(): void;
}

const defaultWorkers = 32;
/** For one write: short, so that a dead connection is dropped soon; longer after each failure, since an admission webhook may take ten seconds. */
const patience = { firstMs: 4_000, mostMs: 16_000 };
const overdueMs = 1_000;
/** After the API server was away, every key is tried again within this time of its return. */
const awayRetryMs = 3_000;

export function defineController<W extends Watches, Primary extends keyof W & string, Status extends object>(
  definition: ControllerDefinition<W, Primary, Status>,
): Controller {
  let attached: RunningController<W, Primary, Status> | undefined;
  return {
    name: definition.name,
    watches: Object.values(definition.watches),
    attach: (context) => (attached = new RunningController(definition, context)),
    wake: (key) => attached?.wake(key),
  };
}

/** The triggers with the types of their objects forgotten: each is only ever called with objects of its own watch. */
type Triggers<W extends Watches> = Readonly<Record<string, Trigger<KubeObject, W> | undefined>>;

class RunningController<W extends Watches, Primary extends keyof W & string, Status extends object> implements AttachedController {
  readonly #definition: ControllerDefinition<W, Primary, Status>;
  readonly #context: ControllerContext;
  readonly #log: Log;
  readonly #client: Client;
  readonly #stores: Stores<W>;
  readonly #triggers: Triggers<W>;
  readonly #primary: Store;
  readonly #queue: WorkQueue;
  readonly #expectations: Expectations;
  readonly #statusWriter: StatusWriter;
  readonly #subscriptions = new DisposableStack();
  #workers: readonly Promise<void>[] = [];

  constructor(definition: ControllerDefinition<W, Primary, Status>, context: ControllerContext) {
    const { clock, random, metrics } = context;
    this.#definition = definition;
    this.#context = context;
    this.#log = context.log.with({ controller: definition.name });
    this.#client = context.clientFor(definition.name);
    this.#queue = new WorkQueue({ name: definition.name, clock, random, metrics });
    this.#expectations = new Expectations({
      clock,
      onTimeout: (key, expected) => {
        metrics.expectationTimeouts.inc({ controller: definition.name });
        this.#log.warn('Write not seen in the cache in time', { key, resource: expected.store.type.plural, object: keyString(expected.key) });
        context.onStale(expected.store.type);
      },
    });
    const stores = new Map(Object.entries<Watched>(definition.watches).map(([name, { type }]) => [name, required(context.storeOf(type), type.plural)]));
    // The stores were made from these very declarations, so each has the types that its name stands for.
    this.#stores = Object.fromEntries(stores) as unknown as Stores<W>;
    this.#triggers = { ...(definition.triggers as Triggers<W> | undefined) };
    this.#primary = required(stores.get(definition.primary), definition.primary);
    this.#statusWriter = new StatusWriter({ controller: definition.name, client: this.#client, clock, metrics, store: this.#primary, expectations: this.#expectations });
    for (const [name, store] of stores) this.#subscribe(name, store);
  }

  start(): void {
    const { workers = defaultWorkers, name } = this.#definition;
    this.#context.metrics.maxConcurrent.set({ controller: name }, workers);
    this.#workers = Array.from({ length: workers }, () => this.#work());
  }

  async drain(): Promise<void> {
    this.#subscriptions.dispose();
    this.#queue.close();
    await Promise.all(this.#workers);
  }

  measure(): void {
    this.#queue.measure();
  }

  wake(key: ObjectKey): void {
    this.#queue.add(keyString(key), 'change');
  }

  #subscribe(name: string, store: Store): void {
    this.#subscriptions.use(
      store.subscribe((change) => {
        if (store === this.#primary) this.#primaryChanged(change);
        this.#watchedChanged(name, change);
        this.#wakeWaiters(store, change);
      }),
    );
    if (store.watched.optional) this.#subscriptions.use(store.onInstalled(() => this.#resync()));
    // The store may be shared, and full by now.
    if (store === this.#primary) this.#resync();
  }

  #primaryChanged({ before, after }: Change): void {
    const object = after ?? before;
    if (object === undefined) return;
    if (after === undefined) {
      this.#expectations.forget(keyOf(object));
      this.#statusWriter.forget(keyOf(object));
    }
    this.#queue.add(keyString(keyOf(object)), this.#isEdit(before, after) ? 'edit' : 'change');
  }

  /** A generation moves with the spec, not with the status that we write ourselves. */
  #isEdit(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
    if (before === undefined || after === undefined) return this.#workers.length > 0;
    return before.metadata.generation !== after.metadata.generation || before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp;
  }

  #watchedChanged(name: string, { before, after }: Change): void {
    const trigger = this.#triggers[name];
    if (trigger === undefined) return;
    try {
      for (const object of [before, after]) {
        if (object === undefined) continue;
        for (const key of trigger(object, this.#stores)) this.#queue.add(keyString(key), 'change');
      }
    } catch (thrown) {
      // A bug in one trigger must neither keep the change from other controllers nor lose it: every key is looked at.
      this.#context.metrics.reconcilePanics.inc({ controller: this.#definition.name });
      this.#log.error('Trigger failed', { watch: name, error: asError(thrown) });
      this.#resync();
    }
  }

  #wakeWaiters(store: Store, { before, after }: Change): void {
    const object = after ?? before;
    if (object === undefined) return;
    for (const owner of this.#expectations.wokenBy(store, object)) this.#queue.add(owner, 'change');
  }

  #resync(): void {
    for (const object of this.#primary.all()) this.#queue.add(keyString(keyOf(object)), 'resync');
  }

  async #work(): Promise<void> {
    const { activeWorkers } = this.#context.metrics;
    const labels = { controller: this.#definition.name };
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      activeWorkers.inc(labels);
      try {
        await this.#reconcile(key);
      } finally {
        activeWorkers.dec(labels);
        this.#queue.done(key);
      }
    }
  }

  async #reconcile(name: string): Promise<void> {
    const { clock, metrics } = this.#context;
    const key = parseKey(name);
    const start = clock.monotonic();
    const run = this.#newRun(key);
    let result: string;
    try {
      const next = await this.#definition.reconcile(key, run.scope);
      if (run.failure !== undefined) throw run.failure;
      result = this.#schedule(name, next);
    } catch (thrown) {
      result = this.#failed(name, asError(thrown));
    }
    metrics.reconciles.inc({ controller: this.#definition.name, result });
    metrics.reconcileSeconds.observe({ controller: this.#definition.name }, (clock.monotonic() - start) / 1000);
  }

  /** A scope for one run, which remembers an action that failed. */
  #newRun(key: ObjectKey): { readonly scope: Scope<W, Status>; readonly failure: Error | undefined } {
    const { clock, events, metrics, secretMaterial, storeOf } = this.#context;
    const log = this.#log.with({ key: keyString(key) });
    const timeoutMs = Math.min(patience.mostMs, patience.firstMs * 2 ** this.#queue.failuresOf(keyString(key)));
    let failure: Error | undefined;
    const scope: Scope<W, Status> = {
      stores: this.#stores,
      clock,
      log,
      expectations: this.#expectations,
      execute: async (actions) => {
        const outcome = await execute(actions, {
          controller: this.#definition.name, owner: key, client: this.#client, timeoutMs, storeOf, expectations: this.#expectations, secretMaterial, events, metrics, log,
        });
        if (outcome.kind === 'failed') failure ??= outcome.error;
        return outcome;
      },
      report: async (about, status, urgency = 'now') => {
        const reported = await this.#statusWriter.report(about, status, urgency, timeoutMs);
        if (reported.kind === 'deferred') this.#queue.addAfter(keyString(about), reported.waitMs);
      },
    };
    return {
      scope,
      get failure() {
        return failure;
      },
    };
  }

  #schedule(name: string, next: Next): string {
    this.#queue.forget(name);
    switch (next.kind) {
      case 'done':
        return 'success';
      case 'at':
        // A plan that names a time in the past must not run in a tight loop.
        if (next.time > this.#context.clock.now()) this.#queue.addAt(name, next.time);
        else this.#queue.addAfter(name, overdueMs);
        return 'requeue_after';
      case 'waitForCache':
        // The change that is waited for wakes the key; this is for one that never comes.
        this.#queue.addAfter(name, this.#expectations.waitMs(parseKey(name)));
        return 'requeue';
    }
  }

  #failed(name: string, error: Error): string {
    const labels = { controller: this.#definition.name };
    const { metrics } = this.#context;
    if (error instanceof TerminalError) {
      metrics.terminalErrors.inc(labels);
      this.#queue.forget(name);
      this.#log.error('Reconcile failed for good', { key: name, error });
      return 'terminal_error';
    }
    if (isNamespaceTerminating(error)) {
      // Nothing can be made in it any more, and the object goes with it: its deletion is the news to wait for.
      this.#queue.forget(name);
      return 'namespace_terminating';
    }
    metrics.reconcileErrors.inc(labels);
    if (isBug(error)) metrics.reconcilePanics.inc(labels);
    const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
    const delayMs = this.#queue.addRateLimited(name, {
      ...(asked === undefined ? {} : { atLeastMs: asked }),
      ...(isAway(error) ? { atMostMs: awayRetryMs } : {}),
    });
    this.#log.warn('Reconcile failed', { key: name, retryInMs: Math.round(delayMs), failures: this.#queue.failuresOf(name), error: isBug(error) ? error : error.message });
    return 'error';
  }
}

/** What the language throws at a mistake of ours, where another language would panic. */
function isBug(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

function required(store: Store | undefined, name: string): Store {
  if (store === undefined) throw new RangeError(`There is no store of ${name}: declare it in the controller's watches`);
  return store;
}
