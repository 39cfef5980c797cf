import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dockerArchive } from '../../hack/cluster/embedded/images.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, '../e2e/drivers/probe');

export const probeImage = 'anneal.test/probe:1';

/** Builds the image `probeImage` as an archive in the folder, and returns the path of the archive. */
export async function buildProbe(folder: string): Promise<string> {
  const program = join(folder, 'probe');
  await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', program, '.'], { cwd: source, env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' } });
  const archive = join(folder, 'probe.tar');
  await writeFile(archive, dockerArchive(probeImage, 'probe', await readFile(program)));
  return archive;
}

/** A pod with the rights of a restricted one whose files belong to group 65532. */
export function probePod(name: string, args: readonly string[], options: { readonly claim?: string; readonly readOnly?: boolean; readonly gpus?: number } = {}): object {
  const { claim, readOnly = false, gpus = 0 } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 2,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{
        name: 'probe',
        image: probeImage,
        imagePullPolicy: 'Never',
        args,
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        resources: { limits: gpus === 0 ? {} : { 'nvidia.com/gpu': String(gpus) } },
        volumeMounts: claim === undefined ? [] : [{ name: 'models', mountPath: '/models', readOnly }],
      }],
      volumes: claim === undefined ? [] : [{ name: 'models', persistentVolumeClaim: { claimName: claim, readOnly } }],
    },
  };
}
