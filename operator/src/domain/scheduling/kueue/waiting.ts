/** Why Kueue does not let a job run, in its own words and ours. */
import { hasReservation, isSet, workloadCondition, type Workload } from './workload.ts';

export interface Why {
  readonly reason: string;
  readonly message: string;
}

const evictions: Readonly<Record<string, string>> = {
  Preempted: 'another workload took its quota',
  PodsReadyTimeout: 'its pods were not all ready in time',
  AdmissionCheck: 'an admission check withdrew its word',
  ClusterQueueStopped: 'the ClusterQueue was stopped',
  LocalQueueStopped: 'the LocalQueue was stopped',
  NodeFailures: 'a node of its topology failed',
  Deactivated: 'the workload was deactivated',
  DeactivatedDueToRequeuingLimitExceeded: 'its pods were too often not ready in time',
  DeactivatedDueToMaximumExecutionTimeExceeded: 'it ran for longer than kueue.x-k8s.io/max-exec-time-seconds allows',
};

export function whyNotAdmitted(workload: Workload): Why {
  const { metadata: { name }, spec: { queueName = '' } } = workload;
  const queue = `queue ${queueName}`;
  if (workload.spec.active === false) {
    const evicted = workloadCondition(workload, 'Evicted');
    const why = evicted?.status === 'True' ? ` because ${evictions[evicted.reason] ?? evicted.message}` : '';
    return { reason: 'Deactivated', message: `Workload ${name} was deactivated in ${queue}${why}. Set its spec.active to true to let the job go on.` };
  }
  const evicted = workloadCondition(workload, 'Evicted');
  if (evicted?.status === 'True') {
    const requeue = workload.status.requeueState?.requeueAt;
    const again = requeue === undefined ? 'It waits for quota again' : `It is queued again at ${requeue}`;
    const said = workloadCondition(workload, 'QuotaReserved')?.message ?? '';
    return { reason: 'Quota', message: sentences(`Evicted from ${queue}: ${evictions[evicted.reason] ?? evicted.reason} (${evicted.message}). ${again}`, hasReservation(workload) || said === evicted.message ? '' : said) };
  }
  if (!hasReservation(workload)) {
    const reserved = workloadCondition(workload, 'QuotaReserved');
    return { reason: 'Quota', message: sentences(`Waits for quota in ${queue}`, reserved?.message ?? '') };
  }
  const checks = (workload.status.admissionChecks ?? []).filter(({ state }) => state !== 'Ready');
  const said = checks.map((check) => `${check.name}: ${check.message === undefined || check.message === '' ? check.state : check.message}`).join('; ');
  return { reason: 'AdmissionCheck', message: sentences(`Has quota in ${queue} and waits for its admission checks`, said) };
}

/** True once somebody who is not the job's owner took the admission away. */
export function isEvicted(workload: Workload): boolean {
  return isSet(workload, 'Evicted');
}

function sentences(first: string, said: string): string {
  return said === '' ? `${first}.` : `${first}: ${said.replace(/\.$/, '')}.`;
}
