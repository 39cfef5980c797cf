/** How the pods of a job find each other: a headless Service, and a host name for each place that stays through all attempts. */
import { childName, labels, managedBy, type TrainingJobSpec } from '../../api/index.ts';
import type { Job } from '../job.ts';
import { isElastic, placesOf, rolesOf, type Place } from '../roles.ts';

/** A single pod has nobody to find. Nor have pods of a job that names no framework: its names would cost the API server as much as its pods do. */
export function needsService(spec: TrainingJobSpec): boolean {
  if (spec.trainer === undefined && spec.framework === undefined) return false;
  return placesOf(spec).length > 1 || rolesOf(spec).some(isElastic);
}

/** A job's name may hold dots and begin with a digit; a Service's is a label of RFC 1035. */
export function serviceName(job: Job): string {
  const label = job.name.replaceAll('.', '-').replace(/^(?=\d)/, 'job-');
  return childName(label === job.name ? job : { name: label, uid: job.uid }, 'pods');
}

/** Host name of a place within its Service. */
export function hostname({ role, index }: Place): string {
  return `${role}-${index}`;
}

/** Name by which the other pods reach a place: resolved by the cluster's search domains, whatever the cluster's own domain is. */
export function hostOf(job: Job, place: Place): string {
  return `${hostname(place)}.${serviceName(job)}.${job.namespace}.svc`;
}

/** Addresses are published before a pod is ready, since each waits for the others to begin. */
export function headlessService(job: Job) {
  return {
    metadata: { name: serviceName(job), labels: { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name } },
    spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: { [labels.managedBy]: managedBy, [labels.trainingJob]: job.name } },
  };
}
