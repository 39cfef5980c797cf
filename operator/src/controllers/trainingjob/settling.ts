/**
 * When a status may wait. While the pods of an attempt are on their way, each of them changes what is true of the job several
 * times within a moment; told one by one, that costs the API server more than making the pods.
 */
import { isTrue } from '../../api/index.ts';
import { podCondition, type Pod } from '../../domain/pod.ts';
import { keyString, type ObjectKey } from '../../kube/resource.ts';
import type { Instant, Outcome } from '../../runtime/index.ts';
import type { Assessment } from './assess.ts';
import { waitsBadly } from './conclusions.ts';
import type { Observed } from './observe.ts';
import { enoughRun, podsOf } from './places.ts';

/** How long the first news of an attempt may wait. Each further one may wait twice as long: a queue that is long is told of less often. */
const settleMs = 2_000;
const longestMs = 30_000;
/** Of all jobs on their way together. When many begin at once, most have arrived before they would tell of the way, and the API server makes their pods meanwhile. */
const newsPerSecond = 25;

/** True while all goes as it should and is not yet where it should be: nothing that a person or a program would act on. */
export function isOnItsWay(seen: Observed, assessment: Assessment, outcome: Outcome): boolean {
  const { stage, places, newFailures } = assessment;
  if (outcome.kind === 'failed' || newFailures.length > 0 || stage.kind !== 'Active' || isTrue(seen.status.conditions, 'Suspended')) return false;
  if (isTrue(seen.status.conditions, 'Running')) return false;
  if (seen.mountFailures.size > 0 || podsOf(assessment).some(needsWords)) return false;
  return !enoughRun(places);
}

function needsWords(pod: Pod): boolean {
  return waitsBadly(pod) || pod.metadata.deletionTimestamp !== undefined || podCondition(pod, 'PodScheduled')?.status === 'False';
}

interface Told {
  readonly uid: string;
  readonly attempt: number;
  readonly timeMs: Instant;
  readonly waitMs: number;
}

/** When each job last told of an attempt on its way. Only in memory: a restarted operator tells a little sooner, that is all. */
export class Settling {
  readonly #told = new Map<string, Told>();

  /** Until when the news may wait; undefined when it must be told now, which is taken as done. */
  untilMs(key: ObjectKey, uid: string, attempt: number, nowMs: Instant): Instant | undefined {
    const name = keyString(key);
    const held = this.#told.get(name);
    // A wall clock that was set back must not hold the news for longer.
    const isKnown = held?.uid === uid && held.attempt === attempt && held.timeMs <= nowMs;
    const { timeMs, waitMs: ownMs } = isKnown ? held : { timeMs: nowMs, waitMs: settleMs };
    const onTheirWay = this.#told.size + (held === undefined ? 1 : 0);
    // Only ever longer: when few are left of a crowd, these are about to arrive too.
    const waitMs = Math.max(ownMs, Math.min(longestMs, (onTheirWay * 1000) / newsPerSecond));
    const isDue = nowMs >= timeMs + waitMs;
    this.#told.set(name, isDue ? { uid, attempt, timeMs: nowMs, waitMs: Math.min(2 * waitMs, longestMs) } : { uid, attempt, timeMs, waitMs });
    return isDue ? undefined : timeMs + waitMs;
  }

  /** The attempt has arrived or ended, or the job is gone. */
  forget(key: ObjectKey): void {
    this.#told.delete(keyString(key));
  }
}
