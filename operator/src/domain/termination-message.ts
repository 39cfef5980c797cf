/** Reads what the built-in trainer wrote at its end. Any other program may write anything there, and so may the kubelet. */
import { cutText, type TrainingFailure, type TrainingResult } from '../api/index.ts';

export function parseResult(message: string | undefined): TrainingResult | undefined {
  const value = parseJson(message);
  return isTrainingResult(value) ? value : undefined;
}

/** Most characters of a message that is quoted beside what is wrong with it. */
const longestQuote = 200;

/** What keeps a message from being a result, as the end of a sentence; undefined where nothing does. */
export function resultProblem(message: string | undefined): string | undefined {
  if (message === undefined || message.trim() === '') return 'it left no termination message';
  const value = parseJson(message);
  if (!isRecord(value)) return `its termination message is no JSON object: ${cutText(message.trim(), longestQuote)}`;
  const wrong = resultFields.find(({ holds }) => !holds(value));
  return wrong && `${wrong.at} in its termination message is not ${wrong.must}`;
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
  return isRecord(value) && resultFields.every(({ holds }) => holds(value));
}

type JsonObject = Readonly<Record<string, unknown>>;

interface ResultField {
  readonly at: string;
  readonly must: string;
  readonly holds: (result: JsonObject) => boolean;
}

/** As the schema of the status has it: what it would refuse must not keep a job from ending. */
const resultFields: readonly ResultField[] = [
  { at: 'metrics', must: 'an object of at most 64 finite numbers', holds: ({ metrics }) => isMetrics(metrics) },
  { at: 'epochs', must: 'a whole number', holds: ({ epochs }) => Number.isSafeInteger(epochs) },
  modelField('path', 'a text of at most 256 characters', (path) => typeof path === 'string' && path.length <= 256),
  modelField('digest', 'sha256: and 64 hexadecimal digits', (digest) => typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)),
  modelField('sizeBytes', 'a whole number', (size) => Number.isSafeInteger(size)),
  modelField('pseudonymKeyId', '16 hexadecimal digits', (id) => id === undefined || (typeof id === 'string' && /^[0-9a-f]{16}$/.test(id))),
];

function modelField(name: string, must: string, holds: (value: unknown) => boolean): ResultField {
  return { at: `model.${name}`, must, holds: ({ model }) => isRecord(model) && holds(model[name]) };
}

function isMetrics(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length <= 64 && Object.values(value).every((item) => Number.isFinite(item));
}

function isTrainingFailure(value: unknown): value is TrainingFailure {
  return isRecord(value) && isRecord(value.error) && typeof value.error.code === 'string' && typeof value.error.message === 'string';
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
