/**
 * Which attempt each place of a job is at. Numbers go up through the whole life of the job and are used once, since a pod's name
 * holds its number. All of it is in the status, so that a restarted operator knows which pods there must have been.
 */
import type { TrainingJob } from '../api/index.ts';
import { formatIndexes, parseIndexes } from './index-set.ts';
import type { JobRole, Place } from './roles.ts';

type JobStatus = NonNullable<TrainingJob['status']>;
export type RoleStatus = NonNullable<JobStatus['roles']>[number];

interface RestartedPod {
  readonly attempt: number;
  readonly launched: boolean;
}

interface RoleAttempts {
  /** Indexes below this had their pod since the gang last began: one that is missing was taken away. */
  readonly launched: number;
  /** Indexes whose pod has succeeded since then, kept when the pod is removed. */
  readonly completed: ReadonlySet<number>;
  /** Pods that were restarted alone since then, by index. */
  readonly restarted: ReadonlyMap<number, RestartedPod>;
}

export interface Attempts {
  /** The highest number given out so far. */
  readonly newest: number;
  /** The attempt with which all pods last began together. */
  readonly gang: number;
  readonly roles: ReadonlyMap<string, RoleAttempts>;
}

const untouched: RoleAttempts = { launched: 0, completed: new Set(), restarted: new Map() };

export function readAttempts(status: JobStatus): Attempts {
  const gang = status.gangAttempt ?? 1;
  return {
    gang,
    newest: Math.max(gang, status.attempt ?? 0),
    roles: new Map((status.roles ?? []).map(({ name, launched, completedIndexes, restarted = [] }) => [
      name,
      {
        launched,
        completed: parseIndexes(completedIndexes),
        restarted: new Map(restarted.map(({ index, attempt, launched: seen = false }) => [index, { attempt, launched: seen }])),
      },
    ])),
  };
}

export function writeAttempts(attempts: Attempts, role: JobRole): Pick<RoleStatus, 'launched' | 'completedIndexes' | 'restarted'> {
  const { launched, completed, restarted } = of(attempts, role.name);
  return {
    launched,
    ...(completed.size === 0 ? {} : { completedIndexes: formatIndexes(completed) }),
    ...(restarted.size === 0 ? {} : { restarted: [...restarted].sort(([a], [b]) => a - b).map(([index, pod]) => ({ index, attempt: pod.attempt, launched: pod.launched })) }),
  };
}

/** The attempt that a place is at. */
export function attemptAt(attempts: Attempts, { role, index }: Place): number {
  return of(attempts, role).restarted.get(index)?.attempt ?? attempts.gang;
}

/** True once the pod of the place's attempt was seen. */
export function wasLaunched(attempts: Attempts, { role, index }: Place): boolean {
  const { launched, restarted } = of(attempts, role);
  return restarted.get(index)?.launched ?? index < launched;
}

export function isCompleted(attempts: Attempts, { role, index }: Place): boolean {
  return of(attempts, role).completed.has(index);
}

/** All places begin anew, with a number of their own. */
export function restartGang(attempts: Attempts): Attempts {
  const next = attempts.newest + 1;
  return { newest: next, gang: next, roles: new Map() };
}

/** One place begins anew; the others go on with theirs. */
export function restartPlace(attempts: Attempts, { role, index }: Place): Attempts {
  const next = attempts.newest + 1;
  const before = of(attempts, role);
  const restarted = new Map(before.restarted).set(index, { attempt: next, launched: false });
  return { ...attempts, newest: next, roles: new Map(attempts.roles).set(role, { ...before, restarted }) };
}

/** What the pods that are there add to what is known: which places were launched, which have succeeded. */
export function advance(attempts: Attempts, role: JobRole, isThere: (index: number) => boolean, hasSucceeded: (index: number) => boolean): Attempts {
  const before = of(attempts, role.name);
  const indexes = Array.from({ length: role.replicas }, (_, index) => index);
  const completed = new Set([...before.completed, ...indexes.filter(hasSucceeded)].filter((index) => index < role.replicas));
  const known = (index: number): boolean => index < before.launched || completed.has(index) || before.restarted.has(index) || isThere(index);
  const firstUnknown = indexes.find((index) => !known(index)) ?? role.replicas;
  // Of places that a scale-down took away the number stays, so that it is never given to a second pod that may fail too.
  const restarted = new Map([...before.restarted].map(([index, pod]) => [index, { ...pod, launched: index < role.replicas && (pod.launched || isThere(index)) }]));
  return { ...attempts, roles: new Map(attempts.roles).set(role.name, { launched: firstUnknown, completed, restarted }) };
}

/** The pods were ended on purpose: none of those that have not succeeded counts as launched, and all may be made again with the same numbers. */
export function withdraw(attempts: Attempts): Attempts {
  const roles = [...attempts.roles].map(([name, { completed, restarted }]): [string, RoleAttempts] => [
    name,
    { launched: 0, completed, restarted: new Map([...restarted].map(([index, pod]) => [index, { ...pod, launched: false }])) },
  ]);
  return { ...attempts, roles: new Map(roles) };
}

function of(attempts: Attempts, role: string): RoleAttempts {
  return attempts.roles.get(role) ?? untouched;
}
