import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { binaries, crdFiles } from '../binaries.ts';
import type { ControlPlane } from '../controlplane/controlplane.ts';
import { snapshotObjects } from '../drivers/index.ts';
import { projectRoot } from '../places.ts';
import { ready } from '../processes.ts';
import type { ProcessRecord } from '../processes.ts';
import type { ProcessTable } from '../processtable.ts';
import type { Layout } from './layout.ts';
import { controlPlaneNamespace } from './network.ts';
import type { Network } from './network.ts';

export interface StorageSettings {
  readonly cluster: Layout;
  readonly network: Network;
  readonly plane: ControlPlane;
  readonly processes: ProcessTable;
}

export const storagePrograms = ['csi-provisioner', 'csi-snapshotter', 'snapshot-controller'] as const;

/** All nodes keep volumes in one folder of this machine. */
export const volumesFolder = (cluster: Layout): string => join(cluster.dir, 'volumes');

/**
 * Starts what makes volumes and snapshots of claims: a driver of its own beside the control plane, so that no node's death stops it, and
 * the programs of kubernetes-csi that call it.
 */
export async function startStorage(settings: StorageSettings): Promise<void> {
  const { cluster, plane } = settings;
  const paths = await binaries(storagePrograms);
  await startDriver(settings);
  await plane.installCrds(await crdFiles('snapshotter'));
  await plane.apply(snapshotObjects);
  const kubeconfig = `--kubeconfig=${plane.kubeconfigPath}`;
  const driver = [`--csi-address=${cluster.csiSocket}`, kubeconfig, '--leader-election=false', '--kube-api-qps=50', '--kube-api-burst=100'];
  await run(settings, 'csi-provisioner', paths['csi-provisioner'], [...driver, '--extra-create-metadata']);
  await run(settings, 'csi-snapshotter', paths['csi-snapshotter'], driver);
  await run(settings, 'snapshot-controller', paths['snapshot-controller'], [kubeconfig, '--leader-election=false', '--kube-api-qps=50', '--kube-api-burst=100']);
}

async function startDriver(settings: StorageSettings): Promise<void> {
  const { cluster } = settings;
  await mkdir(volumesFolder(cluster), { recursive: true });
  const file = join(cluster.dir, 'csi-controller.json');
  await writeFile(file, JSON.stringify({ csi: { socketPath: cluster.csiSocket, dataDir: volumesFolder(cluster), nodeId: 'control-plane' } }, null, 2));
  const record = await run(settings, 'csi-controller', process.execPath, [join(projectRoot, 'hack/cluster/drivers/main.ts'), '--config', file]);
  await ready(record, () => Promise.resolve(existsSync(cluster.csiSocket)), 30);
}

/** Those that call the driver end when it does: the connection is lost. */
async function run({ cluster, network, processes }: StorageSettings, name: string, command: string, args: readonly string[]): Promise<ProcessRecord> {
  return processes.ensure({ name, command, args, log: join(cluster.dir, 'logs', `${name}.log`), network: controlPlaneNamespace(network), keptUp: true });
}
