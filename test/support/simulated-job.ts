/** A cluster in miniature for one TrainingJob: applies what plans ask for, keeps what happened, and lets a test do harm. */
import type { TrainingJob, TrainingJobSpec } from '@anneal/operator/api';
import { assess } from '../../operator/src/controllers/trainingjob/assess.ts';
import { planJob } from '../../operator/src/controllers/trainingjob/plan.ts';
import { endOf } from '../../operator/src/controllers/trainingjob/observe.ts';
import { statusOf } from '../../operator/src/controllers/trainingjob/status.ts';
import type { Node } from '../../operator/src/domain/node.ts';
import { hasEnded, type Pod, type PodStatus } from '../../operator/src/domain/pod.ts';
import type { Action } from '../../operator/src/runtime/index.ts';
import { endedStatus, job, now, resultMessage, runningStatus, seen, settings } from './builders/training-job.ts';

export class SimulatedJob {
  object: TrainingJob;
  pods: Pod[] = [];
  time = now;
  /** Names of every pod that was ever created, in order. */
  readonly created: string[] = [];
  readonly createdAfterEnd: string[] = [];
  readonly conflicts: string[] = [];
  #uid = 0;
  #nodes = new Map<string, Node>();

  constructor(spec: Partial<TrainingJobSpec>) {
    this.object = job(spec);
  }

  /**
   * One reconcile. `crashAfter` ends it after so many actions, before the status is written, as a killed operator would.
   */
  reconcile(crashAfter?: number): void {
    const observed = seen(this.object, { pods: this.pods, over: { nodes: this.#nodes } });
    const assessment = assess(observed, this.time);
    const plan = planJob(observed, assessment, this.time, settings);
    for (const action of plan.actions.slice(0, crashAfter)) this.#apply(action);
    if (crashAfter !== undefined) return;
    const status = statusOf(observed, assessment, { kind: 'done', writes: plan.actions.length }, this.time);
    this.object = { ...this.object, status };
  }

  #apply(action: Action): void {
    if (action.kind === 'Delete' && action.target.type.kind === 'Pod') {
      if (action.gracePeriodSeconds === 0) this.pods = this.pods.filter((pod) => pod.metadata.uid !== action.target.uid);
      else this.deletePod(action.target.name);
    }
    if (action.kind !== 'Create' || action.object.kind !== 'Pod') return;
    const { name } = action.object.metadata;
    if (this.pods.some((pod) => pod.metadata.name === name)) {
      this.conflicts.push(name);
      return;
    }
    this.created.push(name);
    if (endOf(this.object.status ?? {}) !== undefined) this.createdAfterEnd.push(name);
    this.#uid += 1;
    const { object } = action;
    this.pods.push({ ...object, metadata: { ...object.metadata, uid: `pod-${this.#uid}` }, spec: { nodeName: `node-${this.#uid}` }, status: { phase: 'Pending' } });
  }

  /** The API's delete: a pod that has a node ends first, one that has ended goes at once. */
  deletePod(name: string): void {
    this.pods = this.pods.flatMap((pod) => {
      if (pod.metadata.name !== name) return [pod];
      return hasEnded(pod) ? [] : [{ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } }];
    });
  }

  /** The node's side: pods that are being deleted go away. */
  finishDeletions(): void {
    this.pods = this.pods.filter((pod) => pod.metadata.deletionTimestamp === undefined || this.#isLost(pod));
  }

  set(index: number, status: PodStatus): void {
    const target = this.pods[index % Math.max(1, this.pods.length)];
    if (target === undefined || hasEnded(target) || this.#isLost(target)) return;
    this.pods = this.pods.map((pod) => (pod === target ? { ...pod, status } : pod));
  }

  #isLost(pod: Pod): boolean {
    return this.#nodes.get(pod.spec.nodeName ?? '')?.conditions.some(({ type, status }) => type === 'Ready' && status !== 'True') === true;
  }

  run(index: number): void {
    this.set(index, runningStatus);
  }

  end(index: number, exitCode: number, reason = 'Error'): void {
    this.set(index, endedStatus(exitCode, exitCode === 0 ? { message: resultMessage } : { reason }));
  }

  /** The pod's node is heard of no more: nothing that is asked of the pod happens. */
  loseNode(index: number): void {
    const nodeName = this.pods[index % Math.max(1, this.pods.length)]?.spec.nodeName;
    if (nodeName === undefined) return;
    const conditions = [{ type: 'Ready', status: 'Unknown', lastTransitionTime: new Date(this.time).toISOString() }];
    this.#nodes.set(nodeName, { ...this.#nodeNamed(nodeName), conditions });
  }

  /** The pod's node, a spot one, says that its end is near. */
  giveNotice(index: number, taint: string): void {
    const nodeName = this.pods[index % Math.max(1, this.pods.length)]?.spec.nodeName;
    if (nodeName === undefined) return;
    this.#nodes.set(nodeName, { ...this.#nodeNamed(nodeName), labels: { 'karpenter.sh/capacity-type': 'spot' }, taints: [{ key: taint, effect: 'NoSchedule' }] });
  }

  #nodeNamed(name: string): Node {
    return this.#nodes.get(name) ?? { apiVersion: 'v1', kind: 'Node', metadata: { name }, labels: {}, taints: [], conditions: [{ type: 'Ready', status: 'True' }] };
  }

  /** As the schema has it, only an elastic job may be scaled. */
  scale(replicas: number): void {
    const { roles, minReplicas } = this.object.spec;
    if (minReplicas !== undefined) this.edit({ replicas });
    else if (roles !== undefined) this.edit({ roles: roles.map((role) => (role.minReplicas === undefined ? role : { ...role, replicas })) });
  }

  edit(spec: Partial<TrainingJobSpec>): void {
    this.object = { ...this.object, spec: { ...this.object.spec, ...spec } };
  }

  /** Lets everything that is on its way arrive: pods run and end well, deletions finish, pauses pass. */
  settle(): void {
    for (let round = 0; round < 400 && endOf(this.object.status ?? {}) === undefined; round += 1) {
      this.reconcile();
      this.finishDeletions();
      this.pods.forEach((_pod, index) => this.end(index, 0));
      this.time += 301_000;
    }
    this.reconcile();
  }
}
