/** Reads what the built-in trainer wrote at its end. Any other program may write anything there, and so may the kubelet. */
import type { TrainingFailure, TrainingResult } from '../api/index.ts';

export function parseResult(message: string | undefined): TrainingResult | undefined {
  const value = parseJson(message);
  return isTrainingResult(value) ? value : undefined;
}

export function parseFailure(message: string | undefined): TrainingFailure | undefined {
  const value = parseJson(message);
  return isTrainingFailure(value) ? value : undefined;
}

function parseJson(message: string | undefined): unknown {
  if (message === undefined) return undefined;
  try {
    return JSON.parse(message);
  } catch {
    // The kubelet's log excerpt, or another program's words.
    return undefined;
  }
}

function isTrainingResult(value: unknown): value is TrainingResult {
  return isRecord(value) && isMetrics(value.metrics) && Number.isSafeInteger(value.epochs) && isRecord(value.model) && isModel(value.model);
}

/** As the schema of the status has it: what it would refuse must not keep a job from ending. */
function isModel({ path, digest, sizeBytes, pseudonymKeyId }: Readonly<Record<string, unknown>>): boolean {
  return typeof path === 'string' && path.length <= 256 && typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest) && Number.isSafeInteger(sizeBytes)
    && (pseudonymKeyId === undefined || (typeof pseudonymKeyId === 'string' && /^[0-9a-f]{16}$/.test(pseudonymKeyId)));
}

function isMetrics(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length <= 64 && Object.values(value).every((item) => Number.isFinite(item));
}

function isTrainingFailure(value: unknown): value is TrainingFailure {
  return isRecord(value) && isRecord(value.error) && typeof value.error.code === 'string' && typeof value.error.message === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
