/**
 * Read-your-writes. A cache that has not yet shown our own create makes a plan create again, and one that still shows
 * what we deleted makes it delete again: so a key is held back until the stores have seen what its last run wrote.
 */
import type { Clock, Monotonic } from '../kube/clock.ts';
import { keyString } from '../kube/resource.ts';
import type { KubeObject, ObjectKey } from '../kube/resource.ts';
import type { Store } from './store.ts';

/** What a store must show: this version of the object or a later one; or that this UID is gone or going. */
export type Expected =
  | { readonly kind: 'version'; readonly store: Store; readonly key: ObjectKey; readonly resourceVersion: string }
  | { readonly kind: 'gone'; readonly store: Store; readonly key: ObjectKey; readonly uid: string };

interface Pending {
  readonly expected: Expected;
  readonly until: Monotonic;
}

export interface ExpectationsOptions {
  readonly clock: Clock;
  /** Told of what did not come in time: the watch may be dead, so look for another connection. */
  readonly onTimeout: (owner: string, expected: Expected) => void;
}

/** A watch delivers within milliseconds. What takes this long was lost, and the plan is safe without it: names are deterministic. */
export const expectationMs = 5_000;

export class Expectations {
  readonly #options: ExpectationsOptions;
  readonly #pending = new Map<string, Pending[]>();
  /** Which owners wait for an object, so that the object's arrival wakes them. */
  readonly #waiters = new Map<string, Set<string>>();

  constructor(options: ExpectationsOptions) {
    this.#options = options;
  }

  expect(owner: ObjectKey, expected: Expected): void {
    if (isSeen(expected)) return;
    const name = keyString(owner);
    const pending = this.#pending.get(name) ?? [];
    pending.push({ expected, until: this.#options.clock.monotonic() + expectationMs });
    this.#pending.set(name, pending);
    this.#addWaiter(name, expected);
  }

  /** True when the stores show everything that was written for this key, or the wait for it has timed out. */
  met(owner: ObjectKey): boolean {
    return this.waitMs(owner) === 0;
  }

  /** Milliseconds until `met` at the latest; 0 when it is met. */
  waitMs(owner: ObjectKey): number {
    const name = keyString(owner);
    const now = this.#options.clock.monotonic();
    const pending = this.#pending.get(name);
    if (pending === undefined) return 0;
    const open = pending.filter(({ expected, until }) => {
      const seen = isSeen(expected);
      if (!seen && until <= now) this.#options.onTimeout(name, expected);
      return !seen && until > now;
    });
    this.forget(owner);
    if (open.length > 0) this.#pending.set(name, open);
    for (const { expected } of open) this.#addWaiter(name, expected);
    return Math.max(0, ...open.map(({ until }) => until - now));
  }

  /** The keys for which a change of this object was the last thing they waited for. */
  wokenBy(store: Store, object: KubeObject): readonly string[] {
    if (this.#waiters.size === 0) return [];
    const waiters = this.#waiters.get(waitingFor({ store, key: { namespace: object.metadata.namespace ?? '', name: object.metadata.name } }));
    return waiters === undefined ? [] : [...waiters].filter((owner) => (this.#pending.get(owner) ?? []).every(({ expected }) => isSeen(expected)));
  }

  /** The object of that key is gone for good: nothing is written for it any more. */
  forget(owner: ObjectKey): void {
    const name = keyString(owner);
    for (const { expected } of this.#pending.get(name) ?? []) this.#forgetWaiter(name, expected);
    this.#pending.delete(name);
  }

  #addWaiter(owner: string, expected: Expected): void {
    const target = waitingFor(expected);
    this.#waiters.set(target, (this.#waiters.get(target) ?? new Set()).add(owner));
  }

  #forgetWaiter(owner: string, expected: Expected): void {
    const waiters = this.#waiters.get(waitingFor(expected));
    waiters?.delete(owner);
    if (waiters?.size === 0) this.#waiters.delete(waitingFor(expected));
  }
}

function isSeen(expected: Expected): boolean {
  if (expected.kind === 'version') return expected.store.hasSeen(expected.key, expected.resourceVersion);
  const held = expected.store.get(expected.key);
  return held?.metadata.uid !== expected.uid || held.metadata.deletionTimestamp !== undefined;
}

function waitingFor(target: { readonly store: Store; readonly key: ObjectKey }): string {
  return `${target.store.type.group}/${target.store.type.plural}/${keyString(target.key)}`;
}
