/** Everything that one run of a reconcile may use. It is made anew for each run. */
import type { ObjectKey } from '../kube/resource.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../kube/clock.ts';
import type { Action, Outcome } from './plan.ts';
import type { Stores, Watches } from './watched.ts';

/** `soon` puts off a change of progress alone, so that it is written at most four times a second; a changed condition never waits. */
export type Urgency = 'now' | 'soon';

export interface Scope<W extends Watches, Status extends object> {
  readonly stores: Stores<W>;
  readonly clock: Clock;
  readonly log: Log;
  readonly expectations: {
    /** False while the stores have not yet shown what an earlier run for this key wrote: return `waitForCache`. */
    met(key: ObjectKey): boolean;
  };
  /** In order, each behind the leader gate, up to the first that fails. */
  execute(actions: readonly Action[]): Promise<Outcome>;
  /** Applies `status` to the object of that key; no request is made when the cached one is equal. Throws an `ApiError`. */
  report(key: ObjectKey, status: Status, urgency?: Urgency): Promise<void>;
}
