import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { binary } from '../../hack/cluster/binaries.ts';
import { run } from '../../hack/cluster/commands.ts';
import { clusterDir } from '../../hack/cluster/places.ts';
import { startTicks } from '../../hack/cluster/processes.ts';
import { ProcessTable } from '../../hack/cluster/processtable.ts';
import { EmbeddedProvider } from '../../hack/cluster/providers/embedded.ts';
import { until } from '../../hack/cluster/until.ts';
import { temporaryFolder } from '../support/folder.ts';
import { buildProbe, probeImage, probePod } from '../support/probe.ts';

const minutes = 60_000;
const id = `nodes-${crypto.randomUUID().slice(0, 6)}`;
const patience = { timeoutSeconds: 90, everyMilliseconds: 300 };
const peers = ['peer-0', 'peer-1', 'peer-2'];

interface Pod {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

/** One peer a node, each of which answers with its name at port 80 of the Service `peers`, and as `peer-0.each` and so on. */
const peerSet = {
  apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'peer' },
  spec: {
    serviceName: 'each', replicas: peers.length, podManagementPolicy: 'Parallel', selector: { matchLabels: { app: 'peer' } },
    template: {
      metadata: { labels: { app: 'peer' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'peer' } } }] } },
        containers: [{ name: 'probe', image: probeImage, imagePullPolicy: 'Never', args: ['serve=:8080'], readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } }],
      },
    },
  },
};
const service = (name: string, spec: object): object => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: 'peer' }, ports: [{ port: 80, targetPort: 8080 }], ...spec } });

const claim = (name: string, spec: object = {}): object => ({
  apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});

/** What a supervised process of the cluster runs. */
async function childrenOf(name: string): Promise<number[]> {
  const record = (await ProcessTable.open(clusterDir(id))).find(name);
  const text = record === undefined ? '' : await readFile(`/proc/${record.pid}/task/${record.pid}/children`, 'utf8');
  return text.split(' ').filter((word) => word !== '').map(Number);
}

