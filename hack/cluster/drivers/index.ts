/**
 * What a node of a test cluster needs beside its kubelet: a CSI driver whose volumes are directories, and a device plugin with fake GPUs.
 * Test only: nothing here keeps data safe or limits its size. `csiObjects` and `snapshotObjects` tell a cluster of the driver.
 */
export { startCsiDriver } from './csi/index.ts';
export { csiObjects, snapshotObjects } from './csi/manifests.ts';
export { startDevicePlugin } from './device-plugin.ts';
export type { DevicePlugin } from './device-plugin.ts';
