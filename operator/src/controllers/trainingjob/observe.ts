/** Gathers from the caches what one TrainingJob's plan needs to know. No await: one consistent look. */
import { childName, findCondition, type CheckpointReport, type ProgressReport, type TrainingJob } from '../../api/index.ts';
import { readAttempts, type Attempts } from '../../domain/attempts.ts';
import { volumeOf, type JobVolume } from '../../domain/job-volume.ts';
import type { Node } from '../../domain/node.ts';
import type { Pod } from '../../domain/pod.ts';
import type { Job } from '../../domain/job.ts';
import { keyString, type ObjectKey } from '../../kube/resource.ts';
import type { Scope } from '../../runtime/index.ts';
import { mountFailuresOf, type MountFailures } from '../shared/mount-failures.ts';
import { observePool, type SeenPool } from '../shared/pool.ts';
import { observeRestore, type SeenRestore } from './restore.ts';
import type { Usage, UsageOf } from './usage-watch.ts';
import { admissionWatches, observeAdmission, type SeenAdmission } from './admission-watch.ts';
import { modelDeployments, mountFailures, nodePools, nodes, pods, services, trainingJobs, volumeClaims, volumeSnapshots, type VolumeClaim, type VolumeSnapshot } from '../shared/watched.ts';

export const watches = { jobs: trainingJobs, pods, nodes, services, claims: volumeClaims, nodePools, snapshots: volumeSnapshots, deployments: modelDeployments, mountFailures, ...admissionWatches };
export type JobStatus = NonNullable<TrainingJob['status']>;
export type JobScope = Scope<typeof watches, JobStatus>;

/** A report from a pod, with the time at which it came. */
export interface ReceivedProgress {
  /** Undefined while only checkpoints were told. */
  readonly report: ProgressReport | undefined;
  readonly timeMs: number;
  /** The newest checkpoint of any report, since not every report names one. */
  readonly checkpoint: CheckpointReport | undefined;
}

/** Where pods' reports are kept until a reconcile looks at them. */
export interface ProgressBoard {
  newest(jobUid: string): ReceivedProgress | undefined;
  /** Since when this process could have heard of pods, in epoch milliseconds. */
  readonly listeningSinceMs: number;
  /** The job has ended: nothing that its pods said matters any more. */
  forget(jobUid: string): void;
}

export interface Observed {
  readonly object: TrainingJob;
  readonly job: Job;
  readonly status: JobStatus;
  readonly pods: readonly Pod[];
  /** The nodes that these pods are on, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  readonly attempts: Attempts;
  readonly mountFailures: MountFailures;
  /** True once the headless Service of the pods is there. */
  readonly hasService: boolean;
  readonly volume: JobVolume | undefined;
  readonly claim: VolumeClaim | undefined;
  /** Undefined when the job asks for no pool of ours. */
  readonly pool: SeenPool | undefined;
  /** What queues and gangs say of the job. */
  readonly admission: SeenAdmission;
  readonly snapshots: { readonly installed: boolean; readonly name: string; readonly object: VolumeSnapshot | undefined };
  /** Names of the ModelDeployments that serve this job's model, or are about to. */
  readonly servedBy: readonly string[];
  readonly progress: ReceivedProgress | undefined;
  /** The checkpoint of another job to begin from. */
  readonly restore: SeenRestore | undefined;
  readonly listeningSinceMs: number;
  /** Since when the pods use next to no processor; undefined while they work, or where nobody asks. */
  readonly idleSinceMs?: number;
  /** Why nobody knows what the pods use, where somebody asks. */
  readonly usageUnknown?: string;
}

export function observe(key: ObjectKey, stores: JobScope['stores'], board: ProgressBoard, usageOf: UsageOf = () => undefined): Observed | undefined {
  const object = stores.jobs.get(key);
  if (object === undefined) return undefined;
  const uid = object.metadata.uid ?? '';
  const job: Job = { namespace: key.namespace, name: key.name, uid, spec: object.spec };
  const volume = volumeOf(job, object.spec);
  const pods = stores.pods.controlledBy(uid);
  const snapshotName = childName(job, 'succeeded');
  return {
    object,
    job,
    status: object.status ?? {},
    pods,
    nodes: nodesOf(pods, stores),
    attempts: readAttempts(object.status ?? {}),
    mountFailures: mountFailuresOf(pods, stores.mountFailures),
    hasService: stores.services.controlledBy(uid).length > 0,
    volume,
    claim: volume === undefined ? undefined : stores.claims.get({ namespace: key.namespace, name: volume.claimName }),
    pool: observePool(object.spec.nodePool, stores.nodePools),
    admission: observeAdmission(job, stores),
    snapshots: {
      installed: stores.snapshots.installed,
      name: snapshotName,
      object: stores.snapshots.get({ namespace: key.namespace, name: snapshotName }),
    },
    servedBy: [...stores.deployments.by('serves', keyString(key)), ...stores.deployments.by('fromTrainingJob', keyString(key))].map((deployment) => deployment.metadata.name),
    progress: board.newest(uid),
    restore: observeRestore(job, object.status ?? {}, stores),
    listeningSinceMs: board.listeningSinceMs,
    ...idleness(usageOf(uid), board.newest(uid)),
  };
}

/** Progress that comes in between is work too. */
function idleness(usage: Usage | undefined, progress: ReceivedProgress | undefined): Pick<Observed, 'idleSinceMs' | 'usageUnknown'> {
  if (usage === undefined) return {};
  if (usage.kind === 'Unknown') return { usageUnknown: usage.message };
  return usage.idleSinceMs === undefined ? {} : { idleSinceMs: Math.max(usage.idleSinceMs, progress?.timeMs ?? 0) };
}

function nodesOf(pods: readonly Pod[], stores: JobScope['stores']): ReadonlyMap<string, Node> {
  const names = new Set(pods.flatMap(({ spec }) => spec.nodeName ?? []));
  return new Map([...names].flatMap((name) => {
    const node = stores.nodes.get({ namespace: '', name });
    return node === undefined ? [] : [[name, node] as const];
  }));
}

/** `Succeeded` or `Failed`, once the job has ended for good. */
export function endOf(status: JobStatus): 'Succeeded' | 'Failed' | undefined {
  if (findCondition(status.conditions, 'Succeeded')?.status === 'True') return 'Succeeded';
  return findCondition(status.conditions, 'Failed')?.status === 'True' ? 'Failed' : undefined;
}
