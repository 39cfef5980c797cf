/**
 * What a controller's pure `plan` returns: what to do next, in order, as data. It can be printed, compared, shrunk by a
 * property test and replayed; only `execute` does it.
 */
import type { KubeObject, ResourceType } from '../kube/resource.ts';
import type { Instant } from '../kube/clock.ts';

/** An object that exists and was just seen: a delete names its UID, so that it can never hit a successor of that name. */
export interface Seen {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export type Action =
  /** Creates a child whose name is a pure function of its owner: a repeat is a 409 and counts as done if the controlling owner matches. */
  | { readonly kind: 'Create'; readonly type: ResourceType; readonly object: KubeObject }
  /**
   * Creates a Secret and makes its content on the way, so that no plan and no log ever holds it. There already counts as done: we may not
   * read Secrets, and whoever may write a Secret of that name in the namespace may have any other.
   */
  | { readonly kind: 'CreateSecret'; readonly type: ResourceType; readonly object: SecretObject; readonly generate: SecretRecipe }
  /** Server-side apply of the fields that we own; skipped when the cached object already carries the same hash. */
  | { readonly kind: 'Apply'; readonly type: ResourceType; readonly object: KubeObject }
  /** A JSON merge patch of an object that others write too, tied to the version that was seen: changed or gone meanwhile, it is planned anew. */
  | { readonly kind: 'Patch'; readonly target: Seen; readonly resourceVersion: string; readonly subresource?: 'status'; readonly patch: object }
  /** Gone already, or replaced by another of that name, counts as done. */
  | { readonly kind: 'Delete'; readonly target: Seen; readonly gracePeriodSeconds?: number; readonly propagation?: Propagation }
  /** Asks through the eviction API, which honours disruption budgets; a refusal fails the plan and is retried. */
  | { readonly kind: 'Evict'; readonly target: Seen; readonly gracePeriodSeconds?: number }
  | { readonly kind: 'AddFinalizer'; readonly target: Seen; readonly finalizer: string }
  | { readonly kind: 'RemoveFinalizer'; readonly target: Seen; readonly finalizer: string }
  /** Best effort: an event that cannot be sent never fails a plan. */
  | { readonly kind: 'Emit'; readonly about: Seen; readonly event: EventNote };

export type SecretRecipe =
  /** `ssh-privatekey` and `ssh-publickey`. */
  | { readonly kind: 'SshKeyPair' }
  /** `tls.crt` and `tls.key`: one self-signed certificate that all of a job's pods show and trust. */
  | { readonly kind: 'PeerTls'; readonly dnsNames: readonly string[] };

export interface SecretObject extends KubeObject {
  /** What is known beforehand; the generated fields come beside it. */
  readonly stringData?: Readonly<Record<string, string>>;
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** One events.k8s.io/v1 event. `reason` and `action` are CamelCase; `note` is a sentence for a person. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** When the key must be looked at again without a new observation; the earliest wins. */
export type Next = { readonly kind: 'done' } | { readonly kind: 'at'; readonly time: Instant } | { readonly kind: 'waitForCache' };

export const done: Next = { kind: 'done' };

/** The cache has not yet shown what we wrote; the key comes back by itself as soon as it has. */
export const waitForCache: Next = { kind: 'waitForCache' };

export function at(time: Instant): Next {
  return { kind: 'at', time };
}

export interface Plan {
  readonly actions: readonly Action[];
  readonly next: Next;
}

/** What became of a plan's actions. A failed one is retried with backoff, whatever the plan's `next` says. */
export type Outcome =
  | { readonly kind: 'done'; readonly writes: number }
  | { readonly kind: 'failed'; readonly action: Action; readonly error: Error };
