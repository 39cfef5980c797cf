import { expect } from 'chai';
import { failureOf, type Cause } from '../../../operator/src/domain/failures.ts';
import type { PodStatus } from '../../../operator/src/domain/pod.ts';
import { endedStatus, job, now, pod, runningStatus } from '../../support/builders/training-job.ts';

const rules = { trainerExitCodes: true, imagePullDeadlineSeconds: 300, pullingBadlySinceMs: now, nodeLostAfterSeconds: 120 };
const disrupted = (reason: string): PodStatus => ({ ...endedStatus(137), conditions: [{ type: 'DisruptionTarget', status: 'True', reason, message: 'as asked' }] });

describe('the cause of a failure', () => {
  const table: readonly [string, PodStatus, Cause | undefined][] = [
    ['an exit code', endedStatus(1, { reason: 'Error' }), 'ApplicationError'],
    ['a kill by hand', endedStatus(137, { reason: 'Error' }), 'ApplicationError'],
    ["the kernel's memory killer", endedStatus(137, { reason: 'OOMKilled' }), 'OutOfMemory'],
    ["the trainer's word that the spec cannot work", endedStatus(2), 'ConfigurationError'],
    ['a command that does not exist', endedStatus(128, { reason: 'StartError', message: 'exec: "trian": not found' }), 'ConfigurationError'],
    ['a preemption by the scheduler', disrupted('PreemptionByScheduler'), 'Preempted'],
    ['an eviction by the API', disrupted('EvictionByEvictionAPI'), 'Preempted'],
    ['a taint on the node', disrupted('DeletionByTaintManager'), 'NodeLost'],
    ['a garbage collected pod of a lost node', disrupted('DeletionByPodGC'), 'NodeLost'],
    ['an eviction by the kubelet', { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' }, 'Preempted'],
    ['a node that shut down', { phase: 'Failed', reason: 'NodeShutdown' }, 'NodeLost'],
    ['a pod without a word from its container', { phase: 'Failed' }, 'NodeLost'],
    ['a name that is no image', { phase: 'Pending', main: { ready: false, waiting: { reason: 'InvalidImageName', message: 'bad' } } }, 'ConfigurationError'],
    ['nothing: it runs', runningStatus, undefined],
    ['nothing: it ended well', endedStatus(0), undefined],
    ['nothing: a container ended well while a sidecar runs', { ...runningStatus, main: { ready: false, terminated: { exitCode: 0 } } }, undefined],
  ];
  for (const [what, status, cause] of table) {
    it(`is ${cause ?? 'none'} for ${what}`, () => {
      expect(failureOf(pod(job(), 1, status), undefined, rules, now)?.cause).to.equal(cause);
    });
  }

  it('takes exit code 2 of a program of the user for an ordinary error', () => {
    expect(failureOf(pod(job(), 1, endedStatus(2)), undefined, { ...rules, trainerExitCodes: false }, now)?.cause).to.equal('ApplicationError');
  });

  it('is Preempted, not an application error, when someone deleted the pod', () => {
    expect(failureOf(pod(job(), 1, endedStatus(143), { deleting: true }), undefined, rules, now)?.cause).to.equal('Preempted');
  });

  it('waits for an image until the deadline, and is ImagePull from then on', () => {
    const stuck = pod(job(), 1, { phase: 'Pending', startTime: '2026-03-01T12:00:00Z', main: { ready: false, waiting: { reason: 'ImagePullBackOff', message: 'not found' } } });
    expect(failureOf(stuck, undefined, rules, now + 299_999)).to.equal(undefined);
    expect(failureOf(stuck, undefined, rules, now + 300_000)?.cause).to.equal('ImagePull');
  });

  it("carries the trainer's own sentence and code, or the end of the log", () => {
    const said = JSON.stringify({ error: { code: 'DATA_COLUMN_MISSING', message: 'The data has no column "label".' } });
    expect(failureOf(pod(job(), 1, endedStatus(2, { message: said })), undefined, rules, now)).to.include({ reason: 'DATA_COLUMN_MISSING', message: 'The data has no column "label".' });
    expect(failureOf(pod(job(), 1, endedStatus(1, { message: 'Traceback:\n  boom\n' })), undefined, rules, now)).to.include({ message: 'Traceback:\n  boom', exitCode: 1 });
  });
});
