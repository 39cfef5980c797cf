import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterDir, socketDir } from '../places.ts';

/** Where an embedded cluster keeps what; the two folders and the control group are all that a cluster has outside its network. */
export interface Layout {
  readonly id: string;
  readonly dir: string;
  /** On /run, because the path of a socket must be short. */
  readonly sockets: string;
  readonly cgroup: string;
  /** Where the programs that make volumes and snapshots call the driver. */
  readonly csiSocket: string;
}

export interface NodeLayout {
  readonly name: string;
  readonly dir: string;
  /** What a machine keeps in memory only. */
  readonly runDir: string;
  readonly containerdSocket: string;
  readonly containerdState: string;
  /** Where the sockets of the shims are; containerd takes /run/containerd/s for it, whatever its settings say. */
  readonly containerdShims: string;
  /** As the node's processes see it. */
  readonly kubeletDir: string;
  /** As the node's processes see it. */
  readonly csiSocket: string;
  readonly cgroup: string;
}

export function layoutOf({ id, controlPlaneOnly }: { readonly id: string; readonly controlPlaneOnly: boolean }): Layout {
  // Without nodes nothing needs root, and only root may write to /run.
  const sockets = controlPlaneOnly ? join(tmpdir(), `anneal-${id}`) : socketDir(id);
  return { id, dir: clusterDir(id), sockets, cgroup: `anneal-${id}`, csiSocket: join(sockets, 'csi.sock') };
}

export const nodeName = (index: number): string => `node-${index}`;

export function nodeLayout({ dir, sockets, cgroup }: Layout, index: number): NodeLayout {
  const name = nodeName(index);
  const run = join(sockets, `n${index}`);
  const kubeletDir = '/var/lib/kubelet';
  return {
    name,
    dir: join(dir, 'nodes', name),
    runDir: run,
    containerdSocket: join(run, 'containerd.sock'),
    containerdState: join(run, 'containerd'),
    containerdShims: join(run, 'shims'),
    kubeletDir,
    csiSocket: join(kubeletDir, 'plugins', 'directory.csi.anneal.dev', 'csi.sock'),
    cgroup: join(cgroup, name),
  };
}
