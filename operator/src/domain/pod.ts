/** The part of the Kubernetes pod API that Anneal reads and writes, in its own field names. */
import type { ObjectMeta, Tolerations } from '../api/index.ts';

/** A pod as the cache keeps it. */
export interface Pod {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: { readonly nodeName?: string };
  readonly status: PodStatus;
}

export interface PodStatus {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly startTime?: string;
  readonly conditions?: readonly PodCondition[];
  /** The container whose end decides: the first of the template. */
  readonly main?: ContainerState;
  /** An init container that failed or another container that cannot start: what keeps the main one from beginning. */
  readonly other?: OtherContainer;
}

export interface OtherContainer {
  readonly name: string;
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: Termination;
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface ContainerState {
  readonly ready: boolean;
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: Termination;
  /** How it ended before, while it waits to be started anew. */
  readonly last?: Termination;
}

export interface Termination {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status.conditions?.find((condition) => condition.type === type);
}

/** Waiting reasons of a container that is on its way; any other names something that a person must mend. */
const ordinaryWaits = new Set(['ContainerCreating', 'PodInitializing']);

export function isHeldUp(waiting: ContainerState['waiting']): boolean {
  return waiting?.reason !== undefined && !ordinaryWaits.has(waiting.reason);
}

/** What keeps a pod's program from starting, in the words of the kubelet; undefined when nothing does. */
export function hindranceOf({ status: { main, other } }: Pod): { readonly container?: string; readonly reason: string; readonly message: string } | undefined {
  if (isHeldUp(main?.waiting)) return { reason: main?.waiting?.reason ?? '', message: main?.waiting?.message ?? '' };
  if (!isHeldUp(other?.waiting)) return undefined;
  return { container: other?.name ?? '', reason: other?.waiting?.reason ?? '', message: other?.waiting?.message ?? '' };
}

/** True once the deciding container cannot run again, whatever sidecars still do. */
export function hasEnded(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed' || pod.status.main?.terminated !== undefined;
}

/** True when nothing of the pod runs any more, sidecars included. */
export function isOver(pod: Pod): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

export function isRunning(pod: Pod): boolean {
  return pod.status.phase === 'Running' && !hasEnded(pod);
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: ResourceRequirements;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly [field: string]: unknown;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

export interface ResourceRequirements {
  readonly requests?: Readonly<Record<string, string | number>>;
  readonly limits?: Readonly<Record<string, string | number>>;
  /** Names among the pod's `resourceClaims`. */
  readonly claims?: readonly { readonly name: string }[];
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface PodSpec {
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly [source: string]: unknown }[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: Tolerations;
  readonly affinity?: Affinity;
  readonly resourceClaims?: readonly { readonly name: string; readonly [source: string]: unknown }[];
  readonly [field: string]: unknown;
}

export interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] };
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  readonly matchFields?: readonly NodeSelectorRequirement[];
  readonly [field: string]: unknown;
}

/** A pod, or a pod template, to be written. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** What one concern adds to a pod. */
export interface PodParts {
  readonly env: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
  readonly volumes: NonNullable<PodSpec['volumes']>;
}
