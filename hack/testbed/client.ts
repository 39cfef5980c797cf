import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import { Client } from '../../operator/src/kube/client.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { Transport } from '../../operator/src/kube/transport.ts';
import { createMetrics } from '../../operator/src/telemetry/metrics.ts';

/** The operator's own client, as another user agent: what a test or a benchmark talks to the API server with. */
export async function apiClient(kubeconfigPath: string, userAgent: string): Promise<AsyncDisposable & { readonly client: Client }> {
  const authority = await kubeConfigAuthority({ path: kubeconfigPath }, systemClock);
  const transport = new Transport({ authority, clock: systemClock, random: Math.random, metrics: createMetrics(), userAgent });
  return {
    client: new Client(transport, { fieldManager: userAgent }),
    [Symbol.asyncDispose]: async () => transport.close(),
  };
}
