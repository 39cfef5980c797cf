import { expect } from 'chai';
import fc from 'fast-check';
import { isAdmitted, placementOf, statusPatch, stillFits, whyNotAdmitted, workloadRequest, type JobFacts, type ResourceFlavor, type Workload, type WorkloadStatus } from '../../../operator/src/domain/scheduling/index.ts';
import { typicalPod } from '../../../operator/src/controllers/trainingjob/admission.ts';
import { now, role, job } from '../../support/builders/training-job.ts';

const time = '2026-03-01T11:59:00Z';
type Condition = NonNullable<WorkloadStatus['conditions']>[number];
const condition = (type: string, status: Condition['status'], reason = 'Because', message = ''): Condition => ({ type, status, reason, message, lastTransitionTime: time });
const reserved = [condition('QuotaReserved', 'True'), condition('Admitted', 'True')];
const admission = { clusterQueue: 'gpus', podSetAssignments: [{ name: 'worker', count: 2, flavors: { cpu: 'spot' }, hasTopology: false }] };

function workload(status: WorkloadStatus = {}, over: Partial<Workload['spec']> = {}): Workload {
  return {
    apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'Workload', metadata: { name: 'digits-workload', namespace: 'team-a', uid: 'w', resourceVersion: '1', generation: 1 },
    spec: { queueName: 'gpus', priority: 0, podSets: [{ name: 'worker', count: 2 }], ...over }, status,
  };
}

const facts: JobFacts = { podsReady: false, podsGone: true, withdrawn: true, spare: new Map(), end: undefined };
const evicted = (reason = 'Preempted'): WorkloadStatus => ({ conditions: [...reserved, condition('Evicted', 'True', reason, 'Preempted to accommodate a workload')], admission });

interface Patch {
  readonly status: { readonly conditions?: readonly Condition[]; readonly admission?: null; readonly reclaimablePods?: readonly object[]; readonly accumulatedPastExecutionTimeSeconds?: number };
}
const patchOf = (of: Workload, over: Partial<JobFacts> = {}): Patch['status'] | undefined => (statusPatch(of, { ...facts, ...over }, now) as Patch | undefined)?.status;
const said = (patch: Patch['status'] | undefined, type: string) => patch?.conditions?.find((found) => found.type === type);

describe('a Workload that is evicted', () => {
  it('gives its quota back once the pods are gone, as Kueue does for its own jobs', () => {
    const patch = patchOf(workload(evicted()));
    expect(patch?.admission).to.equal(null);
    expect(said(patch, 'QuotaReserved')).to.include({ status: 'False', reason: 'Pending', lastTransitionTime: '2026-03-01T12:00:00Z' });
    expect(said(patch, 'Admitted')).to.include({ status: 'False', reason: 'NoReservation' });
    expect(said(patch, 'Requeued')).to.include({ status: 'True', reason: 'Preempted' });
    expect(said(patch, 'Evicted')).to.include({ status: 'True' });
    expect(patch?.accumulatedPastExecutionTimeSeconds).to.equal(60);
  });

  it('keeps it while pods still use it, or the status still misses them', () => {
    expect(patchOf(workload(evicted()), { podsGone: false })).to.equal(undefined);
    expect(patchOf(workload(evicted()), { withdrawn: false })).to.equal(undefined);
  });

  it('leaves it to Kueue when to queue again, unless it was preempted', () => {
    expect(said(patchOf(workload(evicted('PodsReadyTimeout'))), 'Requeued')).to.include({ status: 'False' });
  });
});

