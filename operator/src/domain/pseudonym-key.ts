/** How a pod gets the key that pseudonyms are made with. */
import type { PodParts } from './pod.ts';

/** Of a Secret in the pod's namespace. */
interface SecretKey {
  readonly secretName: string;
  readonly key: string;
}

const mountPath = '/var/run/secrets/anneal.dev/pseudonyms';

/** As a file and not as a variable, which every process of the pod and its crash reports would have. */
export function pseudonymKeyParts({ secretName, key }: SecretKey): Pick<PodParts, 'mounts' | 'volumes'> & { readonly file: string } {
  return {
    file: `${mountPath}/${key}`,
    mounts: [{ name: 'pseudonyms', mountPath, readOnly: true }],
    volumes: [{ name: 'pseudonyms', secret: { secretName, items: [{ key, path: key }] } }],
  };
}
