/** Reads what a pod sent as JSON, in Anneal's words or in Kubeflow's: nothing in it is taken on trust. */
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
  const value = parseObject(text);
  if (typeof value === 'string') return value;
  const wrong = fields.find((field) => !isCount(value[field], largest[field]));
  if (wrong !== undefined) return `${wrong} must be a ${largest[wrong] === undefined ? '' : 'whole '}number of at least 0.`;
  const { metrics = {}, checkpoint } = value;
  if (!isRecord(metrics) || Object.keys(metrics).length > mostMetrics || Object.keys(metrics).some((name) => name.length > longestMetricName)) {
    return `metrics must be an object of at most ${mostMetrics} numbers, with names of at most ${longestMetricName} characters.`;
  }
  const told = checkpoint === undefined ? undefined : checkpointIn(checkpoint);
  if (typeof told === 'string') return told;
  const { attempt, epoch, epochs, step, percent, remainingSeconds } = value as Record<(typeof fields)[number], number>;
  return {
    attempt, epoch, epochs, step, percent, remainingSeconds,
    // JSON has no NaN; a metric that is not a number yet is left out.
    metrics: Object.fromEntries(Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1]))),
    ...(told === undefined ? {} : { checkpoint: told }),
  };
}

/**
 * What a role's program says of a checkpoint that it has written: step, and path below the job's volume or uri.
 * @param nowMs  its time, where it names none
 */
export function parseCheckpoint(text: string, nowMs: number): CheckpointReport | string {
  const value = parseObject(text);
  return typeof value === 'string' ? value : checkpointIn({ epoch: 0, time: timestamp(nowMs), ...value });
}

/** Most metrics that Kubeflow's own server takes. */
const mostKubeflowMetrics = 256;

/**
 * Kubeflow's `trainerStatus` as a report. Its metrics are strings; of Transformers' callback some are the step and the epoch.
 * @param attempt  of the pod that sent it
 */
export function parseKubeflow(text: string, attempt: number): ProgressReport | string {
  const value = parseObject(text);
  if (typeof value === 'string') return value;
  const { trainerStatus: status } = value;
  if (!isRecord(status)) return 'The body must have trainerStatus.';
  const { progressPercentage: percent = 0, estimatedRemainingSeconds: remainingSeconds = 0, metrics: listed = [] } = status;
  if (!isCount(percent, 100) || !isCount(remainingSeconds, Number.MAX_SAFE_INTEGER)) return 'progressPercentage must be a whole number from 0 to 100, and estimatedRemainingSeconds one of at least 0.';
  if (!Array.isArray(listed) || listed.length > mostKubeflowMetrics) return `metrics must be a list of at most ${mostKubeflowMetrics} entries with name and value.`;
  const metrics = Object.fromEntries(listed.flatMap((entry: unknown): [string, number][] => {
    if (!isRecord(entry) || typeof entry.name !== 'string' || entry.name.length > longestMetricName || entry.value === '') return [];
    const number = Number(entry.value);
    return Number.isFinite(number) ? [[entry.name, number]] : [];
  }).slice(0, mostMetrics));
  const { current_step: step = 0, current_epoch: epoch = 0, total_steps: _total, ...own } = metrics;
  return {
    attempt,
    epoch: isCount(Math.floor(epoch), largest.epoch) ? Math.floor(epoch) : 0,
    epochs: 0,
    step: isCount(step, largest.step) ? step : 0,
    percent: Number(percent),
    remainingSeconds: Number(remainingSeconds),
    metrics: own,
  };
}

function parseObject(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : 'The body is not a JSON object.';
  } catch {
    return 'The body is not JSON.';
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, mostWhole: number | undefined): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return false;
  return mostWhole === undefined || (Number.isInteger(value) && value <= mostWhole);
}

const longestUri = 1024;

/** The checkpoint with the fields that we know, or a sentence that says what is wrong with it. */
function checkpointIn(value: unknown): CheckpointReport | string {
  const wrong = 'checkpoint must have step, time (RFC 3339), and path below the volume or uri.';
  if (!isRecord(value)) return wrong;
  const { epoch, step, time, path, uri, writeSeconds, copied } = value;
  if (!isCount(epoch, largest.epoch) || !isCount(step, largest.step) || typeof time !== 'string' || Number.isNaN(Date.parse(time))) return wrong;
  if (path === undefined && uri === undefined) return wrong;
  if (path !== undefined && (typeof path !== 'string' || path.length > longestPath || path.startsWith('/') || path.split('/').includes('..'))) return 'checkpoint.path is below the volume; write it without a leading slash and without "..".';
  if (uri !== undefined && (typeof uri !== 'string' || uri.length > longestUri)) return `checkpoint.uri has at most ${longestUri} characters.`;
  if (writeSeconds !== undefined && !isCount(writeSeconds, undefined)) return 'checkpoint.writeSeconds must be a number of at least 0.';
  return {
    epoch: Number(epoch), step: Number(step), time: timestamp(parseTime(time)),
    ...(path === undefined ? {} : { path }),
    ...(uri === undefined ? {} : { uri }),
    ...(writeSeconds === undefined ? {} : { writeSeconds: Number(writeSeconds) }),
    ...(copied === true ? { copied } : {}),
  };
}
