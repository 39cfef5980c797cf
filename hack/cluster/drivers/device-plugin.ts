/** A test-only device plugin: offers devices that do not exist, so that a pod that asks for a GPU is scheduled, started and accounted. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { callOnce, RpcError, serve, unary } from './grpc.ts';
import { log } from './log.ts';
import { loadService } from './protos.ts';

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

const checkMs = 500;
const registerDeadlineMs = 10_000;
/** A registered kubelet opens ListAndWatch at once; when it did not within this time, it has forgotten us. */
const watchPatienceMs = 2_000;

/** Offers the devices until disposed, and again to every kubelet that starts in this folder. */
export async function startDevicePlugin({ kubeletDirectory, resource, count }: DevicePluginOptions): Promise<DevicePlugin> {
  const folder = join(kubeletDirectory, 'device-plugins');
  const endpoint = `anneal-${resource.replaceAll(/[^A-Za-z0-9.]/g, '-')}.sock`;
  const kubeletSocket = join(folder, 'kubelet.sock');
  const registration = await loadService('devicePlugin', 'v1beta1.Registration');
  const definition = await loadService('devicePlugin', 'v1beta1.DevicePlugin');
  const devices = offerDevices(Array.from({ length: count }, (_, index) => `fake-gpu-${index}`));

  let server = await serve(join(folder, endpoint), [{ definition, methods: devices.methods }]);
  let registered: { kubelet: string; atMs: number } | undefined;

  /** A starting kubelet empties the folder and makes its socket anew; both are signs that it does not know us. */
  async function keepRegistered(): Promise<void> {
    if ((await identity(join(folder, endpoint))) === undefined) {
      devices.endWatches();
      await server[Symbol.asyncDispose]();
      server = await serve(join(folder, endpoint), [{ definition, methods: devices.methods }]);
      registered = undefined;
    }
    const kubelet = await identity(kubeletSocket);
    if (kubelet === undefined) return;
    const known = registered?.kubelet === kubelet && (devices.isWatched() || performance.now() - registered.atMs < watchPatienceMs);
    if (known) return;
    await callOnce(kubeletSocket, registration, 'Register', { version: 'v1beta1', endpoint, resourceName: resource, options: {} }, registerDeadlineMs);
    registered = { kubelet, atMs: performance.now() };
    log('registered', { resource, count });
  }

  let lastFailure = '';
  const stopRepeating = repeat(keepRegistered, (error) => {
    if (String(error) !== lastFailure) log('registration failed', { resource, error: String(error) }); // not twice a second while a kubelet is away
    lastFailure = String(error);
  });
  return {
    deviceIds: devices.ids,
    setHealthy: devices.setHealthy,
    async [Symbol.asyncDispose]() {
      await stopRepeating();
      devices.endWatches();
      await server[Symbol.asyncDispose]();
    },
  };
}

function offerDevices(ids: readonly string[]): Pick<DevicePlugin, 'setHealthy'> & { ids: readonly string[]; methods: UntypedServiceImplementation; endWatches(): void; isWatched(): boolean } {
  const unhealthy = new Set<string>();
  const watchers = new Set<Watcher>();
  const inventory = (): object => ({ devices: ids.map((ID) => ({ ID, health: unhealthy.has(ID) ? 'Unhealthy' : 'Healthy' })) });

  function requireKnown(id: string): void {
    if (!ids.includes(id)) throw new RpcError('INVALID_ARGUMENT', `There is no device ${id}; there are ${ids.join(', ')}.`);
  }

  return {
    ids,
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
    isWatched: () => watchers.size > 0,
  };
}

/** Tells one socket file from a later one of the same name; undefined when there is none. */
async function identity(path: string): Promise<string | undefined> {
  try {
    const { ino, birthtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${birthtimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Does the work at once and again after each pause, until told to stop. */
function repeat(work: () => Promise<void>, onFailure: (error: unknown) => void): () => Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<'stopped'>();
  const loop = (async () => {
    let timer: NodeJS.Timeout | undefined;
    do {
      await work().catch(onFailure);
    } while ((await Promise.race([stopped, new Promise((resolve) => (timer = setTimeout(resolve, checkMs)))])) !== 'stopped');
    clearTimeout(timer);
  })();
  return async () => {
    stop('stopped');
    await loop;
  };
}
