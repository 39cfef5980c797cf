/**
 * What the operator and the trainer image say to each other. Environment in, progress out while it runs, and one result
 * or error in the container's termination message, which survives an operator that was away.
 */

/** Environment variables that the operator sets on the trainer container. */
export const trainerEnv = {
  /** JSON of `spec.trainer`, as the API server defaulted it. */
  spec: 'ANNEAL_TRAINER_SPEC',
  /** `namespace/name` of the TrainingJob. */
  job: 'ANNEAL_JOB',
  /** Number of the attempt, from 1. */
  attempt: 'ANNEAL_ATTEMPT',
  /** Mount path of the job's volume; see `volumeLayout`. */
  volume: 'ANNEAL_VOLUME',
  /** Mount path of the folder that a `configmap://` or `pvc://` source is read from. */
  sourceDirectory: 'ANNEAL_SOURCE_DIRECTORY',
  /** Whole seconds between two checkpoints; 0 writes one after every epoch. */
  checkpointIntervalSeconds: 'ANNEAL_CHECKPOINT_INTERVAL_SECONDS',
  /** How many complete checkpoints stay on the volume. */
  checkpointKeep: 'ANNEAL_CHECKPOINT_KEEP',
  /** Where progress is POSTed as JSON (`ProgressReport`); unset turns it off. */
  progressUrl: 'ANNEAL_PROGRESS_URL',
  /** File with the bearer token for `progressUrl`; read again for each POST, since the kubelet rotates it. */
  tokenFile: 'ANNEAL_TOKEN_FILE',
  /** `nvidia.com/gpu` or similar when the job asked for an accelerator; the trainer fails if it then finds none. */
  accelerator: 'ANNEAL_ACCELERATOR',
} as const;

/** Folders below the job's volume. */
export const volumeLayout = {
  /** `epoch-000012/`, each written to a temporary name and renamed. */
  checkpoints: 'checkpoints',
  /** The finished model with its `manifest.json`, renamed into place once. */
  model: 'model',
} as const;

/** Exit codes of the trainer. 143 (SIGTERM) means: a checkpoint was written and the work can go on elsewhere. */
export const trainerExit = { ok: 0, applicationError: 1, configurationError: 2, terminated: 143 } as const;

/** Path of the termination message; Kubernetes' default, kept below its 4,096 bytes. */
export const terminationMessagePath = '/dev/termination-log';

export interface CheckpointReport {
  readonly epoch: number;
  readonly step: number;
  /** RFC 3339. */
  readonly time: string;
  /** Path below the volume, for example `checkpoints/epoch-000012`. */
  readonly path: string;
}

/** Pushed at most once a second, and at each checkpoint. Later reports replace earlier ones. */
export interface ProgressReport {
  readonly attempt: number;
  /** Finished epochs. */
  readonly epoch: number;
  readonly epochs: number;
  /** Optimiser steps since the start of the whole run, restarts included. */
  readonly step: number;
  /** 0 to 100. */
  readonly percent: number;
  readonly remainingSeconds: number;
  /** Newest value of each, for example `loss`, `val_loss`, `val_accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly checkpoint?: CheckpointReport;
}

/** Termination message of a run that ended well. */
export interface TrainingResult {
  readonly metrics: Readonly<Record<string, number>>;
  readonly epochs: number;
  readonly model: ModelReference;
}

export interface ModelReference {
  /** Path below the volume. */
  readonly path: string;
  /** `sha256:` and 64 hexadecimal digits: the digest of the model's `manifest.json`. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Termination message of a run that failed: a person reads `message`, a program reads `code`. */
export interface TrainingFailure {
  readonly error: { readonly code: string; readonly at?: string; readonly message: string };
}
