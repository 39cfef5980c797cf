/** The conditions of a TrainingJob, each with a reason for programs and a sentence for a person. */
import { findCondition, type Conclusion } from '../../api/index.ts';
import { isPullingBadly } from '../../domain/failures.ts';
import { hasEnded, hindranceOf, type Pod } from '../../domain/pod.ts';
import type { Outcome } from '../../runtime/index.ts';
import { poolConclusions } from '../shared/pool.ts';
import { volumeSnapshotType } from '../shared/resources.ts';
import type { Assessment } from './assess.ts';
import { endOf, type Observed } from './observe.ts';
import { enoughRun, isUp, podsOf } from './places.ts';
import { scheduled } from './scheduled.ts';

/** All that is true of the job. A refused action outweighs everything, since nothing goes on until it is mended. */
export function conclusionsOf(seen: Observed, assessment: Assessment, outcome: Outcome): Conclusion[] {
  const run = running(seen, assessment);
  const aspects = [scheduled(seen, assessment, run), run, ...imagePulled(seen, assessment), ...suspended(seen, assessment), ...ends(assessment), ...modelKnown(assessment), ...poolConclusions(seen.pool), ...usageKnown(seen), ...backup(seen, outcome)];
  return [ready(seen, assessment, aspects, outcome), ...aspects];
}

/** The conditions that an ended job keeps: only its backup may still move. */
export function finishedConclusions(seen: Observed, outcome: Outcome): Conclusion[] {
  const kept = (seen.status.conditions ?? []).filter(({ type }) => type !== 'BackedUp').map(({ type, status, reason, message }) => ({ type, status, reason, message }));
  return [...kept, ...(endOf(seen.status) === 'Succeeded' ? backup(seen, outcome) : [])];
}

function ready(seen: Observed, assessment: Assessment, aspects: readonly Conclusion[], outcome: Outcome): Conclusion {
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Ready', status, reason, message });
  if (outcome.kind === 'failed') return conclude('False', `${outcome.action.kind}Failed`, outcome.error.message);
  const { stage } = assessment;
  switch (stage.kind) {
    case 'Finished':
    case 'Succeeded':
      if (stage.kind === 'Succeeded' && stage.problem !== undefined) return conclude('False', resultUnreadable, stage.problem);
      return conclude('True', 'Succeeded', 'The training succeeded.');
    case 'Failed':
      return conclude('False', stage.reason, stage.message);
    case 'Suspended':
      return conclude('Unknown', stage.reason, seen.job.spec.suspend ? 'The job is suspended; set spec.suspend to false to go on.' : stage.message);
    case 'Waiting':
      return conclude('Unknown', stage.reason, stage.message);
    case 'BackingOff':
      return conclude('Unknown', 'Restarting', `Attempt ${stage.failure.attempt} failed (${stage.failure.cause}); the next one begins soon.`);
    case 'Active': {
      const [scheduledNow, runningNow] = aspects;
      if (runningNow?.status === 'True') return conclude('True', 'Running', runningNow.message);
      const needsSomebody = seen.mountFailures.size > 0 || podsOf(assessment).some(waitsBadly);
      const cause = needsSomebody || scheduledNow?.status === 'True' ? runningNow : scheduledNow;
      return conclude(needsSomebody ? 'False' : 'Unknown', cause?.reason ?? 'Starting', cause?.message ?? 'The pods are being made.');
    }
  }
}

function running(seen: Observed, assessment: Assessment): Conclusion {
  const { stage, places } = assessment;
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Running', status, reason, message });
  if (stage.kind !== 'Active') return conclude('False', stage.kind, 'No pod of the job runs.');
  const up = places.filter(isUp).length;
  if (enoughRun(places)) return conclude('True', 'Running', up === places.length ? 'All pods run.' : `${up} of ${places.length} pods run, which is enough to go on.`);
  const current = podsOf(assessment);
  const stuck = current.find((pod) => waitsBadly(pod));
  if (stuck !== undefined) return { type: 'Running', status: 'False', ...cannotStart(seen, stuck) };
  const going = current.find((pod) => pod.metadata.deletionTimestamp !== undefined && !hasEnded(pod));
  if (going !== undefined) {
    const where = going.spec.nodeName === undefined ? '' : ` on node ${going.spec.nodeName}`;
    return conclude('False', 'PodTerminating', `Pod ${going.metadata.name}${where} is being deleted by someone else; the next attempt begins when it is gone.`);
  }
  const unmounted = current.find((pod) => seen.mountFailures.has(pod.metadata.name));
  if (unmounted !== undefined) {
    return conclude('False', 'FailedMount', `Pod ${unmounted.metadata.name} cannot start: ${seen.mountFailures.get(unmounted.metadata.name) ?? ''}`);
  }
  return conclude('False', 'Starting', `${up} of ${places.length} pods run.`);
}

