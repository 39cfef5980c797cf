import { loadService } from '../protos.ts';
import { unary } from '../grpc.ts';
import type { Service } from '../grpc.ts';
import { driverName } from './manifests.ts';

export async function identityService(): Promise<Service> {
  return {
    definition: await loadService('csi', 'csi.v1.Identity'),
    methods: {
      GetPluginInfo: unary('GetPluginInfo', () => ({ name: driverName, vendorVersion: '1.0.0' })),
      // No topology: the nodes of an embedded cluster share one machine, so every node reaches every volume.
      GetPluginCapabilities: unary('GetPluginCapabilities', () => ({ capabilities: [{ service: { type: 'CONTROLLER_SERVICE' } }] })),
      Probe: unary('Probe', () => ({ ready: { value: true } })),
    },
  };
}
