/** Reads a `ProgressReport` from JSON that a pod sent: nothing in it is taken on trust. */
import { parseTime, timestamp, type CheckpointReport, type ProgressReport } from '../../api/index.ts';

const fields = ['attempt', 'epoch', 'epochs', 'step', 'percent', 'remainingSeconds'] as const;
/** Largest whole number that the status takes; undefined where it takes fractions. A status that is refused would stop the job. */
const largest: Readonly<Record<(typeof fields)[number], number | undefined>> = {
  attempt: 2 ** 31 - 1, epoch: 2 ** 31 - 1, epochs: 2 ** 31 - 1, step: Number.MAX_SAFE_INTEGER, percent: undefined, remainingSeconds: undefined,
};
const longestMetricName = 128;
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
  const wrong = fields.find((field) => !isCount(value[field], largest[field]));
  if (wrong !== undefined) return `${wrong} must be a ${largest[wrong] === undefined ? '' : 'whole '}number of at least 0.`;
  const { metrics = {}, checkpoint } = value;
  if (!isRecord(metrics) || Object.keys(metrics).length > mostMetrics || Object.keys(metrics).some((name) => name.length > longestMetricName)) {
    return `metrics must be an object of at most ${mostMetrics} numbers, with names of at most ${longestMetricName} characters.`;
  }
  if (checkpoint !== undefined && !isCheckpoint(checkpoint)) return 'checkpoint must have epoch, step, time (RFC 3339) and path.';
  const { attempt, epoch, epochs, step, percent, remainingSeconds } = value as Record<(typeof fields)[number], number>;
  return {
    attempt, epoch, epochs, step, percent, remainingSeconds,
    // JSON has no NaN; a metric that is not a number yet is left out.
    metrics: Object.fromEntries(Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1]))),
    ...(checkpoint === undefined ? {} : { checkpoint: { ...checkpoint, time: timestamp(parseTime(checkpoint.time)) } }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, mostWhole: number | undefined): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return false;
  return mostWhole === undefined || (Number.isInteger(value) && value <= mostWhole);
}

function isCheckpoint(value: unknown): value is CheckpointReport {
  return (
    isRecord(value) &&
    isCount(value.epoch, largest.epoch) &&
    isCount(value.step, largest.step) &&
    typeof value.time === 'string' &&
    !Number.isNaN(Date.parse(value.time)) &&
    typeof value.path === 'string' &&
    value.path.length <= longestPath
  );
}
