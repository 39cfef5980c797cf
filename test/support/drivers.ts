/** The test drivers behind real sockets, and the parts of a kubelet and a provisioner that call them. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, makeClientConstructor, status } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { startCsiDriver } from '../../hack/cluster/drivers/index.ts';
import { mountTable, unmount } from '../../hack/cluster/drivers/csi/mounts.ts';
import { loadService } from '../../hack/cluster/drivers/protos.ts';
import { temporaryFolder } from './folder.ts';

const deadlineMs = 10_000;

export const isRoot = process.getuid?.() === 0;

export interface CsiUnderTest extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly registrationSocketPath: string;
  readonly socketPath: string;
  controller<Response>(method: string, request?: object): Promise<Response>;
  identity<Response>(method: string, request?: object): Promise<Response>;
  node<Response>(method: string, request?: object): Promise<Response>;
  /** Stops the driver and starts another on the same data. */
  restart(): Promise<void>;
}

export async function csiUnderTest(): Promise<CsiUnderTest> {
  const { path: folder } = await temporaryFolder();
  const socketPath = join(folder, 'csi.sock');
  const registrationSocketPath = join(folder, 'registry', 'directory-reg.sock');
  const options = { socketPath, registrationSocketPath, dataDir: join(folder, 'data'), nodeId: 'node-a' };
  const [identity, controller, node] = await Promise.all(['Identity', 'Controller', 'Node'].map((name) => loadService('csi', `csi.v1.${name}`)));
  let driver = await startCsiDriver(options);
  const caller = (service: ServiceDefinition | undefined) => <Response>(method: string, request: object = {}): Promise<Response> =>
    call<Response>(socketPath, service ?? {}, method, request);
  return {
    folder,
    dataDir: options.dataDir,
    socketPath,
    registrationSocketPath,
    identity: caller(identity),
    controller: caller(controller),
    node: caller(node),
    async restart() {
      await driver[Symbol.asyncDispose]();
      driver = await startCsiDriver(options);
    },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await unmountBelow(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A test that failed between publish and unpublish must not leave its mounts to the machine. */
async function unmountBelow(folder: string): Promise<void> {
  const below = (await mountTable()).filter(({ mountPoint }) => mountPoint.startsWith(`${folder}/`));
  for (const { mountPoint } of below.reverse()) await unmount(mountPoint);
}

export const writer = { mount: { fsType: '' }, accessMode: { mode: 'SINGLE_NODE_WRITER' } };
export const manyWriters = { mount: { fsType: '' }, accessMode: { mode: 'MULTI_NODE_MULTI_WRITER' } };
export const manyReaders = { mount: { fsType: '' }, accessMode: { mode: 'MULTI_NODE_READER_ONLY' } };

export interface VolumeMessage {
  volumeId: string;
  capacityBytes: number;
}

/** Creates a volume of 1 GiB, or as asked, and returns what the driver says of it. */
export async function createVolume(csi: CsiUnderTest, name: string, more: object = {}): Promise<VolumeMessage> {
  const request = { name, capacityRange: { requiredBytes: 1024 ** 3 }, volumeCapabilities: [writer], ...more };
  return (await csi.controller<{ volume: VolumeMessage }>('CreateVolume', request)).volume;
}

/** The name of the gRPC status that a call was refused with, and the sentence. */
export async function refusal(call: Promise<unknown>): Promise<{ code: string; details: string }> {
  try {
    await call;
  } catch (error) {
    const { code, details } = error as { code: status; details: string };
    return { code: status[code], details };
  }
  throw new Error('The call was answered, but should have been refused.');
}

interface DeviceList {
  devices: { ID: string; health: string }[];
}

export interface DeviceWatch extends Disposable {
  /** What the plugin told so far, oldest first. */
  readonly lists: DeviceList[];
}

/** Opens ListAndWatch, as a kubelet does after a registration. */
export async function watchDevices(socketPath: string): Promise<DeviceWatch> {
  const definition = await loadService('devicePlugin', 'v1beta1.DevicePlugin');
  const method = definition.ListAndWatch;
  if (method === undefined) throw new Error('The contract has no ListAndWatch.');
  const Client = makeClientConstructor(definition, 'DevicePlugin');
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure());
  const lists: DeviceList[] = [];
  const stream = client.makeServerStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, {});
  stream.on('data', (list: DeviceList) => lists.push(list));
  stream.on('error', (error: { code?: number }) => {
    if (error.code !== status.CANCELLED && error.code !== status.UNAVAILABLE) throw new Error('ListAndWatch broke.', { cause: error });
  });
  return {
    lists,
    [Symbol.dispose]() {
      stream.cancel();
      client.close();
    },
  };
}

/** What a kubelet asks of a socket that it finds in plugins_registry. */
export async function askInfo(registrationSocketPath: string): Promise<object> {
  const registration = await loadService('pluginRegistration', 'pluginregistration.Registration');
  const info = await call<object>(registrationSocketPath, registration, 'GetInfo');
  await call(registrationSocketPath, registration, 'NotifyRegistrationStatus', { pluginRegistered: true });
  return info;
}

/** Calls one unary method of a server on a Unix socket, and hangs up. */
export async function call<Response>(socketPath: string, definition: ServiceDefinition, method: string, request: object = {}): Promise<Response> {
  const Client = makeClientConstructor(definition, 'Once');
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure());
  const found = definition[method];
  if (found === undefined) throw new Error(`The service has no method "${method}".`);
  try {
    return await new Promise<Response>((resolve, reject) => {
      client.makeUnaryRequest(found.path, found.requestSerialize, found.responseDeserialize, request, { deadline: new Date(Date.now() + deadlineMs) }, (error, response) => {
        if (error === null) resolve(response as Response);
        else reject(error);
      });
    });
  } finally {
    client.close();
  }
}
