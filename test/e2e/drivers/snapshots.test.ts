import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { binary, crdFiles } from '../../../hack/cluster/binaries.ts';
import { csiObjects, snapshotObjects } from '../../../hack/cluster/drivers/index.ts';
import type { Program } from '../../../hack/cluster/families.ts';
import { start, stop } from '../../../hack/cluster/processes.ts';
import type { ProcessRecord } from '../../../hack/cluster/processes.ts';
import { until } from '../../../hack/cluster/until.ts';
import { withCluster } from '../../support/cluster.ts';
import { csiUnderTest } from '../../support/drivers.ts';
import type { CsiUnderTest } from '../../support/drivers.ts';

const minutes = 60_000;
const patience = { timeoutSeconds: 60, everyMilliseconds: 200 };

describe('a VolumeSnapshot, with the real snapshot controller in front of the directory CSI driver', function snapshots() {
  this.timeout(5 * minutes);
  const suite = withCluster();
  const controllers: ProcessRecord[] = [];
  let csi: CsiUnderTest;

  const kubectl = (args: string[], input?: string): Promise<string> => suite.plane.kubectl(['-n', suite.namespace, ...args], input === undefined ? {} : { input });
  const apply = (object: object): Promise<string> => kubectl(['apply', '-f', '-'], JSON.stringify(object));
  const field = (object: string, path: string): Promise<string> => kubectl(['get', object, '-o', `jsonpath={${path}}`]);
  const claim = (name: string, spec: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { storageClassName: 'snapshots-now', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
  /** Where the files of a bound claim lie. */
  async function filesOf(name: string): Promise<string> {
    await until(`the claim ${name} is bound`, async () => (await field(`pvc/${name}`, '.status.phase')) === 'Bound', patience);
    return join(csi.dataDir, 'volumes', await field(`pvc/${name}`, '.spec.volumeName'), 'data');
  }

  before(async function bringUp() {
    this.timeout(30 * minutes); // a cold cache builds the controllers first
    csi = await csiUnderTest();
    await suite.plane.installCrds(await crdFiles('snapshotter'));
    for (const object of [...csiObjects, ...snapshotObjects]) await apply(object);
    await apply({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'snapshots-now' }, provisioner: csiObjects[0].metadata.name });
    const kubeconfig = `--kubeconfig=${suite.plane.kubeconfigPath}`;
    const driver = `--csi-address=${csi.socketPath}`;
    const programs: [Program, string[]][] = [['csi-provisioner', [driver, kubeconfig]], ['csi-snapshotter', [driver, kubeconfig]], ['snapshot-controller', [kubeconfig]]];
    for (const [name, args] of programs) {
      controllers.push(await start({ name, command: await binary(name), args, log: join(csi.folder, `${name}.log`), endsWithUs: true }));
    }
  });

  after(async () => {
    for (const controller of controllers) await stop(controller);
    await csi[Symbol.asyncDispose]();
  });

  it('becomes ready, keeps what the claim held, fills a new claim, and takes its copy away when it goes', async () => {
    await apply(claim('origin'));
    const origin = await filesOf('origin');
    await writeFile(join(origin, 'model'), 'of step seven');

    await apply({ apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata: { name: 'seven' }, spec: { source: { persistentVolumeClaimName: 'origin' } } });
    await until('the snapshot is ready', async () => (await field('volumesnapshot/seven', '.status.readyToUse')) === 'true', { ...patience, hint: () => kubectl(['describe', 'volumesnapshot', 'seven']) });
    expect(await field('volumesnapshot/seven', '.status.restoreSize')).to.equal('1Gi');

    await writeFile(join(origin, 'model'), 'of step eight');
    await apply(claim('restored', { dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'seven' } }));
    expect(await readFile(join(await filesOf('restored'), 'model'), 'utf8')).to.equal('of step seven');

    const content = await field('volumesnapshot/seven', '.status.boundVolumeSnapshotContentName');
    const copy = join(csi.dataDir, 'snapshots', await field(`volumesnapshotcontent/${content}`, '.status.snapshotHandle'));
    expect(existsSync(copy)).to.equal(true);
    await kubectl(['delete', 'volumesnapshot', 'seven']);
    await until('the copy is removed', () => !existsSync(copy), patience);
  });
});
