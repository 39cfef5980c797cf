/** Where an admission lets the pods run: its flavors' nodes, and what admission checks ask for. */
import type { Scheduling } from '../manager.ts';
import { together, type PodAdditions } from '../pod-additions.ts';
import type { PodSetUpdate, ResourceFlavor, Workload } from './workload.ts';

export interface AdmittedRole {
  /** Pods that the quota is for, from index 0. */
  readonly count: number;
  readonly additions: PodAdditions;
}

export type Placement =
  | { readonly kind: 'Placed'; readonly roles: ReadonlyMap<string, AdmittedRole> }
  /** A flavor that the admission names is not there (yet). */
  | { readonly kind: 'FlavorMissing'; readonly flavor: string };

/** The gate that Kueue removes from a pod once it has chosen its node. */
const topologyGate = 'kueue.x-k8s.io/topology';

export function placementOf(workload: Workload, flavors: ReadonlyMap<string, ResourceFlavor>, topology: Scheduling['topology']): Placement {
  const { admission, admissionChecks = [] } = workload.status;
  const roles = new Map<string, AdmittedRole>();
  for (const assignment of admission?.podSetAssignments ?? []) {
    const names = [...new Set(Object.values(assignment.flavors ?? {}))];
    const missing = names.find((name) => !flavors.has(name));
    if (missing !== undefined) return { kind: 'FlavorMissing', flavor: missing };
    const additions = [
      { labels: { 'kueue.x-k8s.io/podset': assignment.name } },
      ...names.flatMap((name) => ofFlavor(flavors.get(name))),
      ...admissionChecks.flatMap(({ podSetUpdates = [] }) => podSetUpdates.filter(({ name }) => name === assignment.name).map(ofCheck)),
      ...(assignment.hasTopology ? [placedByKueue(workload, topology)] : []),
    ];
    const count = assignment.count ?? workload.spec.podSets.find(({ name }) => name === assignment.name)?.count ?? 0;
    roles.set(assignment.name, { count, additions: together(additions) });
  }
  return { kind: 'Placed', roles };
}

/** Kueue takes the gate only from pods that repeat what their pod set asked of the topology; a flavor may have one unasked. */
function placedByKueue({ metadata: { name } }: Workload, topology: Scheduling['topology']): PodAdditions {
  const asked = topology === undefined
    ? { 'kueue.x-k8s.io/podset-unconstrained-topology': 'true' }
    : { [`kueue.x-k8s.io/podset-${topology.mode === 'Required' ? 'required' : 'preferred'}-topology`]: topology.key };
  return { schedulingGates: [topologyGate], annotations: { 'kueue.x-k8s.io/workload': name, ...asked } };
}

function ofFlavor(flavor: ResourceFlavor | undefined): PodAdditions[] {
  return flavor === undefined ? [] : [{ nodeSelector: flavor.nodeLabels, tolerations: flavor.tolerations }];
}

function ofCheck({ labels, annotations, nodeSelector, tolerations }: PodSetUpdate): PodAdditions {
  return {
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
  };
}
