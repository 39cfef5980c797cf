/** The order of a run, from the variables that the operator sets. */
import type { BucketPlace, RestoreSource, TrainerSpec } from '@anneal/operator/api';
import { sourceCredentialsPrefix, trainerEnv } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import type { Fence } from './fence.ts';
import type { Address } from './collective/peer-connection.ts';
import type { ReplicasOrder, TrainingOrder } from './order.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param threads  that TensorFlow is given. @param restoreFrom  folder of another job's checkpoints. @throws AnnealError `SPEC_INVALID` that names the variable */
export function orderFrom(environment: Environment, threads: (volume: string) => number, restoreFrom?: string): TrainingOrder {
  const sourceDirectory = textOf(environment, trainerEnv.sourceDirectory);
  const modelDirectory = textOf(environment, trainerEnv.modelDirectory);
  const accelerator = textOf(environment, trainerEnv.accelerator);
  const volume = volumeFrom(environment);
  const replicas = replicasFrom(environment);
  const dataCache = dataCacheFrom(environment);
  const sourceCredentials = credentialsFrom(environment);
  const pseudonymKey = textOf(environment, trainerEnv.pseudonymKey);
  return {
    spec: specOf(required(environment, trainerEnv.spec)),
    volume,
    threads: threads(volume),
    ...(sourceDirectory === undefined ? {} : { sourceDirectory }),
    ...(modelDirectory === undefined ? {} : { modelDirectory }),
    ...(dataCache === undefined ? {} : { dataCache }),
    ...(sourceCredentials === undefined ? {} : { sourceCredentials }),
    attempt: numberOf(environment, trainerEnv.attempt, 1),
    checkpointIntervalSeconds: numberOf(environment, trainerEnv.checkpointIntervalSeconds, 0),
    checkpointKeep: Math.max(1, numberOf(environment, trainerEnv.checkpointKeep, 2)),
    fence: fenceFrom(environment),
    ...(restoreFrom === undefined ? {} : { restoreFrom }),
    ...(accelerator === undefined ? {} : { accelerator }),
    ...(pseudonymKey === undefined ? {} : { pseudonymKey }),
    ...(replicas === undefined ? {} : { replicas }),
  };
}

function dataCacheFrom(environment: Environment): TrainingOrder['dataCache'] {
  const folder = textOf(environment, trainerEnv.dataCache);
  if (folder === undefined) return undefined;
  const maxBytes = numberOf(environment, trainerEnv.dataCacheBytes, 0);
  return { folder, ...(maxBytes === 0 ? {} : { maxBytes }) };
}

function credentialsFrom(environment: Environment): Readonly<Record<string, string>> | undefined {
  const found = Object.entries(environment).flatMap(([name, value]) => (name.startsWith(sourceCredentialsPrefix) && name !== trainerEnv.sourceDirectory && value !== undefined ? [[name, value] as const] : []));
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function replicasFrom(environment: Environment): ReplicasOrder | undefined {
  const text = textOf(environment, trainerEnv.peers);
  if (text === undefined) return undefined;
  const peers = text.split(',').map(peerOf);
  const replicas = numberOf(environment, trainerEnv.replicas, peers.length);
  const index = numberOf(environment, trainerEnv.index, 0);
  if (index >= peers.length || replicas > peers.length) {
    throw new AnnealError('SPEC_INVALID', { at: trainerEnv.peers, message: `${trainerEnv.peers} names ${peers.length} replicas; ${trainerEnv.index} (${index}) must be below that, and ${trainerEnv.replicas} (${replicas}) not above.` });
  }
  return {
    job: textOf(environment, trainerEnv.job) ?? '',
    index, peers, replicas,
    minReplicas: numberOf(environment, trainerEnv.minReplicas, peers.length),
    tlsDirectory: required(environment, trainerEnv.peerTlsDirectory),
    silenceMs: 1000 * Math.max(1, numberOf(environment, trainerEnv.peerSilenceSeconds, 10)),
  };
}

function peerOf(text: string): Address {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  if (at > 0 && Number.isInteger(port) && port > 0 && port < 65536) return { host: text.slice(0, at), port };
  throw new AnnealError('SPEC_INVALID', { at: trainerEnv.peers, message: `"${text}" in ${trainerEnv.peers} is not HOST:PORT.` });
}

/** @throws AnnealError `SPEC_INVALID` where it is not set */
export const volumeFrom = (environment: Environment): string => required(environment, trainerEnv.volume);

export function fenceFrom(environment: Environment): Fence {
  return {
    jobUid: textOf(environment, trainerEnv.jobUid) ?? '',
    place: `${textOf(environment, trainerEnv.role) ?? 'trainer'}-${numberOf(environment, trainerEnv.index, 0)}`,
    attempt: numberOf(environment, trainerEnv.attempt, 1),
  };
}

/** Undefined where checkpoints stay on the volume. */
export const bucketFrom = (environment: Environment): BucketPlace | undefined => jsonOf(environment, trainerEnv.checkpointBucket) as BucketPlace | undefined;

export const restoreSourceFrom = (environment: Environment): RestoreSource | undefined => jsonOf(environment, trainerEnv.restoreFrom) as RestoreSource | undefined;

function jsonOf(environment: Environment, name: string): unknown {
  const json = textOf(environment, name);
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new AnnealError('SPEC_INVALID', { at: name, message: `${name} is not JSON. The operator sets it; remove it to run the image without one.`, cause: error });
  }
}

/** An empty variable is one that is not set. */
export function textOf(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === '' ? undefined : value;
}

function required(environment: Environment, name: string): string {
  const value = textOf(environment, name);
  if (value === undefined) throw new AnnealError('SPEC_INVALID', { at: name, message: `The environment variable ${name} is not set. The operator sets it; set it by hand only to run the image without one.` });
  return value;
}

function numberOf(environment: Environment, name: string, otherwise: number): number {
  const value = Number(textOf(environment, name) ?? otherwise);
  if (!Number.isInteger(value) || value < 0) throw new AnnealError('SPEC_INVALID', { at: name, message: `${name} is "${environment[name] ?? ''}". Set it to a whole number of at least 0.` });
  return value;
}

function specOf(json: string): TrainerSpec {
  try {
    const spec: unknown = JSON.parse(json);
    if (typeof spec === 'object' && spec !== null && 'data' in spec && 'model' in spec && 'fit' in spec) return spec as TrainerSpec;
  } catch (error) {
    throw new AnnealError('SPEC_INVALID', { at: trainerEnv.spec, message: `${trainerEnv.spec} is not JSON. It must hold spec.trainer as the API server defaulted it.`, cause: error });
  }
  throw new AnnealError('SPEC_INVALID', { at: trainerEnv.spec, message: `${trainerEnv.spec} lacks data, model or fit. It must hold spec.trainer as the API server defaulted it.` });
}
