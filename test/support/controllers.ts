/** The real operator's runtime with chosen controllers, inside the test's process, on a real API server. */
import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import { Client } from '../../operator/src/kube/client.ts';
import { Transport } from '../../operator/src/kube/transport.ts';
import { systemClock as clock } from '../../operator/src/runtime/index.ts';
import type { Controller } from '../../operator/src/runtime/index.ts';
import { Manager } from '../../operator/src/runtime/manager.ts';
import { silentLog } from '../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../operator/src/telemetry/metrics.ts';

export interface OperatorOptions {
  readonly kubeconfig: string;
  /** The only one that is watched; the Lease is there too. */
  readonly namespace: string;
  readonly controllers: readonly Controller[];
}

export async function startOperator({ kubeconfig, namespace, controllers }: OperatorOptions): Promise<AsyncDisposable> {
  const metrics = createMetrics();
  const transport = await transportFor(kubeconfig, metrics);
  const manager = new Manager({
    transport, clock, random: Math.random, log: silentLog, metrics, controllers, namespace, instance: 'test', lease: { namespace, name: 'anneal-operator' },
  });
  const stop = new AbortController();
  const stopped = manager.run(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await stopped;
    },
  };
}

/** Call inside a describe block: runs the controllers from the first test to the last. The options are asked for once the cluster is there. */
export function withOperator(options: () => OperatorOptions): void {
  let operator: AsyncDisposable | undefined;
  before(async () => {
    operator = await startOperator(options());
  });
  after(async () => operator?.[Symbol.asyncDispose]());
}

/** A client as the operator's own: strict about unknown fields, applies by force. Close its transport when done. */
export async function testClient(kubeconfig: string): Promise<Client> {
  return new Client(await transportFor(kubeconfig, createMetrics()), { fieldManager: 'anneal-test' });
}

async function transportFor(kubeconfig: string, metrics: ReturnType<typeof createMetrics>): Promise<Transport> {
  return new Transport({ authority: await kubeConfigAuthority({ path: kubeconfig }, clock), clock, random: Math.random, metrics, userAgent: 'anneal-test' });
}
