import { expect } from 'chai';
import { findCondition, podName, type TrainingJob, type TrainingJobSpec } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import type { Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { planJob } from '../../../operator/src/controllers/trainingjob/plan.ts';
import { statusOf } from '../../../operator/src/controllers/trainingjob/status.ts';
import { placesOf } from '../../../operator/src/domain/roles.ts';
import type { Node } from '../../../operator/src/domain/node.ts';
import type { Pod, PodStatus } from '../../../operator/src/domain/pod.ts';
import type { Action } from '../../../operator/src/runtime/index.ts';
import { begunJob, endedStatus, job, now, pod, role, runningStatus, seen, settings, withBudgets } from '../../support/builders/training-job.ts';

function pass(observed: Observed, time = now) {
  const assessment = assess(observed, time);
  return { assessment, plan: planJob(observed, assessment, time, settings), status: statusOf(observed, assessment, { kind: 'done', writes: 0 }, time) };
}

/** A job with all its pods running but for the places that are given another status, or none. */
function look(of: TrainingJob, others: Readonly<Record<string, PodStatus | 'gone'>> = {}, over: Partial<Observed> = {}): Observed {
  const pods = placesOf(of.spec).flatMap((place, index): Pod[] => {
    const status = others[`${place.role}/${place.index}`] ?? runningStatus;
    return status === 'gone' ? [] : [pod(of, 1, status, { index })];
  });
  return seen(of, { pods, over });
}

const next = (of: TrainingJob, status: TrainingJob['status']): TrainingJob => ({ ...of, ...(status === undefined ? {} : { status }) });
const nameIn = (action: Action): string => (action.kind === 'Create' ? action.object.metadata.name : action.kind === 'Delete' ? action.target.name : '');
const names = (plan: ReturnType<typeof pass>['plan'], kind: 'Create' | 'Delete') => plan.actions.filter((action) => action.kind === kind).map(nameIn);
const nameOf = (of: TrainingJob, place: string, attempt: number) => podName({ name: of.metadata.name, uid: of.metadata.uid ?? '' }, place.split('/')[0] ?? '', Number(place.split('/')[1]), attempt);

const parameterServers = (over: Partial<TrainingJobSpec> = {}) =>
  begunJob({ framework: 'TensorFlow', roles: [role('chief'), role('ps', 2), role('worker', 3)], ...over });

describe('a pod that is restarted alone', () => {
  it('gets an attempt of its own, while the others go on with theirs', () => {
    const of = parameterServers();
    const failed = look(of, { 'worker/1': endedStatus(1, { message: 'boom' }) });
    const first = pass(failed);
    expect(first.status.failures?.[0]).to.include({ role: 'worker', index: 1, scope: 'Pod', attempt: 1, nextAttempt: 2 });
    expect(first.status).to.include({ attempt: 2, gangAttempt: 1 });
    const second = pass(look(next(of, first.status), { 'worker/1': endedStatus(1) }), now + 1000);
    expect(names(second.plan, 'Delete')).to.deep.equal([nameOf(of, 'worker/1', 1)]);
    expect(names(second.plan, 'Create')).to.deep.equal([nameOf(of, 'worker/1', 2)]);
    expect(second.assessment.stage.kind).to.equal('Active');
  });

  it('waits for its pause, and for its predecessor to end', () => {
    const of = parameterServers();
    const { status } = pass(look(of, { 'worker/1': endedStatus(1) }));
    const paused = pass(look(next(of, status), { 'worker/1': 'gone' }), now + 500);
    expect([names(paused.plan, 'Create'), paused.plan.next]).to.deep.equal([[], { kind: 'at', time: now + 1000 }]);
    const ending = seen(next(of, status), { pods: [...look(next(of, status), { 'worker/1': 'gone' }).pods, pod(of, 1, runningStatus, { index: 4, deleting: true })] });
    expect(names(pass(ending, now + 2000).plan, 'Create')).to.deep.equal([]);
  });

  it('is one entry in the ledger for each of several that fail at once', () => {
    const { status } = pass(look(parameterServers(), { 'worker/0': endedStatus(1), 'worker/2': endedStatus(137, { reason: 'OOMKilled' }) }));
    expect(status.failures?.map(({ index, cause, nextAttempt }) => [index, cause, nextAttempt])).to.deep.equal([[0, 'ApplicationError', 2], [2, 'OutOfMemory', 3]]);
    expect(status.budgetSpent).to.deep.equal({ applicationError: 1, outOfMemory: 1 });
  });

  it('gives way when a pod that all depend on fails too', () => {
    const { status } = pass(look(parameterServers(), { 'worker/0': endedStatus(1), 'ps/1': endedStatus(1) }));
    expect(status.failures).to.have.length(1);
    expect(status.failures?.[0]).to.include({ role: 'ps', scope: 'Gang' });
    expect(status).to.include({ attempt: 2, gangAttempt: 2 });
  });
});

describe('a gang', () => {
  const gang = (over: Partial<TrainingJobSpec> = {}) => begunJob({ framework: 'JAX', roles: [role('worker', 3)], ...over });

  it('begins anew with all its pods, once the last of them has ended', () => {
    const of = gang();
    const { status } = pass(look(of, { 'worker/1': endedStatus(1) }));
    const ending = pass(look(next(of, status), { 'worker/1': endedStatus(1) }), now + 1000);
    expect(ending.assessment.stage).to.include({ kind: 'Waiting', reason: 'PreviousAttemptEnding' });
    expect([names(ending.plan, 'Delete').length, names(ending.plan, 'Create').length]).to.deep.equal([3, 0]);
    const gone = pass(seen(next(of, status)), now + 1000);
    expect(names(gone.plan, 'Create')).to.deep.equal(['worker/0', 'worker/1', 'worker/2'].map((place) => nameOf(of, place, 2)));
  });

  it('keeps a success on record when the pod is removed before the others end', () => {
    const of = gang();
    const { status } = pass(look(of, { 'worker/2': endedStatus(0) }));
    expect(status.roles?.[0]?.completedIndexes).to.equal('2');
    const later = pass(look(next(of, status), { 'worker/2': 'gone' }));
    expect([later.status.failures, names(later.plan, 'Create')]).to.deep.equal([undefined, []]);
    const done = pass(look(next(of, later.status), { 'worker/0': endedStatus(0), 'worker/1': endedStatus(0), 'worker/2': 'gone' }));
    expect(findCondition(done.status.conditions, 'Succeeded')?.status).to.equal('True');
  });

  it('has succeeded with its chief, whatever the others do, where the framework says so', () => {
    const of = parameterServers();
    expect(pass(look(of, { 'chief/0': endedStatus(0) })).assessment.stage.kind).to.equal('Succeeded');
    expect(pass(look(of, { 'worker/0': endedStatus(0) })).assessment.stage.kind).to.equal('Active');
  });
});

describe('a rule of the failure policy', () => {
  const withRules = (rules: TrainingJobSpec['failurePolicy']['rules']) => ({ failurePolicy: { ...job().spec.failurePolicy, ...(rules === undefined ? {} : { rules }) } });

  it('ends the job at once, with retries left', () => {
    const of = parameterServers(withRules([{ when: { exitCodes: [42] }, action: 'Fail', excludeNode: false }]));
    const { status } = pass(look(of, { 'worker/1': endedStatus(42, { message: 'bad data' }) }));
    expect(findCondition(status.conditions, 'Failed')?.message).to.match(/bad data.*rule of failurePolicy says Fail/);
    expect(status.budgetSpent).to.equal(undefined);
    expect(status.failures?.[0]).to.include({ scope: 'None', exitCode: 42 });
  });

  it('keeps later pods away from the node', () => {
    const of = parameterServers(withRules([{ when: { logPattern: 'ECC error' }, action: 'RestartGang', excludeNode: true }]));
    const { status } = pass(look(of, { 'worker/1': endedStatus(1, { message: 'uncorrectable ECC error' }) }));
    expect([status.excludedNodes, status.gangAttempt]).to.deep.equal([['node-1'], 2]);
    const created = pass(seen(next(of, status)), now + 2000).plan.actions.flatMap((action) => (action.kind === 'Create' && action.object.kind === 'Pod' ? [action.object as unknown as { spec: unknown }] : []));
    expect(created[0]?.spec).to.deep.include({
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['node-1'] }] }] } } },
    });
  });

  it('lets another budget pay', () => {
    const of = parameterServers({ ...withRules([{ when: { exitCodes: [75] }, countAs: 'Preempted', excludeNode: false }]) });
    expect(pass(look(of, { 'worker/1': endedStatus(75) })).status.budgetSpent).to.deep.equal({ preempted: 1 });
  });
});

