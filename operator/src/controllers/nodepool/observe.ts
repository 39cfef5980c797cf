/** Gathers from the caches who needs one node pool. No await: one consistent look. */
import { isTrue, type Conditions, type NodePool } from '../../api/index.ts';
import { isPoolName, poolNameOf } from '../../domain/node-pool.ts';
import { keyOf, keyString, type KubeObject, type ObjectKey, type ResourceType } from '../../kube/resource.ts';
import type { Scope } from '../../runtime/index.ts';
import { hyperparamSweepType, modelDeploymentType, trainingJobType } from '../shared/resources.ts';
import { hyperparamSweeps, modelDeployments, nodePools, trainingJobs, type NodePoolObject } from '../shared/watched.ts';

export const watches = { pools: nodePools, jobs: trainingJobs, sweeps: hyperparamSweeps, deployments: modelDeployments };
export type PoolScope = Scope<typeof watches, object>;
type Stores = PoolScope['stores'];

/** An object whose pods run, or will run, on the pool. */
export interface User {
  readonly type: ResourceType;
  readonly object: KubeObject;
  readonly spec: NodePool;
}

export interface Observed {
  readonly name: string;
  readonly installed: boolean;
  readonly pool: NodePoolObject | undefined;
  readonly users: readonly User[];
}

/** Undefined for a pool that Anneal cannot have made. */
export function observe({ name }: ObjectKey, stores: Stores): Observed | undefined {
  if (!isPoolName(name)) return undefined;
  return { name, installed: stores.pools.installed, pool: stores.pools.get({ namespace: '', name }), users: usersOf(name, stores) };
}

function usersOf(name: string, stores: Stores): User[] {
  const jobs = stores.jobs.by('nodePool', name);
  // Between two trials a sweep has no unfinished job; its nodes would be stopped and started again.
  const sweeps = [...jobs.flatMap((job) => stores.sweeps.by('template', keyString(keyOf(job)))), ...stores.sweeps.by('nodePool', name)];
  const templateOf = (sweep: (typeof sweeps)[number]): NodePool | undefined =>
    sweep.spec.template.spec?.nodePool ?? jobs.find((job) => job.metadata.name === sweep.spec.template.fromTrainingJob)?.spec.nodePool;
  return [
    ...jobs.filter(isUnfinished).flatMap((job) => user(trainingJobType, job, job.spec.nodePool)),
    ...sweeps.filter(isUnfinished).flatMap((sweep) => user(hyperparamSweepType, sweep, templateOf(sweep))),
    ...stores.deployments.by('nodePool', name).filter(isStaying).flatMap((deployment) => user(modelDeploymentType, deployment, deployment.spec.nodePool)),
  ];
}

function user(type: ResourceType, object: KubeObject, spec: NodePool | undefined): User[] {
  return spec === undefined ? [] : [{ type, object, spec }];
}

function isStaying({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

function isUnfinished(object: KubeObject & { readonly status?: { readonly conditions?: Conditions } }): boolean {
  const conditions = object.status?.conditions;
  return isStaying(object) && !isTrue(conditions, 'Succeeded') && !isTrue(conditions, 'Failed');
}

/** The pools that one user concerns. */
export function poolKeys(...specs: readonly (NodePool | undefined)[]): ObjectKey[] {
  return specs.flatMap((spec) => {
    const name = poolNameOf(spec);
    return name === undefined ? [] : [{ namespace: '', name }];
  });
}
