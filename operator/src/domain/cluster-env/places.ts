/** What the environments of all frameworks are written from: ranks, addresses, ports. */
import { processesPerPod } from '../accelerators.ts';
import type { Job } from '../job.ts';
import type { Container } from '../pod.ts';
import { chiefOf, placesOf, rolesOf, type JobRole, type Place } from '../roles.ts';
import { hostOf, needsService } from './network.ts';

/** Port at which the first process of a job takes calls: torchrun's default, which JAX and XGBoost have no reason to differ from. */
const rendezvousPort = 29500;

/** All places in the order of their ranks: the leader's role first, then the roles and indexes as written. */
export function ranked(job: Job): readonly Place[] {
  const { role: leader } = chiefOf(job.spec);
  const places = placesOf(job.spec);
  return [...places.filter(({ role }) => role === leader), ...places.filter(({ role }) => role !== leader)];
}

export function rankOf(job: Job, { role, index }: Place): number {
  return ranked(job).findIndex((place) => place.role === role && place.index === index);
}

/** Training processes of all places up to this one, in the order of ranks: the number of the place's first process. */
export function firstProcessOf(job: Job, place: Place): number {
  return processesOf(job, ranked(job).slice(0, rankOf(job, place)));
}

export function totalProcesses(job: Job): number {
  return processesOf(job, placesOf(job.spec));
}

function processesOf(job: Job, places: readonly Place[]): number {
  const perPod = new Map(rolesOf(job.spec).map((role) => [role.name, processesPerPod(job.spec, role)]));
  return places.reduce((sum, { role }) => sum + (perPod.get(role) ?? 0), 0);
}

/** A single pod has no host name that anybody could resolve, and needs none. */
export function addressOf(job: Job, place: Place): string {
  return needsService(job.spec) ? hostOf(job, place) : 'localhost';
}

/** The port of the main container that has this name, which users of other operators know; else the default. */
export function portOf(role: JobRole | undefined, name: string, otherwise = rendezvousPort): number {
  const main = role?.template?.spec.containers[0] as Container | undefined;
  return main?.ports?.find((port) => port.name === name)?.containerPort ?? otherwise;
}
