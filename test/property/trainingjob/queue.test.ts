import { expect } from 'chai';
import fc from 'fast-check';
import type { TrainingJob } from '@anneal/operator/api';
import { assess } from '../../../operator/src/controllers/trainingjob/assess.ts';
import type { SeenAdmission } from '../../../operator/src/controllers/trainingjob/admission-watch.ts';
import type { JobStatus, Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { planJob } from '../../../operator/src/controllers/trainingjob/plan.ts';
import { statusOf } from '../../../operator/src/controllers/trainingjob/status.ts';
import { isAdmitted, type Workload, type WorkloadStatus } from '../../../operator/src/domain/scheduling/index.ts';
import type { Pod } from '../../../operator/src/domain/pod.ts';
import type { Action } from '../../../operator/src/runtime/index.ts';
import { job, now, runningStatus, seen, settings, withRole } from '../../support/builders/training-job.ts';

type Condition = NonNullable<WorkloadStatus['conditions']>[number];
type Move = 'Admit' | 'Preempt' | 'Deactivate' | 'Activate' | 'PodsRun' | 'PodsGone' | 'Suspend' | 'Resume';

/** Kueue and a kubelet that may do whatever they may do, around the controller's own planning. */
class Queue {
  status: JobStatus = {};
  pods: Pod[] = [];
  workload: Workload | undefined;
  suspend = false;
  nowMs = now;

  get object(): TrainingJob {
    return job({ ...withRole(2), suspend: this.suspend, scheduling: { gang: false, scheduler: 'Auto', schedulerName: 's', queueName: 'gpus' } }, this.status);
  }

  look(): Observed {
    const admission: SeenAdmission = {
      installed: { Kueue: true, Volcano: false, Coscheduling: false }, workloads: this.workload === undefined ? [] : [this.workload], flavors: new Map(), podGroups: {}, priority: { value: 0 }, podPriority: false,
    };
    return seen(this.object, { pods: this.pods, over: { admission } });
  }

  /** One reconcile, after which the operator may crash before its status is written. */
  pass(losesStatus: boolean): readonly Action[] {
    const look = this.look();
    const assessment = assess(look, this.nowMs);
    const { actions } = planJob(look, assessment, this.nowMs, settings);
    for (const action of actions) this.#do(action);
    if (!losesStatus) this.status = statusOf(look, assessment, { kind: 'done', writes: actions.length }, this.nowMs);
    return actions;
  }

  #do(action: Action): void {
    if (action.kind === 'Create' && action.type.kind === 'Workload') {
      this.workload = { ...(action.object as unknown as Workload), status: {} };
    }
    if (action.kind === 'Create' && action.type.kind === 'Pod') {
      expect(this.workload !== undefined && isAdmitted(this.workload), 'a pod is made only with quota').to.equal(true);
      const { metadata } = action.object;
      this.pods = [...this.pods, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, uid: `uid-of-${metadata.name}` }, spec: {}, status: { phase: 'Pending' } }];
    }
    if (action.kind === 'Delete' && action.target.type.kind === 'Pod') {
      this.pods = this.pods.map((pod) => (pod.metadata.name === action.target.name ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } } : pod));
    }
    if (action.kind === 'Patch' && this.workload !== undefined) this.#patch(action.patch);
  }

  #patch({ spec, status, metadata }: { spec?: { active?: boolean }; status?: { admission?: null }; metadata?: { annotations: Record<string, string | null> } }): void {
    if (this.workload === undefined) return;
    if (status?.admission === null) expect(this.pods, 'quota is given back by jobs without pods').to.deep.equal([]);
    const { admission, ...rest } = { ...this.workload.status, ...status };
    const annotations = Object.fromEntries(Object.entries({ ...this.workload.metadata.annotations, ...metadata?.annotations }).filter((entry): entry is [string, string] => entry[1] !== null));
    this.workload = {
      ...this.workload, metadata: { ...this.workload.metadata, annotations }, spec: { ...this.workload.spec, ...spec },
      status: { ...rest, ...(admission === null || admission === undefined ? {} : { admission }) },
    };
  }

  /** Kueue's own writes, where its state allows them. */
  move(move: Move): void {
    const { workload } = this;
    this.nowMs += 1000;
    switch (move) {
      case 'PodsRun':
        this.pods = this.pods.map((pod) => ({ ...pod, spec: { nodeName: 'node-1' }, status: runningStatus }));
        return;
      case 'PodsGone':
        this.pods = this.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        return;
      case 'Suspend':
      case 'Resume':
        this.suspend = move === 'Suspend';
        return;
      default:
        if (workload !== undefined) this.workload = this.#kueue(workload, move);
    }
  }

  #kueue(workload: Workload, move: Move): Workload {
    const has = (type: string): boolean => workload.status.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
    const put = (conditions: Readonly<Record<string, Condition['status']>>, reason: string, over: object = {}): Workload => {
      const changed = Object.entries(conditions).map(([type, status]): Condition => ({ type, status, reason, message: 'words', lastTransitionTime: '2026-03-01T12:00:00Z' }));
      return { ...workload, status: { ...workload.status, ...over, conditions: [...(workload.status.conditions ?? []).filter(({ type }) => !(type in conditions)), ...changed] } };
    };
    if (move === 'Admit' && workload.spec.active !== false && !has('QuotaReserved')) {
      return put({ QuotaReserved: 'True', Admitted: 'True', Evicted: 'False' }, 'Admitted', { admission: { clusterQueue: 'all', podSetAssignments: [{ name: 'worker', hasTopology: false }] } });
    }
    if (move === 'Preempt' && has('QuotaReserved')) return put({ Evicted: 'True', Preempted: 'True' }, 'Preempted');
    if (move === 'Deactivate') return { ...put({ Evicted: 'True' }, 'Deactivated'), spec: { ...workload.spec, active: false } };
    if (move === 'Activate') return { ...workload, spec: { ...workload.spec, active: true } };
    return workload;
  }
}

