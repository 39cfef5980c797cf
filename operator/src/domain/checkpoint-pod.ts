/** What a pod is given for its checkpoints: where they go, how often, and what it begins from. */
import { trainerEnv, type BucketPlace, type RestoreSource, type S3 } from '../api/index.ts';
import { bucketCredentials } from './credentials.ts';
import type { Job } from './job.ts';
import { volumeOf, type JobVolume } from './job-volume.ts';
import type { EnvVar, PodParts } from './pod.ts';

/** Where another job's checkpoints are. */
export type Restore =
  /** A folder of a volume: of one checkpoint, or of a whole job. */
  | { readonly kind: 'Claim'; readonly claimName: string; readonly subPath?: string; readonly path: string }
  | { readonly kind: 'Bucket'; readonly bucket: S3; readonly prefix: string };

/** What the job's history says of the next pods. */
export interface CheckpointContext {
  /** Seconds between two checkpoints; 0 writes one after each epoch. */
  readonly intervalSeconds: number;
  /** The newest checkpoint that a role's program reported: a path below the job's volume, or a URI. */
  readonly newest?: { readonly path: string } | { readonly uri: string };
  /** Undefined where nothing is asked for, or the job has a checkpoint of its own. */
  readonly restore?: Restore;
}

const restoreMountPath = '/restore';
const restorePrefix = 'ANNEAL_RESTORE_';

/** @param mountPath  of the job's own volume */
export function checkpointParts(job: Job, context: CheckpointContext, mountPath: string): PodParts {
  const { s3 } = job.spec.checkpoint;
  const { restore } = context;
  const bucket = s3 === undefined ? [] : [{ name: trainerEnv.checkpointBucket, value: JSON.stringify(bucketPlace(s3, prefixOf(s3, job))) }, ...bucketCredentials(s3.credentialsSecretName, '')];
  return {
    env: [...bucket, ...(job.spec.trainer === undefined ? resumeEnv(context, mountPath) : trainerEnvOf(job, context)), ...(restore?.kind === 'Bucket' ? bucketCredentials(restore.bucket.credentialsSecretName, restorePrefix) : [])],
    mounts: restore?.kind === 'Claim' ? [{ name: 'restore', mountPath: restoreMountPath, readOnly: true, ...(restore.subPath === undefined ? {} : { subPath: restore.subPath }) }] : [],
    // Read-only in the mount alone: the same claim may be the job's own, which one pod cannot have in both ways.
    volumes: restore?.kind === 'Claim' ? [{ name: 'restore', persistentVolumeClaim: { claimName: restore.claimName } }] : [],
  };
}

/** The folder of the job in its bucket, without a slash at its end. */
export function prefixOf(s3: S3, { namespace, name }: Pick<Job, 'namespace' | 'name'>): string {
  return (s3.prefix ?? `${namespace}/${name}`).replace(/\/+$/, '');
}

/** Where the job's folder is, for people and programs. */
export function uriOnVolume(volume: JobVolume, path: string): string {
  return `pvc://${volume.claimName}/${volume.subPath === undefined ? '' : `${volume.subPath}/`}${path}`;
}

function trainerEnvOf({ spec: { checkpoint } }: Job, { intervalSeconds, restore }: CheckpointContext): EnvVar[] {
  return [
    { name: trainerEnv.checkpointIntervalSeconds, value: String(Math.round(intervalSeconds)) },
    { name: trainerEnv.checkpointKeep, value: String(checkpoint.keep) },
    ...(restore === undefined ? [] : [{ name: trainerEnv.restoreFrom, value: JSON.stringify(restoreSource(restore)) }]),
  ];
}

/** A role's program is told of one checkpoint: its own newest, else the one to begin from. */
function resumeEnv({ newest, restore }: CheckpointContext, mountPath: string): EnvVar[] {
  const value = newest === undefined ? (restore === undefined ? undefined : restoreUri(restore)) : 'uri' in newest ? newest.uri : `${mountPath}/${newest.path}`;
  return value === undefined ? [] : [{ name: trainerEnv.resumeFrom, value }];
}

function restoreSource(restore: Restore): RestoreSource {
  if (restore.kind === 'Claim') return { path: mounted(restore.path) };
  return { bucket: { ...bucketPlace(restore.bucket, restore.prefix), ...(restore.bucket.credentialsSecretName === undefined ? {} : { credentialsPrefix: restorePrefix }) } };
}

const restoreUri = (restore: Restore): string => (restore.kind === 'Claim' ? mounted(restore.path) : `s3://${restore.bucket.bucket}/${restore.prefix}`);

const mounted = (path: string): string => (path === '' ? restoreMountPath : `${restoreMountPath}/${path}`);

function bucketPlace({ bucket, endpoint, region, addressing }: S3, prefix: string): BucketPlace {
  return { bucket, prefix, region, addressing, ...(endpoint === undefined ? {} : { endpoint }) };
}

/** The restore of a whole job: its volume where it has one, else its bucket. */
export function restoreOfJob(other: Job, hasVolume: boolean, path: string): Restore | undefined {
  const volume = volumeOf(other, other.spec);
  if (volume !== undefined && hasVolume) return { kind: 'Claim', claimName: volume.claimName, path, ...(volume.subPath === undefined ? {} : { subPath: volume.subPath }) };
  const { s3 } = other.spec.checkpoint;
  return s3 === undefined ? undefined : { kind: 'Bucket', bucket: s3, prefix: prefixOf(s3, other) };
}
