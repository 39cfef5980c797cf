/** Each place of a TrainingJob with its pod of the attempt that it is at. Pure. */
import { labels, podName } from '../../api/index.ts';
import { attemptAt, advance, isCompleted, wasLaunched, type Attempts } from '../../domain/attempts.ts';
import { hasSucceeded } from '../../domain/failures.ts';
import type { Node } from '../../domain/node.ts';
import { hasEnded, isRunning, type Pod } from '../../domain/pod.ts';
import { placesOf, rolesOf, type JobRole, type Place } from '../../domain/roles.ts';
import type { Observed } from './observe.ts';

export interface SeenPlace extends Place {
  readonly of: JobRole;
  readonly attempt: number;
  readonly podName: string;
  /** Undefined when it is not there: not yet made, or taken away. */
  readonly pod: Pod | undefined;
  readonly node: Node | undefined;
  /** The pod of this attempt was seen before. */
  readonly launched: boolean;
  readonly succeeded: boolean;
}

export function seenPlaces({ job, pods, nodes, attempts }: Observed): SeenPlace[] {
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const roles = new Map(rolesOf(job.spec).map((role) => [role.name, role]));
  return placesOf(job.spec).flatMap((place) => {
    const of = roles.get(place.role);
    if (of === undefined) return [];
    const attempt = attemptAt(attempts, place);
    const name = podName(job, place.role, place.index, attempt);
    const pod = byName.get(name);
    const succeeded = isCompleted(attempts, place) || (pod !== undefined && hasSucceeded(pod, { trainerExitCodes: job.spec.trainer !== undefined }));
    return [{ ...place, of, attempt, podName: name, pod, node: nodes.get(pod?.spec.nodeName ?? ''), launched: wasLaunched(attempts, place), succeeded }];
  });
}

/** What this look adds to what is known of the attempts. */
export function advanced(attempts: Attempts, places: readonly SeenPlace[]): Attempts {
  const byRole = Map.groupBy(places, ({ role }) => role);
  return [...byRole.values()].reduce((known, ofRole) => {
    const [first] = ofRole;
    return first === undefined ? known : advance(known, first.of, (index) => ofRole[index]?.pod !== undefined, (index) => ofRole[index]?.succeeded === true);
  }, attempts);
}

export function isUp({ pod, succeeded }: SeenPlace): boolean {
  return succeeded || (pod !== undefined && isRunning(pod) && pod.metadata.deletionTimestamp === undefined);
}

/** True while as many pods of each role run, or have succeeded, as the job needs to go on. */
export function enoughRun(places: readonly SeenPlace[]): boolean {
  const byRole = Map.groupBy(places, ({ role }) => role);
  return places.length > 0 && [...byRole.values()].every((ofRole) => ofRole.filter(isUp).length >= (ofRole[0]?.of.minReplicas ?? ofRole.length));
}

/** The place that a pod belongs to. */
export function placeOf(pod: Pod): Place {
  return { role: pod.metadata.labels?.[labels.role] ?? '', index: Number(pod.metadata.labels?.[labels.index] ?? '0') };
}

/** The attempt that a pod belongs to. */
export function attemptOf(pod: Pod): number {
  return Number(pod.metadata.labels?.[labels.attempt] ?? '0');
}

/** Pods of attempts that are over, and of places that a scale-down took away; their evidence is in the ledger. */
export function superseded({ pods }: Observed, places: readonly SeenPlace[]): Pod[] {
  const current = new Set(places.map((place) => place.podName));
  return pods.filter((pod) => !current.has(pod.metadata.name));
}

/** A pod that may still write where the next attempt will: it must have ended before that begins. */
export function isLingering(pod: Pod): boolean {
  return !hasEnded(pod);
}

/** The pods of the attempts that the places are at. */
export function podsOf({ places }: { readonly places: readonly SeenPlace[] }): readonly Pod[] {
  return places.flatMap(({ pod }) => pod ?? []);
}
