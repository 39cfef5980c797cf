import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { attempt, run } from '../../hack/cluster/commands.ts';
import { dockerArchive } from '../../hack/cluster/embedded/images.ts';
import { binary } from '../../hack/cluster/index.ts';
import { clusterDir, projectRoot, socketDir } from '../../hack/cluster/places.ts';
import { isAlive } from '../../hack/cluster/processes.ts';
import type { ProcessRecord } from '../../hack/cluster/processes.ts';
import { ProcessTable } from '../../hack/cluster/processtable.ts';
import { readState } from '../../hack/cluster/state.ts';
import { until } from '../../hack/cluster/until.ts';

const minutes = 60_000;
const suffix = crypto.randomUUID().slice(0, 6);
const image = 'example.invalid/probe:1';

async function cluster(name: string, ...args: string[]): Promise<string> {
  return run(process.execPath, [join(projectRoot, 'hack/cluster/main.ts'), ...args, '--name', name, '--provider', 'embedded']);
}

async function kubectlOf(name: string): Promise<(args: string[], input?: string) => Promise<string>> {
  const kubectl = await binary('kubectl');
  const kubeconfig = (await cluster(name, 'kubeconfig')).trim();
  return async (args, input) => run(kubectl, ['--kubeconfig', kubeconfig, ...args], input === undefined ? {} : { input });
}

/** A pod whose one program is kubectl: it serves as something to log, to execute, to ask DNS and to write a file. */
function probePod(name: string, spec: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      containers: [{
        name: 'probe', image, imagePullPolicy: 'Never', args: ['proxy'],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
        resources: { limits: { memory: '256Mi', 'nvidia.com/gpu': 1 } },
      }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      terminationGracePeriodSeconds: 0,
      ...spec,
    },
  });
}

const claim = JSON.stringify({
  apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});

/** What this machine has that carries the mark of a cluster, wherever a cluster may leave something. */
async function traces(name: string, block: number): Promise<string[]> {
  const mark = `anneal-${name}`;
  const found = await Promise.all([
    namesIn('/run', mark), namesIn('/run/netns', mark), namesIn(tmpdir(), mark),
    ...(await readdir('/sys/fs/cgroup')).map(async (folder) => namesIn(join('/sys/fs/cgroup', folder), mark)),
    lines('cat', ['/proc/self/mountinfo'], mark), lines('ip', ['link'], `anneal-${block}`), lines('ip', ['route'], `10.${block}.`),
  ]);
  return [...found.flat(), ...(existsSync(clusterDir(name)) ? [clusterDir(name)] : [])];
}

async function namesIn(folder: string, mark: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const { stdout } = await attempt('ls', [folder]);
  return stdout.split('\n').filter((line) => line.startsWith(mark)).map((line) => join(folder, line));
}

async function lines(command: string, args: string[], mark: string): Promise<string[]> {
  return (await run(command, args)).split('\n').filter((line) => line.includes(mark));
}

/** Without the counters, which change with every packet. */
async function firewall(): Promise<string[]> {
  return (await run('iptables-save', [])).split('\n').filter((line) => !line.startsWith('#')).map((line) => line.replace(/\[\d+:\d+\]/, ''));
}

async function processesOf(name: string): Promise<ProcessTable> {
  return ProcessTable.open(clusterDir(name));
}

describe('an embedded cluster whose start was cut off', function cutOff() {
  this.timeout(10 * minutes);

  for (const [when, name] of [['before its network is there', 'cluster.json'], ['while its API server starts', 'logs/kube-apiserver.log'], ['while its node starts', 'nodes/node-1/logs/kubelet.log']] as const) {
    it(`is removed without a trace: ${when}`, async () => {
      const id = `cut-${crypto.randomUUID().slice(0, 6)}`;
      await binary('kubelet');
      const up = spawn(process.execPath, [join(projectRoot, 'hack/cluster/main.ts'), 'up', '--name', id, '--provider', 'embedded'], { stdio: 'ignore' });
      const ended = once(up, 'exit');
      try {
        await until(`${name} is there`, () => existsSync(join(clusterDir(id), name)), { timeoutSeconds: 120, everyMilliseconds: 5 });
      } finally {
        up.kill('SIGKILL');
        await ended;
      }
      const processes = await processesOf(id);
      const block = (await readState(id))?.block ?? 0;
      await cluster(id, 'down');
      expect(await traces(id, block)).to.deep.equal([]);
      expect(await processes.marked()).to.deep.equal([]);
    });
  }
});

