/** What the kubelet last said of volumes that it cannot mount: a missing Secret, ConfigMap or disk shows nowhere in the status of a pod. */
import type { Pod } from '../../domain/pod.ts';
import { keyOf, keyString } from '../../kube/resource.ts';
import type { ReadStore } from '../../runtime/index.ts';
import type { MountFailure } from './watched.ts';

/** The kubelet's words, by the name of the pod that waits for its volumes. */
export type MountFailures = ReadonlyMap<string, string>;

/** Events outlive their trouble, so only pods that still wait have any. */
export function mountFailuresOf(pods: readonly Pod[], failures: ReadStore<MountFailure, 'pod'>): MountFailures {
  const waiting = pods.filter((pod) => pod.status.phase === 'Pending' && pod.spec.nodeName !== undefined);
  return new Map(waiting.flatMap(({ metadata }) => {
    const newest = failures.by('pod', keyString(keyOf({ metadata }))).findLast(({ podUid }) => podUid === metadata.uid);
    return newest === undefined ? [] : [[metadata.name, newest.message] as const];
  }));
}
