/** Reports a status: one apply, none when nothing changed, and at most four a second for progress. */
import type { Client } from '../kube/client.ts';
import type { Clock, Monotonic } from '../kube/clock.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { apiVersionOf, keyString } from '../kube/resource.ts';
import type { KubeObject, ObjectKey } from '../kube/resource.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Expectations } from './expectations.ts';
import { sameJson, withoutEmptyMaps } from './json.ts';
import type { Urgency } from './scope.ts';
import type { Store } from './store.ts';

export interface StatusWriterOptions {
  readonly controller: string;
  readonly client: Client;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly expectations: Expectations;
}

/** Between two writes that tell only of progress. */
const progressIntervalMs = 250;
const conflictWaitMs = 1_000;

/** What became of a report; a deferred one is due again after `waitMs`, when the key must be reconciled again. */
export type Reported = { readonly kind: 'written' } | { readonly kind: 'unchanged' } | { readonly kind: 'deferred'; readonly waitMs: number };

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #lastWrite = new Map<string, Monotonic>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** `timeoutMs` bounds the write. Throws an `ApiError` or a `TransportError`. */
  async report(key: ObjectKey, status: object, urgency: Urgency, timeoutMs: number): Promise<Reported> {
    const reported = await this.#report(key, withoutEmptyMaps(status), urgency, timeoutMs);
    this.#options.metrics.statusWrites.inc({ controller: this.#options.controller, result: reported.kind });
    return reported;
  }

  async #report(key: ObjectKey, status: object, urgency: Urgency, timeoutMs: number): Promise<Reported> {
    const { store, client, clock, expectations } = this.#options;
    const cached = store.get(key);
    const before = cached === undefined ? undefined : statusOf(cached);
    if (cached === undefined || sameJson(before, status)) return { kind: 'unchanged' };

    const name = keyString(key);
    const waitMs = (this.#lastWrite.get(name) ?? -Infinity) + progressIntervalMs - clock.monotonic();
    if (urgency === 'soon' && waitMs > 0 && sameConditions(before, status)) return { kind: 'deferred', waitMs };

    this.#lastWrite.set(name, clock.monotonic());
    // The version ties the status to the look that it was concluded from: a cache that lags behind must not undo what was reported since.
    const { uid, namespace, resourceVersion: seen } = cached.metadata;
    const metadata = { name: key.name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(seen === undefined ? {} : { resourceVersion: seen }) };
    try {
      const body = { apiVersion: apiVersionOf(store.type), kind: store.type.kind, metadata, status };
      const written = await client.applyStatus<KubeObject>(store.type, body, { timeoutMs });
      const { resourceVersion } = written.metadata;
      if (resourceVersion !== undefined) expectations.expect(key, { kind: 'version', store, key, resourceVersion });
      return { kind: 'written' };
    } catch (error) {
      // Changed since that look: the change wakes the key when it comes; the wait is for a watch that lost it.
      if (isConflict(error)) return { kind: 'deferred', waitMs: conflictWaitMs };
      // Deleted meanwhile: there is nobody left to tell.
      if (!isNotFound(error)) throw error;
      return { kind: 'unchanged' };
    }
  }

  /** The object of that key is gone. */
  forget(key: ObjectKey): void {
    this.#lastWrite.delete(keyString(key));
  }
}

function statusOf(object: KubeObject): object | undefined {
  return 'status' in object && typeof object.status === 'object' && object.status !== null ? object.status : undefined;
}

/** A condition that says something else is news; another message with the same status and reason is progress. */
function sameConditions(before: object | undefined, after: object): boolean {
  return sameJson(verdicts(before), verdicts(after));
}

function verdicts(status: object | undefined): unknown {
  if (status === undefined || !('conditions' in status) || !Array.isArray(status.conditions)) return undefined;
  return (status.conditions as readonly { readonly type?: unknown; readonly status?: unknown; readonly reason?: unknown }[]).map((condition) => [
    condition.type, condition.status, condition.reason,
  ]);
}
