/** The times by which a TrainingJob must have begun, must go on, or must be done. Pure. */
import { findCondition, isTrue, parseTime } from '../../api/index.ts';
import type { JobStatus, Observed } from './observe.ts';
import { enoughRun, type SeenPlace } from './places.ts';

export interface Deadline {
  readonly atMs: number;
  readonly reason: 'DeadlineExceeded' | 'StartDeadlineExceeded' | 'IdleDeadlineExceeded';
  readonly message: string;
}

/** Those that hold now, the earliest first. */
export function deadlinesOf(seen: Observed, places: readonly SeenPlace[]): Deadline[] {
  return [activeDeadline(seen), absoluteDeadline(seen), startDeadline(seen, places), idleDeadline(seen)]
    .filter((deadline) => deadline !== undefined)
    .sort((a, b) => a.atMs - b.atMs);
}

function activeDeadline({ job, status }: Observed): Deadline | undefined {
  const limit = job.spec.activeDeadlineSeconds;
  const since = runningSinceMs(status);
  if (limit === undefined || since === undefined) return undefined;
  const atMs = since + (limit - (status.activeSeconds ?? 0)) * 1000;
  return { atMs, reason: 'DeadlineExceeded', message: `The job ran for longer than activeDeadlineSeconds, ${limit} s.` };
}

function absoluteDeadline({ job }: Observed): Deadline | undefined {
  const deadline = job.spec.scheduling?.deadline;
  if (deadline === undefined) return undefined;
  return { atMs: parseTime(deadline), reason: 'DeadlineExceeded', message: `The training was not done by scheduling.deadline, ${deadline}.` };
}

/** Holds until all pods have run at the same time once; a later restart has its own budgets. */
function startDeadline({ object, job, status }: Observed, places: readonly SeenPlace[]): Deadline | undefined {
  const limit = job.spec.scheduling?.startDeadlineSeconds;
  const created = object.metadata.creationTimestamp;
  if (limit === undefined || created === undefined || status.runningTime !== undefined || enoughRun(places)) return undefined;
  const atMs = Math.max(parseTime(created), resumedMs(status)) + limit * 1000;
  const cause = findCondition(status.conditions, 'Scheduled');
  const why = cause === undefined || cause.status === 'True' ? '' : ` ${cause.message}`;
  return { atMs, reason: 'StartDeadlineExceeded', message: `The pods did not all run within scheduling.startDeadlineSeconds, ${limit} s.${why}` };
}

function idleDeadline({ job, idleSinceMs }: Observed): Deadline | undefined {
  const limit = job.spec.scheduling?.idleDeadlineSeconds;
  if (limit === undefined || idleSinceMs === undefined) return undefined;
  return { atMs: idleSinceMs + limit * 1000, reason: 'IdleDeadlineExceeded', message: `The pods used next to no processor and reported no progress for scheduling.idleDeadlineSeconds, ${limit} s.` };
}

/** Since when the job runs without a suspension, in epoch milliseconds. */
export function runningSinceMs(status: JobStatus): number | undefined {
  if (status.startTime === undefined || isTrue(status.conditions, 'Suspended')) return undefined;
  return Math.max(parseTime(status.startTime), resumedMs(status));
}

function resumedMs(status: JobStatus): number {
  const resumed = findCondition(status.conditions, 'Suspended')?.lastTransitionTime;
  return resumed === undefined ? 0 : parseTime(resumed);
}