/** Only while an image does not come. The time of its change is when imagePullDeadlineSeconds began, kept across restarts of the operator. */
function imagePulled(seen: Observed, assessment: Assessment): Conclusion[] {
  const stuck = assessment.stage.kind === 'Active' ? podsOf(assessment).find(isPullingBadly) : undefined;
  return stuck === undefined ? [] : [{ type: 'ImagePulled', status: 'False', ...cannotStart(seen, stuck) }];
}

function cannotStart({ status }: Observed, pod: Pod): Pick<Conclusion, 'reason' | 'message'> {
  const { container, reason, message } = hindranceOf(pod) ?? { reason: 'Waiting', message: '' };
  const where = `Pod ${pod.metadata.name}${container === undefined ? '' : `, container ${container}`} cannot start: `;
  const before = findCondition(status.conditions, 'Running');
  // The kubelet alternates between the registry's words and that it waits; the words help, and a condition that stays costs no write.
  if (reason === 'ImagePullBackOff' && before?.reason === 'ErrImagePull' && before.message.startsWith(where)) return { reason: before.reason, message: before.message };
  return { reason, message: `${where}${message === '' ? reason : message}` };
}

/** True when a container waits for something that a person must mend. */
export function waitsBadly(pod: Pod): boolean {
  return hindranceOf(pod) !== undefined;
}

/** Present once a job has been suspended; the time of its change to False is when it went on. */
function suspended(seen: Observed, { stage, admission }: Assessment): Conclusion[] {
  const before = findCondition(seen.status.conditions, 'Suspended');
  if (stage.kind === 'Suspended') return [{ type: 'Suspended', status: 'True', reason: stage.reason, message: stage.message }];
  if (before === undefined) return [];
  // True until the pods of before the suspension are gone: only then may their places be filled again.
  if (before.status === 'True' && stage.kind === 'Waiting' && admission.kind === 'Open') return [{ type: 'Suspended', status: 'True', reason: before.reason, message: before.message }];
  return [{ type: 'Suspended', status: 'False', reason: 'Resumed', message: 'The job went on.' }];
}

/** Only where the job asks for its idleness and nobody can tell: silence would look as if all were well. */
function usageKnown({ usageUnknown }: Observed): Conclusion[] {
  if (usageUnknown === undefined) return [];
  return [{ type: 'UsageKnown', status: 'False', reason: 'MetricsUnavailable', message: `scheduling.idleDeadlineSeconds has no effect, since the metrics API does not answer; install metrics-server, or leave it out. ${usageUnknown}` }];
}

export const resultUnreadable = 'ResultUnreadable';

/** Only where a model should be known and is not: a success without one would look as if all were well. */
function modelKnown({ stage }: Assessment): Conclusion[] {
  if (stage.kind !== 'Succeeded' || stage.problem === undefined) return [];
  return [{ type: 'ModelKnown', status: 'False', reason: resultUnreadable, message: stage.problem }];
}

function ends({ stage }: Assessment): Conclusion[] {
  if (stage.kind === 'Succeeded') return [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'The training succeeded.' }];
  if (stage.kind === 'Failed') return [{ type: 'Failed', status: 'True', reason: stage.reason, message: stage.message }];
  return [];
}

function backup({ job, status: { backup: taken }, snapshots }: Observed, outcome: Outcome): Conclusion[] {
  if (job.spec.backup === undefined) return [];
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion[] => [{ type: 'BackedUp', status, reason, message }];
  if (!snapshots.installed) {
    return conclude('False', 'SnapshotsNotInstalled', 'The cluster has no snapshot.storage.k8s.io/v1 VolumeSnapshot. Install the external-snapshotter, or remove spec.backup.');
  }
  const { object, name } = snapshots;
  if (object === undefined && taken !== undefined) return conclude('False', 'SnapshotDeleted', `VolumeSnapshot ${name} was ready and is gone; it is not taken again.`);
  if (outcome.kind === 'failed' && outcome.action.kind === 'Apply' && outcome.action.type.kind === volumeSnapshotType.kind) return conclude('False', 'SnapshotRefused', outcome.error.message);
  if (object === undefined) return conclude('False', 'NotYet', 'The snapshot is taken when the training has succeeded.');
  const error = object.status?.error?.message;
  if (error !== undefined) return conclude('False', 'SnapshotFailed', `VolumeSnapshot ${name}: ${error}`);
  return object.status?.readyToUse === true
    ? conclude('True', 'SnapshotReady', `VolumeSnapshot ${name} is ready to use.`)
    : conclude('False', 'SnapshotPending', `VolumeSnapshot ${name} is being taken.`);
}
