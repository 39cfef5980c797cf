import { join } from 'node:path';
import { expect } from 'chai';
import type { NodePool } from '@anneal/operator/api';
import { nodePoolController } from '../../operator/src/controllers/nodepool/index.ts';
import { nodePoolType } from '../../operator/src/controllers/shared/resources.ts';
import { karpenterNodePool, poolNameOf } from '../../operator/src/domain/node-pool.ts';
import type { Client } from '../../operator/src/kube/client.ts';
import { crdFiles } from '../../hack/cluster/index.ts';
import { readCrds, root } from '../../hack/gen/schema.ts';
import { karpenterPool } from '../support/builders/model-deployment.ts';
import { withCluster } from '../support/cluster.ts';
import { eventually } from '../support/kit/eventually.ts';
import { Kubectl, type Live } from '../support/kubernetes.ts';
import { testClient, withOperator } from '../support/controllers.ts';

const ownCrds = readCrds().map(({ plural }) => join(root, 'charts/anneal/files/crds', `${plural}.yaml`));

describe("Karpenter's NodePool, at the API server with Karpenter's own definition", function nodePoolSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: ownCrds });
  let client: Client | undefined;

  before(async () => {
    await cluster.plane.installCrds(await crdFiles('karpenter'));
    client = await testClient(cluster.plane.kubeconfigPath);
  });
  after(async () => client?.transport.close());

  const wishes: readonly (readonly [string, NodePool])[] = [
    ['spot and on-demand nodes of a class', karpenterPool()],
    ['on-demand nodes alone', karpenterPool({ capacity: ['OnDemand'] })],
    ['GPU nodes of certain types, within limits', karpenterPool({
      requirements: [
        { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['g5.xlarge', 'g6.xlarge'] },
        { key: 'topology.kubernetes.io/zone', operator: 'NotIn', values: ['eu-west-1c'] },
        { key: 'karpenter.k8s.aws/instance-gpu-count', operator: 'Gt', values: ['0'] },
        { key: 'kubernetes.io/arch', operator: 'Exists' },
      ],
      limits: { cpu: 64, memory: '256Gi', 'nvidia.com/gpu': '8', nodes: 4 },
    })],
  ];
  for (const [what, wish] of wishes) {
    it(`takes ${what} as we write it, field by field`, async () => {
      const wanted = karpenterNodePool(wish);
      if (wanted === undefined || client === undefined) throw new Error('There is a pool to apply.');
      const { name } = wanted.metadata;
      const written = await client.apply<Live>(nodePoolType, wanted);
      expect(written.spec).to.deep.include({ disruption: { budgets: [{ nodes: '10%' }], ...wanted.spec.disruption } });
      expect(written.spec?.template).to.nested.include({ 'spec.expireAfter': '720h' });
      expect(written.spec?.template).to.deep.nested.include({ 'spec.taints': wanted.spec.template.spec.taints, 'spec.requirements': wanted.spec.template.spec.requirements });
      expect(written.spec?.limits).to.deep.equal(wanted.spec.limits);
      await client.delete(nodePoolType, { namespace: '', name }, { uid: written.metadata.uid ?? '' });
    });
  }
});

describe('a node pool of jobs', function sharedPoolSuite() {
  this.timeout(120_000);
  const cluster = withCluster({ crds: ownCrds });
  const kubectl = new Kubectl(cluster);
  before(async () => cluster.plane.installCrds(await crdFiles('karpenter')));
  withOperator(() => ({ kubeconfig: cluster.plane.kubeconfigPath, namespace: cluster.namespace, controllers: [nodePoolController()] }));

  const wish = karpenterPool({ nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'shared' } });
  const job = (name: string, nodePool: object) => ({
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name },
    spec: { roles: [{ name: 'worker', template: { spec: { containers: [{ name: 'main', image: 'example.com/work:1' }] } } }], nodePool },
  });

  it('is one for equal wishes, and goes with the last of them', async () => {
    const name = poolNameOf(wish) ?? '';
    await kubectl.apply(job('first', wish));
    await kubectl.apply(job('second', { ...wish, capacity: ['OnDemand', 'Spot'] }));
    const { metadata } = await kubectl.until('nodepool', name, () => undefined);
    await kubectl.run('delete', 'tj', 'first');
    expect((await kubectl.get('nodepool', name)).metadata.uid).to.equal(metadata.uid);
    await kubectl.setStatus('tj', 'second', { conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'Done.', lastTransitionTime: '2026-03-01T12:00:00Z' }] });
    await kubectl.untilGone('nodepool', name);
    expect((await kubectl.get('tj', 'second')).metadata.finalizers ?? []).to.deep.equal([]);
  });

  it('that Karpenter refuses is told of in an event of the job', async () => {
    await kubectl.apply(job('wrong', { ...wish, requirements: [{ key: 'karpenter.sh/nodepool', operator: 'In', values: ['mine'] }] }));
    const note = await eventually(async () => {
      const events = (await kubectl.list('events.events.k8s.io')) as readonly (Live & { readonly reason: string; readonly note: string })[];
      const found = events.find(({ reason }) => reason === 'NodePoolRefused');
      if (found === undefined) throw new Error('There is no such event yet.');
      return found.note;
    }, 30_000);
    expect(note).to.contain('label "karpenter.sh/nodepool" is restricted');
  });
});
