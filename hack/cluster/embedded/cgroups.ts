import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isGone, signal } from '../processes.ts';
import { until } from '../until.ts';
import { mounts } from './mounts.ts';

/** Roots of the machine's control group hierarchies: one under v2, one for each controller under v1; many machines have both. */
async function hierarchies(): Promise<string[]> {
  return (await mounts()).filter(({ type }) => type === 'cgroup' || type === 'cgroup2').map(({ path }) => path);
}

/** kubelet refuses a cgroupRoot that does not exist in every hierarchy. */
export async function createCgroup(name: string): Promise<void> {
  for (const root of await hierarchies()) {
    let folder = root;
    for (const part of name.split('/')) {
      await delegate(folder);
      folder = join(folder, part);
      await mkdir(folder, { recursive: true });
    }
  }
}

/** Under v2 a group has a controller only if its parent passes it on; kubelet asks for those of its root before it would do so itself. */
async function delegate(folder: string): Promise<void> {
  const control = join(folder, 'cgroup.subtree_control');
  if (!existsSync(control)) return;
  const words = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).trim().split(' ').filter((word) => word !== '');
  const passedOn = await words(control);
  const missing = (await words(join(folder, 'cgroup.controllers'))).filter((controller) => !passedOn.includes(controller));
  if (missing.length > 0) await writeFile(control, missing.map((controller) => `+${controller}`).join(' '));
}

/** Kills every process in the group and below it, which are the containers, and waits until they are gone. */
export async function killCgroup(name: string): Promise<void> {
  await until(`the processes in the control group ${name} end`, async () => {
    const pids = await processesIn(name);
    for (const pid of pids) signal(pid, 'SIGKILL');
    return pids.size === 0;
  }, { timeoutSeconds: 20, everyMilliseconds: 20 });
}

export async function removeCgroup(name: string): Promise<void> {
  for (const root of await hierarchies()) {
    for (const folder of (await foldersBelow(join(root, name))).reverse()) await removeEmpty(folder);
  }
}

/** Ids of the processes in the group and below it. */
export async function processesIn(name: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (const root of await hierarchies()) {
    for (const folder of await foldersBelow(join(root, name))) {
      for (const pid of await pidsOf(folder)) pids.add(pid);
    }
  }
  return pids;
}

async function pidsOf(folder: string): Promise<number[]> {
  try {
    return (await readFile(join(folder, 'cgroup.procs'), 'utf8')).split('\n').filter((line) => line !== '' && line !== '0').map(Number);
  } catch (error) {
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'ENODEV') return [];
    throw error;
  }
}

/** The folder and all below it, parents first. Node's own recursion fails when a group goes away while it looks, as a killed container's does. */
async function foldersBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const below = await Promise.all(entries.filter((entry) => entry.isDirectory()).map(async (entry) => foldersBelow(join(folder, entry.name))));
    return [folder, ...below.flat()];
  } catch (error) {
    if (isGone(error) || (error as NodeJS.ErrnoException).code === 'ENODEV') return [];
    throw error;
  }
}

async function removeEmpty(folder: string): Promise<void> {
  await until(`the control group ${folder} is empty`, async () => {
    try {
      await rmdir(folder);
      return true;
    } catch (error) {
      // The kernel lets go of a killed process a moment after it has left /proc.
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
      if (isGone(error)) return true;
      throw error;
    }
  }, { timeoutSeconds: 20 });
}
