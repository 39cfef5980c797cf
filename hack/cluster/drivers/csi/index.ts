/** The test-only CSI driver directory.csi.anneal.dev: volumes and snapshots are directories, bind-mounted into pods. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { serve } from '../grpc.ts';
import { registrationService } from '../registration.ts';
import { serialiseByKey } from '../serialise.ts';
import { controllerService } from './controller.ts';
import { identityService } from './identity.ts';
import { driverName } from './manifests.ts';
import { nodeService } from './node.ts';
import { openStore } from './store.ts';
import type { PluginInfo } from '../registration.ts';
import type { Stores } from './controller.ts';

export interface CsiDriverOptions {
  /** Where csi-provisioner and the kubelet call the driver. */
  socketPath: string;
  /** In the kubelet's plugins_registry folder; absent where there is no kubelet, only callers of the Controller service. */
  registrationSocketPath?: string;
  /** Shared by the drivers of all nodes; only one of them may get the calls of the Controller service. */
  dataDir: string;
  nodeId: string;
}

/** Serves until disposed. Volumes and their mounts stay, as they must when a driver restarts under running pods. */
export async function startCsiDriver(options: CsiDriverOptions): Promise<AsyncDisposable> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const stores: Stores = { volumes: openStore(dataDir, 'volumes'), snapshots: openStore(dataDir, 'snapshots') };
  const serialise = serialiseByKey();
  await using stack = new AsyncDisposableStack();
  stack.use(await serve(options.socketPath, [
    await identityService(),
    await controllerService(stores, serialise),
    await nodeService(options.nodeId, stores.volumes, serialise),
  ]));
  if (options.registrationSocketPath !== undefined) {
    // Last, for the kubelet calls the driver as soon as it sees this socket.
    const info: PluginInfo = { type: 'CSIPlugin', name: driverName, endpoint: resolve(options.socketPath), supportedVersions: ['1.0.0'] };
    stack.use(await serve(options.registrationSocketPath, [await registrationService(info)]));
  }
  return stack.move();
}
