/** From a file to what is trained: the document that is meant, changed as asked, admitted as by an API server. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDocuments, YamlError } from '@anneal/operator/yaml';
import type { TrainerSpec, TrainingJobSpec } from '@anneal/operator/api';
import { AnnealError, list } from '../errors.ts';
import { admit } from '../spec/admit.ts';
import { trainingJobSchema } from '../spec/crd.ts';
import { isObject } from '../spec/schema.ts';
import type { Json, JsonObject } from '../spec/schema.ts';
import type { Violation } from '../spec/violations.ts';
import { withAssignments } from './assignments.ts';
import { invalid } from './flags.ts';
import type { Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

export interface LocalJob {
  readonly name: string;
  readonly spec: TrainerSpec;
  readonly checkpoint: { readonly keep: number; /** 0: after each epoch. */ readonly intervalSeconds: number };
  /** Fields that were written and mean nothing without a cluster, for example `nodePool`. */
  readonly unused: readonly string[];
}

/** What the API server would refuse, all of it at once. */
export class ManifestRefused extends Error {
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(({ sentence }) => sentence).join('\n'));
    this.name = 'ManifestRefused';
    this.violations = violations;
  }
}

const apiVersion = 'anneal.dev/v1alpha1';
const kind = 'TrainingJob';

/** @throws ManifestRefused, or AnnealError `COMMAND_INVALID`, `SPEC_INVALID` */
export async function readJob(flags: Flags, terminal: Terminal): Promise<LocalJob> {
  const documents = documentsIn(await read(flags.file, terminal), flags.file);
  const written = withAssignments(chosen(documents, flags), flags.assignments);
  const { spec } = written;
  if (isObject(spec) && spec.roles !== undefined && spec.trainer === undefined) {
    throw new AnnealError('SPEC_INVALID', { at: 'spec.roles', message: 'This TrainingJob trains with images of its own, and anneal-train runs what spec.trainer says. Give it to a cluster with kubectl apply.' });
  }
  const admission = admit(written, trainingJobSchema());
  if (admission.kind === 'Refused') throw new ManifestRefused(admission.violations);
  return jobOf(written, admission.object);
}

async function read(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return terminal.input();
  try {
    return await readFile(path.resolve(terminal.directory, file), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'ENOENT' ? `There is no file ${file}` : code === 'EISDIR' ? `${file} is a folder` : `${file} cannot be read: ${String(error)}`;
    throw invalid(`${why}. Write -f with the path of a TrainingJob.`, error);
  }
}

function documentsIn(text: string, file: string): readonly Json[] {
  try {
    return (parseDocuments(text) as readonly Json[]).filter((document) => document !== null);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new AnnealError('SPEC_INVALID', { at: file, message: `${file} is no YAML: ${error.message}. Correct that line.`, cause: error });
  }
}

/** The one TrainingJob that is meant; what has no kind is taken for the content of `spec.trainer`. */
function chosen(documents: readonly Json[], { file, name }: Flags): JsonObject {
  const objects = documents.filter(isObject);
  const bare = objects.filter((document) => document.kind === undefined && document.apiVersion === undefined);
  const jobs = [...objects.filter((document) => document.kind === kind), ...bare.map((trainer) => bareJob(trainer, name ?? nameOf(file)))];
  if (jobs.length === 0) {
    const kinds = [...new Set(objects.map((document) => textOf(document.kind)))];
    throw new AnnealError('SPEC_INVALID', { at: file, message: `${file} holds no TrainingJob${kinds.length === 0 ? '' : `, but ${kinds.join(', ')}`}. Give a TrainingJob, or the content of its spec.trainer.` });
  }
  const names = jobs.map(({ metadata }) => (isObject(metadata) ? textOf(metadata.name) : ''));
  const named = name === undefined ? jobs : jobs.filter((_, index) => names[index] === name);
  const [job, another] = named;
  if (job === undefined) throw invalid(`${file} holds no TrainingJob named "${name ?? ''}"; it has ${list(names)}. Write one of them after --name.`);
  if (another !== undefined) throw invalid(`${file} holds ${named.length} TrainingJobs: ${list(names)}. Write --name with the one that is meant.`);
  if (job.apiVersion !== apiVersion) throw new AnnealError('SPEC_INVALID', { at: 'apiVersion', message: `The TrainingJob is of apiVersion ${JSON.stringify(job.apiVersion ?? null)}, and this program knows ${apiVersion}. Write that one.` });
  return job;
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

const bareJob = (trainer: JsonObject, name: string): JsonObject => ({ apiVersion, kind, metadata: { name }, spec: { trainer } });

/** A name that Kubernetes would take, from that of the file. */
function nameOf(file: string): string {
  const name = path.basename(file).replace(/\.(ya?ml|json)$/i, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 63);
  return name === '' ? 'model' : name;
}

function jobOf(written: JsonObject, admitted: JsonObject): LocalJob {
  const { metadata, spec } = admitted as unknown as { readonly metadata: { readonly name?: string; readonly generateName?: string }; readonly spec: TrainingJobSpec };
  const { trainer, checkpoint: { keep, interval } } = spec;
  if (trainer === undefined) throw new Error('The schema lets a job without roles have no trainer.');
  return {
    name: metadata.name ?? metadata.generateName?.replace(/[-.]+$/, '') ?? 'model',
    spec: trainer,
    checkpoint: { keep, intervalSeconds: interval.mode === 'Fixed' ? interval.seconds ?? 0 : 0 },
    unused: [...(isObject(written.spec) ? unusedOf(written.spec) : []), ...unusedOfTrainer(trainer)],
  };
}

/** What one process on one machine heeds; all else takes a cluster. */
const used: readonly string[] = ['trainer', 'framework', 'checkpoint', 'checkpoint.keep', 'checkpoint.interval'];

function unusedOf(spec: JsonObject): string[] {
  const checkpoint = isObject(spec.checkpoint) ? spec.checkpoint : {};
  const { interval } = checkpoint;
  return [
    ...[...Object.keys(spec), ...Object.keys(checkpoint).map((field) => `checkpoint.${field}`)].filter((field) => !used.includes(field)),
    ...(isObject(interval) && interval.mode === 'Auto' ? ['checkpoint.interval.mode: Auto'] : []),
  ];
}

/** Objects of a cluster that `spec.trainer` names; instead of the Secret, the AWS environment counts. */
function unusedOfTrainer({ data: { source, cache } }: TrainerSpec): string[] {
  return [...(source.credentials === undefined ? [] : ['trainer.data.source.credentials']), ...(cache === undefined ? [] : ['trainer.data.cache'])];
}
