/** Concludes at which stage a TrainingJob is. Pure and total: the plan follows from the stage, and so does the status. */
import { findCondition, isTrue, parseTime, type TrainingResult } from '../../api/index.ts';
import { withdraw, type Attempts } from '../../domain/attempts.ts';
import { restartDelayMs, spentOn, type Spent } from '../../domain/budget.ts';
import { imagePullDeadline, nodeLostDeadline, type FailureRules, type LedgerEntry } from '../../domain/failures.ts';
import type { Pod } from '../../domain/pod.ts';
import { karpenterMissing } from '../shared/pool.ts';
import { admissionOf, type Admission } from './admission.ts';
import { deadlinesOf, type Deadline } from './deadlines.ts';
import { endOf, type Observed } from './observe.ts';
import { advanced, attemptOf, isLingering, seenPlaces, superseded, type SeenPlace } from './places.ts';
import { stalledSinceMs } from './stall.ts';
import { hasJobSucceeded, missingResult, resultOf } from './success.ts';
import { entryOf, judgeFailures, type Ruling } from './verdict.ts';

export type Stage =
  /** Ended in an earlier pass; only clean-up is left. */
  | { readonly kind: 'Finished' }
  /** `problem`: why the result that there should be is none. */
  | { readonly kind: 'Succeeded'; readonly result: TrainingResult | undefined; readonly problem: string | undefined }
  | { readonly kind: 'Failed'; readonly reason: string; readonly message: string }
  /** The user, or the queue that the job is in, wants its pods to end. */
  | { readonly kind: 'Suspended'; readonly reason: string; readonly message: string }
  /** Something must come or go before pods can be made. */
  | { readonly kind: 'Waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'BackingOff'; readonly untilMs: number; readonly failure: LedgerEntry }
  | { readonly kind: 'Active' };

export interface Assessment {
  readonly stage: Stage;
  /** Each place with the pod of its attempt. */
  readonly places: readonly SeenPlace[];
  /** Pods of no place's attempt. */
  readonly superseded: readonly Pod[];
  readonly admission: Admission;
  /** Which attempt each place is at from now on; recorded before anything is done about it. */
  readonly attempts: Attempts;
  /** The failures that this pass found, not yet in the cached status. */
  readonly newFailures: readonly LedgerEntry[];
  readonly spent: Spent;
  readonly excludedNodes: readonly string[];
  /** The earliest time at which the conclusion may change by time alone. */
  readonly wakeAtMs: number | undefined;
}

export function assess(seen: Observed, nowMs: number): Assessment {
  const places = seenPlaces(seen);
  const base: Omit<Assessment, 'stage'> = {
    places,
    superseded: superseded(seen, places),
    admission: admissionOf(seen, places),
    attempts: advanced(seen.attempts, places),
    newFailures: [],
    spent: seen.status.budgetSpent ?? {},
    excludedNodes: seen.status.excludedNodes ?? [],
    wakeAtMs: undefined,
  };
  if (endOf(seen.status) !== undefined) return { ...base, attempts: seen.attempts, stage: { kind: 'Finished' } };
  if (hasJobSucceeded(seen, places)) return { ...base, stage: { kind: 'Succeeded', result: resultOf(places), problem: missingResult(seen, places) } };
  if (seen.job.spec.suspend) return { ...base, attempts: withdraw(base.attempts), wakeAtMs: lostNodes(seen, nowMs), stage: { kind: 'Suspended', reason: 'Suspended', message: 'spec.suspend is true.' } };
  const { admission } = base;
  if (admission.kind === 'Held' && admission.mustStop) return outOfQueue(seen, base, admission, nowMs);
  const resuming = isTrue(seen.status.conditions, 'Suspended');
  if (resuming && seen.pods.some((pod) => pod.metadata.deletionTimestamp !== undefined)) {
    const message = 'The pods of the suspended run are still ending.';
    return { ...base, attempts: withdraw(base.attempts), wakeAtMs: lostNodes(seen, nowMs), stage: { kind: 'Waiting', reason: 'Suspending', message } };
  }
  return resuming ? goOn(seen, base, nowMs) : afterFailures(seen, base, nowMs);
}

/** Nobody's failure, so no budget pays: the pods end as in a suspension, and the job goes on when the queue lets it. */
function outOfQueue(seen: Observed, base: Omit<Assessment, 'stage'>, { reason, message }: Pick<Extract<Admission, { readonly kind: 'Held' }>, 'reason' | 'message'>, nowMs: number): Assessment {
  // A start that was interrupted begins to count anew when the queue lets the job go on.
  const isSuspended = isTrue(seen.status.conditions, 'Suspended');
  const deadline = deadlinesOf(seen, base.places).find((one) => !isSuspended || one.reason === 'DeadlineExceeded');
  if (deadline !== undefined && nowMs >= deadline.atMs) return missed(base, deadline, [], nowMs);
  const hasBegun = seen.pods.length > 0 || seen.status.attempt !== undefined || seen.status.startTime !== undefined;
  const stage: Stage = { kind: hasBegun ? 'Suspended' : 'Waiting', reason, message };
  return { ...base, attempts: withdraw(base.attempts), wakeAtMs: earliest([deadline?.atMs, lostNodes(seen, nowMs)]), stage };
}

function afterFailures(seen: Observed, base: Omit<Assessment, 'stage'>, nowMs: number): Assessment {
  const verdict = judgeFailures({ ...seen, attempts: base.attempts }, base.places, rulesOf(seen), stalledSinceMs(seen, base.places), nowMs);
  const [deadline] = deadlinesOf(seen, base.places);
  const found = verdict.kind === 'GoOn' ? { ...base, wakeAtMs: verdict.untilMs } : { ...base, ...recorded(verdict.ruling) };
  if (deadline !== undefined && nowMs >= deadline.atMs) return missed(base, deadline, found.newFailures, nowMs);
  if (verdict.kind === 'Fail') return { ...found, stage: { kind: 'Failed', reason: verdict.reason, message: verdict.message } };
  const [entry] = found.newFailures;
  if (verdict.kind !== 'Restart' || verdict.scope === 'Pod' || entry === undefined) return goOn(seen, found, nowMs);
  const untilMs = Math.max(nowMs, restartAtMs(entry, seen, found, nowMs));
  return { ...found, stage: { kind: 'BackingOff', untilMs, failure: entry }, wakeAtMs: untilMs };
}

function recorded({ entries, spent, attempts, excludedNodes }: Ruling): Pick<Assessment, 'newFailures' | 'spent' | 'attempts' | 'excludedNodes'> {
  return { newFailures: entries, spent, attempts, excludedNodes };
}

/** What failed meanwhile stays on record, though nothing follows from it; a job that never got to run leaves in its ledger why. */
function missed(base: Omit<Assessment, 'stage'>, { reason, message }: Deadline, failures: readonly LedgerEntry[], nowMs: number): Assessment {
  const unscheduled = reason === 'StartDeadlineExceeded' ? base.places.find(({ pod }) => pod?.spec.nodeName === undefined) ?? base.places[0] : undefined;
  const entries = failures.map(({ nextAttempt: _none, ...entry }): LedgerEntry => ({ ...entry, scope: 'None' }));
  return {
    ...base,
    newFailures: unscheduled === undefined ? entries : [...entries, entryOf(unscheduled, { cause: 'Unschedulable', reason, message, timeMs: nowMs }, 'None')],
    stage: { kind: 'Failed', reason, message },
  };
}

function goOn(seen: Observed, base: Omit<Assessment, 'stage'>, nowMs: number): Assessment {
  const rules = rulesOf(seen);
  const deadline = deadlinesOf(seen, base.places)[0]?.atMs;
  const stall = stallDeadlineMs(seen, base.places);
  const pulls = base.places.map(({ pod }) => (pod === undefined ? undefined : imagePullDeadline(pod, rules, nowMs)));
  const wakeAtMs = earliest([base.wakeAtMs, deadline, stall, lostNodes(seen, nowMs), ...pulls]);
  const gangEntry = (seen.status.failures ?? []).findLast(({ nextAttempt, scope }) => scope === 'Gang' && nextAttempt === base.attempts.gang);
  if (gangEntry !== undefined && base.places.every(({ pod, launched }) => pod === undefined && !launched)) {
    const untilMs = restartAtMs(gangEntry, seen, base, nowMs);
    if (nowMs < untilMs) return { ...base, stage: { kind: 'BackingOff', untilMs, failure: gangEntry }, wakeAtMs: earliest([untilMs, wakeAtMs]) };
  }
  const restarts = base.places.map((place) => (place.pod === undefined && !place.launched ? placeRestartMs(seen, base, place, nowMs) : undefined)).filter((time) => time !== undefined && time > nowMs);
  return { ...base, stage: holdBeforePods(seen, base) ?? { kind: 'Active' }, wakeAtMs: earliest([wakeAtMs, ...restarts]) };
}

export function rulesOf({ job: { spec }, status }: Observed): FailureRules {
  const pulled = findCondition(status.conditions, 'ImagePulled');
  return {
    trainerExitCodes: spec.trainer !== undefined,
    imagePullDeadlineSeconds: spec.failurePolicy.imagePullDeadlineSeconds,
    pullingBadlySinceMs: pulled?.status === 'False' ? parseTime(pulled.lastTransitionTime) : undefined,
    nodeLostAfterSeconds: spec.failurePolicy.nodeLostAfterSeconds,
  };
}

/** When the attempt after a recorded failure may begin. */
function restartAtMs(entry: LedgerEntry, { status }: Observed, { spent, newFailures }: Pick<Assessment, 'spent' | 'newFailures'>, nowMs: number): number {
  const failedMs = parseTime(entry.time);
  // The clock was set back since then: a pause of a second must not become one of an hour.
  if (failedMs > nowMs) return nowMs;
  return failedMs + restartDelayMs(entry.cause, spentOn(entry.cause, spent), [...(status.failures ?? []), ...newFailures]);
}

/** When a place that was restarted alone may have its pod; undefined where nothing holds it back. */
export function placeRestartMs(seen: Observed, assessment: Pick<Assessment, 'spent' | 'newFailures'>, place: SeenPlace, nowMs: number): number | undefined {
  const entry = (seen.status.failures ?? []).findLast(({ nextAttempt, scope }) => scope === 'Pod' && nextAttempt === place.attempt);
  return entry === undefined ? undefined : restartAtMs(entry, seen, assessment, nowMs);
}

/** A reason not to make pods yet; undefined when nothing is in the way. */
function holdBeforePods(seen: Observed, { places, superseded: old, attempts, admission }: Omit<Assessment, 'stage'>): Stage | undefined {
  if (admission.kind === 'Held' && places.some(({ pod, launched, succeeded }) => pod === undefined && !launched && !succeeded)) {
    return { kind: 'Waiting', reason: admission.reason, message: admission.message };
  }
  if (seen.pool?.installed === false) return { kind: 'Waiting', ...karpenterMissing };
  // Pods that run have begun from it already.
  if (seen.restore?.kind === 'Missing' && places.every(({ pod }) => pod === undefined)) return { kind: 'Waiting', reason: seen.restore.reason, message: seen.restore.message };
  // Two gangs that write to one volume would spoil it: the last one's pods must have ended first.
  const lingering = old.find((pod) => attemptOf(pod) < attempts.gang && isLingering(pod));
  if (lingering !== undefined) return { kind: 'Waiting', reason: 'PreviousAttemptEnding', message: `Pod ${lingering.metadata.name}${lingering.spec.nodeName === undefined ? '' : ` on node ${lingering.spec.nodeName}`} of an earlier attempt is still ending.` };
  return undefined;
}

/** When the next node whose pods are still there counts as lost. */
function lostNodes(seen: Observed, nowMs: number): number | undefined {
  const rules = rulesOf(seen);
  const times = seen.pods.filter(isLingering).map(({ spec }) => nodeLostDeadline(seen.nodes.get(spec.nodeName ?? ''), rules));
  return earliest(times.filter((time) => time !== undefined && time > nowMs));
}

function stallDeadlineMs(seen: Observed, places: readonly SeenPlace[]): number | undefined {
  const since = stalledSinceMs(seen, places);
  const { stallAfterSeconds } = seen.job.spec.failurePolicy;
  return since === undefined || stallAfterSeconds === undefined ? undefined : since + stallAfterSeconds * 1000;
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
