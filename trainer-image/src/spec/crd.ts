/** The schema of TrainingJob: the file that the chart installs, which the bundle has beside it. */
import { readFileSync } from 'node:fs';
import { readCrdSchema } from './schema.ts';
import type { Schema } from './schema.ts';

const crdFile = new URL(import.meta.url.endsWith('.ts') ? '../../../charts/anneal/files/crds/trainingjobs.yaml' : './trainingjobs.yaml', import.meta.url);

let read: Schema | undefined;

export function trainingJobSchema(): Schema {
  read ??= readCrdSchema(readFileSync(crdFile, 'utf8'));
  return read;
}

/** Of `spec.trainer` alone. */
export function trainerSchema(): Schema {
  const trainer = trainingJobSchema().properties?.spec?.properties?.trainer;
  if (trainer === undefined) throw new Error('The schema of TrainingJob has no spec.trainer.');
  return trainer;
}
