import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../../hack/cluster/until.ts';
import { watchDevices } from '../../support/drivers.ts';
import { temporaryFolder } from '../../support/folder.ts';

const program = join(import.meta.dirname, '../../../hack/cluster/drivers/main.ts');
const patience = { timeoutSeconds: 15 };

interface Drivers extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  said(): string;
}

function start(args: string[], env: NodeJS.ProcessEnv = {}): Drivers {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  const ended = once(child, 'close');
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    child,
    ended,
    said: () => text,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('the drivers of a node, as a process', () => {
  it('serve what the config names, take a change of health at SIGHUP, and leave at SIGTERM without a socket', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'drivers.json');
    const csi = { socketPath: join(folder.path, 'csi.sock'), registrationSocketPath: join(folder.path, 'reg.sock'), dataDir: join(folder.path, 'data'), nodeId: 'a' };
    const devicePlugin = { kubeletDirectory: folder.path, resource: 'nvidia.com/gpu', count: 1 };
    await writeFile(file, JSON.stringify({ csi, devicePlugin }));
    await using drivers = start(['--config', file]);
    await until('the drivers are ready', () => drivers.said().includes('"event":"ready"'), patience);
    await Promise.all([access(csi.socketPath), access(csi.registrationSocketPath)]);

    using watch = await watchDevices(join(folder.path, 'plugins_registry', 'nvidia.com-gpu-reg.sock'));
    await until('the first list came', () => watch.lists.length > 0, patience);
    await writeFile(file, JSON.stringify({ csi, devicePlugin: { ...devicePlugin, unhealthy: ['fake-gpu-0'] } }));
    drivers.child.kill('SIGHUP');
    await until('the device is ill', () => watch.lists.at(-1)?.devices[0]?.health === 'Unhealthy', patience);

    drivers.child.kill('SIGTERM');
    expect(await drivers.ended).to.deep.equal([0, null]);
    expect(await access(csi.socketPath).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal('ENOENT');
  });

  it('say what to write when the config is missing or wrong, and fail', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'drivers.json');
    await writeFile(file, JSON.stringify({ csi: {} }));
    await using without = start([]);
    await using wrong = start(['--config', file]);
    expect((await without.ended)[0]).to.equal(1);
    expect((await wrong.ended)[0]).to.equal(1);
    expect(without.said()).to.contain('Say what to run: --config FILE');
    expect(wrong.said()).to.contain('csi.socketPath must be a text that is not empty.');
  });

  it('say that Go is needed for the contracts where it is not installed', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'drivers.json');
    await writeFile(file, JSON.stringify({ devicePlugin: { kubeletDirectory: folder.path, resource: 'nvidia.com/gpu', count: 1 } }));
    await using drivers = start(['--config', file], { PATH: folder.path, XDG_CACHE_HOME: folder.path });
    expect((await drivers.ended)[0]).to.equal(1);
    expect(drivers.said()).to.contain('Install Go 1.25 or later');
  });
});