describe('an elastic role', () => {
  const elastic = (replicas: number) => begunJob({ framework: 'PyTorch', roles: [role('worker', replicas, { minReplicas: 2, maxReplicas: 4 })] });

  it('runs while enough of its pods do, and replaces the one that it lost', () => {
    const of = elastic(3);
    const { status, assessment } = pass(look(of, { 'worker/2': endedStatus(1) }));
    expect(assessment.stage.kind).to.equal('Active');
    expect(findCondition(status.conditions, 'Running')).to.include({ status: 'True', message: '2 of 3 pods run, which is enough to go on.' });
    expect(status.failures?.[0]).to.include({ scope: 'Pod' });
  });

  it('ends the pods that a scale-down takes away, without counting them as failed', () => {
    const of = elastic(3);
    const smaller = { ...of, spec: { ...of.spec, roles: [role('worker', 2, { minReplicas: 2, maxReplicas: 4 })] } };
    const { status } = pass(seen(smaller, { pods: look(of).pods }));
    expect(names(pass(seen({ ...smaller, status }, { pods: look(of).pods })).plan, 'Delete')).to.deep.equal([nameOf(of, 'worker/2', 1)]);
    expect([status.failures, status.roles?.[0]?.launched]).to.deep.equal([undefined, 2]);
    const larger = { ...of, status: status, spec: { ...of.spec, roles: [role('worker', 4, { minReplicas: 2, maxReplicas: 4 })] } };
    expect(names(pass(seen(larger, { pods: look(smaller).pods })).plan, 'Create')).to.deep.equal([nameOf(of, 'worker/2', 1), nameOf(of, 'worker/3', 1)]);
  });

  it('has not succeeded while one of its pods may still be saving the model', () => {
    const of = elastic(3);
    const two = { 'worker/0': endedStatus(0), 'worker/1': endedStatus(0) };
    expect(pass(look(of, two)).assessment.stage.kind).to.equal('Active');
    expect(pass(look(of, { ...two, 'worker/2': { phase: 'Pending' } })).assessment.stage.kind).to.equal('Succeeded');
  });
});

