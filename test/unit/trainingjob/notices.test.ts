import { expect } from 'chai';
import { isSpot, noticeOf, type Notice, type NodeSigns } from '../../../operator/src/domain/notices.ts';

const node = (over: Partial<NodeSigns> = {}): NodeSigns => ({ labels: {}, taints: [], conditions: [], ...over });
const condition = (type: string, message: string, status = 'True') => ({ type, status, message });

describe('a spot node', () => {
  for (const [name, value] of [
    ['karpenter.sh/capacity-type', 'spot'], ['eks.amazonaws.com/capacityType', 'SPOT'], ['cloud.google.com/gke-spot', 'true'], ['cloud.google.com/gke-provisioning', 'spot'],
    ['cloud.google.com/gke-preemptible', 'true'], ['kubernetes.azure.com/scalesetpriority', 'spot'], ['oci.oraclecloud.com/oke-is-preemptible', 'true'],
  ] as const) {
    it(`is known by ${name}=${value}`, () => expect(isSpot(node({ labels: { [name]: value } }))).to.equal(true));
  }

  it('is none for other values of these labels', () => {
    expect(isSpot(node({ labels: { 'karpenter.sh/capacity-type': 'on-demand', 'eks.amazonaws.com/capacityType': 'ON_DEMAND' } }))).to.equal(false);
  });
});

describe('a notice', () => {
  const spot = { 'karpenter.sh/capacity-type': 'spot' };
  const table: readonly [what: string, node: NodeSigns, kind: Notice['kind'] | undefined][] = [
    ["AWS's two minutes", node({ taints: [{ key: 'aws-node-termination-handler/spot-itn' }] }), 'Reclaim'],
    ["AWS's advice", node({ taints: [{ key: 'aws-node-termination-handler/rebalance-recommendation' }] }), 'Advisory'],
    ["GKE's impending termination", node({ taints: [{ key: 'cloud.google.com/impending-node-termination' }] }), 'Reclaim'],
    ["AKS's eviction", node({ conditions: [condition('PreemptionScheduled', 'Preempt Scheduled: Mon, 19 Oct 2026 10:00:00 GMT')] }), 'Reclaim'],
    ["AKS's eviction that has begun", node({ conditions: [condition('PreemptionScheduled', 'Preempt Started')] }), 'Reclaim'],
    ["AKS's advice under the same condition", node({ conditions: [condition('PreemptionScheduled', 'SpotRebalanceRecommendation Advisory')] }), 'Advisory'],
    ["AKS's condition once it is over", node({ conditions: [condition('PreemptionScheduled', 'Preempt Started', 'False')] }), undefined],
    ["Karpenter's disruption of an on-demand node", node({ taints: [{ key: 'karpenter.sh/disrupted' }] }), 'Removal'],
    ["Karpenter's disruption of a spot node", node({ labels: spot, taints: [{ key: 'karpenter.sh/disrupted' }] }), 'Reclaim'],
    ["the autoscaler's scale-down", node({ taints: [{ key: 'ToBeDeletedByClusterAutoscaler' }] }), 'Removal'],
    ["the autoscaler's candidate", node({ taints: [{ key: 'DeletionCandidateOfClusterAutoscaler' }] }), 'Advisory'],
    ['no notice: a cordon', node({ taints: [{ key: 'node.kubernetes.io/unschedulable' }] }), undefined],
    ['no notice: a healthy spot node', node({ labels: spot }), undefined],
  ];
  for (const [what, signs, kind] of table) it(`is ${kind ?? 'none'} by ${what}`, () => expect(noticeOf(signs)?.kind).to.equal(kind));

  it('is the most urgent of several', () => {
    const both = node({ taints: [{ key: 'DeletionCandidateOfClusterAutoscaler' }, { key: 'aws-node-termination-handler/spot-itn' }] });
    expect(noticeOf(both)).to.deep.equal({ kind: 'Reclaim', source: 'aws-node-termination-handler/spot-itn' });
  });
});
