/** The newest report of each TrainingJob's pod, in memory: a restarted operator hears again within a second. */
import type { CheckpointReport, ProgressReport } from '../../api/index.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { Instant } from '../../runtime/index.ts';
import type { ProgressBoard, ReceivedProgress } from './observe.ts';

export interface ProgressEntry {
  readonly job: ObjectKey;
  readonly jobUid: string;
  /** Which of the job's pods speaks, `trainer/0`; each has attempts of its own. */
  readonly place: string;
  readonly attempt: number;
  readonly report?: ProgressReport;
  readonly checkpoint?: CheckpointReport;
  readonly time: Instant;
}

interface Held extends ReceivedProgress {
  /** The newest attempt of each place. */
  readonly attempts: ReadonlyMap<string, number>;
}

/** Jobs that are deleted while they run are never forgotten by name; the bound drops them in the end. */
const mostJobs = 20_000;

export class MemoryProgressBoard implements ProgressBoard {
  readonly #newest = new Map<string, Held>();
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
  receive({ job, jobUid, place, attempt, report, checkpoint, time }: ProgressEntry): void {
    const before = this.#newest.get(jobUid);
    if ((before?.attempts.get(place) ?? 0) > attempt) return;
    this.#newest.delete(jobUid);
    this.#newest.set(jobUid, {
      report: report ?? before?.report,
      timeMs: time,
      // The last one counts, not the furthest: an attempt may pass over a checkpoint that it cannot read.
      checkpoint: checkpoint ?? report?.checkpoint ?? before?.checkpoint,
      attempts: new Map(before?.attempts).set(place, attempt),
    });
    const [longestSilent] = this.#newest.keys();
    if (this.#newest.size > mostJobs && longestSilent !== undefined) this.#newest.delete(longestSilent);
    this.#onReport(job);
  }

  forget(jobUid: string): void {
    this.#newest.delete(jobUid);
  }
}
