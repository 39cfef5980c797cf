/** What scheduling adds to a pod, whoever asks for it: an admission, a gang, a topology. */
import type { Tolerations } from '../../api/index.ts';
import type { Affinity, PodTemplate } from '../pod.ts';

export interface PodAdditions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: Tolerations;
  readonly schedulingGates?: readonly string[];
  readonly podAffinity?: PodAffinityTerms;
  readonly schedulerName?: string;
  readonly priorityClassName?: string;
}

export interface PodAffinityTerms {
  readonly required: readonly PodAffinityTerm[];
  readonly preferred: readonly PodAffinityTerm[];
}

export interface PodAffinityTerm {
  readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly topologyKey: string;
}

/** Several additions as one; of two values for one name the later counts. */
export function together(additions: readonly PodAdditions[]): PodAdditions {
  return additions.reduce<PodAdditions>((all, one) => ({
    ...all,
    ...one,
    ...merged('labels', all.labels, one.labels),
    ...merged('annotations', all.annotations, one.annotations),
    ...merged('nodeSelector', all.nodeSelector, one.nodeSelector),
    ...joined('tolerations', all.tolerations, one.tolerations),
    ...joined('schedulingGates', all.schedulingGates, one.schedulingGates),
  }), {});
}

/** The pod with the additions. Its own scheduler name and priority class stay where nobody asks for others. */
export function withAdditions<T extends PodTemplate>(pod: T, additions: PodAdditions): T {
  const { spec, metadata } = pod;
  const annotations = { ...metadata.annotations, ...additions.annotations };
  const nodeSelector = { ...spec.nodeSelector, ...additions.nodeSelector };
  const held = spec.tolerations ?? [];
  const tolerations = [...held, ...(additions.tolerations ?? []).filter((toleration) => !held.some((other) => sameFields(other, toleration)))];
  const gates = [...gatesOf(spec.schedulingGates), ...(additions.schedulingGates ?? []).map((name) => ({ name }))];
  const affinity = withTerms(spec.affinity, additions.podAffinity);
  return {
    ...pod,
    metadata: { ...metadata, labels: { ...metadata.labels, ...additions.labels }, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: {
      ...spec,
      ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
      ...(tolerations.length > 0 ? { tolerations } : {}),
      ...(gates.length > 0 ? { schedulingGates: gates } : {}),
      ...(affinity === undefined ? {} : { affinity }),
      ...(additions.schedulerName === undefined ? {} : { schedulerName: additions.schedulerName }),
      ...(additions.priorityClassName === undefined ? {} : { priorityClassName: additions.priorityClassName }),
    },
  };
}

function gatesOf(gates: unknown): readonly unknown[] {
  return Array.isArray(gates) ? gates : [];
}

function withTerms(affinity: Affinity | undefined, terms: PodAffinityTerms | undefined): Affinity | undefined {
  if (terms === undefined) return affinity;
  const held = (affinity?.podAffinity ?? {}) as Readonly<Record<string, readonly unknown[] | undefined>>;
  const podAffinity = {
    ...held,
    ...(terms.required.length === 0 ? {} : { requiredDuringSchedulingIgnoredDuringExecution: [...(held.requiredDuringSchedulingIgnoredDuringExecution ?? []), ...terms.required] }),
    ...(terms.preferred.length === 0 ? {} : {
      preferredDuringSchedulingIgnoredDuringExecution: [
        ...(held.preferredDuringSchedulingIgnoredDuringExecution ?? []),
        ...terms.preferred.map((podAffinityTerm) => ({ weight: 100, podAffinityTerm })),
      ],
    }),
  };
  return { ...affinity, podAffinity };
}

function sameFields(a: object, b: object): boolean {
  const keys = Object.keys({ ...a, ...b }) as (keyof typeof a)[];
  return keys.every((key) => a[key] === b[key]);
}

function merged(key: 'labels' | 'annotations' | 'nodeSelector', a: PodAdditions['labels'], b: PodAdditions['labels']) {
  return a === undefined && b === undefined ? {} : { [key]: { ...a, ...b } };
}

function joined(key: 'tolerations' | 'schedulingGates', a: readonly unknown[] | undefined, b: readonly unknown[] | undefined) {
  return a === undefined && b === undefined ? {} : { [key]: [...(a ?? []), ...(b ?? [])] };
}
