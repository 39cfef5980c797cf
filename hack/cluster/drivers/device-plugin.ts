/** A test-only device plugin: offers devices that do not exist, so that a pod that asks for a GPU is scheduled, started and accounted. */
import { join } from 'node:path';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { RpcError, serve, unary } from './grpc.ts';
import type { Service } from './grpc.ts';
import { loadService } from './protos.ts';
import { registrationService } from './registration.ts';

export interface DevicePluginOptions {
  /** The kubelet's --root-dir. */
  kubeletDirectory: string;
  /** For example nvidia.com/gpu. */
  resource: string;
  count: number;
}

export interface DevicePlugin extends AsyncDisposable {
  /** The ids of the devices; the same after every start. */
  readonly deviceIds: readonly string[];
  /** Tells the kubelet at once; it offers only healthy devices, and keeps pods that have a sick one. */
  setHealthy(deviceId: string, healthy: boolean): void;
}

interface AllocateRequest {
  containerRequests: { devicesIds: string[] }[];
}

type Watcher = ServerWritableStream<object, object>;

/**
 * Offers the devices until disposed, to every kubelet that starts in this folder. The kubelet finds the socket in plugins_registry;
 * the older way, a call to device-plugins/kubelet.sock, ends in /var/lib/kubelet whatever --root-dir says, and so reaches only one kubelet of a machine.
 */
export async function startDevicePlugin({ kubeletDirectory, resource, count }: DevicePluginOptions): Promise<DevicePlugin> {
  const devices = await offerDevices(Array.from({ length: count }, (_, index) => `fake-gpu-${index}`));
  const socketPath = join(kubeletDirectory, 'plugins_registry', `${resource.replaceAll('/', '-')}-reg.sock`);
  const registration = await registrationService({ type: 'DevicePlugin', name: resource, endpoint: socketPath, supportedVersions: ['v1beta1'] });
  const server = await serve(socketPath, [registration, devices.service]);
  return {
    deviceIds: devices.ids,
    setHealthy: devices.setHealthy,
    async [Symbol.asyncDispose]() {
      devices.endWatches();
      await server[Symbol.asyncDispose]();
    },
  };
}

interface OfferedDevices extends Pick<DevicePlugin, 'setHealthy'> {
  ids: readonly string[];
  service: Service;
  endWatches(): void;
}

async function offerDevices(ids: readonly string[]): Promise<OfferedDevices> {
  const unhealthy = new Set<string>();
  const watchers = new Set<Watcher>();
  const inventory = (): object => ({ devices: ids.map((ID) => ({ ID, health: unhealthy.has(ID) ? 'Unhealthy' : 'Healthy' })) });

  function requireKnown(id: string): void {
    if (!ids.includes(id)) throw new RpcError('INVALID_ARGUMENT', `There is no device ${id}; there are ${ids.join(', ')}.`);
  }

  return {
    ids,
    service: {
      definition: await loadService('devicePlugin', 'v1beta1.DevicePlugin'),
      methods: {
        GetDevicePluginOptions: unary('GetDevicePluginOptions', () => ({ preStartRequired: false, getPreferredAllocationAvailable: false })),
        ListAndWatch: (watcher: Watcher) => {
          watchers.add(watcher);
          watcher.on('cancelled', () => watchers.delete(watcher));
          watcher.write(inventory());
        },
        Allocate: unary('Allocate', ({ containerRequests }: AllocateRequest) => ({
          containerResponses: containerRequests.map(({ devicesIds }) => {
            devicesIds.forEach(requireKnown);
            return { envs: { NVIDIA_VISIBLE_DEVICES: devicesIds.join(',') } };
          }),
        })),
      },
    },
    setHealthy(id, healthy) {
      requireKnown(id);
      if (healthy) unhealthy.delete(id);
      else unhealthy.add(id);
      for (const watcher of watchers) watcher.write(inventory());
    },
    endWatches() {
      for (const watcher of watchers) watcher.end();
      watchers.clear();
    },
  };
}
