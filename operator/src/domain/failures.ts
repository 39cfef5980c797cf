/** Why a pod failed: one cause from what Kubernetes says of it. The cause decides which budget pays. */
import { parseTime, peerLostCode, trainerExit, type TrainingJob } from '../api/index.ts';
import { lossOf, unreadySinceMs, type Node } from './node.ts';
import { hasEnded, hindranceOf, podCondition, type Pod } from './pod.ts';
import { parseFailure } from './termination-message.ts';

export type LedgerEntry = NonNullable<NonNullable<TrainingJob['status']>['failures']>[number];
export type Cause = LedgerEntry['cause'];

export interface Failure {
  readonly cause: Cause;
  readonly reason: string;
  readonly message: string;
  readonly exitCode?: number;
  /** The end of the log as the kubelet kept it, where the message is something else. */
  readonly log?: string;
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
  TopologyAffinityError: 'Preempted',
  NodeShutdown: 'NodeLost',
  Terminated: 'NodeLost',
  NodeLost: 'NodeLost',
  // Of the pod's own activeDeadlineSeconds, which a role's template may set.
  DeadlineExceeded: 'ApplicationError',
};

/** `state.terminated.reason` of the container, where it says more than the exit code. */
const terminationCauses: Readonly<Record<string, Cause>> = {
  OOMKilled: 'OutOfMemory',
  StartError: 'ConfigurationError',
  ContainerCannotRun: 'ConfigurationError',
  ContainerStatusUnknown: 'NodeLost',
};

/** Waiting reasons of an image that is not there yet but may come. */
const imagePullReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'ErrImageNeverPull', 'ImageInspectError']);

/** Waiting reasons that no waiting mends. */
const hopelessWaits: ReadonlySet<string> = new Set(['InvalidImageName']);

export function isPullingBadly(pod: Pod): boolean {
  return imagePullReasons.has(hindranceOf(pod)?.reason ?? '');
}

/** When a pod whose image cannot be pulled counts as failed, in epoch milliseconds; undefined for any other pod. */
export function imagePullDeadline(pod: Pod, { imagePullDeadlineSeconds, pullingBadlySinceMs }: FailureRules, nowMs: number): number | undefined {
  return isPullingBadly(pod) ? (pullingBadlySinceMs ?? nowMs) + imagePullDeadlineSeconds * 1000 : undefined;
}

export interface FailureRules {
  /** Exit code 2 is the built-in trainer's word for a spec that cannot work; another program may mean anything by it. */
  readonly trainerExitCodes: boolean;
  readonly imagePullDeadlineSeconds: number;
  /** When a pull was first seen to fail; undefined when it was not. The pod's own start would count the time that a large image takes. */
  readonly pullingBadlySinceMs: number | undefined;
  readonly nodeLostAfterSeconds: number;
}

/**
 * A pod that ended well. What was told to stop may end with exit code 0 too, and only the built-in trainer's 0 means that
 * it had finished.
 */
export function hasSucceeded(pod: Pod, { trainerExitCodes }: Pick<FailureRules, 'trainerExitCodes'>): boolean {
  const { phase, main } = pod.status;
  if (phase !== 'Succeeded' && main?.terminated?.exitCode !== 0) return false;
  if (trainerExitCodes && main?.terminated?.exitCode === 0) return true;
  return pod.metadata.deletionTimestamp === undefined && (phase !== 'Failed' || takenBy(pod) === undefined);
}

/** The cause when the cluster ended, or is ending, the pod; undefined when it did not. */
export function takenBy(pod: Pod): Pick<Failure, 'cause' | 'reason' | 'message'> | undefined {
  const { reason = '', message = '' } = pod.status;
  const disruption = podCondition(pod, 'DisruptionTarget');
  if (disruption?.status === 'True') {
    return { cause: disruptionCauses[disruption.reason ?? ''] ?? 'Preempted', reason: disruption.reason ?? 'DisruptionTarget', message: disruption.message ?? '' };
  }
  // OutOfcpu, OutOfnvidia.com/gpu, …: the node had no room for it after all.
  const cause = podReasonCauses[reason] ?? (reason.startsWith('OutOf') ? 'Preempted' : undefined);
  return cause && { cause, reason, message };
}

/**
 * The failure of a pod, or undefined while it may still succeed.
 *
 * @param node  the node that the pod is on, where it is known
 */
export function failureOf(pod: Pod, node: Node | undefined, rules: FailureRules, nowMs: number): Failure | undefined {
  if (hasSucceeded(pod, rules)) return undefined;
  if (!hasEnded(pod)) return nodeFailure(node, rules, nowMs) ?? waitingFailure(pod, rules, nowMs);
  return blamingNode(endedFailure(pod, rules, nowMs), node);
}

/** When the pods of an unready node count as lost, in epoch milliseconds; undefined while it is ready. */
export function nodeLostDeadline(node: Node | undefined, { nodeLostAfterSeconds }: FailureRules): number | undefined {
  const since = node === undefined ? undefined : unreadySinceMs(node);
  return since === undefined ? undefined : since + nodeLostAfterSeconds * 1000;
}

