/** What the operator keeps in memory of Kueue, Volcano and the coscheduling plugin; each may be absent. */
import { labels, managedBy, type Tolerations } from '../../api/index.ts';
import type { PodGroup, ResourceFlavor, Workload, WorkloadStatus } from '../../domain/scheduling/index.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { slim, watched } from '../../runtime/index.ts';
import { coschedulingPodGroupType, priorityClassType, resourceFlavorType, volcanoPodGroupType, workloadPriorityClassType, workloadType } from './resources.ts';

const ours = { labels: `${labels.managedBy}=${managedBy}` };

interface RawWorkload extends KubeObject {
  readonly spec: Workload['spec'];
  readonly status?: Omit<WorkloadStatus, 'admission'> & {
    readonly admission?: { readonly clusterQueue: string; readonly podSetAssignments: readonly RawAssignment[] };
  };
}

interface RawAssignment {
  readonly name: string;
  readonly flavors?: Readonly<Record<string, string>>;
  readonly count?: number;
  readonly topologyAssignment?: object;
}

export const workloads = watched(workloadType, {
  selector: ours,
  optional: true,
  indices: {
    flavor: ({ status }) => (status.admission?.podSetAssignments ?? []).flatMap(({ flavors }) => Object.values(flavors ?? {})),
  },
  project: (raw: RawWorkload): Workload => {
    const { active, queueName, priority, podSets } = raw.spec;
    const { conditions, admission, reclaimablePods, admissionChecks, requeueState, accumulatedPastExecutionTimeSeconds: past } = raw.status ?? {};
    return {
      ...slim(raw),
      spec: {
        ...(active === undefined ? {} : { active }),
        ...(queueName === undefined ? {} : { queueName }),
        ...(priority === undefined ? {} : { priority }),
        podSets: podSets.map(({ name, count }) => ({ name, count })),
      },
      status: {
        ...(conditions === undefined ? {} : { conditions }),
        ...(admission === undefined ? {} : { admission: { clusterQueue: admission.clusterQueue, podSetAssignments: admission.podSetAssignments.map(assignment) } }),
        ...(reclaimablePods === undefined ? {} : { reclaimablePods }),
        ...(admissionChecks === undefined ? {} : { admissionChecks }),
        ...(requeueState === undefined ? {} : { requeueState }),
        ...(past === undefined ? {} : { accumulatedPastExecutionTimeSeconds: past }),
      },
    };
  },
});

function assignment({ name, flavors, count, topologyAssignment }: RawAssignment) {
  return { name, ...(flavors === undefined ? {} : { flavors }), ...(count === undefined ? {} : { count }), hasTopology: topologyAssignment !== undefined };
}

interface RawFlavor extends KubeObject {
  readonly spec?: { readonly nodeLabels?: Readonly<Record<string, string>>; readonly tolerations?: Tolerations };
}

export const resourceFlavors = watched(resourceFlavorType, {
  optional: true,
  project: (raw: RawFlavor): ResourceFlavor => ({ ...slim(raw), nodeLabels: raw.spec?.nodeLabels ?? {}, tolerations: raw.spec?.tolerations ?? [] }),
});

/** A priority by name, of pods or of workloads. */
export interface PriorityClass extends KubeObject {
  readonly value: number;
  readonly isDefault: boolean;
}

interface RawPriorityClass extends KubeObject {
  readonly value?: number;
  readonly globalDefault?: boolean;
}

const priorityOf = (raw: RawPriorityClass): PriorityClass => ({ ...slim(raw), value: raw.value ?? 0, isDefault: raw.globalDefault ?? false });

export const priorityClasses = watched(priorityClassType, {
  indices: { isDefault: ({ isDefault }) => (isDefault ? ['true'] : []) },
  project: priorityOf,
});
export const workloadPriorityClasses = watched(workloadPriorityClassType, { optional: true, project: priorityOf });

interface RawPodGroup extends KubeObject {
  readonly status?: { readonly phase?: string; readonly conditions?: PodGroup['conditions'] };
}

const podGroupOf = (raw: RawPodGroup): PodGroup => ({
  ...slim(raw),
  ...(raw.status?.phase === undefined ? {} : { phase: raw.status.phase }),
  conditions: (raw.status?.conditions ?? []).map(({ type, status, reason, message }) => ({
    type, status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }),
  })),
});

export const volcanoPodGroups = watched(volcanoPodGroupType, { selector: ours, optional: true, project: podGroupOf });
export const coschedulingPodGroups = watched(coschedulingPodGroupType, { selector: ours, optional: true, project: podGroupOf });
