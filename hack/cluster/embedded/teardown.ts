import { rm, rmdir } from 'node:fs/promises';
import { ClusterError } from '../errors.ts';
import { isGone } from '../processes.ts';
import { ProcessTable } from '../processtable.ts';
import { allStates } from '../state.ts';
import type { ClusterState } from '../state.ts';
import { killCgroup, removeCgroup } from './cgroups.ts';
import { restoreKernelSettings } from './kernel.ts';
import { layoutOf, nodeLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import { mounts, unmountBelow } from './mounts.ts';
import { privateFolders } from './namespace.ts';
import { inNetworkLock, removeNetwork } from './network.ts';

/** Removes all of an embedded cluster, whatever state it is in: nothing here asks a part of the cluster to help. */
export async function tearDown(state: ClusterState): Promise<void> {
  const layout = layoutOf(state);
  const processes = await ProcessTable.open(layout.dir);
  const nodes = Array.from({ length: state.nodes }, (_, index) => index + 1);

  // kubelet first, or it starts the containers again that we kill.
  await Promise.all(nodes.map(async (node) => processes.stop(`${nodeLayout(layout, node).name}/kubelet`, 0)));
  if (!state.controlPlaneOnly) await killCgroup(layout.cgroup);
  await processes.stopAll(0);
  if (!state.controlPlaneOnly) {
    await unmountBelow([layout.sockets, layout.dir]);
    await inNetworkLock(async () => removeNetwork({ id: state.id, block: state.block ?? 0 }, nodes));
    await removeCgroup(layout.cgroup);
    await removeMountPoints(state.id);
    if (state.kernelSettings !== undefined) await restoreKernelSettings(state.id, state.kernelSettings);
  }
  await verify(layout, processes);
  await rm(layout.sockets, { recursive: true, force: true });
  // Last, because the state that finds the rest again lies in it.
  await rm(layout.dir, { recursive: true, force: true });
}

/** The private folders of nodes had to be there to be mounted over. They are removed with the last cluster, unless somebody else uses them. */
async function removeMountPoints(id: string): Promise<void> {
  const inUse = (await allStates()).some((state) => state.id !== id && state.nodes > 0);
  // Removing one that another cluster has mounted over would take the mount away under that cluster.
  if (inUse) return;
  for (const folder of privateFolders.filter((path) => path !== '/var/log')) await removeIfEmpty(folder);
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    // Not empty: somebody else uses it.
    if (!isGone(error) && (error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' && (error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
  }
}

/** Removing the folder while something is still mounted in it would delete what is mounted. */
async function verify(layout: Layout, processes: ProcessTable): Promise<void> {
  const left = [
    ...(await mounts()).map(({ path }) => path).filter((path) => path.startsWith(`${layout.dir}/`) || path.startsWith(`${layout.sockets}/`)).map((path) => `mount ${path}`),
    ...(await processes.marked()).map(({ name, pid }) => `process ${name} (pid ${pid})`),
  ];
  if (left.length === 0) return;
  throw new ClusterError('LEFTOVERS', `These parts of the cluster ${layout.id} could not be removed:\n  ${left.join('\n  ')}\nRun "npm run cluster -- down" again.`);
}