function nodeFailure(node: Node | undefined, rules: FailureRules, nowMs: number): Failure | undefined {
  const deadline = nodeLostDeadline(node, rules);
  if (deadline === undefined || nowMs < deadline) return undefined;
  const { cause, notice } = lossOf(node);
  const since = notice === undefined ? '' : ` It had notice by ${notice.source}.`;
  return { cause, reason: 'NodeNotReady', message: `Node ${node?.metadata.name ?? ''} has not been ready for ${rules.nodeLostAfterSeconds} s.${since}`, timeMs: nowMs };
}

/** What the cluster did to a pod on a node that is being reclaimed, it did for that reason. */
function blamingNode(failure: Failure, node: Node | undefined): Failure {
  if (failure.cause !== 'Preempted' && failure.cause !== 'NodeLost') return failure;
  return lossOf(node).cause === 'SpotReclaim' ? { ...failure, cause: 'SpotReclaim' } : failure;
}

function endedFailure(pod: Pod, rules: FailureRules, nowMs: number): Failure {
  const { reason, message, main, other } = pod.status;
  const terminated = main?.terminated ?? other?.terminated;
  // A node's clock may be ahead of ours, which must not put off the next attempt.
  const timeMs = terminated?.finishedAt === undefined ? nowMs : Math.min(nowMs, parseTime(terminated.finishedAt));
  const code = terminated === undefined ? {} : { exitCode: terminated.exitCode, ...(terminated.message === undefined ? {} : { log: terminated.message }) };

  const taken = takenBy(pod);
  if (taken !== undefined) return { ...taken, timeMs, ...code };
  if (terminated === undefined) {
    return { cause: 'NodeLost', reason: reason ?? 'ContainerStateUnknown', message: message ?? 'The pod failed without a word from its container.', timeMs };
  }
  const byTermination = terminationCauses[terminated.reason ?? ''];
  const words = lastWords(terminated.message);
  const said = main?.terminated === undefined ? `Container ${other?.name ?? ''}${words === '' ? ' ended without a word' : `: ${words}`}` : words;
  if (byTermination !== undefined) return { cause: byTermination, reason: terminated.reason ?? '', message: said, timeMs, ...code };
  if (rules.trainerExitCodes && main?.terminated !== undefined && terminated.exitCode === trainerExit.configurationError) {
    return { cause: 'ConfigurationError', reason: errorCode(terminated.message) ?? 'Error', message: said, timeMs, ...code };
  }
  // A replica of ours that gave up since another was lost did nothing wrong, whatever became of the other.
  if (rules.trainerExitCodes && errorCode(terminated.message) === peerLostCode) return { cause: 'NodeLost', reason: peerLostCode, message: said, timeMs, ...code };
  // A pod that someone deletes ends by SIGTERM; that is not the program's own error.
  if (pod.metadata.deletionTimestamp !== undefined) return { cause: 'Preempted', reason: 'PodDeleted', message: said, timeMs, ...code };
  return { cause: 'ApplicationError', reason: errorCode(terminated.message) ?? terminated.reason ?? 'Error', message: said, timeMs, ...code };
}

function waitingFailure(pod: Pod, rules: FailureRules, nowMs: number): Failure | undefined {
  const { reason = '', message = '' } = hindranceOf(pod) ?? {};
  if (hopelessWaits.has(reason)) return { cause: 'ConfigurationError', reason, message, timeMs: nowMs };
  const deadline = imagePullDeadline(pod, rules, nowMs);
  if (deadline !== undefined && nowMs >= deadline) return { cause: 'ImagePull', reason, message, timeMs: nowMs };
  return undefined;
}

/** A pod that someone takes away while it has not ended yet: what its peers suffer follows from it. */
export function goingAway(pod: Pod, node: Node | undefined, nowMs: number): Failure | undefined {
  if (hasEnded(pod)) return undefined;
  const taken = takenBy(pod);
  if (taken !== undefined) return blamingNode({ ...taken, timeMs: nowMs }, node);
  if (pod.metadata.deletionTimestamp === undefined) return undefined;
  return blamingNode({ cause: 'Preempted', reason: 'PodDeleted', message: 'The pod is being deleted by someone else.', timeMs: nowMs }, node);
}

/** A pod that is gone from the cluster although it should be there. */
export function vanished(nowMs: number): Failure {
  return { cause: 'Preempted', reason: 'PodDeleted', message: 'The pod was deleted by someone else before it ended.', timeMs: nowMs };
}

/** Most characters of a pod's words in a sentence that an event must hold whole. */
export const longestQuote = 800;

/** The trainer's own sentence where it wrote one, else the end of the log that the kubelet kept. */
export function lastWords(message: string | undefined): string {
  return parseFailure(message)?.error.message ?? message?.trim() ?? '';
}

function errorCode(message: string | undefined): string | undefined {
  return parseFailure(message)?.error.code;
}
