/** The runtime kit with the Widget controller, in this process, and clients to look at what it did. */
import type { Authority } from '../../../operator/src/kube/auth.ts';
import { Client } from '../../../operator/src/kube/client.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import { Transport } from '../../../operator/src/kube/transport.ts';
import { Manager } from '../../../operator/src/runtime/manager.ts';
import type { Stopped } from '../../../operator/src/runtime/manager.ts';
import { createLog, silentLog } from '../../../operator/src/telemetry/log.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';
import type { Metrics } from '../../../operator/src/telemetry/metrics.ts';
import { widgetController } from './widgets.ts';

export interface Kit extends AsyncDisposable {
  readonly manager: Manager;
  readonly metrics: Metrics;
  readonly stopped: Promise<Stopped>;
  stop(): void;
}

/** Set ANNEAL_TEST_LOG=debug to see what the kit says. */
const level = process.env.ANNEAL_TEST_LOG;
export const testLog = level === 'debug' || level === 'info' || level === 'warn' || level === 'error' ? createLog(level) : silentLog;

export function transportTo(authority: Authority, userAgent = 'kit-test', metrics: Metrics = createMetrics()): Transport {
  return new Transport({ authority, clock: systemClock, random: Math.random, metrics, userAgent });
}

/** A client that goes to the server itself, past every fault, and closes with its scope. */
export function directClient(authority: Authority): Client & AsyncDisposable {
  const transport = transportTo(authority, 'kit-test-user');
  return Object.assign(new Client(transport, { fieldManager: 'user' }), { [Symbol.asyncDispose]: () => transport.close() });
}

/** Starts at once; all kits of one namespace campaign for one lease. */
export function startKit(authority: Authority, namespace: string, instance = 'kit'): Kit {
  const metrics = createMetrics();
  const manager = new Manager({
    transport: transportTo(authority, instance, metrics),
    clock: systemClock,
    random: Math.random,
    log: testLog,
    metrics,
    controllers: [widgetController()],
    instance,
    namespace,
    lease: { namespace, name: 'kit' },
    metricsPort: 0,
    healthPort: 0,
  });
  const asked = new AbortController();
  const stopped = manager.run(asked.signal);
  return {
    manager,
    metrics,
    stopped,
    stop: () => asked.abort(),
    [Symbol.asyncDispose]: async () => {
      asked.abort();
      await stopped;
    },
  };
}
