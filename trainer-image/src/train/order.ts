/** What a run is asked to do and what came of it. Plain data: it crosses from the main thread to the worker and back. */
import type { CheckpointReport, ProgressReport, TrainerSpec, TrainingFailure, TrainingResult } from '@anneal/operator/api';
import type { AnnealError } from '../errors.ts';
import type { Address } from './collective/peer-connection.ts';
import type { Link } from './collective/link.ts';
import type { Fence } from './fence.ts';

export interface TrainingOrder {
  readonly spec: TrainerSpec;
  /** Folder of the job's volume. */
  readonly volume: string;
  /** Folder of a `configmap://` or `pvc://` source. */
  readonly sourceDirectory?: string;
  /** Folder of the claim that `model.from` names. */
  readonly modelDirectory?: string;
  /** Where downloads are kept; a folder of the volume where it is left out. */
  readonly dataCache?: { readonly folder: string; readonly maxBytes?: number };
  /** Variables with the source's credentials. */
  readonly sourceCredentials?: Readonly<Record<string, string>>;
  readonly attempt: number;
  /** Seconds between two checkpoints; 0 writes one after each epoch. */
  readonly checkpointIntervalSeconds: number;
  readonly checkpointKeep: number;
  /** Who this attempt is, for `claimVolume`. */
  readonly fence: Fence;
  /** Folder of a checkpoint, or of several, of another job; used where this one has none of its own. */
  readonly restoreFrom?: string;
  /** Threads that TensorFlow was given; part of what decides the last bit. */
  readonly threads: number;
  /** Memory that the program may use, in bytes; taken to be 4 GiB where it is left out. */
  readonly memoryBytes?: number;
  /** Resource name of an accelerator that must be used. */
  readonly accelerator?: string;
  /** File with the key for pseudonyms. */
  readonly pseudonymKey?: string;
  /** Set where others train on the same job. */
  readonly replicas?: ReplicasOrder;
}

export interface ReplicasOrder {
  /** `namespace/name`, by which replicas know each other's job. */
  readonly job: string;
  /** Which one this is. */
  readonly index: number;
  /** Of each index that the job may have. */
  readonly peers: readonly Address[];
  /** How many begin together. */
  readonly replicas: number;
  /** With how few they go on; as many as `replicas` where the loss of any ends them all. */
  readonly minReplicas: number;
  readonly tlsDirectory: string;
  readonly silenceMs: number;
}

export type TrainingOutcome =
  | { readonly kind: 'Succeeded'; readonly result: TrainingResult; /** Another replica wrote the model, and sees to what comes of it. */ readonly byAnother?: true }
  /** Asked to stop; `checkpoint` is absent when nothing was learnt yet, or none could be written. */
  | { readonly kind: 'Stopped'; readonly checkpoint?: CheckpointReport }
  | { readonly kind: 'Failed'; readonly failure: TrainingFailure; readonly needsUser: boolean };

export type LogLevel = 'info' | 'warn' | 'error';

/** What the worker tells while it works. */
export type TrainingEvent =
  | { readonly kind: 'Progress'; readonly report: ProgressReport }
  | { readonly kind: 'Log'; readonly level: LogLevel; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'Ended'; readonly outcome: TrainingOutcome };

export interface TrainingHooks {
  /** Polled between two steps; a synchronous loop hears no event. */
  readonly stopRequested: () => boolean;
  /** True once after each wish for a checkpoint. */
  readonly checkpointRequested: () => boolean;
  /** What the operator last asked for, in seconds; undefined as long as it did not. */
  readonly checkpointInterval: () => number | undefined;
  /** Aborted at the same time, for the parts that wait. */
  readonly signal: AbortSignal;
  /** Milliseconds; only differences are used, and for times in reports. */
  readonly now: () => number;
  readonly report: (report: ProgressReport) => void;
  /** The way to the other replicas, where the order names any. */
  readonly link?: Link;
  readonly log: (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

export function failureOf(error: AnnealError): TrainingOutcome {
  return {
    kind: 'Failed',
    failure: { error: { code: error.code, ...(error.at === undefined ? {} : { at: error.at }), message: error.message } },
    needsUser: error.needsUser,
  };
}
