/** What the caches hold of the queues and gangs that a TrainingJob may be in. */
import type { Job } from '../../domain/job.ts';
import { rolesOf } from '../../domain/roles.ts';
import type { Installed, ManagerName, PodGroup, Priority, ResourceFlavor, Workload } from '../../domain/scheduling/index.ts';
import type { Stores } from '../../runtime/watched.ts';
import { coschedulingPodGroups, priorityClasses, resourceFlavors, volcanoPodGroups, workloadPriorityClasses, workloads } from '../shared/watched-scheduling.ts';

export const admissionWatches = { workloads, flavors: resourceFlavors, workloadPriorities: workloadPriorityClasses, priorities: priorityClasses, volcanoGroups: volcanoPodGroups, coschedulingGroups: coschedulingPodGroups };

export interface SeenAdmission {
  readonly installed: Installed;
  /** The Workloads of this job; more than one only while one takes another's place. */
  readonly workloads: readonly Workload[];
  /** Those that its admission names, as far as they are there. */
  readonly flavors: ReadonlyMap<string, ResourceFlavor>;
  readonly podGroups: Readonly<Partial<Record<ManagerName, PodGroup>>>;
  /** What Kueue orders by; undefined where the class that the job names is not there. */
  readonly priority: Priority | undefined;
  /** True where pods may carry the priority class that scheduling names. */
  readonly podPriority: boolean;
}

export function observeAdmission(job: Job, stores: Stores<typeof admissionWatches>): SeenAdmission {
  const { uid, spec } = job;
  const own = stores.workloads.controlledBy(uid);
  const flavorNames = new Set(own.flatMap(({ status }) => (status.admission?.podSetAssignments ?? []).flatMap(({ flavors }) => Object.values(flavors ?? {}))));
  const [volcano] = stores.volcanoGroups.controlledBy(uid);
  const [coscheduling] = stores.coschedulingGroups.controlledBy(uid);
  const named = spec.scheduling?.priorityClassName;
  return {
    installed: { Kueue: stores.workloads.installed, Volcano: stores.volcanoGroups.installed, Coscheduling: stores.coschedulingGroups.installed },
    workloads: own,
    flavors: new Map([...flavorNames].flatMap((name) => {
      const flavor = stores.flavors.get({ namespace: '', name });
      return flavor === undefined ? [] : [[name, flavor] as const];
    })),
    podGroups: { ...(volcano === undefined ? {} : { Volcano: volcano }), ...(coscheduling === undefined ? {} : { Coscheduling: coscheduling }) },
    priority: priorityOf(job, stores),
    podPriority: named !== undefined && stores.priorities.get({ namespace: '', name: named }) !== undefined,
  };
}

function priorityOf({ spec }: Job, stores: Stores<typeof admissionWatches>): Priority | undefined {
  const named = spec.scheduling?.priorityClassName;
  const ofWorkload = named === undefined ? undefined : stores.workloadPriorities.get({ namespace: '', name: named });
  if (ofWorkload !== undefined) return { value: ofWorkload.value, ref: { group: 'kueue.x-k8s.io', kind: 'WorkloadPriorityClass', name: ofWorkload.metadata.name } };
  const name = named ?? spec.pod?.priorityClassName ?? rolesOf(spec).flatMap(({ template }) => (typeof template?.spec.priorityClassName === 'string' ? template.spec.priorityClassName : []))[0];
  const ofPods = name === undefined ? stores.priorities.by('isDefault', 'true')[0] : stores.priorities.get({ namespace: '', name });
  if (ofPods !== undefined) return { value: ofPods.value, ref: { group: 'scheduling.k8s.io', kind: 'PriorityClass', name: ofPods.metadata.name } };
  return name === undefined ? { value: 0 } : undefined;
}