describe("what a job tells its Workload", () => {
  const running = workload({ conditions: reserved, admission });

  it('is when its pods are ready, begin to fail, and have recovered', () => {
    const ready = patchOf(running, { podsReady: true, podsGone: false });
    expect(said(ready, 'PodsReady')).to.include({ status: 'True', reason: 'Started' });
    const after = workload({ conditions: [...(ready?.conditions ?? [])], admission });
    expect(patchOf(after, { podsReady: true, podsGone: false })).to.equal(undefined);
    const failing = patchOf(after, { podsGone: false });
    expect(said(failing, 'PodsReady')).to.include({ status: 'False', reason: 'WaitForRecovery' });
    const recovered = patchOf(workload({ conditions: [...(failing?.conditions ?? [])], admission }), { podsReady: true, podsGone: false });
    expect(said(recovered, 'PodsReady')).to.include({ status: 'True', reason: 'Recovered' });
  });

  it('is its end, once, when nothing of it runs any more', () => {
    const end = { reason: 'Failed', message: 'The budget is spent.' } as const;
    expect(patchOf(running, { end, podsGone: false })?.conditions?.some(({ type }) => type === 'Finished')).to.equal(false);
    expect(said(patchOf(running, { end }), 'Finished')).to.include({ status: 'True', reason: 'Failed', message: 'The budget is spent.' });
    expect(patchOf(workload({ conditions: [condition('Finished', 'True')] }), { end })).to.equal(undefined);
  });

  it('is which pods it needs no more, never fewer than before while it has quota', () => {
    expect(patchOf(running, { podsGone: false, spare: new Map([['worker', 1]]) })?.reclaimablePods).to.deep.equal([{ name: 'worker', count: 1 }]);
    const given = workload({ conditions: reserved, admission, reclaimablePods: [{ name: 'worker', count: 1 }] });
    expect(patchOf(given, { podsGone: false })?.reclaimablePods).to.equal(undefined);
  });

  it('changes nothing that Kueue wrote, and comes to rest after one patch', () => {
    const statuses = fc.constantFrom<Condition['status']>('True', 'False');
    const conditions = fc.uniqueArray(fc.record({ type: fc.constantFrom('QuotaReserved', 'Admitted', 'Evicted', 'PodsReady', 'Requeued', 'Preempted'), status: statuses, reason: fc.constantFrom('Preempted', 'Started', 'WaitForRecovery', 'Deactivated'), message: fc.constant('words') }), { selector: ({ type }) => type });
    const situations = fc.record({ podsReady: fc.boolean(), podsGone: fc.boolean(), withdrawn: fc.boolean(), spare: fc.nat({ max: 3 }), ends: fc.boolean() });
    fc.assert(fc.property(conditions, situations, (found, { spare, ends, ...rest }) => {
      const told: JobFacts = { ...rest, spare: new Map([['worker', spare]]), end: ends ? { reason: 'Succeeded', message: 'Done.' } : undefined };
      const before = workload({ conditions: found.map((one) => ({ ...one, lastTransitionTime: time })), admission });
      const patch = (statusPatch(before, told, now) as Patch | undefined)?.status;
      if (patch === undefined) return;
      expect(patch.conditions?.find(({ type }) => type === 'Evicted'), 'Evicted').to.deep.equal(patch.conditions === undefined ? undefined : before.status.conditions?.find(({ type }) => type === 'Evicted'));
      const { admission: _gone, ...rested } = { ...before.status, ...patch };
      const after = workload({ ...rested, ...(patch.admission === null ? {} : { admission }) } as WorkloadStatus);
      expect(statusPatch(after, told, now)).to.equal(undefined);
      if (patch.admission === null) expect(told.podsGone && told.withdrawn).to.equal(true);
    }));
  });
});

describe('where an admission puts the pods', () => {
  const flavor: ResourceFlavor = { apiVersion: 'kueue.x-k8s.io/v1beta2', kind: 'ResourceFlavor', metadata: { name: 'spot' }, nodeLabels: { pool: 'spot' }, tolerations: [{ key: 'spot', operator: 'Exists' }] };

  it('is on the nodes of its flavors, for as many as there is quota', () => {
    const placement = placementOf(workload({ conditions: reserved, admission }), new Map([['spot', flavor]]), undefined);
    expect(placement.kind === 'Placed' && placement.roles.get('worker')).to.deep.equal({
      count: 2, additions: { labels: { 'kueue.x-k8s.io/podset': 'worker' }, nodeSelector: { pool: 'spot' }, tolerations: [{ key: 'spot', operator: 'Exists' }] },
    });
  });

  it('is left to Kueue where its topology places them', () => {
    const placed = { ...admission, podSetAssignments: [{ name: 'worker', hasTopology: true }] };
    const annotationsFor = (topology?: { readonly key: string; readonly mode: 'Required' | 'Preferred' }) => {
      const placement = placementOf(workload({ conditions: reserved, admission: placed }), new Map(), topology);
      const additions = placement.kind === 'Placed' ? placement.roles.get('worker')?.additions : undefined;
      expect(additions?.schedulingGates).to.deep.equal(['kueue.x-k8s.io/topology']);
      return additions?.annotations;
    };
    expect(annotationsFor()).to.deep.equal({ 'kueue.x-k8s.io/workload': 'digits-workload', 'kueue.x-k8s.io/podset-unconstrained-topology': 'true' });
    expect(annotationsFor({ key: 'rack', mode: 'Required' })).to.include({ 'kueue.x-k8s.io/podset-required-topology': 'rack' });
    expect(annotationsFor({ key: 'rack', mode: 'Preferred' })).to.include({ 'kueue.x-k8s.io/podset-preferred-topology': 'rack' });
  });

  it('is unknown while a flavor is not there', () => {
    expect(placementOf(workload({ conditions: reserved, admission }), new Map(), undefined)).to.deep.equal({ kind: 'FlavorMissing', flavor: 'spot' });
  });
});

