/** Concludes how far a ModelDeployment is. Pure and total: the plan follows from the stage, and so does the status. */
import { endOfText, labels, managedBy } from '../../api/index.ts';
import { revisionOf, type Revision, type ServingSettings } from '../../domain/serving.ts';
import { isPullingBadly, lastWords, longestQuote } from '../../domain/failures.ts';
import { hasEnded, hindranceOf, podCondition, type Pod } from '../../domain/pod.ts';
import { controllerOf } from '../../kube/resource.ts';
import { karpenterMissing } from '../shared/pool.ts';
import type { Deployment } from '../shared/watched.ts';
import { childTypes, revisionNameOf, type Children, type Observed } from './observe.ts';

interface Because {
  readonly reason: string;
  readonly message: string;
}

export type Stage =
  /** There is no model to serve, and there was none before. */
  | ({ readonly kind: 'Waiting'; readonly mayCome: boolean } & Because)
  /** Something is in the way of rolling the revision out; nothing is changed until it is gone. */
  | ({ readonly kind: 'Blocked' } & Because)
  | ({ readonly kind: 'RollingOut' } & Because)
  /** Goes on only when a person changes something. */
  | ({ readonly kind: 'Stuck' } & Because)
  /** All replicas serve the revision. */
  | ({ readonly kind: 'Serving' } & Because)
  /** The revision was rolled out, and replicas are missing now: a node was lost, or more are being added. */
  | ({ readonly kind: 'Short'; readonly noneLeft: boolean } & Because);

export interface Counts {
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
}

export interface Assessment {
  readonly stage: Stage;
  /** What is to be rolled out. */
  readonly revision: Revision | undefined;
  /** Of the Deployment as it is, whatever it serves. */
  readonly counts: Counts | undefined;
}

export function assess(seen: Observed, settings: ServingSettings): Assessment {
  const { target, key, object, children } = seen;
  const revision = target && revisionOf(key.name, object.spec, target.model, settings);
  const counts = children.deployment && countsOf(children.deployment);
  return { revision, counts, stage: revision === undefined ? waiting(seen) : (blocked(seen) ?? rollout(seen, revision)) };
}

function waiting({ source }: Observed): Stage {
  const { reason, message } = source.kind === 'Made' ? { reason: 'Starting', message: 'The model is about to be served.' } : source;
  return { kind: 'Waiting', mayCome: source.kind !== 'Missing', reason, message };
}

function blocked(seen: Observed): Stage | undefined {
  if (seen.pool?.installed === false) return { kind: 'Blocked', ...karpenterMissing };
  const taken = takenName(seen);
  if (taken !== undefined) {
    const message = `${taken} ${seen.key.name} belongs to another object. Delete it, or give this ModelDeployment another name.`;
    return { kind: 'Blocked', reason: 'NameTaken', message };
  }
  const claimName = seen.target?.model.claimName ?? '';
  if (seen.claimLost) {
    const message = `PersistentVolumeClaim ${claimName} with the model is gone. Train the model again, or restore the claim under this name, with the label ${labels.managedBy}: ${managedBy}.`;
    return { kind: 'Blocked', reason: 'VolumeLost', message };
  }
  if (seen.claim?.object.metadata.deletionTimestamp !== undefined && revisionNotDeployed(seen)) {
    return { kind: 'Blocked', reason: 'VolumeBeingDeleted', message: `PersistentVolumeClaim ${claimName} with the model is being deleted. Train the model again.` };
  }
  return undefined;
}

/** A volume that is being deleted still serves the replicas that have it; only new ones cannot get it. */
function revisionNotDeployed({ children, target, status }: Observed): boolean {
  return children.deployment === undefined || status.model?.digest !== target?.model.digest;
}

/** Kind of a child of our name that is there and not ours. */
function takenName({ children, object }: Observed): string | undefined {
  const names = Object.keys(childTypes) as (keyof Children)[];
  const foreign = names.find((name) => children[name] !== undefined && controllerOf(children[name])?.uid !== object.metadata.uid);
  return foreign && childTypes[foreign].kind;
}

