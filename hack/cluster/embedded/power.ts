import { rm } from 'node:fs/promises';
import { isAlive, signal } from '../processes.ts';
import type { ProcessTable } from '../processtable.ts';
import { until } from '../until.ts';
import { processesIn, removeCgroup } from './cgroups.ts';
import type { NodeLayout } from './layout.ts';
import { unmountBelow } from './mounts.ts';
import { inNetworkLock, isPlugged, processesOnNode, removeNode, unplugNode } from './network.ts';
import type { Network } from './network.ts';

/** One node as something that has power or not. */
export interface Machine {
  readonly layout: NodeLayout;
  readonly network: Network;
  readonly processes: ProcessTable;
  /** First node is 1. */
  readonly index: number;
}

/** Whether the node is there as something that programs can be started on. */
export async function hasPower({ layout, network, processes, index }: Machine): Promise<boolean> {
  const holder = processes.find(`${layout.name}/namespace`);
  return holder !== undefined && (await isAlive(holder)) && isPlugged(network, index);
}

/**
 * Ends a node as a power cut does. The link goes first, so that nothing says goodbye: peers learn of it by silence only. What is left
 * is what a disk would hold: images, volumes, the kubelet's folder.
 */
export async function cutPower(machine: Machine): Promise<void> {
  const { layout, network, processes, index } = machine;
  await inNetworkLock(async () => unplugNode(network, index));
  await until(`the processes of ${layout.name} end`, async () => {
    const pids = await processesOf(machine);
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.size === 0;
  }, { timeoutSeconds: 30, everyMilliseconds: 20 });
  await processes.stopWhere((name) => name.startsWith(`${layout.name}/`));
  // With the namespace go its sockets: else they would send their last words again once the link is back.
  await inNetworkLock(async () => removeNode(network, index));
  await removeCgroup(layout.cgroup);
  await unmountBelow([layout.runDir]);
  await rm(layout.runDir, { recursive: true, force: true });
}

/** The programs of the node, what containerd started for its containers, and the containers. */
async function processesOf({ layout, network, processes, index }: Machine): Promise<Set<number>> {
  const recorded = processes.records.filter(({ name }) => name.startsWith(`${layout.name}/`));
  const alive = await Promise.all(recorded.map(isAlive));
  return new Set([
    ...recorded.filter((_, at) => alive[at] === true).map(({ pid }) => pid),
    ...(await processesOnNode(network, index)),
    ...(await processesIn(layout.cgroup)),
  ]);
}
