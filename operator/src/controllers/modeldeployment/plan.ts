/** What to do for one ModelDeployment at its stage. Pure: the same look gives the same actions. */
import { findCondition } from '../../api/index.ts';
import {
  isAutoscaled, replicasToSend, reservedDeployment, servingAutoscaler, servingDeployment, servingDisruptionBudget, servingService, type Revision,
} from '../../domain/serving.ts';
import { apiVersionOf, type KubeObject, type OwnerReference } from '../../kube/resource.ts';
import { done, type Action, type Plan } from '../../runtime/index.ts';
import { childOf, emit, seenOf, type Body } from '../shared/objects.ts';
import { modelDeploymentType, volumeClaimType } from '../shared/resources.ts';
import type { Assessment } from './assess.ts';
import { childTypes, type Children, type Observed, type SeenClaim } from './observe.ts';

export function planDeployment(seen: Observed, { stage, revision }: Assessment): Plan {
  // What serves goes on serving as it is, whatever stands in the way of the next revision.
  if (revision === undefined || stage.kind === 'Blocked') return { actions: [], next: done };
  return {
    actions: [
      ...holdClaim(seen),
      ...ensure(seen, 'service', servingService(seen.key.name)),
      // An autoscaler that is no longer wanted goes before the Deployment gets a number of its own.
      ...(isAutoscaled(seen.object.spec) ? [] : dropAutoscaler(seen)),
      ...ensureDeployment(seen, revision),
      ...ensure(seen, 'disruptionBudget', servingDisruptionBudget(seen.key.name)),
      ...(isAutoscaled(seen.object.spec) ? ensure(seen, 'autoscaler', servingAutoscaler(seen.key.name, seen.object.spec)) : []),
      ...(stage.kind === 'Serving' ? seen.held.flatMap((claim) => releaseClaim(seen, claim)) : []),
      ...announce(seen, { stage, revision }),
    ],
    next: done,
  };
}

function ensureDeployment(seen: Observed, revision: Revision): Action[] {
  const { key: { name }, object: { spec }, children: { deployment } } = seen;
  return ensure(seen, 'deployment', servingDeployment(name, spec, revision, replicasToSend(spec, deployment)), reservedDeployment(name, spec, revision));
}

/**
 * An apply would take over an object of that name which others made and which the cache does not show. So the name is
 * taken by a create first, which fails there; what is ours is then kept up by applies alone.
 *
 * @param reserved  what to create; it may hold no field that a later apply leaves out
 */
function ensure(seen: Observed, child: keyof Children, body: Body, reserved: Body = body): Action[] {
  const type = childTypes[child];
  const existing = seen.children[child];
  // Applying to an object on its way out changes nothing; its end wakes this key again.
  if (existing?.metadata.deletionTimestamp !== undefined) return [];
  const owned = (object: Body) => childOf(modelDeploymentType, seen.object, type, object);
  const apply: Action = { kind: 'Apply', type, object: owned(body) };
  return existing === undefined ? [{ kind: 'Create', type, object: owned(reserved) }, apply] : [apply];
}

function dropAutoscaler({ children: { autoscaler } }: Observed): Action[] {
  if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) return [];
  return [{ kind: 'Delete', target: seenOf(childTypes.autoscaler, autoscaler) }];
}

/** Makes this ModelDeployment one of the claim's owners: the model then outlives the TrainingJob that made it. */
function holdClaim({ object, claim }: Observed): Action[] {
  if (claim === undefined || claim.object.metadata.deletionTimestamp !== undefined) return [];
  if (ownersOf(claim.object).some(({ uid }) => uid === object.metadata.uid)) return [];
  return [applyHolders(claim, [object, ...claim.alsoServes])];
}

/** Gives up a claim that no replica reads from any more; with its last owner it goes. */
function releaseClaim({ object, claim }: Observed, held: SeenClaim): Action[] {
  const { object: volume, alsoServes } = held;
  if (volume.metadata.uid === claim?.object.metadata.uid || volume.metadata.deletionTimestamp !== undefined) return [];
  if (ownersOf(volume).some(({ uid }) => uid !== object.metadata.uid)) return [applyHolders(held, alsoServes)];
  return [{ kind: 'Delete', target: seenOf(volumeClaimType, volume) }];
}

/**
 * All ModelDeployments share one field manager, so each apply names all holders: it would drop the others otherwise. The
 * UID keeps it from making a claim that is gone by now.
 */
function applyHolders({ object: volume }: SeenClaim, holders: readonly KubeObject[]): Action {
  const { name, namespace, uid } = volume.metadata;
  const ownerReferences: OwnerReference[] = holders.map((holder) => ({
    apiVersion: apiVersionOf(modelDeploymentType), kind: modelDeploymentType.kind, name: holder.metadata.name, uid: holder.metadata.uid ?? '',
  }));
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ownerReferences };
  return { kind: 'Apply', type: volumeClaimType, object: { apiVersion: apiVersionOf(volumeClaimType), kind: volumeClaimType.kind, metadata } };
}

function ownersOf(object: KubeObject): readonly OwnerReference[] {
  return object.metadata.ownerReferences ?? [];
}

function announce(seen: Observed, { stage, revision }: { readonly stage: Assessment['stage']; readonly revision: Revision }): Action[] {
  const about = seenOf(modelDeploymentType, seen.object);
  const before = findCondition(seen.status.conditions, 'Ready');
  if (revision.name !== seen.status.revision) {
    const note = `Rolling out revision ${revision.name} with the model of TrainingJob ${seen.target?.trainingJob ?? ''}.`;
    return [emit(about, 'Normal', 'RollingOut', 'RollOut', note)];
  }
  if (stage.kind === 'Serving' && before?.status !== 'True') return [emit(about, 'Normal', 'Serving', 'RollOut', stage.message)];
  if (stage.kind === 'Stuck' && before?.reason !== stage.reason) return [emit(about, 'Warning', stage.reason, 'RollOut', stage.message)];
  return [];
}