describe('the words of a job that waits in a queue', () => {
  const cases: readonly (readonly [what: string, Workload, reason: string, message: RegExp])[] = [
    ['nobody has looked at it', workload(), 'Quota', /^Waits for quota in queue gpus\.$/],
    ['the queue is full', workload({ conditions: [condition('QuotaReserved', 'False', 'Pending', 'insufficient unused quota for cpu')] }), 'Quota', /^Waits for quota in queue gpus: insufficient unused quota for cpu\.$/],
    ['a check is pending', workload({ conditions: [condition('QuotaReserved', 'True')], admissionChecks: [{ name: 'nodes', state: 'Pending', message: 'provisioning' }] }), 'AdmissionCheck', /waits for its admission checks: nodes: provisioning\.$/],
    ['it was preempted', workload(evicted()), 'Quota', /^Evicted from queue gpus: another workload took its quota \(Preempted to accommodate a workload\)\. It waits for quota again\.$/],
    ['Kueue gave up', workload({ conditions: [condition('Evicted', 'True', 'DeactivatedDueToRequeuingLimitExceeded')] }, { active: false }), 'Deactivated', /because its pods were too often not ready in time\. Set its spec\.active to true/],
  ];
  for (const [what, of, reason, message] of cases) {
    it(`say that ${what}`, () => {
      const why = whyNotAdmitted(of);
      expect(why.reason).to.equal(reason);
      expect(why.message).to.match(message);
      expect(isAdmitted(of)).to.equal(false);
    });
  }
});

describe('the Workload of a job', () => {
  const elastic = job({ framework: 'Custom', roles: [role('worker', 4, { minReplicas: 2, maxReplicas: 8 })], scheduling: { gang: false, scheduler: 'Auto', schedulerName: 's', queueName: 'gpus' } });
  const requested = (over: object = {}, labels: Readonly<Record<string, string>> = {}) => {
    const spec = { ...elastic.spec, ...over };
    const { scheduling } = spec;
    if (scheduling === undefined) throw new Error('It asks for a queue.');
    const of = { namespace: 'team-a', name: 'digits', uid: 'uid-of-digits', spec };
    return workloadRequest(of, labels, scheduling, { value: 7 }, (one) => typicalPod(of, one));
  };
  const held = (status: WorkloadStatus) => ({ ...workload(status, { podSets: [{ name: 'worker', count: 4 }] }), metadata: { name: requested().metadata.name } });

  it('asks for its pods, and for fewer where the role may shrink', () => {
    const { spec } = requested({}, { 'kueue.x-k8s.io/max-exec-time-seconds': '3600' });
    expect(spec).to.deep.include({ queueName: 'gpus', priority: 7, maximumExecutionTimeSeconds: 3600 });
    expect(spec.podSets[0]).to.deep.include({ name: 'worker', count: 4, minCount: 2 });
  });

  it('is another one when the job asks for something else', () => {
    expect(requested().metadata.name).to.equal(requested().metadata.name);
    expect(requested({ roles: [role('worker', 5, { minReplicas: 2 })] }).metadata.name).to.not.equal(requested().metadata.name);
  });

  it('stays while a job with quota becomes smaller, but not when it grows', () => {
    const smaller = requested({ roles: [role('worker', 3, { minReplicas: 2 })] });
    expect(stillFits(held({ conditions: reserved }), smaller, new Map([['worker', 3]]))).to.equal(true);
    expect(stillFits(held({}), smaller, new Map([['worker', 3]])), 'without quota').to.equal(false);
    expect(stillFits(held({ conditions: reserved }), requested({ roles: [role('worker', 5)] }), new Map([['worker', 5]]))).to.equal(false);
    expect(stillFits(held({ conditions: reserved, reclaimablePods: [{ name: 'worker', count: 1 }] }), requested(), new Map([['worker', 4]])), 'grown again').to.equal(false);
  });
});
