/** Since when nothing was heard of a job's training. Pure. */
import { parseTime } from '../../api/index.ts';
import type { Observed } from './observe.ts';
import { enoughRun, type SeenPlace } from './places.ts';

/**
 * In epoch milliseconds; undefined while the job does not run, or where nobody asks.
 *
 * Never before this operator began to listen: reports that its predecessor received are lost, and silence that nobody listened
 * to is none.
 */
export function stalledSinceMs({ job, progress, listeningSinceMs }: Observed, places: readonly SeenPlace[]): number | undefined {
  if (job.spec.failurePolicy.stallAfterSeconds === undefined || !enoughRun(places)) return undefined;
  const starts = places.flatMap(({ pod }) => pod?.status.main?.running?.startedAt ?? []).map((time) => parseTime(time));
  return Math.max(listeningSinceMs, progress?.timeMs ?? 0, ...starts);
}
