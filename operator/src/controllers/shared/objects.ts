/** Small helpers for building and naming objects. */
import type { KubeObject, ResourceType } from '../../kube/resource.ts';
import { apiVersionOf } from '../../kube/resource.ts';
import type { Action, EventNote, Seen } from '../../runtime/index.ts';

/** An object that was just observed, by its UID: what a delete or an event may name. */
export function seenOf(type: ResourceType, object: KubeObject): Seen {
  const { namespace, name, uid } = object.metadata;
  return { type, name, uid: uid ?? '', ...(namespace === undefined ? {} : { namespace }) };
}

/** What a domain function builds: everything but what the type and the owner say. */
export interface Body {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** A child with its controlling owner, so that it goes when the owner goes and nobody else adopts it. */
export function childOf(ownerType: ResourceType, owner: KubeObject, type: ResourceType, body: Body): KubeObject {
  const { namespace, name, uid } = owner.metadata;
  const reference = { apiVersion: apiVersionOf(ownerType), kind: ownerType.kind, name, uid: uid ?? '', controller: true, blockOwnerDeletion: true };
  return {
    ...body,
    apiVersion: apiVersionOf(type),
    kind: type.kind,
    metadata: { ...body.metadata, ...(namespace === undefined ? {} : { namespace }), ownerReferences: [reference] },
  };
}

export function emit(about: Seen, type: EventNote['type'], reason: string, action: string, note: string): Action {
  return { kind: 'Emit', about, event: { type, reason, action, note } };
}
