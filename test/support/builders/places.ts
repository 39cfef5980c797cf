/** Jobs of several roles, as the API server would default them. */
import type { Role, TrainingJobSpec } from '@anneal/operator/api';
import { clusterEnv } from '../../../operator/src/domain/cluster-env/index.ts';
import type { Job } from '../../../operator/src/domain/job.ts';
import type { Place } from '../../../operator/src/domain/roles.ts';
import { job, role } from './training-job.ts';

export function jobOf(spec: Partial<TrainingJobSpec>): Job {
  return { namespace: 'team-a', name: 'digits', uid: 'uid-of-digits', spec: job(spec).spec };
}

/** Role and index as a person writes them: `worker-1`. */
export function place(name: string): Place {
  const dash = name.lastIndexOf('-');
  return { role: name.slice(0, dash), index: Number(name.slice(dash + 1)) };
}

export function envOf(of: Job, name: string): Record<string, string> {
  return Object.fromEntries(clusterEnv(of, place(name)).map(({ name: variable, value = '' }) => [variable, value]));
}

/** Host name of a place of the job that `jobOf` makes. */
export function host(name: string): string {
  return `${name}.digits-pods-5vjea.team-a.svc`;
}

/** A role whose first container has what a test speaks of. */
export function roleWith(container: object, name: string, replicas = 1, over: Partial<Role> = {}): Role {
  return role(name, replicas, { template: { spec: { containers: [{ name: 'main', image: 'example.com/work:1', ...container }] } }, ...over });
}
