/**
 * What clouds and node controllers write on a node whose end is near: labels, taints and conditions, each read to one notice.
 * The strings are those of Karpenter, AWS Node Termination Handler, EKS, GKE, AKS, OKE, Cluster Autoscaler and Kubernetes.
 */

export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect?: string;
}

export interface NodeCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface NodeSigns {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  readonly conditions: readonly NodeCondition[];
}

/**
 * `Reclaim`: the cloud takes the machine back. `Removal`: somebody empties the node on purpose. `Advisory`: it may be reclaimed
 * some day soon; nothing is to be drained for that alone.
 */
export interface Notice {
  readonly kind: 'Reclaim' | 'Removal' | 'Advisory';
  /** The taint or condition that says so. */
  readonly source: string;
}

/** Labels by which a node says that it is a spot or preemptible one. */
const spotLabels: readonly (readonly [name: string, value: string])[] = [
  ['karpenter.sh/capacity-type', 'spot'],
  ['eks.amazonaws.com/capacityType', 'SPOT'],
  ['cloud.google.com/gke-spot', 'true'],
  ['cloud.google.com/gke-provisioning', 'spot'],
  ['cloud.google.com/gke-preemptible', 'true'],
  ['kubernetes.azure.com/scalesetpriority', 'spot'],
  ['oci.oraclecloud.com/oke-is-preemptible', 'true'],
];

export function isSpot({ labels }: Pick<NodeSigns, 'labels'>): boolean {
  return spotLabels.some(([name, value]) => labels[name] === value);
}

const taintNotices: Readonly<Record<string, Notice['kind']>> = {
  'aws-node-termination-handler/spot-itn': 'Reclaim',
  'aws-node-termination-handler/asg-lifecycle-termination': 'Removal',
  'aws-node-termination-handler/scheduled-maintenance': 'Removal',
  'aws-node-termination-handler/rebalance-recommendation': 'Advisory',
  'cloud.google.com/impending-node-termination': 'Reclaim',
  'remediator.kubernetes.azure.com/unschedulable': 'Removal',
  'remediator.aks.microsoft.com/unschedulable': 'Removal',
  // Karpenter's one taint for every disruption: a spot interruption and a consolidation look the same.
  'karpenter.sh/disrupted': 'Removal',
  ToBeDeletedByClusterAutoscaler: 'Removal',
  DeletionCandidateOfClusterAutoscaler: 'Advisory',
  'node.cloudprovider.kubernetes.io/shutdown': 'Reclaim',
  'node.kubernetes.io/out-of-service': 'Removal',
};

/** The most urgent notice on a node; undefined where there is none. */
export function noticeOf(node: NodeSigns): Notice | undefined {
  const notices = [...node.taints.flatMap((taint) => fromTaint(taint, node)), ...node.conditions.flatMap(fromCondition)];
  return (['Reclaim', 'Removal', 'Advisory'] as const).map((kind) => notices.find((notice) => notice.kind === kind)).find((notice) => notice !== undefined);
}

function fromTaint({ key }: NodeTaint, node: NodeSigns): Notice[] {
  const kind = taintNotices[key];
  if (kind === undefined) return [];
  // On a spot node Karpenter's taint is nearly always the interruption, and counting it so costs the user nothing.
  return [{ kind: key === 'karpenter.sh/disrupted' && isSpot(node) ? 'Reclaim' : kind, source: key }];
}

function fromCondition({ type, status, message = '' }: NodeCondition): Notice[] {
  if (status !== 'True') return [];
  // AKS: the same condition and reason carry the advice and the announcement; only the beginning of the message tells them apart.
  if (type === 'PreemptionScheduled') return [{ kind: /^Preempt (Scheduled|Started)/.test(message) ? 'Reclaim' : 'Advisory', source: type }];
  if (type === 'GCESpotPreempting') return [{ kind: 'Reclaim', source: type }];
  return [];
}
