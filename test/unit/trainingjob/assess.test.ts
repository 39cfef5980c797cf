import { expect } from 'chai';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import { planJob } from '../../../operator/src/controllers/trainingjob/plan.ts';
import { statusOf } from '../../../operator/src/controllers/trainingjob/status.ts';
import type { Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { begunJob, endedStatus, job, now, pod, resultMessage, runningStatus, seen, settings, withBudgets, withRole } from '../../support/builders/training-job.ts';
import { findCondition, podName, type TrainingResult } from '@anneal/operator/api';

const done = { kind: 'done', writes: 0 } as const;

function pass(observed: Observed, time = now) {
  const assessment = assess(observed, time);
  return { assessment, plan: planJob(observed, assessment, time, settings), status: statusOf(observed, assessment, done, time) };
}

describe('a new job', () => {
  it('gets its volume and one pod, named after its place and attempt', () => {
    const { plan } = pass(seen(job()));
    expect(plan.actions.map((action) => action.kind)).to.deep.equal(['Create', 'Create']);
    const [claim, created] = plan.actions.map((action) => (action.kind === 'Create' ? action.object : undefined));
    expect(claim?.kind).to.equal('PersistentVolumeClaim');
    expect(created?.metadata.name).to.equal(podName({ name: 'digits', uid: 'uid-of-digits' }, 'trainer', 0, 1));
    expect(created?.metadata.ownerReferences?.[0]).to.include({ kind: 'TrainingJob', uid: 'uid-of-digits', controller: true });
  });

  it('makes all pods of a role at once', () => {
    expect(pass(seen(job(withRole(3)))).plan.actions.filter((action) => action.kind === 'Create')).to.have.length(3);
  });
});

describe('a job whose pod succeeded', () => {
  const finished = job();
  const { status } = pass(seen(finished, { pods: [pod(finished, 1, endedStatus(0, { message: resultMessage }))] }));

  it('has succeeded, with the model and its metrics', () => {
    expect(findCondition(status.conditions, 'Succeeded')?.status).to.equal('True');
    expect(findCondition(status.conditions, 'Ready')).to.include({ status: 'True', reason: 'Succeeded' });
    expect(status.model).to.deep.include({ path: 'model', digest: `sha256:${'a'.repeat(64)}`, metrics: { test_accuracy: 0.98 } });
    expect(status.progress).to.include({ metric: 'test_accuracy 0.98', percent: 100 });
    expect(status.completionTime).to.equal('2026-03-01T12:00:00Z');
  });

  it('names the key that its model is served with, where the model knows rows by pseudonyms', () => {
    const { trainer } = finished.spec;
    if (trainer === undefined) throw new Error('There is no trainer.');
    const key = { secretName: 'pseudonyms', key: 'current' };
    const keyed = job({ trainer: { ...trainer, data: { ...trainer.data, privacy: { pseudonymise: { columns: ['card'], key } } } } });
    const of = (pseudonymKeyId?: string) => {
      const result = JSON.parse(resultMessage) as TrainingResult;
      const message = JSON.stringify({ ...result, model: { ...result.model, ...(pseudonymKeyId === undefined ? {} : { pseudonymKeyId }) } });
      return pass(seen(keyed, { pods: [pod(keyed, 1, endedStatus(0, { message }))] })).status.model;
    };
    expect(of('0123456789abcdef')?.pseudonymKey).to.deep.equal({ ...key, id: '0123456789abcdef' });
    expect(of()).not.to.have.property('pseudonymKey');
    expect(of('none that there is')).to.equal(undefined);
  });

  it('never makes a pod again, even when its pod is gone', () => {
    const { plan } = pass(seen(job({}, status)));
    expect(plan.actions).to.deep.equal([]);
  });

  it('is deleted when its time is over, but not while its model is served', () => {
    const expiring = seen(job({ ttlSecondsAfterFinished: 60 }, status));
    expect(pass(expiring, now + 59_000).plan.next).to.deep.equal({ kind: 'at', time: now + 60_000 });
    expect(pass(expiring, now + 60_000).plan.actions.map((action) => action.kind)).to.deep.equal(['Delete']);
    expect(pass({ ...expiring, servedBy: ['digits'] }, now + 60_000).plan.actions).to.deep.equal([]);
  });

  it('leaves it to its user to delete the snapshot, once it was ready', () => {
    const ready = { metadata: { name: 'x', namespace: 'team-a' }, status: { readyToUse: true, creationTime: '2026-03-01T12:00:00Z' } };
    const taken = pass(seen(job({ backup: { on: ['Succeeded'] }, ttlSecondsAfterFinished: 60 }, status), { over: { snapshots: { installed: true, name: 'x', object: ready as Observed['snapshots']['object'] } } }));
    expect(taken.status.backup?.snapshotName).to.equal('x');
    const gone = seen(job({ backup: { on: ['Succeeded'] }, ttlSecondsAfterFinished: 60 }, taken.status));
    expect(pass(gone).plan.actions).to.deep.equal([]);
    expect(findCondition(pass(gone).status.conditions, 'BackedUp')).to.include({ status: 'False', reason: 'SnapshotDeleted' });
    expect(pass(gone).status.backup).to.deep.equal(taken.status.backup);
    expect(pass(gone, now + 60_000).plan.actions.map((action) => action.kind)).to.deep.equal(['Delete']);
  });

  it('says why its snapshot is refused', () => {
    const backedUp = seen(job({ backup: { on: ['Succeeded'] } }, status));
    const { plan, assessment } = pass(backedUp);
    const [action] = plan.actions;
    if (action === undefined) throw new Error('no snapshot is taken');
    const refused = statusOf(backedUp, assessment, { kind: 'failed', action, error: new Error('exceeded quota: snapshots') }, now);
    expect(findCondition(refused.conditions, 'BackedUp')).to.include({ status: 'False', reason: 'SnapshotRefused', message: 'exceeded quota: snapshots' });
    expect(findCondition(refused.conditions, 'Ready')).to.include({ status: 'True', reason: 'Succeeded' });
  });

  it('has its volume snapshotted once when it asks for a backup', () => {
    const backedUp = job({ backup: { on: ['Succeeded'] } }, status);
    expect(pass(seen(backedUp)).plan.actions.map((action) => action.kind)).to.deep.equal(['Apply']);
    const without = seen(backedUp, { over: { snapshots: { installed: false, name: 'x', object: undefined } } });
    expect(pass(without).plan.actions).to.deep.equal([]);
    expect(findCondition(pass(without).status.conditions, 'BackedUp')).to.include({ status: 'False', reason: 'SnapshotsNotInstalled' });
  });
});

describe('a job whose pod failed', () => {
  const of = begunJob({});
  const failed = pod(of, 1, endedStatus(1, { message: 'boom' }));

  it('writes the evidence before it touches anything', () => {
    const { plan, status } = pass(seen(of, { pods: [failed] }));
    expect(plan.actions.every((action) => action.kind === 'Emit')).to.equal(true);
    expect(status.failures).to.have.length(1);
    expect(status.failures?.[0]).to.include({ attempt: 1, cause: 'ApplicationError', exitCode: 1, node: 'node-1', message: 'boom' });
    expect(status.budgetSpent).to.deep.equal({ applicationError: 1 });
  });

  it('begins the next attempt after the pause, once the last pod is over', () => {
    const recorded = job({}, pass(seen(of, { pods: [failed] })).status);
    const before = seen(recorded, { pods: [failed] });
    expect(pass(before, now).assessment.stage.kind).to.equal('BackingOff');
    const after = pass(before, now + 1000);
    expect(after.assessment.attempts.newest).to.equal(2);
    expect(after.plan.actions.map((action) => action.kind)).to.deep.equal(['Delete', 'Create', 'Create']);
  });

  it('does not wait an hour when the clock was set back by one after the failure', () => {
    const recorded = job({}, pass(seen(of, { pods: [failed] })).status);
    expect(pass(seen(recorded, { pods: [failed] }), now - 3_600_000).plan.actions.map((action) => action.kind)).to.deep.equal(['Delete', 'Create', 'Create']);
  });

  it('fails for good when the budget of that cause is spent', () => {
    const strict = begunJob(withBudgets({ applicationError: 0 }));
    const { status } = pass(seen(strict, { pods: [pod(strict, 1, endedStatus(1, { message: 'boom' }))] }));
    expect(findCondition(status.conditions, 'Failed')).to.include({ status: 'True', reason: 'ApplicationError' });
    expect(findCondition(status.conditions, 'Failed')?.message).to.match(/boom.*allows no restart/);
  });

  it('says at the end both the last words of a long log and what ended the job', () => {
    const strict = begunJob(withBudgets({ applicationError: 0 }));
    const { status, plan } = pass(seen(strict, { pods: [pod(strict, 1, endedStatus(1, { message: `${'at some line\n'.repeat(300)}ValueError: no rows` }))] }));
    expect(findCondition(status.conditions, 'Failed')?.message).to.match(/ValueError: no rows\. The budget applicationError allows no restart\.$/);
    const notes = plan.actions.flatMap((action) => (action.kind === 'Emit' ? [action.event.note] : []));
    expect(notes.every((note) => note.includes('ValueError: no rows') && note.length <= 1024)).to.equal(true);
    expect(status.failures?.[0]?.message).to.match(/^at some line/);
  });

  it('spends none of the retries that the user gave for their own errors when it was preempted', () => {
    const strict = begunJob(withBudgets({ applicationError: 0 }));
    const { status } = pass(seen(strict, { pods: [pod(strict, 1, endedStatus(143), { deleting: true })] }));
    expect(status.budgetSpent).to.deep.equal({ preempted: 1 });
    expect(findCondition(status.conditions, 'Failed')).to.equal(undefined);
  });

  it('takes a pod that is gone for preempted, but makes one that it never saw', () => {
    expect(pass(seen(begunJob({}))).status.failures?.[0]?.cause).to.equal('Preempted');
    expect(pass(seen(job({}, { attempt: 0 }))).status.failures).to.equal(undefined);
  });

  it('names the failure that came first among several pods', () => {
    const gang = begunJob(withRole(2));
    const pods = [
      pod(gang, 1, endedStatus(1, { finishedAt: '2026-03-01T12:00:05Z' }), { index: 0 }),
      pod(gang, 1, endedStatus(137, { reason: 'OOMKilled', finishedAt: '2026-03-01T12:00:02Z' }), { index: 1 }),
    ];
    expect(pass(seen(gang, { pods }), now + 6000).status.failures?.[0]).to.include({ cause: 'OutOfMemory', index: 1 });
  });

  it('blames no replica that ended because another was lost', () => {
    const gang = begunJob(withRole(2));
    const pods = [
      pod(gang, 1, endedStatus(1, { finishedAt: '2026-03-01T12:00:01Z', message: '{"error":{"code":"PEER_LOST","message":"Replica 1 was lost."}}' }), { index: 0 }),
      pod(gang, 1, endedStatus(137, { reason: 'OOMKilled', finishedAt: '2026-03-01T12:00:02Z' }), { index: 1 }),
    ];
    expect(pass(seen(gang, { pods }), now + 6000).status.failures?.[0]).to.include({ cause: 'OutOfMemory', index: 1 });
  });
});

describe('a suspended job', () => {
  const of = begunJob({ suspend: true }, { startTime: '2026-03-01T11:50:00Z' });

  it('says so, counts the seconds that it ran, and then ends its pods', () => {
    const pods = [pod(of, 1, runningStatus)];
    const { plan, status } = pass(seen(of, { pods }));
    expect(plan.actions).to.deep.equal([]);
    expect(findCondition(status.conditions, 'Suspended')?.status).to.equal('True');
    expect(status.activeSeconds).to.equal(600);
    expect(pass(seen(job({ suspend: true }, status), { pods })).plan.actions.map((action) => action.kind)).to.deep.equal(['Delete']);
  });

  it('does not count the end of its pods as a failure, and goes on with the same attempt', () => {
    const status = pass(seen(of, { pods: [pod(of, 1, runningStatus)] })).status;
    const ending = seen(job({ suspend: false }, status), { pods: [pod(of, 1, endedStatus(143), { deleting: true })] });
    expect(pass(ending).assessment.stage.kind).to.equal('Waiting');
    const resumed = pass(seen(job({ suspend: false }, pass(ending).status)));
    expect([resumed.assessment.attempts.newest, resumed.assessment.newFailures]).to.deep.equal([1, []]);
    expect(resumed.plan.actions.filter((action) => action.kind === 'Create')).to.have.length(2);
    expect(findCondition(resumed.status.conditions, 'Suspended')?.status).to.equal('False');
  });
});

describe('the deadline', () => {
  it('fails the job after the seconds that it ran, suspension left out', () => {
    const status = { startTime: '2026-03-01T11:00:00Z', activeSeconds: 50, conditions: [
      { type: 'Suspended', status: 'False' as const, reason: 'Resumed', message: '', lastTransitionTime: '2026-03-01T11:59:30Z' },
    ] };
    const of = begunJob({ activeDeadlineSeconds: 100 }, status);
    const at = (time: number) => pass(seen(of, { pods: [pod(of, 1, runningStatus)] }), time);
    expect(at(now + 19_000).assessment.stage.kind).to.equal('Active');
    expect(at(now + 19_000).plan.next).to.deep.equal({ kind: 'at', time: now + 20_000 });
    expect(at(now + 20_000).assessment.stage).to.include({ kind: 'Failed', reason: 'DeadlineExceeded' });
  });
});

describe('a job that asks for a pool where Karpenter is absent', () => {
  it('makes no pod and says what to do', () => {
    const { plan, status } = pass(seen(job(), { over: { pool: { name: 'anneal-x', installed: false, object: undefined } } }));
    expect(plan.actions).to.deep.equal([]);
    expect(findCondition(status.conditions, 'NodePoolReady')).to.include({ status: 'False', reason: 'KarpenterNotInstalled' });
    expect(findCondition(status.conditions, 'Scheduled')?.message).to.match(/Install Karpenter, or set nodePool.provider to Existing/);
  });
});
