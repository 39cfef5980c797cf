/**
 * What the operator and the trainer image say to each other. Environment in, progress out while it runs, and one result
 * or error in the container's termination message, which survives an operator that was away.
 */

/** Environment variables that the operator sets on the trainer container; those of job, place and checkpoints also on a role's. */
export const trainerEnv = {
  /** JSON of `spec.trainer`, as the API server defaulted it. */
  spec: 'ANNEAL_TRAINER_SPEC',
  /** `namespace/name` of the TrainingJob. */
  job: 'ANNEAL_JOB',
  /** UID of the TrainingJob: on a volume that outlives its job, another of that name may follow. */
  jobUid: 'ANNEAL_JOB_UID',
  /** Role of the pod: with its index the same through all attempts. */
  role: 'ANNEAL_ROLE',
  /** Number of the attempt, from 1. */
  attempt: 'ANNEAL_ATTEMPT',
  /** Mount path of the job's volume; see `volumeLayout`. */
  volume: 'ANNEAL_VOLUME',
  /** Mount path of the folder that a `configmap://` or `pvc://` source is read from. */
  sourceDirectory: 'ANNEAL_SOURCE_DIRECTORY',
  /** Mount path of the claim that `model.from` names. */
  modelDirectory: 'ANNEAL_MODEL_DIRECTORY',
  /** Folder for files that were downloaded, which trials may share; a folder of the job's volume unless set. */
  dataCache: 'ANNEAL_DATA_CACHE',
  /** Bytes that they may take there; 64 GiB unless set. */
  dataCacheBytes: 'ANNEAL_DATA_CACHE_BYTES',
  /** Whole seconds between two checkpoints; 0 writes one after every epoch. */
  checkpointIntervalSeconds: 'ANNEAL_CHECKPOINT_INTERVAL_SECONDS',
  /** How many complete checkpoints stay on the volume. */
  checkpointKeep: 'ANNEAL_CHECKPOINT_KEEP',
  /** JSON of a `BucketPlace` that complete checkpoints and the model are copied to, and come back from when the volume was lost. */
  checkpointBucket: 'ANNEAL_CHECKPOINT_BUCKET',
  /** JSON of a `RestoreSource` to begin from where the job has no checkpoint of its own. */
  restoreFrom: 'ANNEAL_RESTORE_FROM',
  /** Path or URI of the newest checkpoint that a role's program reported, set on the pods after it. */
  resumeFrom: 'ANNEAL_RESUME_FROM',
  /** Where progress is POSTed as JSON (`ProgressReport`); unset turns it off. */
  progressUrl: 'ANNEAL_PROGRESS_URL',
  /** Where a role's program POSTs a `CheckpointReport` as JSON when it has written one. */
  checkpointUrl: 'ANNEAL_CHECKPOINT_URL',
  /** File with the bearer token for `progressUrl`; read again for each POST, since the kubelet rotates it. */
  tokenFile: 'ANNEAL_TOKEN_FILE',
  /** `nvidia.com/gpu` or similar when the job asked for an accelerator; the trainer fails if it then finds none. */
  accelerator: 'ANNEAL_ACCELERATOR',
  /** `host:port` of each replica that the job may have, by index, with commas between; set only where there may be more than one. */
  peers: 'ANNEAL_PEERS',
  /** Host names of the role's pods by index, with commas between, for programs that wire themselves; as many as there may be of an elastic role. */
  hosts: 'ANNEAL_HOSTS',
  /** Index within the role, from 0: which of these replicas this one is. */
  index: 'ANNEAL_INDEX',
  /** How many begin together: the indexes below this. */
  replicas: 'ANNEAL_REPLICAS',
  /** With how few the others go on when some are lost; unset where the loss of any ends them all. */
  minReplicas: 'ANNEAL_MIN_REPLICAS',
  /** Folder with `tls.crt` and `tls.key`, the same for all replicas: each takes no other certificate for a replica's. */
  peerTlsDirectory: 'ANNEAL_PEER_TLS_DIRECTORY',
  /** File with the key that `data.privacy.pseudonymise` makes pseudonyms with. */
  pseudonymKey: 'ANNEAL_PSEUDONYM_KEY',
  /** Seconds of silence after which a replica counts as lost; 10 unless set. */
  peerSilenceSeconds: 'ANNEAL_PEER_SILENCE_SECONDS',
} as const;

/** Beginning of the variables that hold the credentials of the data's source, by the keys of its Secret: `ANNEAL_SOURCE_AWS_ACCESS_KEY_ID` and so on. */
export const sourceCredentialsPrefix = 'ANNEAL_SOURCE_';

/** Port on which a replica listens for the others. */
export const peerPort = 7946;

/** Code in the last words of a replica that ended because of the loss of another: what happened to that one is the cause. */
export const peerLostCode = 'PEER_LOST';

/** Folders below the job's volume. */
export const volumeLayout = {
  /** `epoch-000012/`, each written to a temporary name and renamed. */
  checkpoints: 'checkpoints',
  /** The finished model with its `manifest.json`, renamed into place once. */
  model: 'model',
  /** What a person reads of a run: `data-report.html` and `data-report.json`. */
  reports: 'reports',
  /** `trainer-0.json`: the newest attempt of each place. Earlier ones must not write any more. */
  attempts: 'attempts',
} as const;

/** Exit codes of the trainer. 143 (SIGTERM) means: a checkpoint was written and the work can go on elsewhere. */
export const trainerExit = { ok: 0, applicationError: 1, configurationError: 2, terminated: 143 } as const;

/** Path of the termination message; Kubernetes' default, kept below its 4,096 bytes. */
export const terminationMessagePath = '/dev/termination-log';

/** Where in a bucket; `spec.checkpoint.s3` with its prefix filled in. */
export interface BucketPlace {
  readonly bucket: string;
  /** Without a slash at its end. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region: string;
  readonly addressing: 'Auto' | 'Path' | 'VirtualHost';
  /** Beginning of the variables that hold the credentials; the SDK's usual chain where it is absent. */
  readonly credentialsPrefix?: string;
}

/** A checkpoint of another job: a mounted folder of one or of several, or a bucket. */
export type RestoreSource = { readonly path: string } | { readonly bucket: BucketPlace };

export interface CheckpointReport {
  /** Finished epochs; a role's program may not count them. */
  readonly epoch: number;
  readonly step: number;
  /** RFC 3339. */
  readonly time: string;
  /** Path below the volume, for example `checkpoints/epoch-000012`; absent where a role's program names a URI. */
  readonly path?: string;
  readonly uri?: string;
  /** How long the program waited while it was written. */
  readonly writeSeconds?: number;
  /** True once it is in the bucket as well. */
  readonly copied?: boolean;
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

/** Body of the answer to a progress report. All of it may be absent, also the body: training goes on as it did. */
export interface ProgressReply {
  /** Seconds between two checkpoints from now on. */
  readonly checkpointIntervalSeconds?: number;
  /** Asks for a checkpoint at the next step boundary. It is told with each reply; the same text is obeyed once. */
  readonly checkpointNow?: string;
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
  /** 16 hexadecimal digits that tell which key its pseudonyms were made with; left out where it knows no row by one, and is served without a key. */
  readonly pseudonymKeyId?: string;
}

/** Termination message of a run that failed: a person reads `message`, a program reads `code`. */
export interface TrainingFailure {
  readonly error: { readonly code: string; readonly at?: string; readonly message: string };
}
