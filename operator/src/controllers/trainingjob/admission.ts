/** Whether a TrainingJob's pods may be there: what the manager of queues and gangs says, if the job asks one. Pure. */
import type { Job } from '../../domain/job.ts';
import { isOver } from '../../domain/pod.ts';
import { restartScopeOf, rolesOf, type JobRole, type Place } from '../../domain/roles.ts';
import {
  chooseManager, closeTogether, coschedulingPod, isAdmitted, isFinished, placementOf, stillFits, together, volcanoPod, whyNotAdmitted, whyVolcanoWaits, workloadRequest,
  type AdmittedRole, type Choice, type ManagerName, type PodAdditions, type Workload, type WorkloadRequest,
} from '../../domain/scheduling/index.ts';
import { trainingPod } from '../../domain/training-pod.ts';
import type { SeenAdmission } from './admission-watch.ts';
import type { SeenPlace } from './places.ts';

export type Admission =
  | {
      readonly kind: 'Open';
      readonly additions: PodAdditions;
      /** By role, where a queue said for how many pods there is room; undefined where nobody limits them. */
      readonly roles: ReadonlyMap<string, AdmittedRole> | undefined;
    }
  /** No pod may be made; with `mustStop` those that are there must go. */
  | { readonly kind: 'Held'; readonly mustStop: boolean; readonly reason: string; readonly message: string };

/** What of the job bears on its admission. */
export interface AdmissionSubject {
  readonly job: Job;
  readonly object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } };
  readonly admission: SeenAdmission;
}

export function choiceOf({ job, admission }: AdmissionSubject): Choice {
  const { workloads: own, podGroups, installed } = admission;
  const held: ManagerName | undefined = own.length > 0 ? 'Kueue' : podGroups.Volcano !== undefined ? 'Volcano' : podGroups.Coscheduling !== undefined ? 'Coscheduling' : undefined;
  return chooseManager(job.spec.scheduling, installed, held);
}

export function admissionOf(subject: AdmissionSubject, places: readonly SeenPlace[]): Admission {
  const { job, admission } = subject;
  const { scheduling } = job.spec;
  const choice = choiceOf(subject);
  if (choice.kind === 'Missing') return { kind: 'Held', mustStop: false, reason: choice.reason, message: choice.message };
  if (scheduling === undefined) return { kind: 'Open', additions: {}, roles: undefined };
  const named = scheduling.priorityClassName;
  if (choice.kind === 'Nobody') {
    return { kind: 'Open', additions: { ...closeTogether(scheduling.topology, job.name), ...(named === undefined ? {} : { priorityClassName: named }) }, roles: undefined };
  }
  if (choice.name === 'Kueue') return kueueAdmission(subject, places);
  const group = admission.podGroups[choice.name];
  if (group === undefined) return { kind: 'Held', mustStop: false, reason: 'Gang', message: `The PodGroup for ${choice.name} is being made.` };
  const why = choice.name === 'Volcano' ? whyVolcanoWaits(group, scheduling) : undefined;
  if (why !== undefined) return { kind: 'Held', mustStop: false, ...why };
  return { kind: 'Open', additions: named === undefined ? {} : { priorityClassName: named }, roles: undefined };
}

function kueueAdmission(subject: AdmissionSubject, places: readonly SeenPlace[]): Admission {
  const { admission, job: { spec: { scheduling } } } = subject;
  const held = (reason: string, message: string, mustStop = true): Admission => ({ kind: 'Held', mustStop, reason, message });
  if (admission.priority === undefined && admission.workloads.length === 0) {
    return held('PriorityClassMissing', `There is neither a WorkloadPriorityClass nor a PriorityClass "${scheduling?.priorityClassName ?? ''}". Make one, or name another in scheduling.priorityClassName.`, false);
  }
  const queue = `queue ${scheduling?.queueName ?? ''}`;
  const workload = workloadOf(subject, places);
  if (workload === undefined) return held('Quota', admission.workloads.length === 0 ? `The job's Workload for ${queue} is being made.` : `The job has changed; its pods end, and it asks ${queue} for quota anew.`);
  if (isFinished(workload)) return held('WorkloadFinished', `Workload ${workload.metadata.name} says that it is finished, but the job is not. Delete it to queue the job anew.`);
  if (!isAdmitted(workload)) {
    const { reason, message } = whyNotAdmitted(workload);
    return held(reason, message);
  }
  const placement = placementOf(workload, admission.flavors, scheduling?.topology);
  if (placement.kind === 'FlavorMissing') return held('Quota', `Workload ${workload.metadata.name} has quota of ResourceFlavor ${placement.flavor}, which is not there.`, false);
  const named = scheduling?.priorityClassName;
  return { kind: 'Open', additions: admission.podPriority && named !== undefined ? { priorityClassName: named } : {}, roles: placement.roles };
}

/** What is added to the pod of a place; undefined where there is no quota for it. */
export function additionsFor(subject: AdmissionSubject, admission: Admission, { role, index }: Place): PodAdditions | undefined {
  const { job } = subject;
  const { scheduling } = job.spec;
  if (admission.kind === 'Held') return undefined;
  const admitted = admission.roles?.get(role);
  if (admission.roles !== undefined && (admitted === undefined || index >= admitted.count)) return undefined;
  const choice = choiceOf(subject);
  const gang = scheduling === undefined || choice.kind !== 'Manager' ? {} : choice.name === 'Volcano' ? volcanoPod(job, role, scheduling) : choice.name === 'Coscheduling' ? coschedulingPod(job, scheduling) : {};
  return together([admission.additions, admitted?.additions ?? {}, gang]);
}

/** Pods of each role that no longer need quota: whose success nothing undoes. A gang that restarts needs all of them again. */
export function doneWith({ job: { spec } }: AdmissionSubject, places: readonly SeenPlace[]): ReadonlyMap<string, number> {
  return new Map(rolesOf(spec).map((role) => {
    const done = restartScopeOf(spec, role) === 'Pod' ? places.filter((place) => place.role === role.name && place.succeeded && (place.pod === undefined || isOver(place.pod))).length : 0;
    return [role.name, done];
  }));
}

/** The Workload that stands for what the job asks now. */
export function workloadOf(subject: AdmissionSubject, places: readonly SeenPlace[]): Workload | undefined {
  const request = requestOf(subject);
  if (request === undefined) return undefined;
  const done = doneWith(subject, places);
  const needed = new Map(rolesOf(subject.job.spec).map(({ name, replicas }) => [name, replicas - (done.get(name) ?? 0)]));
  return subject.admission.workloads.find((workload) => stillFits(workload, request, needed));
}

/** A priority class that has gone since changes nothing for a Workload that is there. */
export function requestOf({ job, object, admission: { priority = { value: 0 } } }: AdmissionSubject): WorkloadRequest | undefined {
  const { scheduling } = job.spec;
  return scheduling === undefined ? undefined : workloadRequest(job, object.metadata.labels ?? {}, scheduling, priority, (role) => typicalPod(job, role));
}

/** The pod of a role as far as queues and gangs look at it: its requests and where it may run. */
export function typicalPod(job: Job, { name: role }: JobRole) {
  const { metadata, spec } = trainingPod(job, { role, index: 0 }, 1, { trainerImage: '', progressUrl: undefined, excludedNodes: [], checkpoint: { intervalSeconds: 0 } });
  return { metadata, spec };
}
