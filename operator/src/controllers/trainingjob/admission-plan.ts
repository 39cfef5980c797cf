/** What a TrainingJob asks of the manager of queues and gangs, and tells it. Pure. */
import { findCondition } from '../../api/index.ts';
import { isOver } from '../../domain/pod.ts';
import { rolesOf } from '../../domain/roles.ts';
import { coschedulingPodGroup, hasReservation, isFinished, statusPatch, volcanoPodGroup, type JobFacts, type Workload } from '../../domain/scheduling/index.ts';
import type { Action } from '../../runtime/index.ts';
import { childOf, seenOf } from '../shared/objects.ts';
import { coschedulingPodGroupType, trainingJobType, volcanoPodGroupType, workloadType } from '../shared/resources.ts';
import { choiceOf, doneWith, requestOf, typicalPod, workloadOf } from './admission.ts';
import type { Assessment } from './assess.ts';
import { endOf, type Observed } from './observe.ts';
import { enoughRun } from './places.ts';

/** Of a Workload that the job's own suspension deactivated; one that somebody else deactivated stays so. */
const suspendedMark = 'anneal.dev/suspended';

export function planAdmission(seen: Observed, assessment: Assessment, nowMs: number): Action[] {
  const choice = choiceOf(seen);
  const chosen = choice.kind === 'Manager' ? choice.name : undefined;
  // What cannot be had now may be back soon, such as definitions that are being installed anew.
  if (choice.kind === 'Missing') return [];
  return [
    ...(chosen === 'Kueue' ? planWorkload(seen, assessment, nowMs) : seen.admission.workloads.map(deleted)),
    ...planPodGroup(seen, chosen),
  ];
}

function planPodGroup(seen: Observed, chosen: string | undefined): Action[] {
  const { job, object, admission: { podGroups } } = seen;
  const types = { Volcano: volcanoPodGroupType, Coscheduling: coschedulingPodGroupType } as const;
  const isWanted = !job.spec.suspend && endOf(seen.status) === undefined;
  return (['Volcano', 'Coscheduling'] as const).flatMap((name): Action[] => {
    const group = podGroups[name];
    const { scheduling } = job.spec;
    if (name === chosen && isWanted && scheduling !== undefined) {
      const body = (name === 'Volcano' ? volcanoPodGroup : coschedulingPodGroup)(job, scheduling, (role) => typicalPod(job, role));
      return [{ kind: 'Apply', type: types[name], object: childOf(trainingJobType, object, types[name], body) }];
    }
    return group !== undefined && arePodsGone(seen) ? [{ kind: 'Delete', target: seenOf(types[name], group) }] : [];
  });
}

function planWorkload(seen: Observed, assessment: Assessment, nowMs: number): Action[] {
  const request = requestOf(seen);
  if (request === undefined) return [];
  const current = workloadOf(seen, assessment.places);
  // Quota is in use for as long as pods are: the Workload that holds it goes after them.
  const outdated = seen.admission.workloads.filter((workload) => workload !== current);
  const holding = outdated.filter((workload) => hasReservation(workload) && !isFinished(workload) && !arePodsGone(seen));
  const removals = outdated.filter((workload) => !holding.includes(workload) && workload.metadata.deletionTimestamp === undefined).map(deleted);
  if (current !== undefined) return [...removals, ...tell(seen, assessment, current, nowMs)];
  if (holding.length > 0 || seen.job.spec.suspend || endOf(seen.status) !== undefined || seen.admission.priority === undefined) return removals;
  return [...removals, { kind: 'Create', type: workloadType, object: childOf(trainingJobType, seen.object, workloadType, request) }];
}

function deleted(workload: Workload): Action {
  return { kind: 'Delete', target: seenOf(workloadType, workload) };
}

/** One patch at a time: each is tied to the version that was seen. */
function tell(seen: Observed, assessment: Assessment, workload: Workload, nowMs: number): Action[] {
  const patch = specPatch(seen, workload);
  if (patch !== undefined) return [patched(workload, patch)];
  const status = statusPatch(workload, factsOf(seen, assessment, workload), nowMs);
  return status === undefined ? [] : [{ ...patched(workload, status), subresource: 'status' }];
}

function patched(workload: Workload, patch: object): Extract<Action, { readonly kind: 'Patch' }> {
  return { kind: 'Patch', target: seenOf(workloadType, workload), resourceVersion: workload.metadata.resourceVersion ?? '', patch };
}

function specPatch({ job, status, admission: { priority } }: Observed, workload: Workload): object | undefined {
  if (isFinished(workload) || endOf(status) !== undefined) return undefined;
  const isOurs = workload.metadata.annotations?.[suspendedMark] !== undefined;
  if (job.spec.suspend && workload.spec.active !== false) return { metadata: { annotations: { [suspendedMark]: 'true' } }, spec: { active: false } };
  if (!job.spec.suspend && isOurs) return { metadata: { annotations: { [suspendedMark]: null } }, spec: { active: true } };
  if (priority !== undefined && priority.value !== workload.spec.priority && !hasReservation(workload)) return { spec: { priority: priority.value, priorityClassRef: priority.ref ?? null } };
  return undefined;
}

function factsOf(seen: Observed, { places }: Assessment, workload: Workload): JobFacts {
  const done = doneWith(seen, places);
  const end = endOf(seen.status);
  const roles = new Map(rolesOf(seen.job.spec).map((role) => [role.name, role]));
  return {
    podsReady: enoughRun(places),
    podsGone: arePodsGone(seen) || (end !== undefined && seen.job.spec.cleanPodPolicy === 'None'),
    withdrawn: [...seen.attempts.roles.values()].every(({ launched, restarted }) => launched === 0 && [...restarted.values()].every((pod) => !pod.launched)),
    spare: new Map(workload.spec.podSets.map(({ name, count }) => [name, (done.get(name) ?? 0) + Math.max(0, count - (roles.get(name)?.replicas ?? count))])),
    end: end === undefined ? undefined : { reason: end, message: findCondition(seen.status.conditions, end)?.message ?? '' },
  };
}

function arePodsGone({ pods }: Observed): boolean {
  return pods.every(isOver);
}
