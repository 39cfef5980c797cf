/** How a kubelet learns of a plugin: it finds a socket in its plugins_registry folder and asks there (pluginregistration v1). */
import { unary } from './grpc.ts';
import type { Service } from './grpc.ts';
import { log } from './log.ts';
import { loadService } from './protos.ts';

export interface PluginInfo {
  type: 'CSIPlugin' | 'DevicePlugin';
  /** Of the CSI driver, or of the resource. */
  name: string;
  /** The socket where the kubelet then calls the plugin. */
  endpoint: string;
  supportedVersions: string[];
}

interface RegistrationStatus {
  pluginRegistered: boolean;
  error: string;
}

export async function registrationService(info: PluginInfo): Promise<Service> {
  return {
    definition: await loadService('pluginRegistration', 'pluginregistration.Registration'),
    methods: {
      GetInfo: unary('GetInfo', () => info),
      // The kubelet itself tries again after a failure, and finds the socket again when it restarts.
      NotifyRegistrationStatus: unary('NotifyRegistrationStatus', ({ pluginRegistered, error }: RegistrationStatus) => {
        log(pluginRegistered ? 'registered' : 'registration failed', { type: info.type, name: info.name, error });
        return {};
      }),
    },
  };
}
