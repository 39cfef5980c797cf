/** Turns the shared fragments `pod`, `accelerator` and `nodePool` into fields of a pod. */
import type { Accelerator, Pod as PodSettings } from '../api/index.ts';
import type { Placement } from './node-pool.ts';
import type { ResourceRequirements } from './pod.ts';

/** Fields of the pod's spec that a user set. */
export function podFields(settings: PodSettings | undefined, placement: Placement) {
  const nodeSelector = { ...settings?.nodeSelector, ...placement.nodeSelector };
  const tolerations = [...(settings?.tolerations ?? []), ...placement.tolerations];
  return {
    ...given('imagePullSecrets', settings?.imagePullSecrets),
    ...given('serviceAccountName', settings?.serviceAccountName),
    ...given('priorityClassName', settings?.priorityClassName),
    ...given('schedulerName', settings?.schedulerName),
    ...given('runtimeClassName', settings?.runtimeClassName),
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
  };
}

/**
 * Resources of the main container. An extended resource must be a limit; the scheduler takes the request from it.
 *
 * @param defaults  requests where the user gave none, so that the scheduler and the autoscaler have something to go by
 */
export function resourcesOf(
  settings: PodSettings | undefined,
  accelerator: Accelerator | undefined,
  defaults: Readonly<Record<string, string>>,
): ResourceRequirements {
  const requests = { ...withoutLimited(defaults, settings?.resources?.limits), ...settings?.resources?.requests };
  const limits = { ...settings?.resources?.limits, ...acceleratorLimit(accelerator) };
  return { requests, ...(Object.keys(limits).length > 0 ? { limits } : {}) };
}

export function acceleratorLimit(accelerator: Accelerator | undefined): Readonly<Record<string, string>> {
  return accelerator?.resource === undefined ? {} : { [accelerator.resource]: String(accelerator.count) };
}

/** What the accelerator is called where one word must do. */
export function acceleratorName({ resource, deviceClassName }: Accelerator): string {
  return resource ?? deviceClassName ?? '';
}

/** Kubernetes takes a missing request from the limit; a default request above that limit would be refused. */
function withoutLimited(defaults: Readonly<Record<string, string>>, limits: Readonly<Record<string, unknown>> | undefined) {
  return Object.fromEntries(Object.entries(defaults).filter(([resource]) => limits?.[resource] === undefined));
}

/** A field that is left out where it has no value. */
export function given<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
