/** Runs the test drivers of one node until SIGTERM: `node hack/cluster/drivers/main.ts --config FILE`. SIGHUP reads the unhealthy devices anew. */
import { parseArgs } from 'node:util';
import { readConfig } from './config.ts';
import { startCsiDriver, startDevicePlugin } from './index.ts';
import type { DevicePlugin } from './index.ts';
import { log, logTo } from './log.ts';

logTo((line) => console.error(line));

const { values } = parseArgs({ options: { config: { type: 'string' } } });
if (values.config === undefined) throw new Error('Say what to run: --config FILE, a JSON file with csi, devicePlugin, or both.');
const file = values.config;

const stopped = Promise.withResolvers<string>();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stopped.resolve);

await using drivers = new AsyncDisposableStack();
const config = await readConfig(file);
if (config.csi !== undefined) drivers.use(await startCsiDriver(config.csi));
if (config.devicePlugin !== undefined) {
  const plugin = drivers.use(await startDevicePlugin(config.devicePlugin));
  applyHealth(plugin, config.devicePlugin.unhealthy);
  process.on('SIGHUP', () => {
    readConfig(file).then(
      ({ devicePlugin }) => applyHealth(plugin, devicePlugin?.unhealthy),
      (error: unknown) => log('config refused', { error: String(error) }),
    );
  });
}
log('ready', { csi: config.csi?.socketPath, resource: config.devicePlugin?.resource });
log('stopping', { signal: await stopped.promise });

function applyHealth(plugin: DevicePlugin, unhealthy: readonly string[] = []): void {
  for (const id of plugin.deviceIds) plugin.setHealthy(id, !unhealthy.includes(id));
}
