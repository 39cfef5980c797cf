/**
 * Node pools: the Karpenter NodePool that a spec asks for, and what pins pods to it. The pool's name is a digest of what
 * it must be, so that equal requirements share one pool.
 */
import { labels, managedBy, shortHash, type NodePool as NodePoolSpec, type Tolerations } from '../api/index.ts';

/** Where pods may run. */
export interface Placement {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: Tolerations;
}

export const anywhere: Placement = { nodeSelector: {}, tolerations: [] };

/** The label that Karpenter puts on each node of a pool. */
const karpenterPoolLabel = 'karpenter.sh/nodepool';

const capacityTypes: Readonly<Record<NodePoolSpec['capacity'][number], string>> = { Spot: 'spot', OnDemand: 'on-demand' };

/** Name of the Karpenter pool that a spec asks for; undefined where it asks for none. */
export function poolNameOf(spec: NodePoolSpec | undefined): string | undefined {
  if (spec?.provider !== 'Karpenter') return undefined;
  const { nodeClassRef, capacity, requirements, limits } = spec;
  return `anneal-${shortHash(canonicalJson({ nodeClassRef, capacity: [...capacity].sort(), requirements, limits }), 8)}`;
}

export function placementOf(spec: NodePoolSpec | undefined): Placement {
  if (spec === undefined) return anywhere;
  if (spec.provider === 'Existing') return { nodeSelector: spec.nodeSelector ?? {}, tolerations: spec.tolerations ?? [] };
  const name = poolNameOf(spec) ?? '';
  return {
    nodeSelector: { [karpenterPoolLabel]: name },
    tolerations: [{ key: labels.nodePool, operator: 'Equal', value: name, effect: 'NoSchedule' }],
  };
}

/** The `karpenter.sh/v1` NodePool for a spec. A taint keeps other pods off nodes that were started for these. */
export function karpenterNodePool(spec: NodePoolSpec) {
  const name = poolNameOf(spec);
  if (name === undefined) throw new Error('karpenterNodePool needs a spec with provider Karpenter');
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name, labels: { [labels.managedBy]: managedBy } },
    spec: {
      template: {
        metadata: { labels: { [labels.nodePool]: name } },
        spec: {
          nodeClassRef: spec.nodeClassRef,
          taints: [{ key: labels.nodePool, value: name, effect: 'NoSchedule' }],
          requirements: [
            { key: 'karpenter.sh/capacity-type', operator: 'In', values: spec.capacity.map((capacity) => capacityTypes[capacity]) },
            ...(spec.requirements ?? []),
          ],
        },
      },
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '60s' },
      ...(spec.limits === undefined ? {} : { limits: spec.limits }),
    },
  };
}

/** JSON with sorted keys, so that the digest does not depend on the order in which a user wrote them. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}
