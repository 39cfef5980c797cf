import { expect } from 'chai';
import { findCondition, type TrainingJob } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import { requestOf } from '../../../operator/src/controllers/trainingjob/admission.ts';
import type { SeenAdmission } from '../../../operator/src/controllers/trainingjob/admission-watch.ts';
import type { JobStatus, Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { planJob } from '../../../operator/src/controllers/trainingjob/plan.ts';
import { statusOf } from '../../../operator/src/controllers/trainingjob/status.ts';
import type { Scheduling, Workload, WorkloadStatus } from '../../../operator/src/domain/scheduling/index.ts';
import type { Pod } from '../../../operator/src/domain/pod.ts';
import { begun, job, now, pod, runningStatus, seen, settings, withRole } from '../../support/builders/training-job.ts';

const scheduling: Scheduling = { gang: false, scheduler: 'Auto', schedulerName: 's', queueName: 'gpus' };
const time = '2026-03-01T11:59:30Z';
type Condition = NonNullable<WorkloadStatus['conditions']>[number];
const condition = (type: string, status: Condition['status'] = 'True', reason = type): Condition => ({ type, status, reason, message: '', lastTransitionTime: time });
const admitted: WorkloadStatus = { conditions: [condition('QuotaReserved'), condition('Admitted')], admission: { clusterQueue: 'all', podSetAssignments: [{ name: 'worker', hasTopology: false }] } };
const evicted: WorkloadStatus = { ...admitted, conditions: [...(admitted.conditions ?? []), condition('Evicted', 'True', 'Preempted')] };

const queued = (status: JobStatus = {}, over: object = {}): TrainingJob => job({ ...withRole(2), scheduling, ...over }, status);

/** The job with a Workload in this state; none where it is undefined. */
function look(of: TrainingJob, workload: WorkloadStatus | undefined, pods: readonly Pod[] = [], over: Partial<Workload['spec']> = {}): Observed {
  const admission: SeenAdmission = { installed: { Kueue: true, Volcano: false, Coscheduling: false }, workloads: [], flavors: new Map(), podGroups: {}, priority: { value: 0 }, podPriority: false };
  const bare = seen(of, { pods, over: { admission } });
  const name = requestOf(bare)?.metadata.name ?? '';
  const own: Workload = {
    apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', metadata: { name, namespace: 'team-a', uid: 'w', resourceVersion: '7' },
    spec: { active: true, queueName: 'gpus', priority: 0, podSets: [{ name: 'worker', count: 2 }], ...over }, status: workload ?? {},
  };
  return workload === undefined ? bare : { ...bare, admission: { ...admission, workloads: [own] } };
}

function pass(observed: Observed, atMs = now) {
  const assessment = assess(observed, atMs);
  const plan = planJob(observed, assessment, atMs, settings);
  return { assessment, status: statusOf(observed, assessment, { kind: 'done', writes: 0 }, atMs), did: plan.actions.map((action) => `${action.kind} ${'type' in action ? action.type.kind : 'target' in action ? action.target.type.kind : ''}`.trim()), plan };
}

const running = (of: TrainingJob): Pod[] => [0, 1].map((index) => pod(of, 1, runningStatus, { index }));

describe('a job in a queue of Kueue', () => {
  it('writes its Workload first, and no pod before it is admitted', () => {
    const { did, status } = pass(look(queued(), undefined));
    expect(did).to.deep.equal(['Create Workload']);
    expect(findCondition(status.conditions, 'Scheduled')).to.include({ status: 'False', reason: 'Quota' });
    expect(pass(look(queued(), {})).did).to.deep.equal([]);
    expect(pass(look(queued(), admitted)).did.filter((action) => action === 'Create Pod')).to.have.length(2);
  });

  it('ends its pods when it is evicted, counts no failure, and gives the quota back when they are gone', () => {
    const of = queued();
    const begunOf = queued(begun(of));
    const first = pass(look(begunOf, evicted, running(begunOf)));
    expect(first.did, 'the status comes first').to.deep.equal([]);
    expect(pass(look(queued(first.status), evicted, running(begunOf))).did).to.deep.equal(['Delete Pod', 'Delete Pod']);
    expect(first.status.failures).to.equal(undefined);
    expect(findCondition(first.status.conditions, 'Suspended')).to.include({ status: 'True', reason: 'Quota' });
    const second = pass(look(queued(first.status), evicted));
    const [patch] = second.plan.actions;
    expect(patch?.kind === 'Patch' && patch.patch).to.have.nested.property('status.admission', null);
    const third = pass(look(queued(second.status), admitted));
    expect(third.did.filter((action) => action === 'Create Pod')).to.have.length(2);
    expect(third.assessment.attempts).to.include({ newest: 1, gang: 1 });
  });

  it('keeps its quota for as long as the status misses a pod: a crash in between must not look like a loss', () => {
    const of = queued();
    expect(pass(look(queued(begun(of)), evicted)).did).to.not.include('Patch Workload');
  });

  it('sets its Workload inactive while the user suspends it, and active again', () => {
    const of = queued({}, { suspend: true });
    const [patch] = pass(look(of, admitted)).plan.actions;
    expect(patch).to.deep.include({ kind: 'Patch', resourceVersion: '7', patch: { metadata: { annotations: { 'anneal.dev/suspended': 'true' } }, spec: { active: false } } });
    expect(pass(look(of, undefined)).did, 'makes none').to.deep.equal([]);
  });

  it('fails at its start deadline while it waits in the queue', () => {
    const of = queued({}, { scheduling: { ...scheduling, startDeadlineSeconds: 30 } });
    const { assessment, status } = pass(look(of, {}));
    expect(assessment.stage).to.include({ kind: 'Failed', reason: 'StartDeadlineExceeded' });
    expect(status.failures?.[0]).to.include({ cause: 'Unschedulable' });
  });

  it('counts its start deadline from when it was resumed, not from before', () => {
    const suspended = { type: 'Suspended', status: 'True', reason: 'Suspended', message: '', lastTransitionTime: '2026-03-01T10:00:00Z' } as const;
    const of = queued({ conditions: [suspended] }, { scheduling: { ...scheduling, startDeadlineSeconds: 30 } });
    const { status } = pass(look(of, {}));
    expect(findCondition(status.conditions, 'Suspended')).to.include({ status: 'False', reason: 'Resumed', lastTransitionTime: '2026-03-01T12:00:00Z' });
    expect(pass(look(queued(status, { scheduling: { ...scheduling, startDeadlineSeconds: 30 } }), {}), now + 29_000).assessment.stage.kind).to.equal('Waiting');
    expect(pass(look(queued(status, { scheduling: { ...scheduling, startDeadlineSeconds: 30 } }), {}), now + 30_000).assessment.stage.kind).to.equal('Failed');
  });

  it('asks anew when it has grown: its pods end first, then the Workload is replaced', () => {
    const of = queued();
    const smaller = { podSets: [{ name: 'worker', count: 1 }] };
    const begunOf = queued(begun(of));
    const asIfSmaller = (observed: Observed): Observed => ({ ...observed, admission: { ...observed.admission, workloads: observed.admission.workloads.map((one) => ({ ...one, metadata: { ...one.metadata, name: 'of-another-shape' } })) } });
    const { status } = pass(asIfSmaller(look(begunOf, admitted, running(begunOf), smaller)));
    expect(pass(asIfSmaller(look(queued(status), admitted, running(begunOf), smaller))).did).to.deep.equal(['Delete Pod', 'Delete Pod']);
    expect(pass(asIfSmaller(look(begunOf, admitted, [], smaller))).did).to.deep.equal(['Delete Workload', 'Create Workload']);
  });

  it('is finished for Kueue when it has ended', () => {
    const ended = queued({ ...begun(queued()), conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: 'The training succeeded.', lastTransitionTime: time }] });
    const [patch] = pass(look(ended, admitted)).plan.actions;
    expect(JSON.stringify(patch)).to.match(/"type":"Finished","status":"True","reason":"Succeeded","message":"The training succeeded\."/);
  });
});

