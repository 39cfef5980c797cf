/** What a pod of the built-in trainer is given to go on from a saved model: the claim that holds it, read-only. */
import { trainerEnv, type TrainerSpec } from '../api/index.ts';
import type { PodParts } from './pod.ts';

const mountPath = '/saved-model';
const name = 'saved-model';

export function savedModelParts(model: TrainerSpec['model'] | undefined): PodParts {
  const [, claimName] = /^pvc:\/\/([^/]+)\//.exec(model?.from?.uri ?? '') ?? [];
  if (claimName === undefined) return { env: [], mounts: [], volumes: [] };
  return {
    env: [{ name: trainerEnv.modelDirectory, value: mountPath }],
    mounts: [{ name, mountPath, readOnly: true }],
    volumes: [{ name, persistentVolumeClaim: { claimName, readOnly: true } }],
  };
}
