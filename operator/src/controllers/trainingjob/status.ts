/** The status that follows from what was seen, what was concluded and how the actions went. Pure. */
import { conditionsFrom, findCondition, labels, parseTime, timestamp, type ModelStatus, type TrainingResult } from '../../api/index.ts';
import { writeAttempts } from '../../domain/attempts.ts';
import type { Job } from '../../domain/job.ts';
import { pathOnVolume } from '../../domain/job-volume.ts';
import { isRunning } from '../../domain/pod.ts';
import { rolesOf, trainerRole } from '../../domain/roles.ts';
import type { Outcome } from '../../runtime/index.ts';
import type { Assessment } from './assess.ts';
import { checkpointOf, lostSecondsOf } from './checkpoint.ts';
import { conclusionsOf, finishedConclusions } from './conclusions.ts';
import { runningSinceMs } from './deadlines.ts';
import { endOf, type JobStatus, type Observed } from './observe.ts';
import { enoughRun, podsOf } from './places.ts';
import { progressOf } from './progress.ts';

const longestLedger = 20;

export function statusOf(seen: Observed, assessment: Assessment, outcome: Outcome, nowMs: number): JobStatus {
  const generation = seen.object.metadata.generation ?? 0;
  const time = timestamp(nowMs);
  if (assessment.stage.kind === 'Finished') {
    return { ...seen.status, observedGeneration: generation, conditions: conditionsFrom(seen.status.conditions, finishedConclusions(seen, outcome), generation, time), ...backupOf(seen) };
  }
  const { stage, newFailures, spent, excludedNodes, places } = assessment;
  const ended = stage.kind === 'Succeeded' || stage.kind === 'Failed';
  const failures = newFailures.length === 0 ? seen.status.failures : [...(seen.status.failures ?? []), ...newFailures].slice(-longestLedger);
  const startTime = seen.status.startTime ?? firstStart(seen, assessment, nowMs);
  const activeSeconds = activeSecondsOf(seen, assessment, nowMs);
  return {
    ...(outcome.kind === 'done' ? { observedGeneration: generation } : keep('observedGeneration', seen.status.observedGeneration)),
    conditions: conditionsFrom(seen.status.conditions, conclusionsOf(seen, assessment, outcome), generation, time),
    ...attemptsOf(assessment, seen.job),
    ...keep('startTime', startTime),
    ...keep('runningTime', seen.status.runningTime ?? (stage.kind === 'Active' && enoughRun(places) ? time : undefined)),
    ...(ended ? { completionTime: time } : {}),
    ...keep('progress', progressOf(seen, assessment)),
    ...keep('checkpoint', checkpointOf(seen, assessment)),
    ...keep('lostSeconds', lostSecondsOf(seen, assessment)),
    ...(stage.kind === 'Succeeded' ? keep('model', modelOf(seen, stage.result)) : {}),
    ...keep('failures', failures),
    ...(Object.keys(spent).length > 0 ? { budgetSpent: spent } : {}),
    ...(excludedNodes.length > 0 ? { excludedNodes: [...excludedNodes] } : {}),
    ...keep('activeSeconds', activeSeconds),
  };
}

/** Nothing is said of attempts before the first pod is there: until then the job may still be changed. */
function attemptsOf({ attempts, places, stage }: Assessment, { spec, name }: Job): Pick<JobStatus, 'attempt' | 'gangAttempt' | 'roles' | 'replicas' | 'selector'> {
  const begun = attempts.newest > 1 || places.some(({ pod, launched, succeeded }) => pod !== undefined || launched || succeeded);
  if (!begun) return {};
  const ended = stage.kind === 'Succeeded' || stage.kind === 'Failed';
  const running = new Map([...Map.groupBy(places, ({ role }) => role)].map(([role, ofRole]) => [role, ended ? 0 : ofRole.filter(({ pod }) => pod !== undefined && isRunning(pod)).length]));
  return {
    attempt: attempts.newest,
    gangAttempt: attempts.gang,
    roles: rolesOf(spec).map((role) => ({ name: role.name, replicas: role.replicas, running: running.get(role.name) ?? 0, ...writeAttempts(attempts, role) })),
    ...(spec.trainer === undefined ? {} : { replicas: running.get(trainerRole) ?? 0 }),
    // What a HorizontalPodAutoscaler finds the pods of the scale subresource by.
    ...(spec.minReplicas === undefined ? {} : { selector: `${labels.trainingJob}=${name}` }),
  };
}

/** By the clocks of nodes, which may be wrong; but neither before the job nor after now, which would make its deadline strike early or late. */
function firstStart({ object }: Observed, assessment: Assessment, nowMs: number): string | undefined {
  const starts = podsOf(assessment)
    .map(({ status: { main } }) => main?.running?.startedAt ?? main?.terminated?.startedAt)
    .flatMap((time) => (time === undefined ? [] : [parseTime(time)]));
  if (starts.length === 0) return undefined;
  const { creationTimestamp } = object.metadata;
  return timestamp(Math.min(nowMs, Math.max(Math.min(...starts), creationTimestamp === undefined ? 0 : parseTime(creationTimestamp))));
}

/** Seconds of running before a suspension: added when it begins, kept until the next. */
function activeSecondsOf(seen: Observed, { stage }: Assessment, nowMs: number): number | undefined {
  const begins = stage.kind === 'Suspended' && findCondition(seen.status.conditions, 'Suspended')?.status !== 'True';
  const since = runningSinceMs(seen.status);
  if (!begins || since === undefined) return seen.status.activeSeconds;
  return (seen.status.activeSeconds ?? 0) + Math.max(0, Math.round((nowMs - since) / 1000));
}

function modelOf(seen: Observed, result: TrainingResult | undefined): ModelStatus | undefined {
  if (result === undefined || seen.volume === undefined) return undefined;
  const { path, digest, sizeBytes, pseudonymKeyId: id } = result.model;
  const key = seen.job.spec.trainer?.data.privacy?.pseudonymise?.key;
  return {
    claimName: seen.volume.claimName, path: pathOnVolume(seen.volume, path), digest, sizeBytes,
    // Here, since whoever serves the model may outlive the spec.
    ...(id === undefined || key === undefined ? {} : { pseudonymKey: { secretName: key.secretName, key: key.key, id } }),
    metrics: { ...result.metrics },
  };
}

function backupOf({ status, snapshots, job }: Observed): Pick<JobStatus, 'backup'> {
  if (job.spec.backup === undefined || endOf(status) !== 'Succeeded' || snapshots.object?.status?.readyToUse !== true) return {};
  const time = snapshots.object.status.creationTime;
  return { backup: { snapshotName: snapshots.name, ...(time === undefined ? {} : { time: timestamp(parseTime(time)) }) } };
}

function keep<K extends keyof JobStatus>(key: K, value: JobStatus[K] | undefined): Partial<Pick<JobStatus, K>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Pick<JobStatus, K>>);
}
