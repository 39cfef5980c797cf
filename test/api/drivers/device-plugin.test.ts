import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../../hack/cluster/until.ts';
import { startDevicePlugin } from '../../../hack/cluster/drivers/index.ts';
import type { DevicePlugin } from '../../../hack/cluster/drivers/index.ts';
import { loadService } from '../../../hack/cluster/drivers/protos.ts';
import { askInfo, call, refusal, watchDevices } from '../../support/drivers.ts';
import { temporaryFolder } from '../../support/folder.ts';
import type { TemporaryFolder } from '../../support/folder.ts';

const patience = { timeoutSeconds: 10 };

describe('the fake GPU device plugin', () => {
  let folder: TemporaryFolder;
  let plugin: DevicePlugin;
  let socket: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    plugin = await startDevicePlugin({ kubeletDirectory: folder.path, resource: 'nvidia.com/gpu', count: 3 });
    socket = join(folder.path, 'plugins_registry', 'nvidia.com-gpu-reg.sock');
  });
  afterEach(async () => {
    await plugin[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('tells a kubelet its resource and where to ask for devices, and again one that starts later', async () => {
    for (const kubelet of ['first', 'second']) {
      expect(await askInfo(socket), kubelet).to.deep.equal({ type: 'DevicePlugin', name: 'nvidia.com/gpu', endpoint: socket, supportedVersions: ['v1beta1'] });
      using watch = await watchDevices(socket);
      await until(`the ${kubelet} kubelet sees the devices`, () => watch.lists.length === 1, patience);
      expect(watch.lists[0]?.devices.map(({ ID }) => ID)).to.deep.equal(plugin.deviceIds);
    }
  });

  it('offers devices with stable ids, and tells at once when one falls ill and recovers', async () => {
    using watch = await watchDevices(socket);
    await until('the kubelet has a first list', () => watch.lists.length === 1, patience);
    plugin.setHealthy('fake-gpu-1', false);
    plugin.setHealthy('fake-gpu-1', true);
    await until('both changes were told', () => watch.lists.length === 3, patience);
    expect(watch.lists.map(({ devices }) => devices.map(({ ID, health }) => `${ID} ${health}`))).to.deep.equal([
      ['fake-gpu-0 Healthy', 'fake-gpu-1 Healthy', 'fake-gpu-2 Healthy'],
      ['fake-gpu-0 Healthy', 'fake-gpu-1 Unhealthy', 'fake-gpu-2 Healthy'],
      ['fake-gpu-0 Healthy', 'fake-gpu-1 Healthy', 'fake-gpu-2 Healthy'],
    ]);
    expect(() => plugin.setHealthy('fake-gpu-7', false)).to.throw('There is no device fake-gpu-7; there are fake-gpu-0, fake-gpu-1, fake-gpu-2.');
  });

  it('gives a container the names of its devices, and none that do not exist', async () => {
    const definition = await loadService('devicePlugin', 'v1beta1.DevicePlugin');
    const containerRequests = [{ devicesIds: ['fake-gpu-0', 'fake-gpu-2'] }, { devicesIds: ['fake-gpu-1'] }];
    const { containerResponses } = await call<{ containerResponses: { envs: object }[] }>(socket, definition, 'Allocate', { containerRequests });
    expect(containerResponses.map(({ envs }) => envs)).to.deep.equal([{ NVIDIA_VISIBLE_DEVICES: 'fake-gpu-0,fake-gpu-2' }, { NVIDIA_VISIBLE_DEVICES: 'fake-gpu-1' }]);
    const refused = await refusal(call(socket, definition, 'Allocate', { containerRequests: [{ devicesIds: ['fake-gpu-9'] }] }));
    expect(refused.code).to.equal('INVALID_ARGUMENT');
    expect(await call(socket, definition, 'GetDevicePluginOptions')).to.deep.equal({ preStartRequired: false, getPreferredAllocationAvailable: false });
  });

  it('takes its socket away when it ends, so that the kubelet stops offering the devices', async () => {
    using watch = await watchDevices(socket);
    await until('the kubelet watches', () => watch.lists.length === 1, patience);
    await plugin[Symbol.asyncDispose]();
    expect(await readdir(join(folder.path, 'plugins_registry'))).to.deep.equal([]);
  });
});
