import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { binary } from '../../../hack/cluster/binaries.ts';
import { run } from '../../../hack/cluster/commands.ts';
import { clusterDir } from '../../../hack/cluster/places.ts';
import { isAlive } from '../../../hack/cluster/processes.ts';
import type { ProcessRecord } from '../../../hack/cluster/processes.ts';
import { ProcessTable } from '../../../hack/cluster/processtable.ts';
import { EmbeddedProvider } from '../../../hack/cluster/providers/embedded.ts';
import { until } from '../../../hack/cluster/until.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { buildProbe, probePod } from '../../support/probe.ts';

const minutes = 60_000;
const id = `e2e-${crypto.randomUUID().slice(0, 6)}`;
const options = { controlPlaneOnly: false, nodes: 1, gpusPerNode: 2 };
const patience = { timeoutSeconds: 90, everyMilliseconds: 200 };

interface Pod {
  status: { phase: string; conditions?: { type: string; status: string; reason?: string }[] };
}

describe('pods on a real kubelet with the test drivers', function pods() {
  this.timeout(5 * minutes);
  const cluster = new EmbeddedProvider(id);

  async function kubectl(args: string[], input?: string): Promise<string> {
    return run(await binary('kubectl'), ['--kubeconfig', await cluster.kubeconfig(), ...args], input === undefined ? {} : { input });
  }
  const apply = (...items: object[]): Promise<string> => kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  /** The processes of the node, by name. */
  async function processes(...names: string[]): Promise<ProcessRecord[]> {
    const { records } = await ProcessTable.open(clusterDir(id));
    return records.filter(({ name }) => names.includes(name));
  }
  const pod = async (name: string): Promise<Pod> => JSON.parse(await kubectl(['get', 'pod', name, '-o', 'json'])) as Pod;
  const phase = (name: string, wanted: string): Promise<void> =>
    until(`the pod ${name} is ${wanted}`, async () => (await pod(name)).status.phase === wanted, { ...patience, hint: () => kubectl(['describe', 'pod', name]) });
  const claim = (name: string): object => ({
    apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  const gpus = async (): Promise<string> => kubectl(['get', 'node', 'node-1', '-o', 'jsonpath={.status.allocatable.nvidia\\.com/gpu}']);

  before(async function bringUp() {
    this.timeout(45 * minutes); // a cold cache builds everything first
    await using folder = await temporaryFolder();
    await cluster.up(options);
    await cluster.load(await buildProbe(folder.path));
    await until('pods can be made', async () => (await kubectl(['get', 'serviceaccounts', '-o', 'name'])).includes('default'), patience);
  });
  after(() => cluster.down());

  it('keep their files in a claim of the default class, though they are not root', async () => {
    await apply(claim('kept'), probePod('writer', ['write=/models/weights:seven', 'read=/models/weights'], { claim: 'kept' }));
    await phase('writer', 'Succeeded');
    await kubectl(['delete', 'pod', 'writer']);
    await apply(probePod('reader', ['read=/models/weights'], { claim: 'kept' }));
    await phase('reader', 'Succeeded');
    expect((await kubectl(['logs', 'reader'])).trim()).to.equal('seven');
  });

  it('cannot write to a claim that they mount read-only', async () => {
    await apply(probePod('intruder', ['write=/models/weights:eight'], { claim: 'kept', readOnly: true }));
    await phase('intruder', 'Failed');
    expect(await kubectl(['logs', 'intruder'])).to.contain('read-only file system');
  });

  it('get GPUs of their own, and wait when there are none left', async () => {
    await apply(probePod('first', ['env=NVIDIA_VISIBLE_DEVICES', 'wait='], { gpus: 1 }), probePod('second', ['env=NVIDIA_VISIBLE_DEVICES', 'wait='], { gpus: 1 }));
    await phase('first', 'Running');
    await phase('second', 'Running');
    await apply(probePod('third', ['env=NVIDIA_VISIBLE_DEVICES'], { gpus: 1 }));
    await until('the third is unschedulable', async () => (await pod('third')).status.conditions?.some(({ reason }) => reason === 'Unschedulable') === true, patience);
    expect([await kubectl(['logs', 'first']), await kubectl(['logs', 'second'])].map((line) => line.trim()).sort()).to.deep.equal(['fake-gpu-0', 'fake-gpu-1']);
    await kubectl(['delete', 'pod', 'first']);
    await phase('third', 'Succeeded');
  });

  it('go on, and new ones start, after kubelet and drivers were killed', async () => {
    await apply(probePod('survivor', ['write=/models/survivor:here', 'wait='], { claim: 'kept' }));
    await phase('survivor', 'Running');
    const killed = await processes('node-1/kubelet', 'node-1/drivers', 'csi-controller');
    expect(killed).to.have.length(3);
    for (const { pid } of killed) process.kill(pid, 'SIGKILL');
    await until('they are dead', async () => (await Promise.all(killed.map(isAlive))).every((alive) => !alive), patience);
    await cluster.up(options);
    await apply(probePod('newcomer', ['read=/models/survivor', 'env=NVIDIA_VISIBLE_DEVICES'], { claim: 'kept', gpus: 1 }));
    await phase('newcomer', 'Succeeded');
    expect(await kubectl(['logs', 'newcomer'])).to.match(/^here\nfake-gpu-\d\n$/);
    expect((await pod('survivor')).status.phase).to.equal('Running');
  });

  it('see one GPU less when a device falls ill', async () => {
    const file = join(clusterDir(id), 'nodes', 'node-1', 'drivers.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as { devicePlugin: { unhealthy?: string[] } };
    config.devicePlugin.unhealthy = ['fake-gpu-1'];
    await writeFile(file, JSON.stringify(config));
    for (const { pid } of await processes('node-1/drivers')) process.kill(pid, 'SIGHUP');
    await until('the node offers one GPU', async () => (await gpus()) === '1', patience);
  });

  it('give their claim up: the directory goes with it', async () => {
    await kubectl(['delete', 'pod', '--all', '--now']);
    const volume = await kubectl(['get', 'pvc', 'kept', '-o', 'jsonpath={.spec.volumeName}']);
    const folder = join(clusterDir(id), 'volumes', 'volumes', volume);
    expect(existsSync(folder)).to.equal(true);
    await kubectl(['delete', 'pvc', 'kept']);
    await until('the directory is removed', () => !existsSync(folder), patience);
  });
});
