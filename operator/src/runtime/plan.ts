/**
 * What a controller's pure `plan` returns: what to do next, in order, as data. It can be printed, compared, shrunk by a
 * property test and replayed; only `execute` does it.
 */
import type { KubeObject, ResourceType } from '../kube/resource.ts';

/** An object that exists and was just seen: a delete names its UID, so that it can never hit a successor of that name. */
export interface Seen {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export type Action =
  /** Creates a child whose name is a pure function of its owner: a repeat is a 409 and counts as done if the owner matches. */
  | { readonly kind: 'Create'; readonly type: ResourceType; readonly object: KubeObject }
  /** Server-side apply of the fields that we own; skipped when the cached object already carries the same hash. */
  | { readonly kind: 'Apply'; readonly type: ResourceType; readonly object: KubeObject }
  | { readonly kind: 'Delete'; readonly target: Seen; readonly gracePeriodSeconds?: number; readonly propagation?: 'Background' | 'Foreground' | 'Orphan' }
  | { readonly kind: 'AddFinalizer'; readonly target: Seen; readonly finalizer: string }
  | { readonly kind: 'RemoveFinalizer'; readonly target: Seen; readonly finalizer: string }
  | { readonly kind: 'Emit'; readonly about: Seen; readonly event: EventNote };

/** One events.k8s.io/v1 event. `reason` and `action` are CamelCase; `note` is a sentence for a person. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** When the key must be looked at again without a new observation; the earliest wins. */
export type Next = { readonly kind: 'done' } | { readonly kind: 'at'; readonly timeMs: number };

export const done: Next = { kind: 'done' };

export function at(timeMs: number): Next {
  return { kind: 'at', timeMs };
}

export interface Plan {
  readonly actions: readonly Action[];
  readonly next: Next;
}
