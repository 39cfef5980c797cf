/** Gathers from the caches what one ModelDeployment's plan needs to know. No await: one consistent look. */
import { annotations, type ModelDeployment, type TrainingJob } from '../../api/index.ts';
import { volumeOf } from '../../domain/job-volume.ts';
import type { Pod } from '../../domain/pod.ts';
import { keyString, type KubeObject, type ObjectKey, type ResourceType } from '../../kube/resource.ts';
import type { Scope } from '../../runtime/index.ts';
import { mountFailuresOf, type MountFailures } from '../shared/mount-failures.ts';
import { observePool, type SeenPool } from '../shared/pool.ts';
import { autoscalerType, deploymentType, disruptionBudgetType, serviceType } from '../shared/resources.ts';
import {
  autoscalers, deployments, disruptionBudgets, hyperparamSweeps, inNamespace, modelDeployments, mountFailures, nodePools, pods, services, trainingJobs, volumeClaims,
  type Deployment, type VolumeClaim,
} from '../shared/watched.ts';
import { sourceOf, type Made, type Source } from './source.ts';

export const watches = {
  models: modelDeployments, jobs: trainingJobs, sweeps: hyperparamSweeps, deployments, services, autoscalers, disruptionBudgets, pods, mountFailures, claims: volumeClaims, nodePools,
};
export type DeploymentStatus = NonNullable<ModelDeployment['status']>;
export type DeploymentScope = Scope<typeof watches, DeploymentStatus>;
type Stores = DeploymentScope['stores'];

/** The objects that bear the ModelDeployment's own name, as far as they exist. */
export interface Children {
  readonly service: KubeObject | undefined;
  readonly deployment: Deployment | undefined;
  readonly autoscaler: KubeObject | undefined;
  readonly disruptionBudget: KubeObject | undefined;
}

export const childTypes: Readonly<Record<keyof Children, ResourceType>> = {
  service: serviceType,
  deployment: deploymentType,
  autoscaler: autoscalerType,
  disruptionBudget: disruptionBudgetType,
};

/** A claim of ours and the ModelDeployments that need it. */
export interface SeenClaim {
  readonly object: VolumeClaim;
  /** The other ModelDeployments that serve from it. */
  readonly alsoServes: readonly ModelDeployment[];
}

export interface Observed {
  readonly object: ModelDeployment;
  readonly key: ObjectKey;
  readonly status: DeploymentStatus;
  readonly source: Source;
  readonly children: Children;
  readonly pods: readonly Pod[];
  readonly mountFailures: MountFailures;
  readonly pool: SeenPool | undefined;
  /** What is to be served: the source's model, or, while it has none, the one that was served last. */
  readonly target: Made | undefined;
  /** The claim that holds the target, if Anneal made it. */
  readonly claim: SeenClaim | undefined;
  /** True when the target's claim, which its job made, is not there. */
  readonly claimLost: boolean;
  /** Claims that carry this ModelDeployment's hold. */
  readonly held: readonly SeenClaim[];
}

export function observe(key: ObjectKey, stores: Stores): Observed | undefined {
  const object = stores.models.get(key);
  if (object === undefined) return undefined;
  const status = object.status ?? {};
  const { fromTrainingJob, fromSweep } = object.spec.model;
  const named = <T>(store: { get(key: ObjectKey): T | undefined }, name: string | undefined): T | undefined =>
    name === undefined ? undefined : store.get({ namespace: key.namespace, name });
  const source = sourceOf(object.spec.model, named(stores.jobs, fromTrainingJob), named(stores.sweeps, fromSweep));
  const target = source.kind === 'Made' ? source : lastServed(status);
  const claim = named(stores.claims, target?.model.claimName);
  const replicas = stores.pods.by('modelDeployment', keyString(key));
  const held = stores.claims.by('heldBy', object.metadata.uid ?? '').filter((held) => held.metadata.namespace === key.namespace);
  return {
    object,
    key,
    status,
    source,
    children: {
      service: stores.services.get(key),
      deployment: stores.deployments.get(key),
      autoscaler: stores.autoscalers.get(key),
      disruptionBudget: stores.disruptionBudgets.get(key),
    },
    pods: replicas,
    mountFailures: mountFailuresOf(replicas, stores.mountFailures),
    pool: observePool(object.spec.nodePool, stores.nodePools),
    target,
    claim: claim && withUsers(claim, object, stores),
    claimLost: claim === undefined && madeClaim(target, named(stores.jobs, target?.trainingJob)),
    held: held.map((one) => withUsers(one, object, stores)),
  };
}

function lastServed({ model, trainingJob }: DeploymentStatus): Made | undefined {
  return model === undefined || trainingJob === undefined ? undefined : { model, trainingJob };
}

/** True when the job made the claim itself, and not its user; told by the folder where the job is gone, since each has its own on a claim of a user's. */
function madeClaim(target: Made | undefined, job: TrainingJob | undefined): boolean {
  if (target === undefined) return false;
  if (job === undefined) return !target.model.path.startsWith(`${target.trainingJob}/`);
  const volume = volumeOf({ name: job.metadata.name, uid: job.metadata.uid ?? '' }, job.spec);
  return volume?.template !== undefined && volume.claimName === target.model.claimName;
}

function withUsers(claim: VolumeClaim, object: ModelDeployment, stores: Stores): SeenClaim {
  const users = stores.models.by('claim', inNamespace(object, claim.metadata.name) ?? '');
  return { object: claim, alsoServes: users.filter(({ metadata }) => metadata.uid !== object.metadata.uid && metadata.deletionTimestamp === undefined) };
}

/** The revision that a replica, or the Deployment, was made for. */
export function revisionNameOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[annotations.revision];
}
