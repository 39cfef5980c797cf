/** Why a pod failed: one cause from what Kubernetes says of it. The cause decides which budget pays. */
import { parseTime, trainerExit, type TrainingFailure, type TrainingJob } from '../api/index.ts';
import { hasEnded, hasSucceeded, podCondition, type Pod } from './pod.ts';

export type LedgerEntry = NonNullable<NonNullable<TrainingJob['status']>['failures']>[number];
export type Cause = LedgerEntry['cause'];

export interface Failure {
  readonly cause: Cause;
  readonly reason: string;
  readonly message: string;
  readonly exitCode?: number;
  readonly timeMs: number;
}

/** Reasons of the condition DisruptionTarget (Kubernetes, "Pod disruption conditions"). */
const disruptionCauses: Readonly<Record<string, Cause>> = {
  PreemptionByScheduler: 'Preempted',
  EvictionByEvictionAPI: 'Preempted',
  TerminationByKubelet: 'Preempted',
  DeletionByTaintManager: 'NodeLost',
  DeletionByPodGC: 'NodeLost',
};

/** `status.reason` of a pod that the kubelet or the node controller ended or refused. */
const podReasonCauses: Readonly<Record<string, Cause>> = {
  Evicted: 'Preempted',
  Preempting: 'Preempted',
  UnexpectedAdmissionError: 'Preempted',
  NodeAffinity: 'Preempted',
  OutOfcpu: 'Preempted',
  OutOfmemory: 'Preempted',
  OutOfpods: 'Preempted',
  NodeShutdown: 'NodeLost',
  Terminated: 'NodeLost',
  NodeLost: 'NodeLost',
};

/** `state.terminated.reason` of the container, where it says more than the exit code. */
const terminationCauses: Readonly<Record<string, Cause>> = {
  OOMKilled: 'OutOfMemory',
  StartError: 'ConfigurationError',
  ContainerCannotRun: 'ConfigurationError',
};

/** Waiting reasons of an image that is not there yet but may come. */
const imagePullReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'ErrImageNeverPull', 'ImageInspectError']);

/** Waiting reasons that no waiting mends. */
const hopelessWaits: ReadonlySet<string> = new Set(['InvalidImageName']);

export function isPullingBadly(pod: Pod): boolean {
  return imagePullReasons.has(pod.status.main?.waiting?.reason ?? '');
}

/** When a pod whose image cannot be pulled counts as failed, in epoch milliseconds; undefined for any other pod. */
export function imagePullDeadline(pod: Pod, deadlineSeconds: number): number | undefined {
  if (!isPullingBadly(pod)) return undefined;
  const since = pod.status.startTime ?? pod.metadata.creationTimestamp;
  return since === undefined ? undefined : parseTime(since) + deadlineSeconds * 1000;
}

export interface FailureRules {
  /** Exit code 2 is the built-in trainer's word for a spec that cannot work; another program may mean anything by it. */
  readonly trainerExitCodes: boolean;
  readonly imagePullDeadlineSeconds: number;
}

/** The failure of a pod, or undefined while it may still succeed. */
export function failureOf(pod: Pod, rules: FailureRules, nowMs: number): Failure | undefined {
  if (hasSucceeded(pod)) return undefined;
  return hasEnded(pod) ? endedFailure(pod, rules, nowMs) : waitingFailure(pod, rules, nowMs);
}

function endedFailure(pod: Pod, rules: FailureRules, nowMs: number): Failure {
  const { reason, message, main } = pod.status;
  const disruption = podCondition(pod, 'DisruptionTarget');
  const terminated = main?.terminated;
  const timeMs = terminated?.finishedAt === undefined ? nowMs : parseTime(terminated.finishedAt);
  const code = terminated === undefined ? {} : { exitCode: terminated.exitCode };

  if (disruption?.status === 'True') {
    const cause = disruptionCauses[disruption.reason ?? ''] ?? 'Preempted';
    return { cause, reason: disruption.reason ?? 'DisruptionTarget', message: disruption.message ?? '', timeMs, ...code };
  }
  const byPod = podReasonCauses[reason ?? ''];
  if (byPod !== undefined) return { cause: byPod, reason: reason ?? '', message: message ?? '', timeMs, ...code };
  if (terminated === undefined) {
    return { cause: 'NodeLost', reason: reason ?? 'ContainerStateUnknown', message: message ?? 'The pod failed without a word from its container.', timeMs };
  }
  const byTermination = terminationCauses[terminated.reason ?? ''];
  const said = lastWords(terminated.message);
  if (byTermination !== undefined) return { cause: byTermination, reason: terminated.reason ?? '', message: said, timeMs, ...code };
  if (rules.trainerExitCodes && terminated.exitCode === trainerExit.configurationError) {
    return { cause: 'ConfigurationError', reason: errorCode(terminated.message) ?? 'Error', message: said, timeMs, ...code };
  }
  // A pod that someone deletes ends by SIGTERM; that is not the program's own error.
  if (pod.metadata.deletionTimestamp !== undefined) return { cause: 'Preempted', reason: 'PodDeleted', message: said, timeMs, ...code };
  return { cause: 'ApplicationError', reason: errorCode(terminated.message) ?? terminated.reason ?? 'Error', message: said, timeMs, ...code };
}

function waitingFailure(pod: Pod, rules: FailureRules, nowMs: number): Failure | undefined {
  const waiting = pod.status.main?.waiting;
  const reason = waiting?.reason ?? '';
  if (hopelessWaits.has(reason)) return { cause: 'ConfigurationError', reason, message: waiting?.message ?? '', timeMs: nowMs };
  const deadline = imagePullDeadline(pod, rules.imagePullDeadlineSeconds);
  if (deadline !== undefined && nowMs >= deadline) return { cause: 'ImagePull', reason, message: waiting?.message ?? '', timeMs: nowMs };
  return undefined;
}

/** A pod that is gone from the cluster although it should be there. */
export function vanished(nowMs: number): Failure {
  return { cause: 'Preempted', reason: 'PodDeleted', message: 'The pod was deleted by someone else before it ended.', timeMs: nowMs };
}

/** The trainer's own sentence where it wrote one, else the end of the log that the kubelet kept. */
function lastWords(message: string | undefined): string {
  if (message === undefined) return '';
  return parseFailure(message)?.error.message ?? message.trim();
}

function errorCode(message: string | undefined): string | undefined {
  return message === undefined ? undefined : parseFailure(message)?.error.code;
}

function parseFailure(message: string): TrainingFailure | undefined {
  try {
    const value: unknown = JSON.parse(message);
    return isTrainingFailure(value) ? value : undefined;
  } catch {
    // Not the trainer's JSON: the kubelet's log excerpt, or another program's words.
    return undefined;
  }
}

function isTrainingFailure(value: unknown): value is TrainingFailure {
  if (typeof value !== 'object' || value === null || !('error' in value)) return false;
  const { error } = value;
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && 'message' in error && typeof error.message === 'string';
}
