/** What to do for one TrainingJob at its stage. Pure: the same look and the same time give the same actions. */
import { cutBytes, labels, managedBy, parseTime, podName } from '../../api/index.ts';
import { volumeClaim } from '../../domain/job-volume.ts';
import { hasEnded, isOver, type Pod } from '../../domain/pod.ts';
import { trainingPod, type TrainingSettings } from '../../domain/training-pod.ts';
import { at, done, type Action, type Plan } from '../../runtime/index.ts';
import { childOf, emit, seenOf } from '../shared/objects.ts';
import { podType, trainingJobType, volumeClaimType, volumeSnapshotType } from '../shared/resources.ts';
import type { Assessment } from './assess.ts';
import { attemptOf, endOf, type Observed } from './observe.ts';

export function planJob(seen: Observed, assessment: Assessment, nowMs: number, settings: TrainingSettings): Plan {
  const { stage, wakeAtMs } = assessment;
  const next = wakeAtMs === undefined ? done : at(wakeAtMs);
  const failure = announceFailure(seen, assessment);
  switch (stage.kind) {
    case 'Finished':
      return planCleanUp(seen, nowMs);
    case 'Succeeded':
      return { actions: announce(seen, 'Normal', 'Succeeded', 'Finish', 'The training succeeded.'), next: done };
    case 'Failed':
      return { actions: [...failure, ...announce(seen, 'Warning', 'Failed', 'Finish', stage.message)], next: done };
    case 'Suspended':
      return { actions: endPods(liveOf(seen.pods)), next };
    case 'BackingOff':
      // The evidence goes into the status first; the pass after that ends what is left of the attempt.
      return { actions: assessment.newFailure === undefined ? endPods(liveOf(seen.pods)) : failure, next };
    case 'Waiting':
      return { actions: endPods(earlier(seen, assessment)), next };
    case 'Active':
      return { actions: [...endPods(earlier(seen, assessment)), ...ensureVolume(seen), ...ensurePods(seen, assessment, settings)], next };
  }
}

/** How long sidecars may run on after the program: the kubelet ends native ones within a moment, others never end by themselves. */
const sidecarGraceMs = 30_000;

/** After the end: pods that still run, the snapshot, and the job itself when its time is over. Nothing is made anew. */
function planCleanUp(seen: Observed, nowMs: number): Plan {
  const { completionTime } = seen.status;
  const sidecarsUntilMs = completionTime === undefined ? nowMs : parseTime(completionTime) + sidecarGraceMs;
  const held = seen.pods.filter((pod) => !isOver(pod));
  const ending = nowMs < sidecarsUntilMs ? liveOf(held) : held;
  const actions = [...endPods(ending), ...(endOf(seen.status) === 'Succeeded' ? takeSnapshot(seen) : [])];
  const next = ending.length < held.length ? at(sidecarsUntilMs) : done;
  const { ttlSecondsAfterFinished: ttl } = seen.job.spec;
  if (ttl === undefined || completionTime === undefined || seen.servedBy.length > 0 || awaitsBackup(seen)) return { actions, next };
  const expiryMs = parseTime(completionTime) + ttl * 1000;
  if (nowMs < expiryMs) return { actions, next: at(next.kind === 'at' ? Math.min(next.time, expiryMs) : expiryMs) };
  return { actions: [...actions, { kind: 'Delete', target: seenOf(trainingJobType, seen.object), propagation: 'Background' }], next: done };
}

/** The volume that a snapshot is taken of must not go before the snapshot is ready. */
function awaitsBackup({ job, status, snapshots, volume }: Observed): boolean {
  return job.spec.backup !== undefined && volume !== undefined && snapshots.installed && endOf(status) === 'Succeeded' && snapshots.object?.status?.readyToUse !== true;
}

function ensureVolume({ object, job, volume, claim }: Observed): Action[] {
  if (volume?.template === undefined || claim !== undefined) return [];
  return [{ kind: 'Create', type: volumeClaimType, object: childOf(trainingJobType, object, volumeClaimType, volumeClaim(job, volume.claimName, volume.template)) }];
}

function ensurePods({ object, job, places }: Observed, { attempt, current }: Assessment, settings: TrainingSettings): Action[] {
  const there = new Set(current.map((pod) => pod.metadata.name));
  return places
    .filter(({ role, index }) => !there.has(podName(job, role, index, attempt)))
    .map((place) => ({ kind: 'Create', type: podType, object: childOf(trainingJobType, object, podType, trainingPod(job, place, attempt, settings)) }));
}

/**
 * The snapshot outlives the job, so it has no owner; applying it again changes nothing.
 */
function takeSnapshot({ job, volume, snapshots }: Observed): Action[] {
  const { backup } = job.spec;
  if (backup === undefined || volume === undefined || !snapshots.installed || snapshots.object !== undefined) return [];
  const object = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: snapshots.name, namespace: job.namespace, labels: { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name } },
    spec: {
      ...(backup.volumeSnapshotClassName === undefined ? {} : { volumeSnapshotClassName: backup.volumeSnapshotClassName }),
      source: { persistentVolumeClaimName: volume.claimName },
    },
  };
  return [{ kind: 'Apply', type: volumeSnapshotType, object }];
}

/** Pods that may still write: a delete ends them by SIGTERM, upon which the trainer writes a checkpoint. */
function liveOf(pods: readonly Pod[]): Pod[] {
  return pods.filter((pod) => !hasEnded(pod));
}

/** Pods of attempts that are over; their evidence is in the ledger, which is written before the next attempt begins. */
function earlier(seen: Observed, { attempt }: Assessment): Pod[] {
  return seen.pods.filter((pod) => attemptOf(pod) < attempt);
}

function endPods(pods: readonly Pod[]): Action[] {
  return pods.filter((pod) => pod.metadata.deletionTimestamp === undefined).map((pod) => ({ kind: 'Delete', target: seenOf(podType, pod) }));
}

function announceFailure(seen: Observed, { newFailure }: Assessment): Action[] {
  if (newFailure === undefined) return [];
  const note = `Attempt ${newFailure.attempt} failed in pod ${newFailure.pod} (${newFailure.cause}): ${newFailure.message ?? newFailure.reason ?? ''}`;
  return announce(seen, 'Warning', newFailure.cause, 'Restart', note);
}

/** Most bytes of an event's note in events.k8s.io/v1. */
const longestNote = 1024;

function announce(seen: Observed, type: 'Normal' | 'Warning', reason: string, action: string, note: string): Action[] {
  return [emit(seenOf(trainingJobType, seen.object), type, reason, action, cutBytes(note, longestNote))];
}
