/** What a pod of the built-in trainer is given for its data: where they are mounted from, with what credentials they are read, and where they are kept. */
import { sourceCredentialsPrefix, trainerEnv, type TrainerSpec } from '../api/index.ts';
import { brokerCredentials, bucketCredentials } from './credentials.ts';
import type { EnvVar, PodParts } from './pod.ts';
import { pseudonymKeyParts } from './pseudonym-key.ts';

const sourceMountPath = '/source';
const cacheMountPath = '/data-cache';

export function dataParts(data: TrainerSpec['data'] | undefined): PodParts {
  const source = sourceVolume(data?.source.uri ?? '');
  const cache = data?.cache;
  const key = data?.privacy?.pseudonymise && pseudonymKeyParts(data.privacy.pseudonymise.key);
  return {
    env: [
      ...(source === undefined ? [] : [{ name: trainerEnv.sourceDirectory, value: sourceMountPath }]),
      ...sourceCredentials(data?.source),
      ...(cache === undefined ? [] : [{ name: trainerEnv.dataCache, value: cacheMountPath }]),
      ...(key === undefined ? [] : [{ name: trainerEnv.pseudonymKey, value: key.file }]),
      ...(cache?.maxBytes === undefined ? [] : [{ name: trainerEnv.dataCacheBytes, value: String(cache.maxBytes) }]),
    ],
    mounts: [
      ...(source === undefined ? [] : [{ name: 'source', mountPath: sourceMountPath, readOnly: true }]),
      ...(cache === undefined ? [] : [{ name: 'data-cache', mountPath: cacheMountPath }]),
      ...key?.mounts ?? [],
    ],
    volumes: [
      ...(source === undefined ? [] : [{ name: 'source', ...source }]),
      ...(cache === undefined ? [] : [{ name: 'data-cache', persistentVolumeClaim: { claimName: cache.claimName } }]),
      ...key?.volumes ?? [],
    ],
  };
}

function sourceCredentials(source: TrainerSpec['data']['source'] | undefined): EnvVar[] {
  const name = source?.credentials?.secretName;
  if (source?.uri.startsWith('kafka://') !== true) return bucketCredentials(name, sourceCredentialsPrefix);
  return brokerCredentials(name, source.kafka, sourceCredentialsPrefix);
}

/** `configmap://NAME/KEY` and `pvc://CLAIM/PATH` are mounted; the trainer reads every other source itself. */
function sourceVolume(uri: string) {
  const name = /^(configmap|pvc):\/\/([^/]+)\//.exec(uri);
  if (name === null) return undefined;
  return name[1] === 'configmap' ? { configMap: { name: name[2] } } : { persistentVolumeClaim: { claimName: name[2], readOnly: true } };
}
