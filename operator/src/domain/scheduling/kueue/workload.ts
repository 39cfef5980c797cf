/** Kueue's Workload as we read it: the parts of kueue.x-k8s.io/v1beta2 that say whether a job may run, and where. */
import type { ObjectMeta, Tolerations } from '../../../api/index.ts';

export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly active?: boolean;
    readonly queueName?: string;
    readonly priority?: number;
    readonly podSets: readonly { readonly name: string; readonly count: number }[];
  };
  readonly status: WorkloadStatus;
}

export interface WorkloadStatus {
  /** Whole, since a condition is changed by writing all of them back. */
  readonly conditions?: readonly WorkloadCondition[];
  readonly admission?: { readonly clusterQueue: string; readonly podSetAssignments: readonly PodSetAssignment[] };
  readonly reclaimablePods?: readonly ReclaimablePods[];
  readonly admissionChecks?: readonly AdmissionCheck[];
  readonly requeueState?: { readonly requeueAt?: string };
  /** Seconds of earlier admissions, which count against the workload's longest run. */
  readonly accumulatedPastExecutionTimeSeconds?: number;
}

export interface WorkloadCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export interface PodSetAssignment {
  readonly name: string;
  /** ResourceFlavor of each resource. */
  readonly flavors?: Readonly<Record<string, string>>;
  /** Fewer than the pod set has where the workload was admitted in part. */
  readonly count?: number;
  /** True where Kueue itself chooses the node of each pod. */
  readonly hasTopology: boolean;
}

export interface ReclaimablePods {
  readonly name: string;
  readonly count: number;
}

export interface AdmissionCheck {
  readonly name: string;
  readonly state: string;
  readonly message?: string;
  readonly podSetUpdates?: readonly PodSetUpdate[];
}

/** What an admission check adds to the pods of one pod set. */
export interface PodSetUpdate {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: Tolerations;
}

export interface ResourceFlavor {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly tolerations: Tolerations;
}

export function workloadCondition({ status }: Workload, type: string): WorkloadCondition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

export function isSet(workload: Workload, type: string): boolean {
  return workloadCondition(workload, type)?.status === 'True';
}

/** May the pods be there? As Kueue's own jobs decide it: admitted, and not told to leave. */
export function isAdmitted(workload: Workload): boolean {
  return isSet(workload, 'Admitted') && !isSet(workload, 'Evicted') && workload.status.admission !== undefined && workload.metadata.deletionTimestamp === undefined;
}

export function hasReservation(workload: Workload): boolean {
  return isSet(workload, 'QuotaReserved');
}

export function isFinished(workload: Workload): boolean {
  return isSet(workload, 'Finished');
}
