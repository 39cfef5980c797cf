/** What the operator keeps in memory: each type once, cut down to what the controllers read. */
import { annotations, labels, managedBy, type HyperparamSweep, type ModelDeployment, type TrainingJob } from '../../api/index.ts';
import { poolNameOf } from '../../domain/node-pool.ts';
import type { Node } from '../../domain/node.ts';
import type { NodeCondition, NodeTaint } from '../../domain/notices.ts';
import { isHeldUp, type ContainerState, type OtherContainer, type Pod, type PodCondition, type PodStatus, type Termination } from '../../domain/pod.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { slim, watched } from '../../runtime/index.ts';
import {
  autoscalerType, deploymentType, disruptionBudgetType, eventType, hyperparamSweepType, modelDeploymentType, nodePoolType, nodeType, podType, serviceType, trainingJobType,
  volumeClaimType, volumeSnapshotType,
} from './resources.ts';

/** Everything that we make carries this label; what others made is none of our business, and not kept in memory. */
const ours = { labels: `${labels.managedBy}=${managedBy}` };

export const trainingJobs = watched(trainingJobType, {
  project: (raw: TrainingJob): TrainingJob => ({ ...raw, metadata: slim(raw).metadata }),
  indices: {
    nodePool: (job) => present(poolNameOf(job.spec.nodePool)),
    idleDeadline: (job) => (job.spec.scheduling?.idleDeadlineSeconds === undefined ? [] : ['true']),
    priorityClass: (job) => present(job.spec.scheduling?.priorityClassName),
    sweep: (job) => present(sweepKey(job)),
    /** The job whose checkpoint it begins from. */
    restoresFrom: (job) => present(inNamespace(job, job.spec.checkpoint.restoreFrom?.trainingJob)),
  },
});

export const hyperparamSweeps = watched(hyperparamSweepType, {
  project: (raw: HyperparamSweep): HyperparamSweep => ({ ...raw, metadata: slim(raw).metadata }),
  indices: {
    template: (sweep) => present(inNamespace(sweep, sweep.spec.template.fromTrainingJob)),
    nodePool: (sweep) => present(poolNameOf(sweep.spec.template.spec?.nodePool)),
  },
});

export const modelDeployments = watched(modelDeploymentType, {
  project: (raw: ModelDeployment): ModelDeployment => ({ ...raw, metadata: slim(raw).metadata }),
  indices: {
    nodePool: (deployment) => present(poolNameOf(deployment.spec.nodePool)),
    fromTrainingJob: (deployment) => present(inNamespace(deployment, deployment.spec.model.fromTrainingJob)),
    fromSweep: (deployment) => present(inNamespace(deployment, deployment.spec.model.fromSweep)),
    /** The TrainingJob whose model is being served, however it was chosen. */
    serves: (deployment) => present(inNamespace(deployment, deployment.status?.trainingJob)),
    /** The claim that its replicas read the model from. */
    claim: (deployment) => present(inNamespace(deployment, deployment.status?.model?.claimName)),
  },
});

interface RawPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
  };
  readonly status?: Omit<PodStatus, 'main' | 'other'> & {
    readonly containerStatuses?: readonly RawContainerStatus[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
  };
}

interface RawContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly state?: {
    readonly waiting?: NonNullable<ContainerState['waiting']>;
    readonly running?: { readonly startedAt?: string | null };
    readonly terminated?: RawTermination;
  };
  readonly lastState?: { readonly terminated?: RawTermination };
}

type RawTermination = Omit<Termination, 'startedAt' | 'finishedAt'> & { readonly startedAt?: string | null; readonly finishedAt?: string | null };

const readConditions = new Set(['PodScheduled', 'Ready', 'DisruptionTarget']);

