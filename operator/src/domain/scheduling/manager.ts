/** Who decides when a job's pods may start: the cluster's own scheduler, or one of the queue and gang managers. */
import type { TrainingJobSpec } from '../../api/index.ts';

export type Scheduling = NonNullable<TrainingJobSpec['scheduling']>;
export type ManagerName = 'Kueue' | 'Volcano' | 'Coscheduling';
export type Installed = Readonly<Record<ManagerName, boolean>>;

export type Choice =
  /** Nobody is asked: the pods are made at once. */
  | { readonly kind: 'Nobody' }
  | { readonly kind: 'Manager'; readonly name: ManagerName }
  /** What the job asks for cannot be had here. */
  | { readonly kind: 'Missing'; readonly reason: string; readonly message: string };

/**
 * @param held  the manager that already holds an object of this job: a choice, once made, stays
 */
export function chooseManager(scheduling: Scheduling | undefined, installed: Installed, held: ManagerName | undefined): Choice {
  if (scheduling === undefined) return { kind: 'Nobody' };
  const { scheduler, queueName, gang } = scheduling;
  if (scheduler !== 'Auto') return chosen(scheduler, scheduling, installed);
  if (queueName === undefined && !gang) return { kind: 'Nobody' };
  if (held !== undefined) return { kind: 'Manager', name: held };
  const candidates: readonly ManagerName[] = queueName === undefined ? ['Volcano', 'Coscheduling'] : ['Kueue', 'Volcano'];
  const name = candidates.find((candidate) => installed[candidate]);
  if (name !== undefined) return { kind: 'Manager', name };
  return queueName === undefined
    ? { kind: 'Missing', reason: 'GangSchedulerMissing', message: 'scheduling.gang needs Volcano or the coscheduling plugin, and the cluster has neither. Install one, set scheduling.queueName of a Kueue queue, or leave gang out.' }
    : { kind: 'Missing', reason: 'QueueManagerMissing', message: `scheduling.queueName "${queueName}" needs Kueue (with kueue.x-k8s.io/v1beta2) or Volcano, and the cluster has neither. Install one, or leave queueName out.` };
}

function chosen(name: ManagerName, { queueName }: Scheduling, installed: Installed): Choice {
  if (name === 'Kueue' && queueName === undefined) {
    return { kind: 'Missing', reason: 'QueueNameMissing', message: 'scheduling.scheduler is Kueue, which holds jobs in queues. Set scheduling.queueName to a LocalQueue of the namespace.' };
  }
  if (installed[name]) return { kind: 'Manager', name };
  return { kind: 'Missing', reason: `${name}NotInstalled`, message: `scheduling.scheduler is ${name}, but the cluster has no ${kinds[name]}. Install it, or set scheduler to Auto.` };
}

const kinds: Readonly<Record<ManagerName, string>> = {
  Kueue: 'kueue.x-k8s.io/v1beta2 Workload',
  Volcano: 'scheduling.volcano.sh/v1beta1 PodGroup',
  Coscheduling: 'scheduling.x-k8s.io/v1alpha1 PodGroup',
};