describe('a node that is heard of no more', () => {
  const of = begunJob({ roles: [role('worker', 2)], ...withBudgets({ applicationError: 0 }) });
  const node = (over: Partial<Node> = {}): Partial<Observed> => ({
    nodes: new Map([['node-1', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, labels: {}, taints: [], conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime: '2026-03-01T12:00:00Z' }], ...over }]]),
  });

  it('is waited for as long as the job says, then counts as lost', () => {
    const waiting = pass(look(of, {}, node()), now + 119_000);
    expect([waiting.status.failures, waiting.plan.next]).to.deep.equal([undefined, { kind: 'at', time: now + 120_000 }]);
    const lost = pass(look(of, {}, node()), now + 120_000);
    expect(lost.status.failures?.[0]).to.include({ cause: 'NodeLost', reason: 'NodeNotReady' });
    expect(lost.status.budgetSpent).to.deep.equal({ nodeLost: 1 });
  });

  it('does not hold the next attempt: its pods are removed without its word', () => {
    const { status } = pass(look(of, {}, node()), now + 120_000);
    const { plan } = pass(look(next(of, status), {}, node()), now + 120_000);
    expect(plan.actions.filter((action) => action.kind === 'Delete').map((action) => action.gracePeriodSeconds)).to.deep.equal([0, 0]);
  });

  it('was reclaimed, when it is a spot node that had notice', () => {
    const spot = node({ labels: { 'karpenter.sh/capacity-type': 'spot' }, taints: [{ key: 'karpenter.sh/disrupted' }] });
    expect(pass(look(of, {}, spot), now + 120_000).status.budgetSpent).to.deep.equal({ spotReclaim: 1 });
    const evicted: PodStatus = { ...endedStatus(143), conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'drained' }] };
    expect(pass(look(of, { 'worker/0': evicted }, spot)).status.failures?.[0]?.cause).to.equal('SpotReclaim');
  });
});

