/** The Workload that a job asks for quota with: one pod set a role. */
import { childName, labels, managedBy, shortHash } from '../../../api/index.ts';
import { canonicalJson } from '../../node-pool.ts';
import type { Container, PodTemplate } from '../../pod.ts';
import { isElastic, rolesOf, type JobRole } from '../../roles.ts';
import type { Job } from '../../job.ts';
import type { Scheduling } from '../manager.ts';
import { hasReservation, type Workload } from './workload.ts';

/** Of a priority class: Kueue orders by the number, and by the reference knows whether it may change. */
export interface Priority {
  readonly value: number;
  readonly ref?: { readonly group: 'kueue.x-k8s.io' | 'scheduling.k8s.io'; readonly kind: 'WorkloadPriorityClass' | 'PriorityClass'; readonly name: string };
}

/** Of a running workload as Kueue lets its own jobs say it: past it Kueue deactivates the workload. */
const longestRunLabel = 'kueue.x-k8s.io/max-exec-time-seconds';

/**
 * @param podOf  a pod of the role as it would be made before any admission
 */
export function workloadRequest(job: Job, jobLabels: Readonly<Record<string, string>>, scheduling: Scheduling, priority: Priority, podOf: (role: JobRole) => PodTemplate) {
  const roles = rolesOf(job.spec);
  const variable = variableRole(roles);
  const podSets = roles.map((role) => ({
    name: role.name,
    count: role.replicas,
    ...(role === variable && role.minReplicas !== undefined ? { minCount: role.minReplicas } : {}),
    template: template(podOf(role)),
    ...topologyRequest(scheduling.topology),
  }));
  const longest = Number(jobLabels[longestRunLabel]);
  const spec = {
    queueName: scheduling.queueName,
    priority: priority.value,
    ...(priority.ref === undefined ? {} : { priorityClassRef: priority.ref }),
    podSets,
    ...(Number.isInteger(longest) && longest > 0 ? { maximumExecutionTimeSeconds: longest } : {}),
  };
  return {
    metadata: {
      // A workload with quota keeps its shape: another shape is another workload.
      name: childName(job, `workload-${shortHash(canonicalJson({ ...spec, priority: undefined, priorityClassRef: undefined }), 6)}`),
      labels: { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name, 'kueue.x-k8s.io/job-uid': job.uid },
    },
    spec,
  };
}

export type WorkloadRequest = ReturnType<typeof workloadRequest>;

/** Kueue admits at most one pod set in part: the elastic role with most pods to spare. */
function variableRole(roles: readonly JobRole[]): JobRole | undefined {
  const spare = (role: JobRole): number => role.replicas - (role.minReplicas ?? role.replicas);
  return roles.filter((role) => isElastic(role) && spare(role) > 0).sort((a, b) => spare(b) - spare(a))[0];
}

/** What decides about quota and place; the program, its environment and its volumes are nobody's business there. */
function template({ metadata, spec }: PodTemplate) {
  const kept = ['nodeSelector', 'tolerations', 'affinity', 'priorityClassName', 'runtimeClassName', 'overhead', 'resources', 'resourceClaims', 'schedulerName', 'topologySpreadConstraints'];
  const rest = Object.fromEntries(Object.entries(spec).filter(([field, value]) => kept.includes(field) && value !== undefined));
  const { [labels.index]: _index, [labels.attempt]: _attempt, ...own } = metadata.labels;
  return {
    metadata: { labels: own },
    spec: {
      ...rest,
      restartPolicy: 'Never',
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(request) }),
      containers: spec.containers.map(request),
    },
  };
}

function request({ name, resources, ...rest }: Container) {
  return { name, ...(resources === undefined ? {} : { resources }), ...(rest.restartPolicy === undefined ? {} : { restartPolicy: rest.restartPolicy }) };
}

function topologyRequest(topology: Scheduling['topology']) {
  if (topology === undefined) return {};
  return { topologyRequest: { [topology.mode === 'Required' ? 'required' : 'preferred']: topology.key, podIndexLabel: labels.index } };
}

/**
 * True when the workload stands for what the job asks for now. With quota in hand a job that only became smaller keeps it, and gives
 * back what it no longer needs.
 *
 * @param needed  pods that may still have to run, by role
 */
export function stillFits(workload: Workload, request: WorkloadRequest, needed: ReadonlyMap<string, number>): boolean {
  const { podSets, queueName } = workload.spec;
  const reclaimed = new Map((workload.status.reclaimablePods ?? []).map(({ name, count }) => [name, count]));
  const hasRoom = podSets.every(({ name, count }) => (needed.get(name) ?? 0) <= count - (reclaimed.get(name) ?? 0));
  if (workload.metadata.name === request.metadata.name) return !hasReservation(workload) || hasRoom;
  const sameRoles = podSets.length === request.spec.podSets.length && request.spec.podSets.every((wanted) => podSets.some(({ name }) => name === wanted.name));
  return hasReservation(workload) && queueName === request.spec.queueName && sameRoles && hasRoom;
}
