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
  return spec?.provider === 'Karpenter' ? nameOf(wantedOf(spec)) : undefined;
}

const namePrefix = 'anneal-';
const digestLength = 8;

/** True for a name that `poolNameOf` may give: only such pools are ours to delete. */
export function isPoolName(name: string): boolean {
  return new RegExp(`^${namePrefix}[0-9a-z]{${digestLength}}$`).test(name);
}

function nameOf(wanted: unknown): string {
  return `${namePrefix}${shortHash(canonicalJson(wanted), digestLength)}`;
}

/** What a pool must be, in one order: requirements all hold together and values are alternatives, so neither has one. */
function wantedOf({ nodeClassRef, capacity, requirements, limits }: NodePoolSpec) {
  return {
    nodeClassRef,
    capacity: [...capacity].sort(),
    requirements: (requirements ?? [])
      .map(({ key, operator, values }) => ({ key, operator, ...(values === undefined || values.length === 0 ? {} : { values: [...values].sort() }) }))
      .sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)),
    ...(limits === undefined ? {} : { limits: Object.fromEntries(Object.entries(limits).map(([resource, quantity]) => [resource, String(quantity)])) }),
  };
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

/** The `karpenter.sh/v1` NodePool for a spec; undefined where it asks for none. A taint keeps other pods off nodes that were started for these. */
export function karpenterNodePool(spec: NodePoolSpec) {
  if (spec.provider !== 'Karpenter') return undefined;
  const wanted = wantedOf(spec);
  const name = nameOf(wanted);
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name, labels: { [labels.managedBy]: managedBy } },
    spec: {
      template: {
        metadata: { labels: { [labels.nodePool]: name } },
        spec: {
          nodeClassRef: wanted.nodeClassRef,
          taints: [{ key: labels.nodePool, value: name, effect: 'NoSchedule' }],
          requirements: [
            { key: 'karpenter.sh/capacity-type', operator: 'In', values: wanted.capacity.map((capacity) => capacityTypes[capacity]) },
            ...wanted.requirements,
          ],
        },
      },
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '60s' },
      ...(wanted.limits === undefined ? {} : { limits: wanted.limits }),
    },
  };
}

/** JSON with sorted keys, so that the digest does not depend on the order in which a user wrote them. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}
