/** `runPolicy` of Kubeflow's jobs: deadlines, cleaning up, the queue. */
import type { DraftScheduling, DraftSpec } from './draft.ts';
import type { Reader } from './reader.ts';

export interface RunPolicy {
  readonly spec: Omit<DraftSpec, 'roles' | 'scheduling'>;
  readonly scheduling: DraftScheduling;
  readonly backoffLimit: Reader | undefined;
}

const seconds = { min: 0, max: 2 ** 31 - 1 };
const cleanPodPolicies = ['Running', 'All', 'None'] as const;

/** @param specOfOldMpi  where MPIJob of kubeflow.org/v1 may have cleanPodPolicy too */
export function readRunPolicy(policy: Reader | undefined, pods: number, specOfOldMpi?: Reader): RunPolicy {
  const cleanPodPolicy = policy?.choice('cleanPodPolicy', cleanPodPolicies);
  const old = specOfOldMpi?.choice('cleanPodPolicy', cleanPodPolicies);
  if (cleanPodPolicy !== undefined && old !== undefined && old !== cleanPodPolicy) {
    specOfOldMpi?.loseField('cleanPodPolicy', 'That of spec.runPolicy says something else and counts.', 'Keep the one that is right.');
  }
  const chosen = cleanPodPolicy ?? old;
  const deadline = readDeadline(policy, 'The time counts from the first running pod, not from the start of the job, and leaves time in suspension out.');
  const ttlSecondsAfterFinished = policy?.whole('ttlSecondsAfterFinished', seconds);
  if (policy !== undefined) readManager(policy);
  return {
    spec: {
      ...(chosen === undefined ? {} : { cleanPodPolicy: chosen }),
      ...deadline,
      ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }),
    },
    scheduling: readSchedulingPolicy(policy?.at('schedulingPolicy'), pods),
    backoffLimit: policy?.at('backoffLimit'),
  };
}

export function readDeadline(owner: Reader | undefined, why: string): { readonly activeDeadlineSeconds?: number } {
  const activeDeadlineSeconds = owner?.whole('activeDeadlineSeconds', { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (owner === undefined || activeDeadlineSeconds === undefined) return {};
  owner.remark(why, 'Use spec.scheduling.startDeadlineSeconds to limit how long the job waits.', 'activeDeadlineSeconds');
  return { activeDeadlineSeconds };
}

const ownManagers = ['kubeflow.org/training-operator', 'kubeflow.org/mpi-operator', 'trainer.kubeflow.org/trainjob-controller'];

export function readManager(owner: Reader): void {
  const manager = owner.text('managedBy');
  if (manager === undefined || manager === '' || ownManagers.includes(manager)) return;
  owner.loseField('managedBy', `The job would be left to ${manager}; Anneal runs every TrainingJob of its cluster itself.`, 'Apply the TrainingJob to the cluster in which it shall run.');
}

/** Kueue wakes the jobs that it admits; Anneal's wait in the queue without being suspended, and nobody would wake them. */
export function readSuspend(owner: Reader | undefined, scheduling: DraftScheduling): { readonly suspend?: boolean } {
  const suspend = owner?.flag('suspend');
  if (owner === undefined || suspend === undefined) return {};
  if (!suspend || scheduling.scheduler !== 'Kueue') return { suspend };
  owner.remark('Left out: Kueue does not end the suspension of a TrainingJob. It waits in the queue without.', 'Write suspend: true to hold it whatever Kueue says.', 'suspend');
  return {};
}

function readSchedulingPolicy(policy: Reader | undefined, pods: number): DraftScheduling {
  if (policy === undefined) return {};
  const minAvailable = policy.whole('minAvailable', seconds);
  const queueName = policy.text('queue');
  const priorityClassName = policy.text('priorityClass');
  const gangTimeoutSeconds = policy.whole('scheduleTimeoutSeconds', { min: 0, max: 86_400 });
  if (minAvailable !== undefined && minAvailable !== pods) {
    policy.loseField('minAvailable', `The gang of a TrainingJob is all of its pods, here ${pods}.`, 'Where fewer can begin, use a role with minReplicas and maxReplicas.');
  }
  policy.loseField('minResources', 'What a gang needs is the sum over its pods.', 'Set the requests of the containers.');
  if (gangTimeoutSeconds === 0) policy.loseField('scheduleTimeoutSeconds', 'A gang that may wait no time at all would never start.', 'Set spec.scheduling.gangTimeoutSeconds.');
  policy.ignore('minAvailable');
  return {
    gang: true,
    ...(queueName === undefined || queueName === '' ? {} : { queueName, scheduler: 'Volcano' as const }),
    ...(priorityClassName === undefined || priorityClassName === '' ? {} : { priorityClassName }),
    ...(gangTimeoutSeconds === undefined || gangTimeoutSeconds === 0 ? {} : { gangTimeoutSeconds }),
  };
}

/** What the labels say about the queue, and what the policy says; of two queues the label's counts. */
export function joinScheduling(labelled: DraftScheduling, policy: DraftScheduling, source: Reader | undefined): { readonly scheduling?: DraftScheduling } {
  if (source !== undefined) {
    if (labelled.queueName !== undefined && policy.queueName !== undefined && labelled.queueName !== policy.queueName) {
      source.loseField('queue', `The job waits in one queue, and its labels name ${labelled.queueName}.`, 'Write the queue that counts in spec.scheduling.queueName.');
    }
    if (labelled.priorityClassName !== undefined && policy.priorityClassName !== undefined && labelled.priorityClassName !== policy.priorityClassName) {
      source.loseField('priorityClass', `The labels name the priority ${labelled.priorityClassName}.`, 'Write the one that counts in spec.scheduling.priorityClassName.');
    }
  }
  const scheduling = { ...policy, ...labelled };
  return Object.keys(scheduling).length === 0 ? {} : { scheduling };
}