export const pods = watched(podType, {
  selector: { labels: `${labels.managedBy}=${managedBy},${labels.role}` },
  indices: {
    modelDeployment: (pod) => present(inNamespace(pod, pod.metadata.labels?.[labels.modelDeployment])),
    node: (pod) => present(pod.spec.nodeName),
  },
  project: (raw: RawPod): Pod => {
    const { phase, reason, message, startTime, conditions, containerStatuses, initContainerStatuses } = raw.status ?? {};
    const mainName = raw.metadata.annotations?.[annotations.mainContainer] ?? raw.spec.containers[0]?.name;
    const main = containerStatuses?.find(({ name }) => name === mainName);
    const sidecars = new Set((raw.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name));
    return {
      ...slim(raw),
      spec: raw.spec.nodeName === undefined ? {} : { nodeName: raw.spec.nodeName },
      status: {
        ...(phase === undefined ? {} : { phase }),
        ...(reason === undefined ? {} : { reason }),
        ...(message === undefined ? {} : { message }),
        ...(startTime === undefined ? {} : { startTime }),
        ...(conditions === undefined ? {} : { conditions: slimConditions(conditions) }),
        ...(main === undefined ? {} : { main: { ready: main.ready, ...stateOf(main) } }),
        ...otherContainer(main, sidecars, initContainerStatuses ?? [], containerStatuses ?? []),
      },
    };
  },
});

/** The kubelet writes null for times that it does not know. */
function stateOf({ state, lastState }: RawContainerStatus): Omit<ContainerState, 'ready'> {
  const { waiting, running, terminated } = state ?? {};
  const last = waiting?.reason === 'CrashLoopBackOff' ? lastState?.terminated : undefined;
  return {
    ...(waiting === undefined ? {} : { waiting }),
    ...(running === undefined ? {} : { running: known(running) }),
    ...(terminated === undefined ? {} : { terminated: known(terminated) }),
    ...(last === undefined ? {} : { last: known(last) }),
  };
}

function known<T extends { readonly startedAt?: string | null; readonly finishedAt?: string | null }>({ startedAt, finishedAt, ...rest }: T) {
  return { ...rest, ...(typeof startedAt === 'string' ? { startedAt } : {}), ...(typeof finishedAt === 'string' ? { finishedAt } : {}) };
}

/** Only while the main container has not begun: later on it decides alone. A native sidecar that ended was restarted, or ended with the pod. */
function otherContainer(
  main: RawContainerStatus | undefined, sidecars: ReadonlySet<string>, inits: readonly RawContainerStatus[], containers: readonly RawContainerStatus[],
): { readonly other?: OtherContainer } {
  if (main?.state?.running !== undefined || main?.state?.terminated !== undefined) return {};
  const failed = inits.find(({ name, state }) => !sidecars.has(name) && state?.terminated !== undefined && state.terminated.exitCode !== 0);
  const stuck = [...inits, ...containers].find((status) => status !== main && isHeldUp(status.state?.waiting));
  const found = failed ?? stuck;
  return found === undefined ? {} : { other: { name: found.name, ...stateOf(found) } };
}

/** Conditions that hold as they should say nothing beyond their type; their words would fill the cache. */
function slimConditions(conditions: readonly PodCondition[]): PodCondition[] {
  return conditions
    .filter((condition) => readConditions.has(condition.type))
    .map(({ type, status, reason, message }) => ({
      type,
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    }));
}

interface RawNode extends KubeObject {
  readonly spec?: { readonly taints?: readonly NodeTaint[] };
  readonly status?: { readonly conditions?: readonly NodeCondition[] };
}

/** Conditions that say that a node cannot be relied on; the others tell of memory and disks, every few minutes. */
const nodeConditions = new Set(['Ready', 'PreemptionScheduled', 'GCESpotPreempting']);

export const nodes = watched(nodeType, {
  project: (raw: RawNode): Node => ({
    ...slim(raw),
    labels: raw.metadata.labels ?? {},
    taints: (raw.spec?.taints ?? []).map(({ key, value, effect }) => ({ key, ...(value === undefined ? {} : { value }), ...(effect === undefined ? {} : { effect }) })),
    conditions: (raw.status?.conditions ?? [])
      .filter(({ type }) => nodeConditions.has(type))
      .map(({ type, status, reason, message, lastTransitionTime }) => ({
        type, status,
        ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }), ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
      })),
  }),
});

