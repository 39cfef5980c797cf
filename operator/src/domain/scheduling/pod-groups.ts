/** Gangs of Volcano and of the coscheduling plugin: one PodGroup a job, which its pods name. */
import { childName, labels, managedBy, type ObjectMeta } from '../../api/index.ts';
import type { PodTemplate } from '../pod.ts';
import { rolesOf, type JobRole } from '../roles.ts';
import type { Job } from '../job.ts';
import type { Scheduling } from './manager.ts';
import type { PodAdditions } from './pod-additions.ts';
import { podRequests, resourceList, sum, times } from './pod-requests.ts';
import { closeTogether } from './topology.ts';
import type { Why } from './kueue/waiting.ts';

/** A PodGroup as the cache keeps it, of either project. */
export interface PodGroup {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly phase?: string;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[];
}

export function podGroupName(job: Job): string {
  return childName(job, 'gang');
}

/** Pods of a role without which its gang does not start. */
function fewest(role: JobRole, { gang }: Scheduling): number {
  return gang ? (role.minReplicas ?? role.replicas) : 0;
}

function metadata(job: Job) {
  return { name: podGroupName(job), labels: { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name } };
}

function minResources(job: Job, scheduling: Scheduling, podOf: (role: JobRole) => PodTemplate): Readonly<Record<string, string>> {
  return resourceList(sum(rolesOf(job.spec).map((role) => times(podRequests(podOf(role).spec), fewest(role, scheduling)))));
}

/** scheduling.volcano.sh/v1beta1. */
export function volcanoPodGroup(job: Job, scheduling: Scheduling, podOf: (role: JobRole) => PodTemplate) {
  const roles = rolesOf(job.spec);
  const { queueName, priorityClassName, topology, gang } = scheduling;
  return {
    metadata: metadata(job),
    spec: {
      minMember: Math.max(1, roles.reduce((all, role) => all + fewest(role, scheduling), 0)),
      ...(gang ? { minTaskMember: Object.fromEntries(roles.map((role) => [role.name, fewest(role, scheduling)])), minResources: minResources(job, scheduling, podOf) } : {}),
      ...(queueName === undefined ? {} : { queue: queueName }),
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      ...networkTopology(topology),
    },
  };
}

/** A label of nodes is no tier of Volcano's HyperNodes: those have a number, and a name without a slash. */
function isTier({ key }: { readonly key: string }): boolean {
  return !key.includes('/');
}

function networkTopology(topology: Scheduling['topology']) {
  if (topology === undefined || !isTier(topology)) return {};
  const tier = /^\d+$/.test(topology.key) ? { highestTierAllowed: Number(topology.key) } : { highestTierName: topology.key };
  return { networkTopology: { mode: topology.mode === 'Required' ? 'hard' : 'soft', ...tier } };
}

export function volcanoPod(job: Job, role: string, { queueName, topology }: Scheduling): PodAdditions {
  const group = podGroupName(job);
  return {
    ...(topology === undefined || isTier(topology) ? {} : closeTogether(topology, job.name)),
    schedulerName: 'volcano',
    annotations: {
      'scheduling.k8s.io/group-name': group,
      'scheduling.volcano.sh/group-name': group,
      'volcano.sh/task-spec': role,
      ...(queueName === undefined ? {} : { 'scheduling.volcano.sh/queue-name': queueName }),
    },
    labels: queueName === undefined ? {} : { 'volcano.sh/queue-name': queueName },
  };
}

/** scheduling.x-k8s.io/v1alpha1, of the coscheduling plugin of kubernetes-sigs/scheduler-plugins. */
export function coschedulingPodGroup(job: Job, scheduling: Scheduling, podOf: (role: JobRole) => PodTemplate) {
  const { gangTimeoutSeconds, gang } = scheduling;
  return {
    metadata: metadata(job),
    spec: {
      minMember: Math.max(1, rolesOf(job.spec).reduce((all, role) => all + fewest(role, scheduling), 0)),
      ...(gang ? { minResources: minResources(job, scheduling, podOf) } : {}),
      ...(gangTimeoutSeconds === undefined ? {} : { scheduleTimeoutSeconds: gangTimeoutSeconds }),
    },
  };
}

export function coschedulingPod(job: Job, { schedulerName, topology }: Scheduling): PodAdditions {
  return { ...closeTogether(topology, job.name), schedulerName, labels: { 'scheduling.x-k8s.io/pod-group': podGroupName(job) } };
}

/**
 * Why Volcano has not let the gang in; undefined once its pods may be made. Pods of a group that is still pending would only wait, and
 * make an autoscaler buy nodes for a job whose turn has not come.
 */
export function whyVolcanoWaits({ metadata: { name }, phase, conditions }: PodGroup, { queueName }: Scheduling): Why | undefined {
  if (phase !== undefined && phase !== '' && phase !== 'Pending') return undefined;
  const said = conditions.findLast(({ type, status }) => type === 'Unschedulable' && status === 'True')?.message ?? '';
  const where = queueName === undefined ? '' : ` in queue ${queueName}`;
  return { reason: queueName === undefined ? 'Gang' : 'Quota', message: `PodGroup ${name} waits${where} for room for all its pods${said === '' ? '' : `: ${said}`}.` };
}
