import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, clusterDir } from './places.ts';
import type { ProviderName } from './providers/provider.ts';

/** What must be known of a cluster to find and remove it, also after a crash: written before anything else is made. */
export interface ClusterState {
  readonly id: string;
  readonly provider: ProviderName;
  readonly controlPlaneOnly: boolean;
  readonly nodes: number;
  readonly gpusPerNode: number;
  /** How long a node may be silent before it is NotReady; Kubernetes' own time when absent. */
  readonly nodeMonitorGraceSeconds?: number;
  /** Second byte of the addresses of an embedded cluster with nodes: 10.BLOCK.0.0/16. */
  readonly block?: number;
  /** Port of the API server of a control plane without nodes, on 127.0.0.1. */
  readonly port?: number;
  /** Kernel settings that kubelet changes, as they were before. */
  readonly kernelSettings?: Readonly<Record<string, string>>;
}

const fileOf = (id: string): string => join(clusterDir(id), 'cluster.json');

export async function readState(id: string): Promise<ClusterState | undefined> {
  const file = fileOf(id);
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as ClusterState) : undefined;
}

export async function writeState(state: ClusterState): Promise<void> {
  const file = fileOf(state.id);
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, JSON.stringify(state, null, 2));
  await rename(`${file}.new`, file);
}

/** The clusters of all checkouts and names of this user. */
export async function allStates(): Promise<ClusterState[]> {
  const folder = join(cacheDir(), 'clusters');
  if (!existsSync(folder)) return [];
  const states = await Promise.all((await readdir(folder)).map(readState));
  return states.flatMap((state) => state ?? []);
}
