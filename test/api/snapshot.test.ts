import { join } from 'node:path';
import { expect } from 'chai';
import { trainingJobController } from '../../operator/src/controllers/trainingjob/index.ts';
import { MemoryProgressBoard } from '../../operator/src/controllers/trainingjob/progress-board.ts';
import { crdFiles, startControlPlane } from '../../hack/cluster/index.ts';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { karpenterPool, modelOf } from '../support/builders/model-deployment.ts';
import { settings } from '../support/builders/training-job.ts';
import { withCluster } from '../support/cluster.ts';
import { conditionOf, Kubectl } from '../support/kubernetes.ts';
import { startOperator, withOperator } from '../support/controllers.ts';

const ownCrds = readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`));
const controller = () => trainingJobController(settings, new MemoryProgressBoard(() => undefined, 0));

function job(name: string, over: object) {
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name },
    spec: {
      trainer: { data: { source: { format: 'CSV', uri: 'https://example.com/digits.csv' }, target: 'label' }, model: { preset: 'MLP' }, fit: { epochs: 1 } },
      ...over,
    },
  };
}

const succeeded = {
  conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'Done.', lastTransitionTime: '2026-03-01T12:00:00Z' }],
  completionTime: '2026-03-01T12:00:00Z',
  model: modelOf(1),
};

describe("a backup, at the API server with the snapshotter's own definition", function snapshotSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: ownCrds });
  const kubectl = new Kubectl(cluster);
  before(async () => cluster.plane.installCrds(await crdFiles('snapshotter')));
  withOperator(() => ({ kubeconfig: cluster.plane.kubeconfigPath, namespace: cluster.namespace, controllers: [controller()] }));

  it('is a VolumeSnapshot of the claim with the model, of the class asked for, and told of in the job', async () => {
    await kubectl.apply(job('digits', { backup: { on: ['Succeeded'], volumeSnapshotClassName: 'nightly' } }));
    await kubectl.setStatus('tj', 'digits', succeeded);
    const pending = await kubectl.until('tj', 'digits', (object) => expect(conditionOf(object, 'BackedUp')).to.include({ status: 'False', reason: 'SnapshotPending' }));
    const [snapshot] = await kubectl.list('volumesnapshots');
    expect(snapshot?.metadata.ownerReferences).to.equal(undefined);
    expect(snapshot?.spec).to.deep.include({ volumeSnapshotClassName: 'nightly' });
    expect(JSON.stringify(snapshot?.spec)).to.match(/"persistentVolumeClaimName":"digits-volume-[0-9a-z]{5}"/);
    expect(conditionOf(pending, 'Succeeded')).to.include({ status: 'True' });

    await kubectl.setStatus('volumesnapshot', snapshot?.metadata.name ?? '', { readyToUse: true, creationTime: '2026-03-01T12:01:00Z', boundVolumeSnapshotContentName: 'content-1' });
    const done = await kubectl.until('tj', 'digits', (object) => expect(conditionOf(object, 'BackedUp')).to.include({ status: 'True', reason: 'SnapshotReady' }));
    expect(done.status?.backup).to.deep.equal({ snapshotName: snapshot?.metadata.name, time: '2026-03-01T12:01:00Z' });

    await kubectl.run('delete', 'tj', 'digits');
    expect((await kubectl.list('volumesnapshots')).map(({ metadata }) => metadata.name)).to.deep.equal([snapshot?.metadata.name]);
  });
});

describe('a cluster without Karpenter and without the snapshotter', function absentSuite() {
  this.timeout(120_000);

  it('says so in conditions', async () => {
    await using plane = await startControlPlane({ crds: ownCrds });
    await plane.kubectl(['create', 'namespace', 'bare']);
    const kubectl = new Kubectl({ plane, namespace: 'bare' });
    await using _operator = await startOperator({ kubeconfig: plane.kubeconfigPath, namespace: 'bare', controllers: [controller()] });
    await kubectl.apply(job('pooled', { nodePool: karpenterPool() }));
    await kubectl.apply(job('saved', { backup: { on: ['Succeeded'] } }));
    await kubectl.setStatus('tj', 'saved', succeeded);
    const pooled = await kubectl.until('tj', 'pooled', (object) => expect(conditionOf(object, 'NodePoolReady')).to.include({ status: 'False', reason: 'KarpenterNotInstalled' }));
    expect(conditionOf(pooled, 'Ready')?.message).to.contain('Install Karpenter');
    await kubectl.until('tj', 'saved', (object) => expect(conditionOf(object, 'BackedUp')).to.include({ status: 'False', reason: 'SnapshotsNotInstalled' }));
  });
});
