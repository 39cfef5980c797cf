/** What a pod of the built-in trainer is given for its data: where they are mounted from, with what credentials they are read, and where they are kept. */
import { sourceCredentialsPrefix, trainerEnv, type TrainerSpec } from '../api/index.ts';
import { bucketCredentials } from './bucket-credentials.ts';
import type { EnvVar, PodSpec, VolumeMount } from './pod.ts';

interface Parts {
  readonly env: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
  readonly volumes: NonNullable<PodSpec['volumes']>;
}

const sourceMountPath = '/source';
const cacheMountPath = '/data-cache';

export function dataParts(data: TrainerSpec['data'] | undefined): Parts {
  const source = sourceVolume(data?.source.uri ?? '');
  const cache = data?.cache;
  return {
    env: [
      ...(source === undefined ? [] : [{ name: trainerEnv.sourceDirectory, value: sourceMountPath }]),
      ...bucketCredentials(data?.source.credentials?.secretName, sourceCredentialsPrefix),
      ...(cache === undefined ? [] : [{ name: trainerEnv.dataCache, value: cacheMountPath }]),
      ...(cache?.maxBytes === undefined ? [] : [{ name: trainerEnv.dataCacheBytes, value: String(cache.maxBytes) }]),
    ],
    mounts: [
      ...(source === undefined ? [] : [{ name: 'source', mountPath: sourceMountPath, readOnly: true }]),
      ...(cache === undefined ? [] : [{ name: 'data-cache', mountPath: cacheMountPath }]),
    ],
    volumes: [
      ...(source === undefined ? [] : [{ name: 'source', ...source }]),
      ...(cache === undefined ? [] : [{ name: 'data-cache', persistentVolumeClaim: { claimName: cache.claimName } }]),
    ],
  };
}

/** `configmap://NAME/KEY` and `pvc://CLAIM/PATH` are mounted; the trainer reads every other source itself. */
function sourceVolume(uri: string) {
  const name = /^(configmap|pvc):\/\/([^/]+)\//.exec(uri);
  if (name === null) return undefined;
  return name[1] === 'configmap' ? { configMap: { name: name[2] } } : { persistentVolumeClaim: { claimName: name[2], readOnly: true } };
}
