/** Reads a `ProgressReport` from JSON that a pod sent: nothing in it is taken on trust. */
import type { CheckpointReport, ProgressReport } from '../../api/index.ts';

const numberFields = ['attempt', 'epoch', 'epochs', 'step', 'percent', 'remainingSeconds'] as const;
const mostMetrics = 64;
const longestPath = 512;

/** The report, or a sentence that says what is wrong with it. */
export function parseReport(text: string): ProgressReport | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'The body is not JSON.';
  }
  if (!isRecord(value)) return 'The body is not a JSON object.';
  const wrong = numberFields.find((field) => !isCount(value[field]));
  if (wrong !== undefined) return `${wrong} must be a number of at least 0.`;
  const { metrics = {}, checkpoint } = value;
  if (!isRecord(metrics) || Object.keys(metrics).length > mostMetrics) return `metrics must be an object of at most ${mostMetrics} numbers.`;
  if (checkpoint !== undefined && !isCheckpoint(checkpoint)) return 'checkpoint must have epoch, step, time (RFC 3339) and path.';
  const { attempt, epoch, epochs, step, percent, remainingSeconds } = value as Record<(typeof numberFields)[number], number>;
  return {
    attempt, epoch, epochs, step, percent, remainingSeconds,
    // JSON has no NaN; a metric that is not a number yet is left out.
    metrics: Object.fromEntries(Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === 'number')),
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function isCheckpoint(value: unknown): value is CheckpointReport {
  return (
    isRecord(value) &&
    isCount(value.epoch) &&
    isCount(value.step) &&
    typeof value.time === 'string' &&
    !Number.isNaN(Date.parse(value.time)) &&
    typeof value.path === 'string' &&
    value.path.length <= longestPath
  );
}