interface RawEvent extends KubeObject {
  readonly involvedObject: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
  readonly message?: string;
}

/** What the kubelet says of a volume that it cannot mount: a missing ConfigMap, Secret or disk shows nowhere in the pod's status. */
export interface MountFailure extends KubeObject {
  /** `namespace/name`. */
  readonly pod: string;
  readonly podUid: string;
  readonly message: string;
}

export const mountFailures = watched(eventType, {
  selector: { fields: 'involvedObject.kind=Pod,reason=FailedMount' },
  indices: { pod: (failure) => [failure.pod] },
  project: (raw: RawEvent): MountFailure => {
    const { namespace = '', name = '', uid = '' } = raw.involvedObject;
    const { metadata, ...rest } = slim(raw);
    const { labels: _labels, ...kept } = metadata;
    return { ...rest, metadata: kept, pod: `${namespace}/${name}`, podUid: uid, message: raw.message ?? '' };
  },
});

export interface VolumeClaim extends KubeObject {
  readonly status?: { readonly phase?: string };
}

export const volumeClaims = watched(volumeClaimType, {
  selector: ours,
  /** By the UIDs of the ModelDeployments that keep it from being deleted together with its TrainingJob. */
  indices: { heldBy: (claim) => (claim.metadata.ownerReferences ?? []).filter(({ kind }) => kind === modelDeploymentType.kind).map(({ uid }) => uid) },
  project: (raw: VolumeClaim): VolumeClaim => ({ ...slim(raw), ...(raw.status?.phase === undefined ? {} : { status: { phase: raw.status.phase } }) }),
});

export interface NodePoolObject extends KubeObject {
  readonly status?: { readonly conditions?: readonly PodCondition[] };
}

export const nodePools = watched(nodePoolType, {
  selector: ours,
  optional: true,
  project: (raw: NodePoolObject): NodePoolObject => ({ ...slim(raw), ...(raw.status === undefined ? {} : { status: raw.status }) }),
});

export interface VolumeSnapshot extends KubeObject {
  readonly status?: {
    readonly readyToUse?: boolean;
    readonly creationTime?: string;
    readonly error?: { readonly message?: string };
  };
}

export const volumeSnapshots = watched(volumeSnapshotType, {
  selector: ours,
  optional: true,
  project: (raw: VolumeSnapshot): VolumeSnapshot => ({ ...slim(raw), ...(raw.status === undefined ? {} : { status: raw.status }) }),
});

export interface Deployment extends KubeObject {
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly unavailableReplicas?: number;
    readonly conditions?: readonly PodCondition[];
  };
}

export const deployments = watched(deploymentType, {
  selector: ours,
  project: (raw: Deployment): Deployment => ({
    ...slim(raw),
    spec: raw.spec.replicas === undefined ? {} : { replicas: raw.spec.replicas },
    ...(raw.status === undefined ? {} : { status: raw.status }),
  }),
});

export const services = watched(serviceType, { selector: ours, project: (raw: KubeObject): KubeObject => slim(raw) });
export const autoscalers = watched(autoscalerType, { selector: ours, project: (raw: KubeObject): KubeObject => slim(raw) });
export const disruptionBudgets = watched(disruptionBudgetType, { selector: ours, project: (raw: KubeObject): KubeObject => slim(raw) });

function present(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

/** `namespace/name`, the form in which indices name another object of the same namespace. */
export function inNamespace(object: KubeObject, name: string | undefined): string | undefined {
  return name === undefined ? undefined : `${object.metadata.namespace ?? ''}/${name}`;
}

function sweepKey(job: TrainingJob): string | undefined {
  return inNamespace(job, job.metadata.labels?.[labels.sweep]);
}
