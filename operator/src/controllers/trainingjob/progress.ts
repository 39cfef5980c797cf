/** The progress of a TrainingJob, from its pods' newest report or its final result. Pure. */
import { timestamp, type Metrics, type TrainingJobSpec } from '../../api/index.ts';
import { formatted } from '../shared/format.ts';
import type { Assessment } from './assess.ts';
import type { JobStatus, Observed } from './observe.ts';

type Progress = NonNullable<JobStatus['progress']>;

export function progressOf(seen: Observed, { stage, attempts }: Assessment): Progress | undefined {
  if (stage.kind === 'Succeeded' && stage.result !== undefined) {
    const { epochs, metrics } = stage.result;
    const { remainingSeconds: _none, ...before } = seen.status.progress ?? {};
    return { ...before, ...described(seen.job.spec, { epoch: epochs, epochs, percent: 100, metrics: { ...metrics } }) };
  }
  const received = seen.progress;
  if (received?.report === undefined || received.report.attempt < attempts.gang) return seen.status.progress;
  const { epoch, epochs, step, percent, remainingSeconds, metrics } = received.report;
  return described(seen.job.spec, { epoch, epochs, step, percent, remainingSeconds, metrics: { ...metrics }, updateTime: timestamp(received.timeMs) });
}

/** Adds what the table of `kubectl get` shows. */
function described(spec: TrainingJobSpec, progress: Progress): Progress {
  const metric = watchedMetric(spec, progress.metrics ?? {});
  return {
    summary: `${farOf(progress)}${progress.remainingSeconds === undefined ? '' : `, ${duration(progress.remainingSeconds)} left`}`,
    ...(metric === undefined ? {} : { metric: `${metric[0]} ${formatted(metric[1])}` }),
    ...progress,
  };
}

/** Programs that do not count epochs tell a percentage alone. */
function farOf({ epoch = 0, epochs = 0, percent = 0 }: Progress): string {
  return epochs > 0 ? `epoch ${epoch}/${epochs}` : `${Math.floor(percent)} %`;
}

/** What early stopping looks at, else the first of these that there is. */
const usualMetrics = ['test_accuracy', 'val_accuracy', 'test_rmse', 'val_rmse', 'val_loss', 'loss'];

function watchedMetric(spec: TrainingJobSpec, metrics: Metrics): [string, number] | undefined {
  const watched = spec.trainer?.fit.earlyStopping?.metric;
  for (const name of [...usualMetrics.slice(0, 2), ...(watched === undefined ? [] : [watched]), ...usualMetrics.slice(2)]) {
    const value = metrics[name];
    if (value !== undefined) return [name, value];
  }
  return undefined;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)}s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}m`;
  return `${Math.round(seconds / 3600)}h`;
}
