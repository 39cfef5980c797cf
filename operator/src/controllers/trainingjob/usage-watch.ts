/** Asks the metrics API what the pods of jobs with an idle deadline use. Only the leader asks, and only while there are such jobs. */
import { labels, type TrainingJob } from '../../api/index.ts';
import { isRunning, type Pod } from '../../domain/pod.ts';
import { areIdle, type PodUsage } from '../../domain/scheduling/index.ts';
import type { Client } from '../../kube/client.ts';
import { sleep, type Clock } from '../../kube/clock.ts';
import { asError } from '../../kube/errors.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../../kube/resource.ts';
import type { ReadStore } from '../../runtime/index.ts';
import { podMetricsType } from '../shared/resources.ts';

export type Usage =
  /** Since when the pods use next to nothing, in epoch milliseconds; undefined while they work. */
  | { readonly kind: 'Measured'; readonly idleSinceMs: number | undefined }
  | { readonly kind: 'Unknown'; readonly message: string };

/** What is known of a job's use of processors; undefined where nobody asks, or nothing was measured yet. */
export type UsageOf = (jobUid: string) => Usage | undefined;

export interface UsageWatchOptions {
  readonly client: Client;
  readonly jobs: ReadStore<TrainingJob & KubeObject, 'idleDeadline'>;
  readonly pods: ReadStore<Pod>;
  readonly clock: Clock;
  readonly isLeader: () => boolean;
  /** Called with each job of which something else is known now. */
  readonly onChange: (job: ObjectKey) => void;
  readonly intervalMs?: number;
}

/** metrics-server measures every 15 s. */
const defaultIntervalMs = 15_000;

interface PodMetrics extends KubeObject {
  readonly containers: PodUsage['containers'];
}

export class UsageWatch {
  readonly #options: UsageWatchOptions;
  #known = new Map<string, Usage>();

  constructor(options: UsageWatchOptions) {
    this.#options = options;
  }

  readonly of: UsageOf = (jobUid) => this.#known.get(jobUid);

  async run(signal: AbortSignal): Promise<void> {
    const { clock, isLeader, intervalMs = defaultIntervalMs } = this.#options;
    while (!signal.aborted) {
      if (isLeader()) await this.#look(signal);
      await sleep(clock, intervalMs, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { jobs, pods, onChange } = this.#options;
    const known = new Map<string, Usage>();
    for (const job of jobs.by('idleDeadline', 'true')) {
      const { uid = '' } = job.metadata;
      const own = pods.controlledBy(uid);
      if (!own.some(isRunning)) continue;
      const before = this.#known.get(uid);
      const now = await this.#usageOf(job, own, before, signal);
      known.set(uid, now);
      if (before === undefined ? now.kind === 'Unknown' : isNews(before, now)) onChange(keyOf(job));
    }
    this.#known = known;
  }

  /** A look that fails tells nothing, so that idleness begins anew after it. */
  async #usageOf(job: TrainingJob & KubeObject, own: readonly Pod[], before: Usage | undefined, signal: AbortSignal): Promise<Usage> {
    const { client, clock } = this.#options;
    const { namespace = '', name } = job.metadata;
    try {
      const { items } = await client.list(podMetricsType, (raw) => usage(raw as PodMetrics), { namespace, labels: `${labels.trainingJob}=${name}`, signal, retries: 0 });
      if (!areIdle(own, items)) return { kind: 'Measured', idleSinceMs: undefined };
      return { kind: 'Measured', idleSinceMs: (before?.kind === 'Measured' ? before.idleSinceMs : undefined) ?? clock.now() };
    } catch (thrown) {
      return { kind: 'Unknown', message: asError(thrown).message };
    }
  }
}

function usage({ metadata, containers }: PodMetrics): PodUsage {
  return { name: metadata.name, containers };
}

function isNews(before: Usage, now: Usage): boolean {
  if (before.kind === 'Measured' && now.kind === 'Measured') return before.idleSinceMs !== now.idleSinceMs;
  return before.kind !== now.kind;
}
