import { expect } from 'chai';
import { conditionsFrom, cutBytes, cutText, findCondition, type TrainingResult } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import { planJob } from '../../../operator/src/controllers/trainingjob/plan.ts';
import { statusOf } from '../../../operator/src/controllers/trainingjob/status.ts';
import type { Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { MemoryProgressBoard } from '../../../operator/src/controllers/trainingjob/progress-board.ts';
import { parseReport } from '../../../operator/src/controllers/trainingjob/progress-report.ts';
import { failureOf, hasSucceeded } from '../../../operator/src/domain/failures.ts';
import { trainingPod } from '../../../operator/src/domain/training-pod.ts';
import type { PodStatus } from '../../../operator/src/domain/pod.ts';
import { begunJob, context, endedStatus, job, now, pod, resultMessage, runningStatus, seen, settings, withBudgets, withRole } from '../../support/builders/training-job.ts';

const done = { kind: 'done', writes: 0 } as const;
const rules = { trainerExitCodes: false, imagePullDeadlineSeconds: 300, pullingBadlySinceMs: undefined, nodeLostAfterSeconds: 120 };

function pass(observed: Observed, time = now) {
  const assessment = assess(observed, time);
  return { assessment, plan: planJob(observed, assessment, time, settings), status: statusOf(observed, assessment, done, time) };
}

const cause = (status: PodStatus) => failureOf(pod(job(withRole(1)), 1, status), undefined, rules, now);

describe('a program of the user that answers SIGTERM with exit code 0', () => {
  const of = begunJob(withRole(1));

  it('has not succeeded when its pod was being deleted', () => {
    const { status } = pass(seen(of, { pods: [pod(of, 1, endedStatus(0), { deleting: true })] }));
    expect(findCondition(status.conditions, 'Succeeded')).to.equal(undefined);
    expect(status.failures?.[0]).to.include({ cause: 'Preempted', reason: 'PodDeleted', exitCode: 0 });
  });

  it('has not succeeded when the kubelet evicted it', () => {
    const { status } = pass(seen(of, { pods: [pod(of, 1, { ...endedStatus(0), phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' })] }));
    expect(findCondition(status.conditions, 'Succeeded')).to.equal(undefined);
    expect(status.failures?.[0]).to.include({ cause: 'Preempted', reason: 'Evicted' });
  });

  it('has not succeeded while the job is being suspended', () => {
    const suspended = begunJob({ ...withRole(1), suspend: true });
    expect(pass(seen(suspended, { pods: [pod(suspended, 1, endedStatus(0), { deleting: true })] })).assessment.stage.kind).to.equal('Suspended');
  });

  it('has succeeded when only a sidecar failed after it', () => {
    expect(hasSucceeded(pod(of, 1, { ...endedStatus(0), phase: 'Failed' }), rules)).to.equal(true);
  });

  it('is believed when it is our trainer, whose 0 means that the model is there', () => {
    const trained = begunJob({});
    const { status } = pass(seen(trained, { pods: [pod(trained, 1, endedStatus(0, { message: resultMessage }), { deleting: true })] }));
    expect(findCondition(status.conditions, 'Succeeded')?.status).to.equal('True');
  });
});

describe('a pod that never got as far as its program', () => {
  it('is an application error when an init container failed, with its words', () => {
    const status: PodStatus = { phase: 'Failed', main: { ready: false, waiting: { reason: 'PodInitializing' } }, other: { name: 'fetch', terminated: { exitCode: 3, message: 'no route to host' } } };
    expect(cause(status)).to.include({ cause: 'ApplicationError', exitCode: 3, message: 'Container fetch: no route to host' });
    expect(cause({ ...status, other: { name: 'fetch', terminated: { exitCode: 137, reason: 'OOMKilled' } } })).to.include({ cause: 'OutOfMemory', message: 'Container fetch ended without a word' });
  });

  it('waits for the image of a sidecar or an init container no longer than for its own', () => {
    const of = begunJob(withRole(1));
    const stuck = pod(of, 1, { phase: 'Pending', main: { ready: false, waiting: { reason: 'PodInitializing' } }, other: { name: 'fetch', waiting: { reason: 'ImagePullBackOff', message: 'not found' } } });
    const first = pass(seen(of, { pods: [stuck] }));
    expect(findCondition(first.status.conditions, 'Running')?.message).to.match(/container fetch .*not found/);
    const later = pass(seen(job(withRole(1), first.status), { pods: [stuck] }), now + 300_000);
    expect(later.status.failures?.[0]).to.include({ cause: 'ImagePull' });
  });

  it('is taken away by the cluster when a node had no room for it after all, whatever was missing', () => {
    for (const reason of ['OutOfcpu', 'OutOfnvidia.com/gpu', 'OutOfephemeral-storage', 'TopologyAffinityError']) {
      expect(cause({ phase: 'Failed', reason, message: 'Pod was rejected' })).to.include({ cause: 'Preempted', reason });
    }
  });

  it('is lost with its node when the kubelet cannot say how its container ended', () => {
    expect(cause(endedStatus(137, { reason: 'ContainerStatusUnknown' }))?.cause).to.equal('NodeLost');
  });

  it('is an application error when it outlived the deadline of its own template', () => {
    expect(cause({ phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' })?.cause).to.equal('ApplicationError');
  });

  it('has the whole deadline for its image from the first failed pull on, however long the node took before', () => {
    const of = begunJob({});
    const stuck = pod(of, 1, { phase: 'Pending', startTime: '2026-03-01T11:00:00Z', main: { ready: false, waiting: { reason: 'ErrImagePull', message: 'reset by peer' } } });
    const first = pass(seen(of, { pods: [stuck] }));
    expect(first.status.failures).to.equal(undefined);
    expect(first.plan.next).to.deep.equal({ kind: 'at', time: now + 300_000 });
    expect(findCondition(first.status.conditions, 'ImagePulled')).to.include({ status: 'False', reason: 'ErrImagePull' });
    const again = pass(seen(job({}, first.status), { pods: [stuck] }), now + 299_000);
    expect(again.plan.next).to.deep.equal({ kind: 'at', time: now + 300_000 });
    expect(pass(seen(job({}, first.status), { pods: [stuck] }), now + 300_000).status.failures?.[0]?.cause).to.equal('ImagePull');
  });
});

describe('a gang that loses one pod to the cluster', () => {
  it('blames the cluster, not the peers that failed because of it', () => {
    const of = begunJob({ ...withRole(2), ...withBudgets({ applicationError: 0 }) });
    const peer = pod(of, 1, endedStatus(1, { message: 'connection reset by peer' }), { index: 1 });
    const going = pod(of, 1, runningStatus, { index: 0, deleting: true });
    expect(pass(seen(of, { pods: [going, peer] })).status.failures?.[0]).to.include({ cause: 'Preempted', index: 0 });
    expect(pass(seen(of, { pods: [peer] })).status.failures?.[0]).to.include({ cause: 'Preempted', index: 0 });
    const disrupted = pod(of, 1, { ...runningStatus, conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message: 'taint' }] }, { index: 0 });
    expect(pass(seen(of, { pods: [disrupted, peer] })).status.failures?.[0]).to.include({ cause: 'NodeLost', index: 0 });
  });
});

describe('a pod that the cluster takes away again and again', () => {
  it('is made anew at once at first, then after pauses', () => {
    let status = {};
    const pauses: number[] = [];
    let time = now;
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const of = job({}, { ...status, attempt });
      const rejected = pod(of, attempt, { phase: 'Failed', reason: 'OutOfcpu', message: 'Node did not have enough resource' });
      const found = pass(seen(of, { pods: [rejected] }), time);
      status = found.status;
      const { stage } = found.assessment;
      if (stage.kind !== 'BackingOff') throw new Error(stage.kind);
      pauses.push((stage.untilMs - time) / 1000);
      time = stage.untilMs;
    }
    expect(pauses).to.deep.equal([0, 0, 1, 2, 4, 8]);
  });
});

describe('what a pod said', () => {
  it('never makes the status larger than the API server takes', () => {
    const of = begunJob(withRole(1));
    const endless = pod(of, 1, { ...endedStatus(1), conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'R'.repeat(200), message: 'ж'.repeat(32_768) }] });
    const entry = pass(seen(of, { pods: [endless] })).status.failures?.[0];
    expect(entry?.message).to.have.length(4096);
    expect(entry?.reason).to.have.length(128);
  });

  it('does not stop the operator when it is no result although it looks like one', () => {
    const of = job({ ...withRole(1), checkpoint: { volume: { claimName: 'models' }, interval: { mode: 'EveryEpoch' }, keep: 2 } }, { attempt: 1 });
    for (const message of ['{"metrics":{},"model":null,"epochs":1}', '{"metrics":{"a":"b"},"model":{"path":"m","digest":"none"},"epochs":"x"}']) {
      const { status } = pass(seen(of, { pods: [pod(of, 1, endedStatus(0, { message }))] }));
      expect(findCondition(status.conditions, 'Succeeded')?.status).to.equal('True');
      expect(status.model).to.equal(undefined);
    }
  });

  it('is missed where the trainer should have left a result: the job has succeeded, and says what is wrong with it', () => {
    const result = JSON.parse(resultMessage) as TrainingResult;
    const unreadable: readonly [string | undefined, string][] = [
      [undefined, 'it left no termination message.'],
      ['done', 'its termination message is no JSON object: done.'],
      ['[1]', 'its termination message is no JSON object: [1].'],
      [resultMessage.slice(0, -1), `its termination message is no JSON object: ${resultMessage.slice(0, -1)}.`],
      [JSON.stringify({ ...result, metrics: { test_rmse: NaN } }), 'metrics in its termination message is not an object of at most 64 finite numbers.'],
      [JSON.stringify({ ...result, model: { ...result.model, digest: 'none' } }), 'model.digest in its termination message is not sha256: and 64 hexadecimal digits.'],
      [JSON.stringify({ ...result, model: null }), 'model.path in its termination message is not a text of at most 256 characters.'],
    ];
    for (const [message, why] of unreadable) {
      const of = begunJob();
      const main = pod(of, 1, endedStatus(0, message === undefined ? {} : { message }));
      const { status, plan } = pass(seen(of, { pods: [main] }));
      expect(findCondition(status.conditions, 'Succeeded')?.status).to.equal('True');
      expect(status.model).to.equal(undefined);
      const known = findCondition(status.conditions, 'ModelKnown');
      expect(known).to.include({ status: 'False', reason: 'ResultUnreadable' });
      expect(known?.message).to.contain(`Pod ${main.metadata.name} ended well, but its result cannot be read: ${why} The model`).and.to.match(/in folder model of PersistentVolumeClaim digits-volume-/);
      expect(findCondition(status.conditions, 'Ready')).to.include({ status: 'False', reason: 'ResultUnreadable' });
      expect(plan.actions.flatMap((action) => (action.kind === 'Emit' ? [action.event.reason] : []))).to.deep.equal(['Succeeded', 'ResultUnreadable']);
      expect(findCondition(pass(seen({ ...of, status })).status.conditions, 'ModelKnown')).to.deep.equal(known);
    }
  });

  it('is looked for only where there should be one', () => {
    for (const [of, message] of [[begunJob(), resultMessage], [begunJob(withRole(1)), 'done']] as const) {
      const { status } = pass(seen(of, { pods: [pod(of, 1, endedStatus(0, { message }))] }));
      expect(findCondition(status.conditions, 'Ready')).to.include({ status: 'True', reason: 'Succeeded' });
      expect(findCondition(status.conditions, 'ModelKnown')).to.equal(undefined);
    }
  });

  it('is cut between characters, and by bytes where Kubernetes counts bytes', () => {
    expect(cutText('ab😀', 3)).to.equal('ab');
    expect(cutText('ab😀', 4)).to.equal('ab😀');
    expect(cutBytes('жжж', 5)).to.equal('жж');
    expect(cutBytes('abc', 5)).to.equal('abc');
    const [condition] = conditionsFrom(undefined, [{ type: 'Ready', status: 'False', reason: '', message: `${'a'.repeat(2047)}😀` }], 1, '2026-03-01T12:00:00Z');
    expect(condition).to.include({ reason: 'Unknown', message: 'a'.repeat(2047) });
  });

  it('fits into an event, whose note is counted in bytes', () => {
    const of = begunJob(withRole(1));
    const { plan } = pass(seen(of, { pods: [pod(of, 1, endedStatus(1, { message: 'ж'.repeat(2000) }))] }));
    const notes = plan.actions.flatMap((action) => (action.kind === 'Emit' ? [action.event.note] : []));
    expect(notes).to.have.length(1);
    expect(Buffer.byteLength(notes[0] ?? '')).to.be.at.most(1024).and.at.least(1000);
  });
});

describe('a report of progress', () => {
  const report = { attempt: 1, epoch: 1, epochs: 5, step: 10, percent: 20, remainingSeconds: 3.5, metrics: {} };
  const checkpoint = { epoch: 1, step: 10, time: '2026-03-01T12:00:00.123Z', path: 'checkpoints/epoch-000001' };
  const parsed = (over: object) => parseReport(JSON.stringify({ ...report, ...over }));

  it('is refused when the status could not hold its numbers', () => {
    expect(parsed({ epoch: 1.5 })).to.match(/epoch must be a whole number/);
    expect(parsed({ step: 1e300 })).to.match(/step must be a whole number/);
    expect(parsed({ epochs: 3_000_000_000 })).to.match(/epochs must be a whole number/);
    expect(parseReport(JSON.stringify(report).replace('"percent":20', '"percent":1e999'))).to.match(/percent must be/);
    expect(parsed({ checkpoint: { ...checkpoint, step: 0.5 } })).to.match(/checkpoint must have/);
    expect(parsed({ metrics: { ['m'.repeat(200)]: 1 } })).to.match(/metrics must be/);
  });

  it('leaves out a metric that is no number, and writes times as Kubernetes does', () => {
    expect(parseReport(JSON.stringify({ ...report, checkpoint }).replace('"metrics":{}', '"metrics":{"loss":1e999,"accuracy":0.5}'))).to.deep.equal({
      ...report, metrics: { accuracy: 0.5 }, checkpoint: { ...checkpoint, time: '2026-03-01T12:00:00Z' },
    });
  });
});

describe('a node whose clock is wrong', () => {
  it('neither delays the next attempt nor moves the start of the job into the future or before its creation', () => {
    const of = begunJob(withRole(1));
    const ahead = pod(of, 1, endedStatus(1, { startedAt: '2026-03-01T13:00:00Z', finishedAt: '2026-03-01T13:00:01Z' }));
    const { assessment, status } = pass(seen(of, { pods: [ahead] }));
    expect(assessment.wakeAtMs).to.equal(now + 1000);
    expect(status.startTime).to.equal('2026-03-01T12:00:00Z');
    const behind = pod(of, 1, { ...runningStatus, main: { ready: true, running: { startedAt: '2026-03-01T09:00:00Z' } } });
    expect(pass(seen(of, { pods: [behind] })).status.startTime).to.equal('2026-03-01T11:59:00Z');
  });
});

describe('what the conditions say', () => {
  it('does not call a gang running of which some pods do not exist', () => {
    const of = job(withRole(2), {});
    const { status } = pass(seen(of, { pods: [pod(of, 1, runningStatus)] }));
    expect(findCondition(status.conditions, 'Running')).to.include({ status: 'False', message: '1 of 2 pods run.' });
  });

  it('says that a pod is being deleted, and where, while it has not ended', () => {
    const of = begunJob({});
    const { status } = pass(seen(of, { pods: [pod(of, 1, runningStatus, { deleting: true })] }));
    expect(findCondition(status.conditions, 'Running')).to.include({ status: 'False', reason: 'PodTerminating' });
    expect(findCondition(status.conditions, 'Running')?.message).to.match(/on node node-1 is being deleted/);
  });
});

describe('an image that does not come', () => {
  const of = begunJob({});
  const pulling = (reason: string, message: string) => pod(of, 1, { phase: 'Pending', main: { ready: false, waiting: { reason, message } } });

  it('needs somebody: the job is not ready', () => {
    const { status } = pass(seen(of, { pods: [pulling('ErrImagePull', 'pull access denied')] }));
    expect(findCondition(status.conditions, 'Ready')).to.include({ status: 'False', reason: 'ErrImagePull' });
  });

  it('keeps the registry’s words while the kubelet only says that it waits, and so writes nothing', () => {
    const { status } = pass(seen(of, { pods: [pulling('ErrImagePull', 'pull access denied')] }));
    const backingOff = pass(seen(job({}, status), { pods: [pulling('ImagePullBackOff', 'Back-off pulling image')] }), now + 5000);
    expect(backingOff.status).to.deep.equal(status);
    const other = pass(seen(job({}, status), { pods: [pulling('ErrImagePull', 'no space left')] }), now + 5000);
    expect(findCondition(other.status.conditions, 'Running')?.message).to.match(/no space left/);
  });
});

describe('the newest checkpoint', () => {
  it('is the one that the pod named last, since an attempt may pass over one that it cannot read', () => {
    const board = new MemoryProgressBoard(() => undefined, 0);
    const report = (attempt: number, step: number | undefined) => ({
      attempt, epoch: 1, epochs: 5, step: 10, percent: 20, remainingSeconds: 3, metrics: {},
      ...(step === undefined ? {} : { checkpoint: { epoch: 1, step, time: '2026-03-01T12:00:00Z', path: `checkpoints/${step}` } }),
    });
    const tell = (attempt: number, step: number | undefined) => {
      board.receive({ job: { namespace: 'team-a', name: 'digits' }, jobUid: 'uid-of-digits', place: 'trainer/0', attempt, report: report(attempt, step), time: now });
      return pass(seen(begunJob(), { pods: [pod(job(), 1, runningStatus)], over: { progress: board.newest('uid-of-digits') } })).status.checkpoint?.step;
    };
    expect([tell(1, 10), tell(1, 20), tell(1, undefined), tell(2, 10), tell(2, undefined)]).to.deep.equal([10, 20, 20, 10, 10]);
    expect(tell(1, 30)).to.equal(10);
  });
});

describe('the end of a job', () => {
  it('ends a sidecar that outlives the program, after a moment in which it may end by itself', () => {
    const ended = begunJob(withRole(1), { completionTime: '2026-03-01T12:00:00Z', conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: '2026-03-01T12:00:00Z' }] });
    const withSidecar = seen(ended, { pods: [pod(ended, 1, { ...endedStatus(0), phase: 'Running' })] });
    expect(pass(withSidecar).plan).to.deep.equal({ actions: [], next: { kind: 'at', time: now + 30_000 } });
    expect(pass(withSidecar, now + 30_000).plan.actions.map((action) => action.kind)).to.deep.equal(['Delete']);
  });

  it('keeps job and volume until the backup that it asks for is ready, however short its time to live', () => {
    const { status } = pass(seen(job(), { pods: [pod(job(), 1, endedStatus(0, { message: resultMessage }))] }));
    const backedUp = job({ backup: { on: ['Succeeded'] }, ttlSecondsAfterFinished: 0 }, status);
    expect(pass(seen(backedUp)).plan.actions.map((action) => action.kind)).to.deep.equal(['Apply']);
    const snapshot = (readyToUse: boolean) => ({ installed: true, name: 'digits-succeeded', object: { apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata: { name: 'digits-succeeded' }, status: { readyToUse } } });
    expect(pass(seen(backedUp, { over: { snapshots: snapshot(false) } })).plan.actions).to.deep.equal([]);
    expect(pass(seen(backedUp, { over: { snapshots: snapshot(true) } })).plan.actions.map((action) => action.kind)).to.deep.equal(['Delete']);
  });
});

describe('a job past its deadline', () => {
  it('keeps why its last attempt failed, which nobody saw in time', () => {
    const of = begunJob({ activeDeadlineSeconds: 10 }, { startTime: '2026-03-01T12:00:00Z' });
    const { status, plan } = pass(seen(of, { pods: [pod(of, 1, endedStatus(1, { message: 'boom' }))] }), now + 60_000);
    expect(findCondition(status.conditions, 'Failed')).to.include({ reason: 'DeadlineExceeded' });
    expect(status.failures?.[0]).to.include({ cause: 'ApplicationError', message: 'boom' });
    expect(status.budgetSpent).to.equal(undefined);
    expect(plan.actions.map((action) => action.kind)).to.deep.equal(['Emit', 'Emit']);
  });
});

describe('the pod of a role', () => {
  it('has the last log lines of its init containers kept, and no label of ours that the user wrote', () => {
    const template = {
      metadata: { labels: { team: 'a', 'anneal.dev/model-deployment': 'served', 'anneal.dev/role': 'x' } },
      spec: { initContainers: [{ name: 'fetch', image: 'x:1' }, { name: 'own', image: 'x:1', terminationMessagePolicy: 'File' }], containers: [{ name: 'main', image: 'x:1' }] },
    };
    const { metadata, spec } = trainingPod({ namespace: 'team-a', name: 'digits', uid: 'u', spec: job({ roles: [{ name: 'worker', replicas: 1, template }] }).spec }, { role: 'worker', index: 0 }, 1, context);
    expect(metadata.labels).to.deep.equal({
      team: 'a', 'app.kubernetes.io/managed-by': 'anneal', 'anneal.dev/training-job': 'digits', 'anneal.dev/role': 'worker', 'anneal.dev/index': '0', 'anneal.dev/attempt': '1',
    });
    expect(spec.initContainers?.map((container) => container.terminationMessagePolicy)).to.deep.equal(['FallbackToLogsOnError', 'File']);
  });
});

describe('the pod of the built-in trainer', () => {
  it('has the labels and annotations that its user asks for', () => {
    const spec = job({ pod: { labels: { team: 'a' }, annotations: { 'sidecar.istio.io/inject': 'false' }, terminationGracePeriodSeconds: 60 } }).spec;
    const { metadata } = trainingPod({ namespace: 'team-a', name: 'digits', uid: 'u', spec }, { role: 'trainer', index: 0 }, 1, context);
    expect(metadata.labels).to.include({ team: 'a', 'anneal.dev/training-job': 'digits' });
    expect(metadata.annotations).to.deep.equal({ 'sidecar.istio.io/inject': 'false', 'anneal.dev/main-container': 'trainer' });
  });
});

describe('the environment of a role', () => {
  it('lets variables of the user refer to ours, which come first and only once', () => {
    const of = job({ roles: [{ name: 'worker', replicas: 1, template: { spec: { containers: [{ name: 'main', image: 'x:1', env: [{ name: 'ANNEAL_ATTEMPT', value: '7' }, { name: 'RUN', value: '$(ANNEAL_ATTEMPT)' }] }] } } }] });
    const created = pass(seen(of)).plan.actions.flatMap((action) => (action.kind === 'Create' ? [action.object as unknown as { spec: { containers: { env: { name: string; value: string }[] }[] } }] : []));
    const env = created.at(-1)?.spec.containers[0]?.env ?? [];
    expect(env.at(-1)).to.deep.equal({ name: 'RUN', value: '$(ANNEAL_ATTEMPT)' });
    expect(env.filter(({ name }) => name === 'ANNEAL_ATTEMPT')).to.deep.equal([{ name: 'ANNEAL_ATTEMPT', value: '1' }]);
  });
});
