import { expect } from 'chai';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { withCluster } from '../support/cluster.ts';
import { FaultProxy } from '../support/faultproxy.ts';
import type { RecordedWrite } from '../support/faultproxy.ts';
import { eventually } from '../support/kit/eventually.ts';
import { directClient } from '../support/kit/kit.ts';
import { installWidgets, widget, widgetType } from '../support/kit/widgets.ts';

const program = new URL('../support/kit/process.ts', import.meta.url).pathname;
/** For a process to start on a machine that does much else. */
const startMs = 60_000;
/** From the moment the leader is frozen until another writes. */
const takeoverMs = 20_000;

interface Situation extends AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly start: (instance: string) => ChildProcess;
  /** Writes of the controllers, leases left out, by instance. */
  readonly writesOf: (instance: string) => readonly RecordedWrite[];
}

describe('two operators', function () {
  this.timeout(240_000);
  const cluster = withCluster();

  before(() => installWidgets((files) => cluster.plane.installCrds(files)));

  /** A user creates Widgets all the time, so that there is always something to write. */
  async function busy(): Promise<Situation> {
    const { plane, namespace } = cluster;
    const directory = await mkdtemp(join(tmpdir(), 'anneal-leader-'));
    const proxy = await FaultProxy.start(plane.kubeconfigPath);
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(kubeconfig, proxy.kubeconfig());
    const user = directClient(await kubeConfigAuthority({ path: plane.kubeconfigPath }, systemClock));
    const stop = new AbortController();
    const creating = createWidgets(user, namespace, stop.signal);
    const processes: ChildProcess[] = [];
    return {
      proxy,
      start: (instance) => {
        const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, kubeconfig, namespace, instance], { stdio: 'inherit' });
        processes.push(child);
        return child;
      },
      writesOf: (instance) => proxy.writes.filter((write) => write.userAgent === instance && !write.path.includes('/leases')),
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await creating;
        await Promise.all(processes.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const exited = once(child, 'exit');
          child.kill('SIGKILL');
          await exited;
        }));
        await Promise.all([user[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()]);
        await rm(directory, { recursive: true, force: true });
      },
    };
  }

  it('never both write when the leader is frozen for 30 s and thawed; the other takes over within 20 s', async () => {
    await using situation = await busy();
    const { start, writesOf } = situation;
    const former = start('former');
    await eventually(() => expect(writesOf('former')).not.to.be.empty, startMs);
    start('successor');
    await eventually(() => expect(situation.proxy.openWatches).to.be.above(3), startMs);

    former.kill('SIGSTOP');
    const frozenAt = performance.now();
    await eventually(() => expect(writesOf('successor')).not.to.be.empty, takeoverMs);
    const writtenWhenFrozen = writesOf('former').length;
    await eventually(() => expect(performance.now() - frozenAt).to.be.above(30_000), 40_000);

    const exited = once(former, 'exit');
    former.kill('SIGCONT');
    expect((await exited)[0], 'exit code of the thawed one').to.equal(1);
    expect(writesOf('former'), 'writes of the thawed one').to.have.length(writtenWhenFrozen);
    const successorsFirst = writesOf('successor')[0]?.at ?? Infinity;
    expect(writesOf('former').every(({ at }) => at < successorsFirst), 'one writer after the other').to.equal(true);
  });

  it('hand over within the time of one poll when the leader is asked to stop', async () => {
    await using situation = await busy();
    const { start, writesOf } = situation;
    const former = start('former');
    await eventually(() => expect(writesOf('former')).not.to.be.empty, startMs);
    start('successor');
    await eventually(() => expect(situation.proxy.openWatches).to.be.above(3), startMs);
    const exited = once(former, 'exit');
    former.kill('SIGTERM');
    expect((await exited)[0]).to.equal(0);
    await eventually(() => expect(writesOf('successor')).not.to.be.empty, 5_000);
    expect(Math.max(...writesOf('former').map(({ at }) => at))).to.be.below(writesOf('successor')[0]?.at ?? 0);
  });
});

async function createWidgets(user: Client, namespace: string, signal: AbortSignal): Promise<void> {
  for (let index = 0; !signal.aborted; index += 1) {
    await user.create(widgetType, widget(namespace, `busy-${crypto.randomUUID().slice(0, 8)}`, 1));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
