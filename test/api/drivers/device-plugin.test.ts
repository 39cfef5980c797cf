import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../../hack/cluster/until.ts';
import { callOnce } from '../../../hack/cluster/drivers/grpc.ts';
import { startDevicePlugin } from '../../../hack/cluster/drivers/index.ts';
import { loadService } from '../../../hack/cluster/drivers/protos.ts';
import { deviceRegistry, refusal, watchDevices } from '../../support/drivers.ts';
import { temporaryFolder } from '../../support/folder.ts';

const resource = 'nvidia.com/gpu';
const endpoint = 'anneal-nvidia.com-gpu.sock';
const patience = { timeoutSeconds: 10 };

describe('the fake GPU device plugin', () => {
  it('registers with the kubelet, whichever of the two starts first', async () => {
    await using folder = await temporaryFolder();
    await using plugin = await startDevicePlugin({ kubeletDirectory: folder.path, resource, count: 2 });
    await using kubelet = await deviceRegistry(folder.path);
    await until('the plugin registered', () => kubelet.registrations.length > 0, patience);
    expect(kubelet.registrations[0]).to.deep.include({ version: 'v1beta1', endpoint, resourceName: resource });
    expect(plugin.deviceIds).to.have.length(2);
  });

  it('offers devices with stable ids, and tells at once when one falls ill and recovers', async () => {
    await using folder = await temporaryFolder();
    await using plugin = await startDevicePlugin({ kubeletDirectory: folder.path, resource, count: 2 });
    using watch = await watchDevices(join(folder.path, 'device-plugins', endpoint));
    await until('the kubelet has a first list', () => watch.lists.length === 1, patience);
    plugin.setHealthy('fake-gpu-1', false);
    plugin.setHealthy('fake-gpu-1', true);
    await until('both changes were told', () => watch.lists.length === 3, patience);
    expect(watch.lists.map(({ devices }) => devices.map(({ ID, health }) => `${ID} ${health}`))).to.deep.equal([
      ['fake-gpu-0 Healthy', 'fake-gpu-1 Healthy'],
      ['fake-gpu-0 Healthy', 'fake-gpu-1 Unhealthy'],
      ['fake-gpu-0 Healthy', 'fake-gpu-1 Healthy'],
    ]);
    expect(() => plugin.setHealthy('fake-gpu-7', false)).to.throw('There is no device fake-gpu-7; there are fake-gpu-0, fake-gpu-1.');
  });

  it('gives a container the names of its devices, and none that do not exist', async () => {
    await using folder = await temporaryFolder();
    await using plugin = await startDevicePlugin({ kubeletDirectory: folder.path, resource, count: 3 });
    const socket = join(folder.path, 'device-plugins', endpoint);
    const definition = await loadService('devicePlugin', 'v1beta1.DevicePlugin');
    const containerRequests = [{ devicesIds: ['fake-gpu-0', 'fake-gpu-2'] }, { devicesIds: ['fake-gpu-1'] }];
    const { containerResponses } = await callOnce<{ containerResponses: { envs: object }[] }>(socket, definition, 'Allocate', { containerRequests }, 10_000);
    expect(containerResponses.map(({ envs }) => envs)).to.deep.equal([{ NVIDIA_VISIBLE_DEVICES: 'fake-gpu-0,fake-gpu-2' }, { NVIDIA_VISIBLE_DEVICES: 'fake-gpu-1' }]);
    const refused = await refusal(callOnce(socket, definition, 'Allocate', { containerRequests: [{ devicesIds: ['fake-gpu-9'] }] }, 10_000));
    expect(refused.code).to.equal('INVALID_ARGUMENT');
    expect(await callOnce(socket, definition, 'GetDevicePluginOptions', {}, 10_000)).to.deep.equal({ preStartRequired: false, getPreferredAllocationAvailable: false });
    expect(plugin.deviceIds).to.have.length(3);
  });

  it('registers again with a kubelet that started anew and emptied the folder', async () => {
    await using folder = await temporaryFolder();
    await using plugin = await startDevicePlugin({ kubeletDirectory: folder.path, resource, count: 1 });
    const socket = join(folder.path, 'device-plugins', endpoint);
    {
      await using before = await deviceRegistry(folder.path);
      await until('the plugin registered', () => before.registrations.length > 0, patience);
      using watch = await watchDevices(socket);
      await until('the first kubelet watches', () => watch.lists.length > 0, patience);
    }
    await rm(socket, { force: true });
    await using after = await deviceRegistry(folder.path);
    await until('the plugin registered again', () => after.registrations.length > 0, patience);
    using watch = await watchDevices(socket);
    await until('the second kubelet sees the devices', () => watch.lists.length > 0, patience);
    expect(watch.lists[0]?.devices.map(({ ID }) => ID)).to.deep.equal(plugin.deviceIds);
  });

  it('registers again when the kubelet forgot it without a new socket', async () => {
    await using folder = await temporaryFolder();
    await using kubelet = await deviceRegistry(folder.path);
    await using plugin = await startDevicePlugin({ kubeletDirectory: folder.path, resource, count: 1 });
    await until('the plugin registered twice, for nobody watched it', () => kubelet.registrations.length >= 2, { timeoutSeconds: 15 });
    expect(plugin.deviceIds).to.deep.equal(['fake-gpu-0']);
  });
});