const moves = fc.array(fc.record({
  move: fc.constantFrom<Move>('Admit', 'Admit', 'Preempt', 'Preempt', 'Deactivate', 'Activate', 'PodsRun', 'PodsGone', 'PodsGone', 'Suspend', 'Resume'),
  losesStatus: fc.boolean(),
  passes: fc.integer({ min: 0, max: 2 }),
}), { maxLength: 40 });

describe('for any history of a queue, suspensions and crashes', () => {
  it('makes pods only with quota, gives it back only without pods, and blames nobody', () => {
    fc.assert(fc.property(moves, (history) => {
      const queue = new Queue();
      for (const { move, losesStatus, passes } of history) {
        queue.move(move);
        for (let pass = 0; pass < passes; pass += 1) queue.pass(losesStatus);
        expect(queue.status.failures, 'failures').to.equal(undefined);
        expect(queue.status.budgetSpent, 'budgets').to.equal(undefined);
      }
    }), { numRuns: 2000 });
  });

  it('runs in the end, once Kueue lets it', () => {
    fc.assert(fc.property(moves, (history) => {
      const queue = new Queue();
      for (const { move, losesStatus, passes } of history) {
        queue.move(move);
        for (let pass = 0; pass < passes; pass += 1) queue.pass(losesStatus);
      }
      queue.move('Resume');
      for (let round = 0; round < 8; round += 1) {
        queue.pass(false);
        queue.move('PodsGone');
        queue.move('Activate');
        queue.move('Admit');
        queue.move('PodsRun');
      }
      expect(queue.pods).to.have.length(2);
      expect(queue.status.conditions?.find(({ type }) => type === 'Running')?.status).to.equal('True');
      // The volume has no cache here, so it is asked for in each look.
      const rest = queue.pass(false).filter((action) => !(action.kind === 'Create' && action.type.kind !== 'Pod' && action.type.kind !== 'Workload'));
      expect(rest, 'a job that runs writes nothing').to.deep.equal([]);
    }), { numRuns: 300 });
  });
});
