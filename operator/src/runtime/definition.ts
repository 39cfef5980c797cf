/** How a controller is declared: its kind, what it watches, which keys a change concerns, and its reconcile. */
import { apiVersionOf, controllerOf, keyOf } from '../kube/resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Next } from './plan.ts';
import type { Scope } from './scope.ts';
import type { ObjectOf, Stores, Watches } from './watched.ts';

/** A change of one object in a store: `before` is absent for a new one, `after` for one that went away. */
export interface Change<T extends KubeObject = KubeObject> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** The keys of the controller's own kind that one changed object concerns. Called for `before` and for `after`. */
export type Trigger<T extends KubeObject, W extends Watches> = (object: T, stores: Stores<W>) => Iterable<ObjectKey>;

export interface ControllerDefinition<W extends Watches, Primary extends keyof W & string, Status extends object> {
  /** Lower case; the label of its metrics and the start of its field managers. */
  readonly name: string;
  readonly watches: W;
  /** Which of the watches is the controller's own kind: each of its objects is a key. */
  readonly primary: Primary;
  /** A watch without a trigger is read but never wakes a key; one of the primary wakes others of its kind. */
  readonly triggers?: { readonly [K in keyof W]?: Trigger<ObjectOf<W[K]>, W> };
  /** How many keys may be in flight; one key never runs twice at once. 32 unless told. */
  readonly workers?: number;
  reconcile(key: ObjectKey, scope: Scope<W, Status>): Promise<Next>;
}

/** The trigger for children: the key of the controlling owner, when that is of this type. */
export function controllingOwner(type: ResourceType): (object: KubeObject) => Iterable<ObjectKey> {
  const apiVersion = apiVersionOf(type);
  return (object) => {
    const owner = controllerOf(object);
    if (owner?.kind !== type.kind || owner.apiVersion !== apiVersion) return [];
    return [{ namespace: type.namespaced ? keyOf(object).namespace : '', name: owner.name }];
  };
}

/**
 * A failure that another try cannot mend until the object itself changes: counted and logged, not retried.
 */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
