/** TF_CONFIG, as `tf.distribute.cluster_resolver.TFConfigClusterResolver` and Estimators read it. */
import type { Job } from '../job.ts';
import type { EnvVar } from '../pod.ts';
import { rolesOf, type JobRole, type Place } from '../roles.ts';
import { hostOf } from './network.ts';
import { portOf } from './places.ts';

type TensorFlowSettings = NonNullable<Job['spec']['tensorflow']>;
/** A list of addresses by index, or a map where some are left out. */
type Cluster = Readonly<Record<string, readonly string[] | Readonly<Record<string, string>>>>;

const defaultPort = 2222;
const defaults: TensorFlowSettings = { clusterSpec: 'Dense', evaluatorInClusterSpec: 'OwnTask' };

/** A single task needs no cluster; TensorFlow would start a server for it. */
export function tensorflowEnv(job: Job, place: Place): readonly EnvVar[] {
  const roles = rolesOf(job.spec);
  if (roles.reduce((sum, { replicas }) => sum + replicas, 0) === 1) return [];
  const { clusterSpec, evaluatorInClusterSpec } = job.spec.tensorflow ?? defaults;
  const listed = roles.filter(({ name }) => name !== 'evaluator' || listsEvaluator(evaluatorInClusterSpec, place));
  const cluster = clusterSpec === 'Sparse' ? sparse(job, listed, place) : dense(job, listed);
  const config = {
    cluster,
    task: { type: taskType(place.role), index: place.index },
    ...(clusterSpec === 'Sparse' ? {} : { environment: 'cloud' }),
  };
  return [{ name: 'TF_CONFIG', value: JSON.stringify(config) }];
}

/** TensorFlow 2 refuses a task of type "master", the name that chief had before. */
function taskType(role: string): string {
  return role === 'master' ? 'chief' : role;
}

/**
 * Parameter-server training waits for every listed task to join, which an evaluator never does; an Estimator's evaluator must
 * find itself in the cluster.
 */
function listsEvaluator(listed: TensorFlowSettings['evaluatorInClusterSpec'], { role }: Place): boolean {
  return listed === 'AllTasks' || (listed === 'OwnTask' && role === 'evaluator');
}

function dense(job: Job, roles: readonly JobRole[]): Cluster {
  return Object.fromEntries(roles.map((role) => [taskType(role.name), addresses(job, role)]));
}

/** Workers and parameter servers find themselves by index in a map. The others start after them and must know them all. */
function sparse(job: Job, roles: readonly JobRole[], { role: own, index }: Place): Cluster {
  if (own !== 'worker' && own !== 'ps') return dense(job, roles);
  const mine = roles.filter(({ name }) => name === own).map((role) => [own, { [index]: address(job, role, index) }] as const);
  const servers = own === 'worker' ? roles.filter(({ name }) => name === 'ps') : [];
  return { ...dense(job, servers), ...Object.fromEntries(mine) };
}

function addresses(job: Job, role: JobRole): readonly string[] {
  return Array.from({ length: role.replicas }, (_, index) => address(job, role, index));
}

function address(job: Job, role: JobRole, index: number): string {
  return `${hostOf(job, { role: role.name, index })}:${portOf(role, 'tfjob-port', defaultPort)}`;
}
