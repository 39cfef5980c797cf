import { mkdir, readFile } from 'node:fs/promises';
import { binary } from '../binaries.ts';
import { ready } from '../processes.ts';
import type { ProcessRecord } from '../processes.ts';
import type { ProcessTable } from '../processtable.ts';
import { join } from 'node:path';
import type { NodeLayout } from './layout.ts';

/** Folders whose paths kubelet's device manager, containerd and libcni have built in; each node sees its own there. */
export const privateFolders = ['/var/lib/kubelet', '/run/containerd', '/var/lib/cni', '/var/log'] as const;

/** Where on the machine lies what a node sees at one of the private folders. */
export function hostFolder(layout: NodeLayout, folder: (typeof privateFolders)[number]): string {
  return folder === '/run/containerd' ? layout.containerdShims : join(layout.dir, folder.slice(1).replaceAll('/', '-'));
}

/**
 * Starts the process that holds a node's mount namespace: what containerd, kubelet and the volume driver mount is seen by them alone, and
 * goes with the last of them, so that not even a crash leaves a mount on the machine.
 */
export async function startNamespace(layout: NodeLayout, processes: ProcessTable): Promise<ProcessRecord> {
  const pause = await binary('pause');
  const binds = [];
  for (const folder of privateFolders) {
    const source = hostFolder(layout, folder);
    await mkdir(source, { recursive: true });
    await mkdir(folder, { recursive: true });
    binds.push(`mount --bind ${quote(source)} ${folder}`);
  }
  // Shared, or containers that run already would not see what a volume driver mounts.
  const script = ['set -e', ...binds, 'mount --make-rshared /var/lib/kubelet', `exec ${quote(pause)}`].join('\n');
  const record = await processes.ensure({
    name: `${layout.name}/namespace`, command: 'unshare', args: ['--mount', '--propagation', 'private', '--', 'sh', '-c', script], log: join(layout.dir, 'logs', 'namespace.log'),
  });
  await ready(record, async () => (await readFile(`/proc/${record.pid}/comm`, 'utf8')).trim() === 'pause', 10);
  return record;
}

function quote(path: string): string {
  return `'${path.replaceAll('\'', String.raw`'\''`)}'`;
}
