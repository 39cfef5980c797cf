import { expect } from 'chai';
import type { NodePool } from '@anneal/operator/api';
import { isPoolName, karpenterNodePool, placementOf, poolNameOf } from '../../../operator/src/domain/node-pool.ts';
import { karpenterPool } from '../../support/builders/model-deployment.ts';

describe('a Karpenter pool', () => {
  it('takes spot and on-demand nodes of the class and kind asked for', () => {
    const pool = karpenterNodePool(karpenterPool({ requirements: [{ key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['g5.xlarge'] }], limits: { cpu: 64 } }));
    expect(pool?.spec.template.spec.nodeClassRef).to.deep.equal({ group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'gpu' });
    expect(pool?.spec.template.spec.requirements).to.deep.equal([
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand', 'spot'] },
      { key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['g5.xlarge'] },
    ]);
    expect(pool?.spec.limits).to.deep.equal({ cpu: '64' });
  });

  it('stops nodes that stand empty', () => {
    expect(karpenterNodePool(karpenterPool())?.spec.disruption).to.deep.equal({ consolidationPolicy: 'WhenEmpty', consolidateAfter: '60s' });
  });

  it('keeps other pods off its nodes, and lets those that asked for it on', () => {
    const spec = karpenterPool();
    const name = poolNameOf(spec);
    const { nodeSelector, tolerations } = placementOf(spec);
    expect(nodeSelector).to.deep.equal({ 'karpenter.sh/nodepool': name });
    const [taint] = karpenterNodePool(spec)?.spec.template.spec.taints ?? [];
    expect(tolerations).to.deep.equal([{ ...taint, operator: 'Equal' }]);
  });

  it('has a name that tells it from those that others made', () => {
    expect(isPoolName(poolNameOf(karpenterPool()) ?? '')).to.equal(true);
    for (const foreign of ['default', 'anneal', 'anneal-gpu', 'anneal-0123456789']) expect(isPoolName(foreign), foreign).to.equal(false);
  });

  it('is another one for other requirements', () => {
    const specs: NodePool[] = [
      karpenterPool(),
      karpenterPool({ capacity: ['Spot'] }),
      karpenterPool({ limits: { cpu: '1' } }),
      karpenterPool({ nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'cpu' } }),
      karpenterPool({ requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }] }),
      karpenterPool({ requirements: [{ key: 'kubernetes.io/arch', operator: 'NotIn', values: ['arm64'] }] }),
    ];
    expect(new Set(specs.map(poolNameOf)).size).to.equal(specs.length);
  });
});

describe('a pool that exists', () => {
  const spec: NodePool = { provider: 'Existing', capacity: ['Spot'], nodeSelector: { pool: 'gpu' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] };

  it('is chosen by its labels and taints, and made by nobody', () => {
    expect(poolNameOf(spec)).to.equal(undefined);
    expect(karpenterNodePool(spec)).to.equal(undefined);
    expect(placementOf(spec)).to.deep.equal({ nodeSelector: { pool: 'gpu' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] });
  });

  it('is anywhere where a spec asks for none', () => {
    expect(placementOf(undefined)).to.deep.equal({ nodeSelector: {}, tolerations: [] });
  });
});
