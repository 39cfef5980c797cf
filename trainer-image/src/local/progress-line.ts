/** One line that says how far a run is. */
import type { ProgressReport } from '@anneal/operator/api';
import type { Metrics } from '../train/metrics.ts';
import { duration, rounded } from './text.ts';

/** For a screen; cut so that it never wraps. @param history  of the watched metric, one value an epoch */
export function liveLine(report: ProgressReport, watched: string, history: readonly number[], columns: number): string {
  const parts = [
    `epoch ${Math.min(report.epochs, report.epoch + 1)}/${report.epochs}`,
    `${Math.floor(report.percent)} %`,
    `${duration(report.remainingSeconds)} left`,
    ...valuesOf(report.metrics, watched).map(([name, value]) => `${name} ${rounded(value)}`),
    ...(history.length > 1 ? [sparkline(history, 16)] : []),
  ];
  return Array.from(parts.join('  ')).slice(0, Math.max(0, columns - 1)).join('');
}

/** For a file: told when an epoch has ended. */
export function epochLine(report: ProgressReport, watched: string): string {
  const values = valuesOf(report.metrics, watched).map(([name, value]) => `${name} ${rounded(value)}`);
  return `epoch ${report.epoch}/${report.epochs}: ${values.join(', ')}; about ${duration(report.remainingSeconds)} left`;
}

/** The loss, and what it is done for. */
function valuesOf(metrics: Metrics, watched: string): [string, number][] {
  return [...new Set(['loss', 'val_loss', watched, 'val_accuracy', 'val_rmse'])].flatMap((name): [string, number][] => (metrics[name] === undefined ? [] : [[name, metrics[name]]]));
}

/** The metric that says most: the one that early stopping watches, else the best known of the validation rows, else of the training rows. */
export function watchedMetric(metrics: Metrics, asked: string | undefined): string {
  const names = [...(asked === undefined ? [] : [asked]), 'val_accuracy', 'val_rmse', 'val_loss', 'accuracy', 'rmse'];
  return names.find((name) => metrics[name] !== undefined) ?? 'loss';
}

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** The newest values, the smallest as the lowest bar. A value that is no number is a gap. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const finite = shown.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  // Halves, since the difference of two numbers may be too large to be one.
  return shown.map((value) => (Number.isFinite(value) ? bars[high / 2 > low / 2 ? Math.round(((value / 2 - low / 2) / (high / 2 - low / 2)) * (bars.length - 1)) : 0] ?? '' : ' ')).join('');
}