function rollout(seen: Observed, revision: Revision): Stage {
  const { deployment } = seen.children;
  if (deployment === undefined || revisionNameOf(deployment) !== revision.name) {
    return { kind: 'RollingOut', reason: 'RollingOut', message: `Revision ${revision.name} is about to be rolled out.` };
  }
  const counts = countsOf(deployment);
  const { generation = 0 } = deployment.metadata;
  const observed = (deployment.status?.observedGeneration ?? 0) >= generation;
  const rolledOut = observed && counts.updated >= counts.desired && (deployment.status?.replicas ?? 0) === counts.updated;
  const { minReplicas } = seen.object.spec.scaling;
  // Whoever else sets the number is not fought over it, and an autoscaler leaves zero alone; but fewer than were asked for are not all.
  if (rolledOut && counts.desired < minReplicas) {
    const { name } = deployment.metadata;
    const message = `Deployment ${name} is set to ${replicas(counts.desired)}, fewer than scaling.minReplicas. Where it stays so, someone else has set it: kubectl scale deployment ${name} --replicas=${minReplicas}`;
    return { kind: 'Short', noneLeft: counts.ready === 0, reason: 'ScaledDown', message };
  }
  if (rolledOut && (deployment.status?.availableReplicas ?? 0) >= counts.desired) {
    return { kind: 'Serving', reason: 'Serving', message: `${replicas(counts.desired)} of revision ${revision.name} ${counts.desired === 1 ? 'serves' : 'serve'}.` };
  }
  const trouble = (observed ? deploymentTrouble(deployment) : undefined) ?? podTrouble(seen, revision);
  if (trouble !== undefined) return { kind: 'Stuck', ...trouble };
  const wait = unschedulable(seen.pods, revision);
  const message = wait?.message ?? `${counts.ready} of ${replicas(counts.desired)} serve; revision ${revision.name} has ${counts.updated}.`;
  if (wasServing(seen, revision)) return { kind: 'Short', noneLeft: counts.ready === 0, reason: wait?.reason ?? 'ReplicasMissing', message };
  return { kind: 'RollingOut', reason: wait?.reason ?? 'RollingOut', message };
}

/** True when this revision was fully there before: a replica that is missing now is no part of a rollout. */
function wasServing({ status }: Observed, revision: Revision): boolean {
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
  return status.revision === revision.name && progressing?.reason === 'RolledOut';
}

function countsOf({ spec, status }: Deployment): Counts {
  return { desired: spec.replicas ?? 1, updated: status?.updatedReplicas ?? 0, ready: status?.readyReplicas ?? 0 };
}

/** What the Deployment controller itself says: pods that it may not make, or no progress for too long. */
function deploymentTrouble({ status }: Deployment): Because | undefined {
  const refused = status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (refused !== undefined) return { reason: 'PodsRefused', message: `The cluster refuses the pods: ${refused.message ?? refused.reason ?? ''}` };
  const stalled = status?.conditions?.find(({ type, status }) => type === 'Progressing' && status === 'False');
  return stalled && { reason: stalled.reason ?? 'ProgressDeadlineExceeded', message: `The rollout makes no progress: ${stalled.message ?? ''}` };
}

function podTrouble({ pods, mountFailures }: Observed, revision: Revision): Because | undefined {
  for (const pod of current(pods, revision)) {
    const { name } = pod.metadata;
    const hindrance = hindranceOf(pod);
    if (hindrance !== undefined) {
      const { container, reason, message } = hindrance;
      const where = container === undefined ? '' : `, container ${container},`;
      // A pull that failed alternates between two reasons; one of them keeps the condition still.
      return { reason: isPullingBadly(pod) ? 'ImagePullBackOff' : reason, message: `Pod ${name}${where} cannot start: ${message === '' ? reason : message}${lastEnd(pod)}` };
    }
    const unmounted = mountFailures.get(name);
    if (unmounted !== undefined) return { reason: 'FailedMount', message: `Pod ${name} cannot start: ${unmounted}` };
  }
  return undefined;
}

/** Why the kubelet keeps starting it anew. */
function lastEnd({ status: { main } }: Pod): string {
  if (main?.last === undefined) return '';
  const words = endOfText(lastWords(main.last.message), longestQuote);
  return `. It ended last with exit code ${main.last.exitCode}${words === '' ? '' : `: ${words}`}`;
}

function unschedulable(pods: readonly Pod[], revision: Revision): Because | undefined {
  for (const pod of current(pods, revision)) {
    const scheduled = podCondition(pod, 'PodScheduled');
    if (scheduled?.status === 'False') return { reason: scheduled.reason ?? 'Unschedulable', message: `Pod ${pod.metadata.name} has no node: ${scheduled.message ?? ''}` };
  }
  return undefined;
}

function current(pods: readonly Pod[], revision: Revision): Pod[] {
  return pods.filter((pod) => revisionNameOf(pod) === revision.name && pod.metadata.deletionTimestamp === undefined && !hasEnded(pod));
}

function replicas(count: number): string {
  return count === 1 ? '1 replica' : `${count} replicas`;
}
