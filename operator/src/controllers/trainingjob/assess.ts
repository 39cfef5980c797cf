/** Concludes at which stage a TrainingJob is. Pure and total: the plan follows from the stage, and so does the status. */
import { cutText, findCondition, isTrue, labels, parseTime, podName, timestamp, type TrainingResult } from '../../api/index.ts';
import { judge, restartDelayMs, spentOn, type Spent } from '../../domain/budget.ts';
import { failureOf, goingAway, hasSucceeded, imagePullDeadline, vanished, type Failure, type FailureRules, type LedgerEntry } from '../../domain/failures.ts';
import { hasEnded, type Pod } from '../../domain/pod.ts';
import { parseResult } from '../../domain/termination-message.ts';
import type { Place } from '../../domain/training-pod.ts';
import { karpenterMissing } from '../shared/pool.ts';
import { attemptOf, endOf, type Observed } from './observe.ts';

export type Stage =
  /** Ended in an earlier pass; only clean-up is left. */
  | { readonly kind: 'Finished' }
  | { readonly kind: 'Succeeded'; readonly result: TrainingResult | undefined }
  | { readonly kind: 'Failed'; readonly reason: string; readonly message: string }
  | { readonly kind: 'Suspended' }
  /** Something must come or go before pods can be made. */
  | { readonly kind: 'Waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'BackingOff'; readonly untilMs: number; readonly failure: LedgerEntry }
  | { readonly kind: 'Active' };

export interface Assessment {
  readonly stage: Stage;
  /** The attempt whose pods should exist, from 1. */
  readonly attempt: number;
  /** Pods of that attempt. */
  readonly current: readonly Pod[];
  /** The failure that this pass found, not yet in the cached status. */
  readonly newFailure: LedgerEntry | undefined;
  readonly spent: Spent;
  /** The earliest time at which the conclusion may change by time alone. */
  readonly wakeAtMs: number | undefined;
}

export function assess(seen: Observed, nowMs: number): Assessment {
  const failures = seen.status.failures ?? [];
  const last = failures.at(-1);
  const attempt = (last?.attempt ?? 0) + 1;
  const current = seen.pods.filter((pod) => attemptOf(pod) === attempt);
  const base = { attempt, current, newFailure: undefined, spent: seen.status.budgetSpent ?? {}, wakeAtMs: undefined };

  if (endOf(seen.status) !== undefined) return { ...base, stage: { kind: 'Finished' } };
  if (succeeded(seen, current)) return { ...base, stage: { kind: 'Succeeded', result: resultOf(current) } };
  if (seen.job.spec.suspend) return { ...base, stage: { kind: 'Suspended' } };
  const deadline = activeDeadlineMs(seen);
  const resuming = isTrue(seen.status.conditions, 'Suspended');
  if (resuming && seen.pods.some((pod) => pod.metadata.deletionTimestamp !== undefined)) {
    return { ...base, stage: { kind: 'Waiting', reason: 'Suspending', message: 'The pods of the suspended run are still ending.' } };
  }
  const failed = resuming ? undefined : firstFailure(seen, current, attempt, nowMs);
  const restarted = failed === undefined ? base : afterFailure(seen, base, failed, nowMs);
  if (deadline !== undefined && nowMs >= deadline) {
    const message = `The job ran for longer than activeDeadlineSeconds, ${String(seen.job.spec.activeDeadlineSeconds)} s.`;
    return { ...base, newFailure: restarted.newFailure, stage: { kind: 'Failed', reason: 'DeadlineExceeded', message } };
  }
  if ('stage' in restarted) return restarted;

  const wakeAtMs = earliest([deadline, ...current.map((pod) => imagePullDeadline(pod, rulesOf(seen), nowMs))]);
  if (last !== undefined && current.length === 0 && (seen.status.attempt ?? 0) < attempt) {
    const untilMs = restartAtMs(last, seen);
    if (nowMs < untilMs) return { ...base, stage: { kind: 'BackingOff', untilMs, failure: last }, wakeAtMs: earliest([untilMs, deadline]) };
  }
  const hold = holdBeforePods(seen, current);
  return { ...base, stage: hold ?? { kind: 'Active' }, wakeAtMs };
}

function succeeded(seen: Observed, current: readonly Pod[]): boolean {
  return current.length === seen.places.length && current.length > 0 && current.every((pod) => hasSucceeded(pod, rulesOf(seen)));
}

function rulesOf({ job: { spec }, status }: Observed): FailureRules {
  const pulled = findCondition(status.conditions, 'ImagePulled');
  return {
    trainerExitCodes: spec.trainer !== undefined,
    imagePullDeadlineSeconds: spec.failurePolicy.imagePullDeadlineSeconds,
    pullingBadlySinceMs: pulled?.status === 'False' ? parseTime(pulled.lastTransitionTime) : undefined,
  };
}

interface PodFailure {
  readonly place: Place;
  readonly podName: string;
  readonly node: string | undefined;
  readonly failure: Failure;
}

/** The failure that came first: the others of the same attempt mostly follow from it. When the cluster took a pod away, its peers fail without it. */
function firstFailure(seen: Observed, current: readonly Pod[], attempt: number, nowMs: number): PodFailure | undefined {
  const found = (inspect: (pod: Pod) => Failure | undefined): PodFailure[] =>
    current.flatMap((pod) => {
      const failure = inspect(pod);
      return failure === undefined ? [] : [{ place: placeOf(pod), podName: pod.metadata.name, node: pod.spec.nodeName, failure }];
    });
  const ended = found((pod) => failureOf(pod, rulesOf(seen), nowMs)).sort((a, b) => a.failure.timeMs - b.failure.timeMs);
  const [first] = ended;
  const gone = missing(seen, current, attempt, nowMs);
  if (first === undefined) return gone;
  return ended.find(({ failure }) => byCluster(failure)) ?? found((pod) => goingAway(pod, nowMs))[0] ?? gone ?? first;
}

function byCluster({ cause }: Failure): boolean {
  return cause === 'Preempted' || cause === 'NodeLost';
}

/** Every pod of this attempt was seen before; one that is missing now was taken away. */
function missing(seen: Observed, current: readonly Pod[], attempt: number, nowMs: number): PodFailure | undefined {
  if ((seen.status.attempt ?? 0) < attempt) return undefined;
  const names = new Set(current.map((pod) => pod.metadata.name));
  const place = seen.places.find(({ role, index }) => !names.has(podName(seen.job, role, index, attempt)));
  return place && { place, podName: podName(seen.job, place.role, place.index, attempt), node: undefined, failure: vanished(nowMs) };
}

/** Most characters, as the schema has it: a status that is too long is refused, and all its evidence with it. */
const longestReason = 128;
const longestWords = 4096;

function afterFailure(seen: Observed, base: Omit<Assessment, 'stage'>, { place, podName, node, failure }: PodFailure, nowMs: number): Assessment {
  const entry: LedgerEntry = {
    pod: podName,
    attempt: base.attempt,
    ...place,
    cause: failure.cause,
    ...(failure.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
    reason: cutText(failure.reason, longestReason),
    ...(node === undefined ? {} : { node }),
    message: cutText(failure.message, longestWords),
    time: timestamp(failure.timeMs),
  };
  const judgement = judge(failure.cause, seen.job.spec.failurePolicy.budgets, base.spent, [...(seen.status.failures ?? []), entry]);
  const found = { ...base, newFailure: entry, spent: judgement.spent };
  if (judgement.kind === 'Fail') {
    const message = `Attempt ${base.attempt} failed in pod ${podName}: ${failure.message === '' ? failure.reason : failure.message} ${judgement.why}`;
    return { ...found, stage: { kind: 'Failed', reason: failure.cause, message } };
  }
  const untilMs = Math.max(nowMs, failure.timeMs + judgement.delayMs);
  return { ...found, stage: { kind: 'BackingOff', untilMs, failure: entry }, wakeAtMs: untilMs };
}

/** When the attempt after a recorded failure may begin. */
function restartAtMs(last: LedgerEntry, seen: Observed): number {
  return parseTime(last.time) + restartDelayMs(last.cause, spentOn(last.cause, seen.status.budgetSpent ?? {}), seen.status.failures ?? []);
}

/** A reason not to make pods yet; undefined when nothing is in the way. */
function holdBeforePods(seen: Observed, current: readonly Pod[]): Stage | undefined {
  if (seen.pool?.installed === false) return { kind: 'Waiting', ...karpenterMissing };
  // Two pods that write to one volume would spoil it: the last attempt's must have ended first.
  const lingering = seen.pods.find((pod) => !current.includes(pod) && !hasEnded(pod));
  if (lingering !== undefined) return { kind: 'Waiting', reason: 'PreviousAttemptEnding', message: `Pod ${lingering.metadata.name}${lingering.spec.nodeName === undefined ? '' : ` on node ${lingering.spec.nodeName}`} of an earlier attempt is still ending. Should the node be lost for good, delete the node.` };
  return undefined;
}

/** When activeDeadlineSeconds is used up; undefined where there is none or no pod ran yet. */
function activeDeadlineMs(seen: Observed): number | undefined {
  const limit = seen.job.spec.activeDeadlineSeconds;
  const since = runningSinceMs(seen.status);
  if (limit === undefined || since === undefined) return undefined;
  return since + (limit - (seen.status.activeSeconds ?? 0)) * 1000;
}

/** Since when the job runs without a suspension, in epoch milliseconds. */
export function runningSinceMs(status: Observed['status']): number | undefined {
  if (status.startTime === undefined || isTrue(status.conditions, 'Suspended')) return undefined;
  const resumed = findCondition(status.conditions, 'Suspended')?.lastTransitionTime;
  return Math.max(parseTime(status.startTime), resumed === undefined ? 0 : parseTime(resumed));
}

/** What the built-in trainer said at its end; a role's program says nothing that we understand. */
function resultOf(current: readonly Pod[]): TrainingResult | undefined {
  return parseResult(current[0]?.status.main?.terminated?.message);
}

function placeOf(pod: Pod): Place {
  return { role: pod.metadata.labels?.[labels.role] ?? '', index: Number(pod.metadata.labels?.[labels.index] ?? '0') };
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
