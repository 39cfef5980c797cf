import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { binary, crdFiles } from '../../../hack/cluster/binaries.ts';
import { csiObjects, snapshotObjects } from '../../../hack/cluster/drivers/index.ts';
import { start, stop } from '../../../hack/cluster/processes.ts';
import { until } from '../../../hack/cluster/until.ts';
import { withCluster } from '../../support/cluster.ts';
import { csiUnderTest } from '../../support/drivers.ts';
import type { CsiUnderTest } from '../../support/drivers.ts';

interface Claim {
  status: { phase: string; capacity?: { storage: string } };
  spec: { volumeName?: string };
}

describe('a claim, with the real csi-provisioner in front of the directory CSI driver', () => {
  const suite = withCluster();
  let csi: CsiUnderTest;
  let provisioner: Awaited<ReturnType<typeof start>>;

  const apply = (object: object): Promise<string> => suite.plane.kubectl(['-n', suite.namespace, 'apply', '-f', '-'], { input: JSON.stringify(object) });
  const get = async (name: string): Promise<Claim> => JSON.parse(await suite.plane.kubectl(['-n', suite.namespace, 'get', 'pvc', name, '-o', 'json'])) as Claim;
  const claim = (name: string, spec: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { storageClassName: 'directory-now', accessModes: ['ReadWriteMany'], resources: { requests: { storage: '2Gi' } }, ...spec },
  });
  const bound = (name: string): Promise<void> => until(`the claim ${name} is bound`, async () => (await get(name)).status.phase === 'Bound', { timeoutSeconds: 60 });

  before(async function provision() {
    this.timeout(900_000); // the first run builds csi-provisioner
    csi = await csiUnderTest();
    for (const object of csiObjects) await apply(object);
    // No node is here that could be the first consumer's.
    await apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'directory-now' }, provisioner: csiObjects[0].metadata.name });
    provisioner = await start({
      name: 'csi-provisioner',
      command: await binary('csi-provisioner'),
      args: [`--csi-address=${csi.socketPath}`, `--kubeconfig=${suite.plane.kubeconfigPath}`],
      log: join(csi.folder, 'provisioner.log'),
      endsWithUs: true,
    });
  });

  after(async () => {
    await stop(provisioner);
    await csi[Symbol.asyncDispose]();
  });

  it('gets a directory of its size, which goes away with the claim', async function () {
    this.timeout(90_000);
    await apply(claim('models'));
    await bound('models');
    const { spec, status } = await get('models');
    const directory = join(csi.dataDir, 'volumes', spec.volumeName ?? '', 'data');
    expect(status.capacity?.storage).to.equal('2Gi');
    expect(existsSync(directory)).to.equal(true);
    await suite.plane.kubectl(['-n', suite.namespace, 'delete', 'pvc', 'models']);
    await until('the directory is removed', () => !existsSync(directory), { timeoutSeconds: 60 });
  });

  it('can be a clone of another claim', async function () {
    this.timeout(90_000);
    await apply(claim('origin'));
    await bound('origin');
    await apply(claim('clone', { dataSource: { kind: 'PersistentVolumeClaim', name: 'origin' } }));
    await bound('clone');
    expect((await get('clone')).spec.volumeName).to.not.equal((await get('origin')).spec.volumeName);
  });

  it('can name a snapshot class, once the snapshot definitions are installed', async function () {
    this.timeout(90_000);
    await suite.plane.installCrds(await crdFiles('snapshotter'));
    for (const object of snapshotObjects) await apply(object);
    const classes = await suite.plane.kubectl(['get', 'volumesnapshotclasses', '-o', 'jsonpath={.items[*].driver}']);
    expect(classes).to.equal(csiObjects[0].metadata.name);
  });

  it('stays pending in the default class until a pod uses it', async () => {
    await apply(claim('waiting', { storageClassName: 'anneal-directory' }));
    const events = (): Promise<string> => suite.plane.kubectl(['-n', suite.namespace, 'get', 'events', '--field-selector=involvedObject.name=waiting', '-o', 'jsonpath={.items[*].reason}']);
    await until('the reason is told', async () => (await events()).includes('WaitForFirstConsumer'), { timeoutSeconds: 15 });
    expect((await get('waiting')).status.phase).to.equal('Pending');
  });
});
