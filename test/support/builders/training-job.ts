/** TrainingJobs and their pods in the situations that tests speak of. */
import type { Role, TrainingJob, TrainingJobSpec, TrainerSpec } from '@anneal/operator/api';
import type { JobStatus, Observed } from '../../../operator/src/controllers/trainingjob/observe.ts';
import { volumeOf } from '../../../operator/src/domain/job-volume.ts';
import type { Pod, PodStatus, Termination } from '../../../operator/src/domain/pod.ts';
import { readAttempts } from '../../../operator/src/domain/attempts.ts';
import { placesOf, rolesOf } from '../../../operator/src/domain/roles.ts';
import { trainingPod } from '../../../operator/src/domain/training-pod.ts';

export const now = Date.parse('2026-03-01T12:00:00Z');
export const settings = { trainerImage: 'anneal/trainer:test', progressUrl: 'http://anneal.test/v1/progress' };
/** Context of a pod of a job that keeps away from no node. */
export const context = { ...settings, excludedNodes: [], checkpoint: { intervalSeconds: 0 } };

const trainer: TrainerSpec = {
  data: { source: { format: 'CSV', uri: 'https://example.com/digits.csv' }, target: 'label' },
  model: { preset: 'MLP' },
  fit: { epochs: 5 },
} as TrainerSpec;

const defaults: TrainingJobSpec = {
  checkpoint: { volume: {}, interval: { mode: 'EveryEpoch' }, keep: 2 },
  failurePolicy: {
    budgets: { applicationError: 3, outOfMemory: 1, imagePull: 0, preempted: 100, spotReclaim: 100, nodeLost: 10, stalled: 3 },
    imagePullDeadlineSeconds: 300,
    nodeLostAfterSeconds: 120,
  },
  suspend: false,
  replicas: 1,
  cleanPodPolicy: 'Running',
};

export type Budgets = TrainingJobSpec['failurePolicy']['budgets'];

/** A job as the API server would return it. */
export function job(spec: Partial<TrainingJobSpec> = {}, status: JobStatus = {}): TrainingJob {
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name: 'digits', namespace: 'team-a', uid: 'uid-of-digits', generation: 1, creationTimestamp: '2026-03-01T11:59:00Z' },
    spec: { ...defaults, ...(spec.roles === undefined ? { trainer } : {}), ...spec },
    status,
  };
}

/** The status of a job all of whose pods of an attempt were seen. */
export function begun(of: TrainingJob, attempt = 1): JobStatus {
  return { attempt, gangAttempt: attempt, roles: rolesOf(of.spec).map(({ name, replicas }) => ({ name, replicas, running: 0, launched: replicas })) };
}

/** A job all of whose pods were seen. */
export function begunJob(spec: Partial<TrainingJobSpec> = {}, status: JobStatus = {}): TrainingJob {
  const fresh = job(spec);
  return { ...fresh, status: { ...begun(fresh), ...status } };
}

export function withBudgets(budgets: Partial<Budgets>): Partial<TrainingJobSpec> {
  return { failurePolicy: { ...defaults.failurePolicy, budgets: { ...defaults.failurePolicy.budgets, ...budgets } } };
}

/** A role that runs an image of the user's. */
export function role(name: string, replicas = 1, over: Partial<Role> = {}): Role {
  return { name, replicas, template: { spec: { containers: [{ name: 'main', image: 'example.com/work:1' }] } }, ...over };
}

/** A job of several pods that run an image of the user's. */
export function withRole(replicas: number): Partial<TrainingJobSpec> {
  return { roles: [role('worker', replicas)] };
}

export interface Situation {
  readonly pods?: readonly Pod[];
  readonly over?: Partial<Observed>;
}

export function seen(object: TrainingJob, { pods = [], over = {} }: Situation = {}): Observed {
  const owner = { namespace: 'team-a', name: object.metadata.name, uid: object.metadata.uid ?? '', spec: object.spec };
  return {
    object,
    job: owner,
    status: object.status ?? {},
    pods,
    nodes: new Map(),
    attempts: readAttempts(object.status ?? {}),
    hasService: true,
    volume: volumeOf(owner, object.spec),
    claim: undefined,
    pool: undefined,
    admission: { installed: { Kueue: false, Volcano: false, Coscheduling: false }, workloads: [], flavors: new Map(), podGroups: {}, priority: { value: 0 }, podPriority: false },
    snapshots: { installed: true, name: 'digits-succeeded', object: undefined },
    servedBy: [],
    mountFailures: new Map(),
    progress: undefined,
    restore: undefined,
    listeningSinceMs: 0,
    ...over,
  };
}

/** The job's pod of an attempt, in a given state. */
export function pod(of: TrainingJob, attempt: number, status: PodStatus = {}, over: { readonly index?: number; readonly deleting?: boolean } = {}): Pod {
  const { index = 0, deleting = false } = over;
  const place = placesOf(of.spec)[index];
  if (place === undefined) throw new Error(`The job has no place ${index}.`);
  const { metadata } = trainingPod({ namespace: 'team-a', name: of.metadata.name, uid: of.metadata.uid ?? '', spec: of.spec }, place, attempt, context);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      uid: `uid-of-${metadata.name}`,
      creationTimestamp: '2026-03-01T12:00:00Z',
      ...(deleting ? { deletionTimestamp: '2026-03-01T12:00:00Z' } : {}),
    },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Pending', ...status },
  };
}

export const runningStatus: PodStatus = {
  phase: 'Running',
  startTime: '2026-03-01T12:00:00Z',
  conditions: [{ type: 'PodScheduled', status: 'True' }],
  main: { ready: true, running: { startedAt: '2026-03-01T12:00:00Z' } },
};

export function endedStatus(exitCode: number, over: Partial<Termination> = {}): PodStatus {
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    startTime: '2026-03-01T12:00:00Z',
    conditions: [{ type: 'PodScheduled', status: 'True' }],
    main: { ready: false, terminated: { exitCode, startedAt: '2026-03-01T12:00:00Z', finishedAt: '2026-03-01T12:00:00Z', ...over } },
  };
}

export const resultMessage = JSON.stringify({
  metrics: { test_accuracy: 0.98 },
  epochs: 5,
  model: { path: 'model', digest: `sha256:${'a'.repeat(64)}`, sizeBytes: 1000 },
});