describe('an embedded cluster', function embedded() {
  this.timeout(10 * minutes);
  const name = `e2e-${suffix}`;
  let scratch: string;
  let block: number;
  let firewallBefore: string[];
  let recordsBefore: readonly ProcessRecord[];
  let kubectl: (args: string[], input?: string) => Promise<string>;

  before(async function bringUp() {
    // A cold cache builds everything first.
    this.timeout(45 * minutes);
    firewallBefore = await firewall();
    scratch = await mkdtemp(join(tmpdir(), 'cluster-test-'));
    const archive = join(scratch, 'probe.tar');
    await writeFile(archive, dockerArchive(image, 'kubectl', await readFile(await binary('kubectl'))));
    await cluster(name, 'up');
    await cluster(name, 'load', archive);
    kubectl = await kubectlOf(name);
    block = (await readState(name))?.block ?? 0;
    recordsBefore = (await processesOf(name)).records;
    await kubectl(['apply', '-f', '-'], claim);
    await kubectl(['apply', '-f', '-'], probePod('probe'));
    await kubectl(['wait', '--for=condition=Ready', 'pod/probe', '--timeout=60s']);
  });

  after(async () => {
    await cluster(name, 'down');
    await rm(scratch, { recursive: true, force: true });
  });

  it('runs a pod from an image that was loaded from an archive, and shows its log', async () => {
    expect(await kubectl(['logs', 'probe'])).to.include('Starting to serve');
  });

  it('executes a command in it, where a Service is found by its name', async () => {
    const token = (await kubectl(['create', 'token', 'default'])).trim();
    const version = await kubectl([
      'exec', 'probe', '--', '/kubectl', '--server=https://kubernetes.default.svc.cluster.local', `--token=${token}`,
      '--certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', 'get', '--raw', '/version',
    ]);
    expect(version).to.include('v1.35');
  });

  it('keeps what a pod wrote into its volume for the next pod', async () => {
    expect(await kubectl(['get', 'pvc', 'data', '-o', 'jsonpath={.status.phase}'])).to.equal('Bound');
    await kubectl(['exec', 'probe', '--', '/kubectl', 'config', 'set-cluster', 'written', '--kubeconfig=/data/file']);
    await kubectl(['delete', 'pod', 'probe']);
    await kubectl(['apply', '-f', '-'], probePod('probe'));
    await kubectl(['wait', '--for=condition=Ready', 'pod/probe', '--timeout=60s']);
    expect(await kubectl(['exec', 'probe', '--', '/kubectl', 'config', 'get-clusters', '--kubeconfig=/data/file'])).to.include('written');
  });

  it('offers GPUs, gives one to the pod that asks, and lets a pod wait that asks for more than are left', async () => {
    expect(await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.allocatable.nvidia\\.com/gpu}'])).to.equal('4');
    const greedy = JSON.parse(probePod('greedy')) as { spec: { containers: { resources: object }[] } };
    for (const container of greedy.spec.containers) container.resources = { limits: { 'nvidia.com/gpu': 4 } };
    await kubectl(['apply', '-f', '-'], JSON.stringify(greedy));
    await kubectl(['wait', '--for=condition=PodScheduled=false', 'pod/greedy', '--timeout=30s']);
    await kubectl(['delete', 'pod', 'greedy']);
  });

  it('measures nodes and pods', async () => {
    await until('metrics-server has seen the node', async () => (await attempt(await binary('kubectl'), ['--kubeconfig', (await cluster(name, 'kubeconfig')).trim(), 'top', 'nodes'])).code === 0, { timeoutSeconds: 60, everyMilliseconds: 500 });
    expect(await kubectl(['top', 'nodes', '--no-headers'])).to.match(/^node-1 /);
  });

  it('skips an archive that it has, and is left alone by a second "up"', async () => {
    await cluster(name, 'load', join(scratch, 'probe.tar'));
    await cluster(name, 'up');
    expect((await processesOf(name)).records).to.deep.equal(recordsBefore);
  });

  it('comes back with its objects when processes of it were killed', async () => {
    const { records } = await processesOf(name);
    const killed = records.filter((record) => ['etcd', 'node-1/kubelet', 'node-1/containerd'].includes(record.name));
    for (const { pid } of killed) process.kill(pid, 'SIGKILL');
    await until('they are dead', async () => (await Promise.all(killed.map(isAlive))).every((alive) => !alive), { timeoutSeconds: 10 });
    await cluster(name, 'up');
    // The pod's status is from before; its log comes from the new kubelet, once that has found the container that ran on.
    const program = await binary('kubectl');
    const kubeconfig = (await cluster(name, 'kubeconfig')).trim();
    await until('the new kubelet shows the log', async () => (await attempt(program, ['--kubeconfig', kubeconfig, 'logs', 'probe'])).stdout.includes('Starting to serve'), { timeoutSeconds: 60, everyMilliseconds: 300 });
    expect(await kubectl(['get', 'pod', 'probe', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])).to.equal('0');
  });

  it('runs beside another cluster, and the other goes without touching it', async () => {
    const other = `e2e-${suffix}-b`;
    try {
      await cluster(other, 'up');
      const kubectlOfOther = await kubectlOf(other);
      await kubectlOfOther(['create', 'namespace', 'only-here']);
      expect(await kubectl(['get', 'namespaces', '-o', 'name'])).not.to.include('only-here');
      expect((await readState(other))?.block).not.to.equal(block);
    } finally {
      const otherBlock = (await readState(other))?.block ?? 0;
      await cluster(other, 'down');
      expect(await traces(other, otherBlock)).to.deep.equal([]);
    }
    await cluster(name, 'status');
    expect(await kubectl(['exec', 'probe', '--', '/kubectl', 'config', 'get-clusters', '--kubeconfig=/data/file'])).to.include('written');
  });

  it('leaves nothing when it goes: no process, mount, link, route, firewall rule, control group or folder', async () => {
    const processes = await processesOf(name);
    const { records } = processes;
    expect(await processes.marked()).not.to.deep.equal([]);
    await cluster(name, 'down');
    expect(await traces(name, block)).to.deep.equal([]);
    expect(await processes.marked()).to.deep.equal([]);
    expect((await Promise.all(records.map(isAlive))).filter(Boolean)).to.deep.equal([]);
    expect(await firewall()).to.deep.equal(firewallBefore);
    expect(existsSync(socketDir(name))).to.equal(false);
  });
});
