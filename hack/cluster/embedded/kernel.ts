import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { allStates } from '../state.ts';

/** What kubelet sets when it starts, for the whole machine. */
const kubeletSets: Readonly<Record<string, string>> = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
};

const fileOf = (name: string): string => `/proc/sys/${name}`;

/** Values before any cluster came: a second cluster finds kubelet's, so it takes over what the first has noted. */
export async function noteKernelSettings(): Promise<Record<string, string>> {
  const other = (await allStates()).find(({ kernelSettings }) => kernelSettings !== undefined)?.kernelSettings;
  if (other !== undefined) return { ...other };
  const names = Object.keys(kubeletSets).filter((name) => existsSync(fileOf(name)));
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
}

/** Puts the values back once the last cluster goes, unless somebody has changed them since. */
export async function restoreKernelSettings(id: string, noted: Readonly<Record<string, string>>): Promise<void> {
  const inUse = (await allStates()).some((state) => state.id !== id && state.kernelSettings !== undefined);
  if (inUse) return;
  for (const [name, value] of Object.entries(noted)) {
    const now = await read(name);
    if (now !== value && now === kubeletSets[name]) await writeFile(fileOf(name), value);
  }
}

async function read(name: string): Promise<string> {
  return (await readFile(fileOf(name), 'utf8')).trim();
}
