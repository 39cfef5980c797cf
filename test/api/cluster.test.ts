import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { crdFiles, startControlPlane } from '../../hack/cluster/index.ts';
import { startTicks } from '../../hack/cluster/processes.ts';
import { withCluster } from '../support/cluster.ts';

async function running(pids: Readonly<Record<string, number>>): Promise<string[]> {
  const alive = await Promise.all(Object.entries(pids).map(async ([name, pid]) => ((await startTicks(pid)) === undefined ? [] : [name])));
  return alive.flat().sort();
}

describe('a control plane for tests', function controlPlane() {
  this.timeout(1_800_000);

  it('takes what kubectl creates, and leaves no process and no folder', async () => {
    const plane = await startControlPlane();
    const { pids, dir } = plane;
    try {
      expect(await running(pids)).to.deep.equal(['etcd', 'kube-apiserver']);
      expect(await plane.kubectl(['create', 'namespace', 'harbour', '-o', 'name'])).to.equal('namespace/harbour\n');
    } finally {
      await plane.dispose();
    }
    expect(await running(pids)).to.deep.equal([]);
    expect(existsSync(dir)).to.equal(false);
  });

  it('runs beside another one, each with its own objects', async () => {
    await using first = await startControlPlane();
    await using second = await startControlPlane();
    await first.kubectl(['create', 'namespace', 'only-in-first']);
    expect(await first.kubectl(['get', 'namespaces', '-o', 'name'])).to.include('only-in-first');
    expect(await second.kubectl(['get', 'namespaces', '-o', 'name'])).not.to.include('only-in-first');
  });

  it('keeps address and objects while the API server is killed and started again', async () => {
    await using plane = await startControlPlane();
    await plane.kubectl(['create', 'namespace', 'kept']);
    const before = plane.pids['kube-apiserver'];
    await plane.stopApiServer(0);
    let refused = false;
    await plane.kubectl(['get', 'namespaces', '--request-timeout=1s']).catch(() => (refused = true));
    expect(refused).to.equal(true);
    await plane.startApiServer();
    expect(plane.pids['kube-apiserver']).not.to.equal(before);
    expect(await plane.kubectl(['get', 'namespaces', '-o', 'name'])).to.include('kept');
  });
});

describe('the shared control plane', () => {
  const suite = withCluster();

  it('runs the controllers: a Job makes its pod', async () => {
    const { plane, namespace } = suite;
    await plane.kubectl(['-n', namespace, 'create', 'job', 'greet', '--image=none.invalid/greet']);
    await plane.kubectl(['-n', namespace, 'wait', 'pod', '-l', 'job-name=greet', '--for=create', '--timeout=15s']);
  });

  it('knows the kinds of Karpenter and of the snapshot controller once their definitions are installed', async function install() {
    this.timeout(300_000);
    const { plane } = suite;
    await plane.installCrds([...(await crdFiles('karpenter')), ...(await crdFiles('snapshotter'))]);
    const kinds = await plane.kubectl(['api-resources', '-o', 'name']);
    expect(kinds).to.include('nodepools.karpenter.sh').and.to.include('volumesnapshots.snapshot.storage.k8s.io');
  });
});
