/**
 * What a job writes into its Workload's status, as the contract of Kueue's job framework has it: whether its pods are ready, that it
 * is finished, which pods it no longer needs, and, once evicted and gone, its quota back.
 */
import { parseTime, timestamp } from '../../../api/index.ts';
import { hasReservation, isAdmitted, isFinished, isSet, workloadCondition, type ReclaimablePods, type Workload, type WorkloadCondition } from './workload.ts';
import { isEvicted } from './waiting.ts';

/** What is true of the job's pods. */
export interface JobFacts {
  /** All pods that the job needs run, or have succeeded. */
  readonly podsReady: boolean;
  /** No pod of the job is left that uses anything. */
  readonly podsGone: boolean;
  /** The status says of no pod that it should be there: nobody will miss those that were taken away. */
  readonly withdrawn: boolean;
  /** Pods that have succeeded, or that a smaller job no longer has, by role. */
  readonly spare: ReadonlyMap<string, number>;
  readonly end: { readonly reason: 'Succeeded' | 'Failed'; readonly message: string } | undefined;
}

/** A merge patch of the status; undefined when it says what it should. */
export function statusPatch(workload: Workload, facts: JobFacts, nowMs: number): object | undefined {
  if (isFinished(workload)) return undefined;
  const changes = changesOf(workload, facts, nowMs);
  const reclaimable = reclaimablePods(workload, facts);
  const conditions = changes.filter((change) => !says(workload, change));
  const returns = mustReturnQuota(workload, facts);
  if (conditions.length === 0 && reclaimable === undefined && !returns) return undefined;
  return {
    status: {
      ...(conditions.length === 0 ? {} : { conditions: withChanges(workload.status.conditions ?? [], conditions) }),
      ...(reclaimable === undefined ? {} : { reclaimablePods: reclaimable }),
      ...(returns ? { admission: null, ...pastSeconds(workload, nowMs) } : {}),
    },
  };
}

type Change = Pick<WorkloadCondition, 'type' | 'status' | 'reason' | 'message' | 'lastTransitionTime' | 'observedGeneration'>;

function changesOf(workload: Workload, facts: JobFacts, nowMs: number): Change[] {
  const time = timestamp(nowMs);
  const change = (type: string, status: 'True' | 'False', reason: string, message: string): Change => ({
    type, status, reason, message: message.slice(0, longestMessage), lastTransitionTime: time,
    ...(workload.metadata.generation === undefined ? {} : { observedGeneration: workload.metadata.generation }),
  });
  if (facts.end !== undefined && facts.podsGone) return [change('Finished', 'True', facts.end.reason, facts.end.message)];
  return [...podsReady(workload, facts, change), ...(mustReturnQuota(workload, facts) ? quotaReturned(workload, change) : [])];
}

type Conclude = (type: string, status: 'True' | 'False', reason: string, message: string) => Change;

/** Kueue tells by the reason whether to count its time for a start or for a recovery. */
function podsReady(workload: Workload, { podsReady: ready }: JobFacts, change: Conclude): Change[] {
  const before = workloadCondition(workload, 'PodsReady');
  if (!isAdmitted(workload)) return before === undefined ? [] : [change('PodsReady', 'False', 'WaitForStart', 'Not all pods are ready or succeeded')];
  const hadStarted = before?.status === 'True' || before?.reason === 'WaitForRecovery';
  if (ready) {
    const recovered = before?.reason === 'WaitForRecovery' || before?.reason === 'Recovered';
    return [change('PodsReady', 'True', recovered ? 'Recovered' : 'Started', 'All pods reached readiness and the workload is running')];
  }
  return hadStarted
    ? [change('PodsReady', 'False', 'WaitForRecovery', 'At least one pod has failed, waiting for recovery')]
    : [change('PodsReady', 'False', 'WaitForStart', 'Not all pods are ready or succeeded')];
}

/** Only when the pods are gone, since until then they use what others would be promised. */
function mustReturnQuota(workload: Workload, { podsGone, withdrawn }: JobFacts): boolean {
  return isEvicted(workload) && hasReservation(workload) && podsGone && withdrawn;
}

/** Evictions after which Kueue queues the workload anew at once; after the others it decides itself when. */
const requeuedAtOnce = new Set(['Preempted', 'NodeFailures']);

function quotaReturned(workload: Workload, change: Conclude): Change[] {
  const { reason = '', message = '' } = workloadCondition(workload, 'Evicted') ?? {};
  return [
    change('Requeued', requeuedAtOnce.has(reason) ? 'True' : 'False', reason, message),
    change('QuotaReserved', 'False', 'Pending', message),
    ...(isSet(workload, 'Admitted') ? [change('Admitted', 'False', 'NoReservation', 'The workload has no reservation')] : []),
  ];
}

/** Kueue counts the time of all admissions against the longest run that the workload may have. */
function pastSeconds(workload: Workload, nowMs: number) {
  const admitted = workloadCondition(workload, 'Admitted');
  if (admitted?.status !== 'True') return {};
  const seconds = Math.max(0, Math.floor((nowMs - parseTime(admitted.lastTransitionTime)) / 1000));
  return { accumulatedPastExecutionTimeSeconds: (workload.status.accumulatedPastExecutionTimeSeconds ?? 0) + seconds };
}

/** While the quota is held Kueue lets these numbers only grow. */
function reclaimablePods(workload: Workload, { spare }: JobFacts): ReclaimablePods[] | undefined {
  const held = workload.status.reclaimablePods ?? [];
  const before = new Map(held.map(({ name, count }) => [name, count]));
  const wanted = workload.spec.podSets.flatMap(({ name, count }) => {
    const most = Math.min(count, Math.max(spare.get(name) ?? 0, hasReservation(workload) ? (before.get(name) ?? 0) : 0));
    return most === 0 ? [] : [{ name, count: most }];
  });
  const same = wanted.length === held.length && wanted.every(({ name, count }) => before.get(name) === count);
  return same ? undefined : wanted;
}

const longestMessage = 32_768;

function says(workload: Workload, { type, status, reason, message }: Change): boolean {
  const before = workloadCondition(workload, type);
  return before?.status === status && before.reason === reason && (before.message === message || type === 'PodsReady');
}

function withChanges(conditions: readonly WorkloadCondition[], changes: readonly Change[]): WorkloadCondition[] {
  const changed = conditions.map((before) => {
    const after = changes.find(({ type }) => type === before.type);
    if (after === undefined) return before;
    return { ...after, lastTransitionTime: after.status === before.status ? before.lastTransitionTime : after.lastTransitionTime };
  });
  return [...changed, ...changes.filter(({ type }) => !conditions.some((before) => before.type === type))];
}
