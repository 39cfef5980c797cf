/** What to do for one TrainingJob at its stage. Pure: the same look and the same time give the same actions. */
import { cutBytes, endOfText, isTrue, labels, managedBy, parseTime } from '../../api/index.ts';
import { attemptAt, wasLaunched } from '../../domain/attempts.ts';
import { headlessService, needsService } from '../../domain/cluster-env/network.ts';
import { longestQuote, nodeLostDeadline, type LedgerEntry } from '../../domain/failures.ts';
import { volumeClaim } from '../../domain/job-volume.ts';
import { hasEnded, isOver, type Pod } from '../../domain/pod.ts';
import { placeKey } from '../../domain/roles.ts';
import { withAdditions } from '../../domain/scheduling/index.ts';
import { trainingPod, type TrainingSettings } from '../../domain/training-pod.ts';
import { at, done, type Action, type Plan } from '../../runtime/index.ts';
import { childOf, emit, seenOf } from '../shared/objects.ts';
import { podType, serviceType, trainingJobType, volumeClaimType, volumeSnapshotType } from '../shared/resources.ts';
import { additionsFor } from './admission.ts';
import { planAdmission } from './admission-plan.ts';
import { placeRestartMs, rulesOf, type Assessment } from './assess.ts';
import { checkpointContext } from './checkpoint.ts';
import { resultUnreadable } from './conclusions.ts';
import { endOf, type Observed } from './observe.ts';
import { attemptOf, isLingering, placeOf, type SeenPlace } from './places.ts';
import { sharedByPods } from './shared-by-pods.ts';

export function planJob(seen: Observed, assessment: Assessment, nowMs: number, settings: TrainingSettings): Plan {
  const { stage, superseded, wakeAtMs, newFailures } = assessment;
  const next = wakeAtMs === undefined ? done : at(wakeAtMs);
  const failures = newFailures.flatMap((failure) => announceFailure(seen, failure));
  switch (stage.kind) {
    case 'Finished':
      return planCleanUp(seen, assessment, nowMs);
    case 'Succeeded':
      return {
        actions: [
          ...announce(seen, 'Normal', 'Succeeded', 'Finish', 'The training succeeded.'),
          ...(stage.problem === undefined ? [] : announce(seen, 'Warning', resultUnreadable, 'ReadResult', stage.problem)),
        ],
        next: done,
      };
    case 'Failed':
      return { actions: [...failures, ...announce(seen, 'Warning', 'Failed', 'Finish', stage.message)], next: done };
    case 'Suspended':
      // The status says first that they are to end: who found them gone without that would take them for lost.
      return { actions: [...(isTrue(seen.status.conditions, 'Suspended') ? endPods(seen, liveOf(seen.pods), nowMs) : []), ...planAdmission(seen, assessment, nowMs)], next };
    case 'BackingOff':
      // The evidence goes into the status first; the pass after that ends what is left of the attempt.
      return { actions: newFailures.length === 0 ? [...endPods(seen, liveOf(superseded), nowMs), ...planAdmission(seen, assessment, nowMs)] : failures, next };
    case 'Waiting':
      return { actions: [...endPods(seen, [...superseded, ...endingOf(assessment.places)], nowMs), ...planAdmission(seen, assessment, nowMs)], next };
    case 'Active':
      return {
        actions: [
          ...failures, ...endPods(seen, superseded.filter((pod) => isGivenUp(seen, pod)), nowMs), ...planAdmission(seen, assessment, nowMs), ...ensureService(seen), ...ensureVolume(seen),
          ...ensurePods(seen, assessment, settings, nowMs),
        ],
        next,
      };
  }
}

/** How long sidecars may run on after the program: the kubelet ends native ones within a moment, others never end by themselves. */
const sidecarGraceMs = 30_000;

/** After the end: pods that still run, the snapshot, and the job itself when its time is over. Nothing is made anew. */
function planCleanUp(seen: Observed, assessment: Assessment, nowMs: number): Plan {
  const { completionTime } = seen.status;
  const sidecarsUntilMs = completionTime === undefined ? nowMs : parseTime(completionTime) + sidecarGraceMs;
  const held = seen.job.spec.cleanPodPolicy === 'None' ? [] : seen.pods.filter((pod) => !isOver(pod));
  const ending = nowMs < sidecarsUntilMs ? liveOf(held) : held;
  const over = seen.job.spec.cleanPodPolicy === 'All' ? seen.pods.filter(isOver) : [];
  const actions = [...endPods(seen, [...ending, ...over], nowMs), ...planAdmission(seen, assessment, nowMs), ...(endOf(seen.status) === 'Succeeded' ? takeSnapshot(seen) : [])];
  const next = ending.length < held.length ? at(sidecarsUntilMs) : done;
  const { ttlSecondsAfterFinished: ttl } = seen.job.spec;
  if (ttl === undefined || completionTime === undefined || seen.servedBy.length > 0 || awaitsBackup(seen)) return { actions, next };
  const expiryMs = parseTime(completionTime) + ttl * 1000;
  if (nowMs < expiryMs) return { actions, next: at(next.kind === 'at' ? Math.min(next.time, expiryMs) : expiryMs) };
  return { actions: [...actions, { kind: 'Delete', target: seenOf(trainingJobType, seen.object), propagation: 'Background' }], next: done };
}