describe('a job in a queue of Kueue, with a priority class that is not there', () => {
  const without = (observed: Observed): Observed => ({ ...observed, admission: { ...observed.admission, priority: undefined } });
  const of = queued({}, { scheduling: { ...scheduling, priorityClassName: 'urgent' } });

  it('says so and asks for nothing', () => {
    const { did, status } = pass(without(look(of, undefined)));
    expect(did).to.deep.equal([]);
    expect(findCondition(status.conditions, 'Scheduled')).to.include({ reason: 'PriorityClassMissing', status: 'False' });
  });

  it('goes on when it has a Workload already', () => {
    const { did } = pass(without(look(of, admitted)));
    expect(did.filter((action) => action === 'Create Pod')).to.have.length(2);
  });
});

describe('a job whose pods use next to no processor', () => {
  const of = job({ ...withRole(1), scheduling: { gang: false, scheduler: 'Auto', schedulerName: 's', idleDeadlineSeconds: 60 } });
  const begunOf = { ...of, status: begun(of) };
  const idle = (over: Partial<Observed>): Observed => seen(begunOf, { pods: [pod(begunOf, 1, runningStatus)], over });

  it('fails at its idle deadline, and not before', () => {
    expect(pass(idle({ idleSinceMs: now - 59_000 })).assessment).to.deep.include({ stage: { kind: 'Active' }, wakeAtMs: now + 1000 });
    expect(pass(idle({ idleSinceMs: now - 60_000 })).assessment.stage).to.include({ kind: 'Failed', reason: 'IdleDeadlineExceeded' });
  });

  it('says so where nobody measures it', () => {
    expect(findCondition(pass(idle({ usageUnknown: 'not found' })).status.conditions, 'UsageKnown')).to.include({ status: 'False', reason: 'MetricsUnavailable' });
  });
});