describe('a job that reports no progress', () => {
  const of = begunJob({ roles: [role('worker', 2)], failurePolicy: { ...job().spec.failurePolicy, stallAfterSeconds: 600 } });
  const report = { attempt: 1, epoch: 1, epochs: 5, step: 10, percent: 20, remainingSeconds: 3, metrics: {} };

  it('is restarted after the time that it may be silent, at the cost of its own budget', () => {
    const heard = look(of, {}, { progress: { report, timeMs: now + 60_000, checkpoint: undefined } });
    expect(pass(heard, now + 659_000).plan.next).to.deep.equal({ kind: 'at', time: now + 660_000 });
    const { status } = pass(heard, now + 660_000);
    expect([status.failures?.[0]?.cause, status.budgetSpent, status.gangAttempt]).to.deep.equal(['Stalled', { stalled: 1 }, 2]);
  });

  it('is not blamed for the silence before the operator listened, nor before it ran', () => {
    expect(pass(look(of, {}, { listeningSinceMs: now + 500_000 }), now + 700_000).status.failures).to.equal(undefined);
    expect(pass(look(of, { 'worker/1': { phase: 'Pending' } }), now + 700_000).status.failures).to.equal(undefined);
  });
});

describe('the start deadline', () => {
  const of = begunJob({ roles: [role('worker', 2)], scheduling: { gang: false, scheduler: 'Auto', schedulerName: 'x', startDeadlineSeconds: 600 } });

  it('fails a job whose pods did not all run in time, and says what they waited for', () => {
    const stuck = look(of, { 'worker/1': { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }] } });
    const waiting = pass(stuck, now + 539_000);
    expect(waiting.plan.next).to.deep.equal({ kind: 'at', time: now + 540_000 });
    const { status } = pass(seen(next(of, waiting.status), { pods: stuck.pods }), now + 540_000);
    expect(findCondition(status.conditions, 'Failed')?.message).to.match(/startDeadlineSeconds, 600 s\..*0\/3 nodes are available/);
    expect(status.failures?.[0]).to.include({ cause: 'Unschedulable', scope: 'None' });
  });

  it('does not count once all have run', () => {
    const { status } = pass(look(of));
    expect(status.runningTime).to.equal('2026-03-01T12:00:00Z');
    expect(pass(look(next(of, status), { 'worker/1': { phase: 'Pending' } }), now + 3_600_000).status.failures).to.equal(undefined);
  });
});

describe('replicas of the built-in trainer that lost another', () => {
  const of = begunJob({ replicas: 3, ...withBudgets({ applicationError: 0 }) });
  const lost = (over = {}) => endedStatus(1, { message: JSON.stringify({ error: { code: 'PEER_LOST', message: 'Replica 2 was lost.' } }), ...over });

  it('wait for word of it, so that what became of it is on record and its budget pays', () => {
    const waiting = pass(look(of, { 'trainer/0': lost(), 'trainer/1': lost() }), now + 10_000);
    expect([waiting.status.failures, waiting.plan.next]).to.deep.equal([undefined, { kind: 'at', time: now + 180_000 }]);
    const found = pass(look(next(of, waiting.status), { 'trainer/0': lost(), 'trainer/1': lost(), 'trainer/2': { phase: 'Failed', reason: 'NodeShutdown' } }), now + 20_000);
    expect(found.status.failures?.[0]).to.include({ index: 2, cause: 'NodeLost', reason: 'NodeShutdown', scope: 'Gang' });
  });

  it('are not what failed, though they ended first', () => {
    const strict = begunJob({ replicas: 3 });
    const { status } = pass(look(strict, { 'trainer/0': lost(), 'trainer/1': lost(), 'trainer/2': endedStatus(1, { finishedAt: '2026-03-01T12:00:05Z' }) }), now + 6000);
    expect(status.failures?.[0]).to.include({ index: 2, cause: 'ApplicationError' });
  });

  it('cost no retry of the user’s when nobody ever hears of it', () => {
    expect(pass(look(of, { 'trainer/0': lost(), 'trainer/1': lost() }), now + 180_000).status.budgetSpent).to.deep.equal({ nodeLost: 1 });
    expect(pass(look(of, { 'trainer/0': lost(), 'trainer/1': lost(), 'trainer/2': lost() })).status.budgetSpent).to.deep.equal({ nodeLost: 1 });
  });
});