/** The volume that a snapshot is taken of must not go before the snapshot is ready. */
function awaitsBackup({ job, status, snapshots, volume }: Observed): boolean {
  return job.spec.backup !== undefined && volume !== undefined && snapshots.installed && endOf(status) === 'Succeeded' && status.backup === undefined && snapshots.object?.status?.readyToUse !== true;
}

function ensureVolume({ object, job, volume, claim }: Observed): Action[] {
  if (volume?.template === undefined || claim !== undefined) return [];
  return [{ kind: 'Create', type: volumeClaimType, object: childOf(trainingJobType, object, volumeClaimType, volumeClaim(job, volume.claimName, volume.template)) }];
}

function ensureService({ object, job, hasService }: Observed): Action[] {
  if (hasService || !needsService(job.spec)) return [];
  return [{ kind: 'Create', type: serviceType, object: childOf(trainingJobType, object, serviceType, headlessService(job)) }];
}

/** Pods for the places that have none and never had one: where one was taken away, the ledger says so first. */
function ensurePods(seen: Observed, assessment: Assessment, settings: TrainingSettings, nowMs: number): Action[] {
  const held = new Set(assessment.superseded.filter(isLingering).map((pod) => placeKey(placeOf(pod))));
  const isDue = (place: SeenPlace): boolean =>
    place.pod === undefined && !place.launched && !place.succeeded && !held.has(placeKey(place)) && (placeRestartMs(seen, assessment, place, nowMs) ?? 0) <= nowMs;
  const pods = assessment.places.filter(isDue).flatMap((place): Action[] => {
    const additions = additionsFor(seen, assessment.admission, place);
    if (additions === undefined) return [];
    const pod = withAdditions(trainingPod(seen.job, place, place.attempt, { ...settings, excludedNodes: assessment.excludedNodes, checkpoint: checkpointContext(seen) }), additions);
    return [{ kind: 'Create', type: podType, object: childOf(trainingJobType, seen.object, podType, pod) }];
  });
  return pods.length === 0 ? [] : [...sharedByPods(seen), ...pods];
}

/**
 * The snapshot outlives the job, so it has no owner; applying it again changes nothing. One that was ready is its user's to delete, and is
 * not taken again.
 */
function takeSnapshot({ job, status, volume, snapshots }: Observed): Action[] {
  const { backup } = job.spec;
  if (backup === undefined || volume === undefined || !snapshots.installed || snapshots.object !== undefined || status.backup !== undefined) return [];
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

/** True once the status says that the pod's place has a later attempt, or none since a scale-down. */
function isGivenUp({ attempts }: Observed, pod: Pod): boolean {
  const place = placeOf(pod);
  return attemptOf(pod) < attemptAt(attempts, place) || !wasLaunched(attempts, place);
}

/** Pods that were told to end: on a lost node they never will. */
function endingOf(places: readonly SeenPlace[]): Pod[] {
  return places.flatMap(({ pod }) => (pod?.metadata.deletionTimestamp === undefined ? [] : pod));
}

/**
 * Ends pods by SIGTERM. Nobody on a lost node would ever confirm that, so there the pod's object is removed at once; what may
 * still run there finds that a later attempt owns the volume.
 */
function endPods(seen: Observed, pods: readonly Pod[], nowMs: number): Action[] {
  const rules = rulesOf(seen);
  return pods.flatMap((pod): Action[] => {
    const lostMs = nodeLostDeadline(seen.nodes.get(pod.spec.nodeName ?? ''), rules);
    const isLost = lostMs !== undefined && nowMs >= lostMs;
    if (pod.metadata.deletionTimestamp !== undefined && !isLost) return [];
    return [{ kind: 'Delete', target: seenOf(podType, pod), ...(isLost ? { gracePeriodSeconds: 0 } : {}) }];
  });
}

function announceFailure(seen: Observed, { attempt, pod, cause, message, reason }: LedgerEntry): Action[] {
  return announce(seen, 'Warning', cause, 'Restart', `Attempt ${attempt} failed in pod ${pod} (${cause}): ${endOfText(message ?? reason ?? '', longestQuote)}`);
}

/** Most bytes of an event's note in events.k8s.io/v1. */
const longestNote = 1024;

function announce(seen: Observed, type: 'Normal' | 'Warning', reason: string, action: string, note: string): Action[] {
  return [emit(seenOf(trainingJobType, seen.object), type, reason, action, cutBytes(note, longestNote))];
}
