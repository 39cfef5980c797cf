/** Finds the checkpoint of another job that a TrainingJob asks to begin from. Pure. */
import type { TrainingJob } from '../../api/index.ts';
import { prefixOf, restoreOfJob, type Restore } from '../../domain/checkpoint-pod.ts';
import type { Job } from '../../domain/job.ts';
import { volumeOf } from '../../domain/job-volume.ts';
import type { ReadStore } from '../../runtime/index.ts';
import type { VolumeClaim } from '../shared/watched.ts';

interface Stores {
  readonly jobs: ReadStore<TrainingJob>;
  readonly claims: ReadStore<VolumeClaim>;
}

export type SeenRestore =
  | { readonly kind: 'Found'; readonly restore: Restore }
  | { readonly kind: 'Missing'; readonly reason: string; readonly message: string };

/** Undefined where nothing is asked for, or the job has a checkpoint of its own, which counts before it. */
export function observeRestore(job: Job, status: NonNullable<TrainingJob['status']>, stores: Stores): SeenRestore | undefined {
  const from = job.spec.checkpoint.restoreFrom;
  if (from === undefined || status.checkpoint !== undefined) return undefined;
  if (from.claim !== undefined) return { kind: 'Found', restore: { kind: 'Claim', claimName: from.claim.name, path: from.claim.path.replace(/\/+$/, '') } };
  if (from.s3 !== undefined) return { kind: 'Found', restore: { kind: 'Bucket', bucket: from.s3, prefix: prefixOf(from.s3, job) } };
  return ofJob(job, from.trainingJob ?? '', stores);
}

function ofJob({ namespace, name: jobName }: Job, name: string, stores: Stores): SeenRestore {
  const object = stores.jobs.get({ namespace, name });
  const missing = (reason: string, message: string): SeenRestore => ({ kind: 'Missing', reason, message });
  if (name === jobName) return missing('RestoreSourceMissing', `checkpoint.restoreFrom names the job itself, which has no checkpoint to begin from. Name another job, a claim or a bucket.`);
  if (object === undefined) {
    return missing('RestoreSourceMissing', `TrainingJob ${name}, which checkpoint.restoreFrom names, is not in namespace ${namespace}. Make it, or name its claim or bucket instead.`);
  }
  const checkpoint = object.status?.checkpoint;
  if (checkpoint?.complete !== true) {
    return missing('RestoreSourceWithoutCheckpoint', `TrainingJob ${name}, which checkpoint.restoreFrom names, has no complete checkpoint yet; this job begins when it has one.`);
  }
  const other: Job = { namespace, name, uid: object.metadata.uid ?? '', spec: object.spec };
  const volume = volumeOf(other, other.spec);
  // A claim that Anneal did not make is not in the cache; the kubelet says where it is missing.
  const hasVolume = volume !== undefined && (volume.template === undefined || stores.claims.get({ namespace, name: volume.claimName }) !== undefined);
  // The built-in trainer looks for the newest by itself, since one may have been damaged.
  const restore = restoreOfJob(other, hasVolume, other.spec.trainer === undefined ? (checkpoint.path ?? '') : '');
  if (restore !== undefined) return { kind: 'Found', restore };
  return missing('RestoreSourceLost', `The volume of TrainingJob ${name}, which checkpoint.restoreFrom names, is gone, and it has no copy in a bucket.`);
}
