/** How a kubelet learns of a CSI driver: it finds a socket in its plugins_registry folder and asks there (pluginregistration v1). */
import { loadService } from '../protos.ts';
import { unary } from '../grpc.ts';
import type { Service } from '../grpc.ts';
import { log } from '../log.ts';
import { driverName } from './manifests.ts';

interface RegistrationStatus {
  pluginRegistered: boolean;
  error: string;
}

export async function registrationService(csiSocketPath: string): Promise<Service> {
  return {
    definition: await loadService('pluginRegistration', 'pluginregistration.Registration'),
    methods: {
      GetInfo: unary('GetInfo', () => ({ type: 'CSIPlugin', name: driverName, endpoint: csiSocketPath, supportedVersions: ['1.0.0'] })),
      // The kubelet itself tries again after a failure, and finds the socket again when it restarts.
      NotifyRegistrationStatus: unary('NotifyRegistrationStatus', ({ pluginRegistered, error }: RegistrationStatus) => {
        log(pluginRegistered ? 'registered' : 'registration failed', { driver: driverName, error });
        return {};
      }),
    },
  };
}