describe('a cluster of three nodes', function threeNodes() {
  this.timeout(5 * minutes);
  const cluster = new EmbeddedProvider(id);

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    return run(await binary('kubectl'), ['--kubeconfig', await cluster.kubeconfig(), ...args], input === undefined ? {} : { input });
  }
  const apply = (...items: object[]): Promise<string> => kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const pod = async (name: string): Promise<Pod> => JSON.parse(await kubectl(['get', 'pod', name, '-o', 'json'])) as Pod;
  const ask = (from: string, url: string): Promise<string> => kubectl(['exec', from, '--', '/probe', `get=${url}`]);
  const allReady = (): Promise<string> => kubectl(['rollout', 'status', 'statefulset/peer', '--timeout=90s']);
  const succeeded = (name: string): Promise<void> =>
    until(`the pod ${name} has succeeded`, async () => (await pod(name)).status.phase === 'Succeeded', { ...patience, hint: () => kubectl(['describe', 'pod', name]) });
  const phaseOnNode = async (node: string): Promise<string> => kubectl(['get', 'node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);
  /** The peer on a node. */
  async function peerOn(node: string): Promise<string> {
    const found = await Promise.all(peers.map(async (name) => ((await pod(name)).spec.nodeName === node ? [name] : [])));
    return found.flat()[0] ?? '';
  }

  before(async function bringUp() {
    this.timeout(45 * minutes); // a cold cache builds everything first
    await using folder = await temporaryFolder();
    await cluster.up({ controlPlaneOnly: false, nodes: 3, gpusPerNode: 1, nodeMonitorGraceSeconds: 10 });
    await cluster.load(await buildProbe(folder.path));
    await until('pods can be made', async () => (await kubectl(['get', 'serviceaccounts', '-o', 'name'])).includes('default'), patience);
    await apply(peerSet, service('peers', {}), service('each', { clusterIP: 'None' }));
    await allReady();
  });
  after(() => cluster.down());

  it('has a pod on each, and these reach each other by address and by name', async () => {
    const found = await Promise.all(peers.map(pod));
    expect(found.map(({ spec }) => spec.nodeName).sort()).to.deep.equal(['node-1', 'node-2', 'node-3']);
    for (const from of peers) {
      for (const [index, to] of peers.entries()) {
        expect(await ask(from, `http://${found[index]?.status.podIP ?? ''}:8080/`), `${from} by address`).to.equal(to);
        expect(await ask(from, `http://${to}.each.default.svc.cluster.local:8080/`), `${from} by name`).to.equal(to);
      }
      expect(peers).to.include(await ask(from, 'http://peers.default.svc.cluster.local/'));
    }
  });

  describe('of which the first loses its power', () => {
    let lost: string;

    before(async () => {
      lost = await peerOn('node-1');
      const holder = probePod('holder', [`hold=${(await pod(lost)).status.podIP ?? ''}:8080`]) as { spec: object };
      await apply({ ...holder, spec: { ...holder.spec, nodeName: 'node-2' } });
      await until('a connection to it is held', async () => (await kubectl(['logs', 'holder', '--ignore-errors'])).includes('connected'), patience);
      await cluster.killNode('node-1');
    });

    it('leaves no process of it, and is told so when asked to kill it again', async () => {
      const { records } = await ProcessTable.open(clusterDir(id));
      expect(records.filter(({ name }) => name.startsWith('node-1/'))).to.deep.equal([]);
      expect(existsSync(`/run/netns/anneal-${id}-n1`)).to.equal(false);
      let message = '';
      await cluster.killNode('node-1').catch((error: unknown) => (message = String(error)));
      expect(message).to.include('node-1 is off already');
    });

    it('finds it NotReady by its silence; a connection to it hears nothing', async () => {
      await until('node-1 is not ready', async () => (await phaseOnNode('node-1')) === 'Unknown', patience);
      expect(await kubectl(['get', 'node', 'node-1', '-o', 'jsonpath={.spec.taints[*].key}'])).to.include('node.kubernetes.io/unreachable');
      expect((await kubectl(['logs', 'holder'])).trim()).to.equal('connected');
      expect((await cluster.status()).lines.join('\n')).to.include('2 of 3 ready, off: node-1');
    });

    it('still makes volumes and snapshots, also after their driver has crashed', async () => {
      const drivers = await childrenOf('csi-controller');
      expect(drivers).to.have.length(1);
      for (const pid of drivers) process.kill(pid, 'SIGKILL');
      await until('the driver is dead', async () => (await Promise.all(drivers.map(startTicks))).every((ticks) => ticks === undefined), patience);

      await apply(claim('origin'), probePod('writer', ['write=/models/weights:seven'], { claim: 'origin' }));
      await succeeded('writer');
      await apply({ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata: { name: 'seven' }, spec: { source: { persistentVolumeClaimName: 'origin' } } });
      await kubectl(['wait', '--for=jsonpath={.status.readyToUse}=true', 'volumesnapshot/seven', '--timeout=90s']);
      await apply(
        claim('restored', { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'seven' } }),
        probePod('reader', ['read=/models/weights'], { claim: 'restored' }),
      );
      await succeeded('reader');
      expect((await kubectl(['logs', 'reader'])).trim()).to.equal('seven');
    });

    it('has it back under its name, with its pods', async () => {
      await cluster.startNode('node-1');
      expect(await phaseOnNode('node-1')).to.equal('True');
      await allReady();
      const from = await peerOn('node-2');
      expect((await pod(lost)).spec.nodeName).to.equal('node-1');
      expect(await ask(from, `http://${(await pod(lost)).status.podIP ?? ''}:8080/`)).to.equal(lost);
      // DNS and metrics ran on that node and take a moment longer than it.
      await until('the cluster is whole again', async () => (await cluster.status()).up, { ...patience, hint: async () => (await cluster.status()).lines.join('\n') });
      expect(await kubectl(['get', 'pod', lost, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])).to.equal('1');
    });
  });

  it('is drained and tainted with plain kubectl', async () => {
    const evicted = await peerOn('node-3');
    await kubectl(['drain', 'node-3', '--ignore-daemonsets', '--delete-emptydir-data', '--force', '--timeout=60s']);
    await until('its peer waits for a node', async () => (await pod(evicted)).status.phase === 'Pending', patience);
    await kubectl(['uncordon', 'node-3']);
    await allReady();
    await kubectl(['taint', 'nodes', 'node-3', 'maintenance=now:NoExecute']);
    await until('its peer waits again', async () => (await pod(evicted)).status.phase === 'Pending', patience);
    await kubectl(['taint', 'nodes', 'node-3', 'maintenance-']);
    await allReady();
  });
});
