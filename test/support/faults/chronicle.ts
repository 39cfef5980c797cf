/** What the API server tells a client of its own, past every fault: all objects of some types, and each change in its order. */
import { systemClock } from '../../../operator/src/kube/clock.ts';
import type { Client } from '../../../operator/src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../../operator/src/kube/resource.ts';
import { Reflector } from '../../../operator/src/runtime/reflector.ts';
import { Store } from '../../../operator/src/runtime/store.ts';
import { watched } from '../../../operator/src/runtime/watched.ts';
import { silentLog } from '../../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';

export interface Change {
  readonly type: ResourceType;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

type Listener = (change: Change) => void;

export class Chronicle implements AsyncDisposable {
  readonly #stores: ReadonlyMap<ResourceType, Store>;
  readonly #reflectors: readonly Reflector[];
  readonly #listeners = new Set<Listener>();

  static async follow(client: Client, types: readonly ResourceType[]): Promise<Chronicle> {
    const chronicle = new Chronicle(client, types);
    await Promise.all(chronicle.#reflectors.map((reflector) => reflector.synced));
    return chronicle;
  }

  private constructor(client: Client, types: readonly ResourceType[]) {
    this.#stores = new Map(types.map((type) => [type, new Store(watched(type, { project: (raw: KubeObject) => raw }))]));
    const metrics = createMetrics();
    this.#reflectors = [...this.#stores.values()].map((store) => new Reflector(store, { client, clock: systemClock, random: Math.random, log: silentLog, metrics }));
    for (const [type, store] of this.#stores) {
      store.subscribe(({ before, after }) => {
        for (const listener of [...this.#listeners]) listener({ type, before, after });
      });
    }
    for (const reflector of this.#reflectors) reflector.start();
  }

  /** Calls the listener for what exists, as if it had just appeared, and then for each change. */
  subscribe(listener: Listener): Disposable {
    for (const [type, store] of this.#stores) for (const after of [...store.all()]) listener({ type, before: undefined, after });
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** The objects of a type in a namespace; all where none is given. */
  objects<T extends KubeObject>(type: ResourceType, namespace?: string): T[] {
    const store = this.#stores.get(type);
    if (store === undefined) throw new RangeError(`${type.plural} are not followed.`);
    return [...store.all()].filter((object) => namespace === undefined || object.metadata.namespace === namespace) as T[];
  }

  /** Resolves with what `look` returns as soon as that is something; rejects, with what `hint` says, after the deadline. */
  async until<T>(what: string, look: () => T | undefined, options: { readonly seconds: number; readonly hint?: () => string }): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = (): void => {
      const found = look();
      if (found !== undefined) resolve(found);
    };
    const listener = (): void => {
      try {
        check();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const deadline = setTimeout(() => reject(new Error(`Waited ${options.seconds} s until ${what}, in vain. ${options.hint?.() ?? ''}`)), options.seconds * 1000);
    this.#listeners.add(listener);
    try {
      listener();
      return await promise;
    } finally {
      this.#listeners.delete(listener);
      clearTimeout(deadline);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }
}
