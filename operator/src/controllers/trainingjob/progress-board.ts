/** The newest report of each TrainingJob's pod, in memory: a restarted operator hears again within a second. */
import type { ProgressReport } from '../../api/index.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { Instant } from '../../runtime/index.ts';
import type { ProgressBoard, ReceivedProgress } from './observe.ts';

export interface ProgressEntry {
  readonly job: ObjectKey;
  readonly jobUid: string;
  readonly report: ProgressReport;
  readonly time: Instant;
}

/** Jobs that are deleted while they run are never forgotten by name; the bound drops them in the end. */
const mostJobs = 20_000;

export class MemoryProgressBoard implements ProgressBoard {
  readonly #newest = new Map<string, ReceivedProgress>();
  readonly #onReport: (job: ObjectKey) => void;

  readonly listeningSinceMs: Instant;

  /**
   * @param onReport  called with the job of each report that was kept
   * @param nowMs     when it begins to listen
   */
  constructor(onReport: (job: ObjectKey) => void, nowMs: Instant) {
    this.#onReport = onReport;
    this.listeningSinceMs = nowMs;
  }

  newest(jobUid: string): ReceivedProgress | undefined {
    return this.#newest.get(jobUid);
  }

  /** A report of an earlier attempt, which a slow connection may bring late, is dropped. */
  receive({ job, jobUid, report, time }: ProgressEntry): void {
    const before = this.#newest.get(jobUid);
    if (before !== undefined && before.report.attempt > report.attempt) return;
    // The last one counts, not the furthest: an attempt may pass over a checkpoint that it cannot read.
    const checkpoint = report.checkpoint ?? before?.checkpoint;
    this.#newest.delete(jobUid);
    this.#newest.set(jobUid, { report, timeMs: time, checkpoint });
    const [longestSilent] = this.#newest.keys();
    if (this.#newest.size > mostJobs && longestSilent !== undefined) this.#newest.delete(longestSilent);
    this.#onReport(job);
  }

  forget(jobUid: string): void {
    this.#newest.delete(jobUid);
  }
}
