/** ModelDeployments, and what they serve from, in the situations that tests speak of. */
import type { HyperparamSweep, ModelDeployment, ModelDeploymentSpec, ModelStatus, NodePool, TrainingJob } from '@anneal/operator/api';
import { childName } from '@anneal/operator/api';
import { job } from './training-job.ts';

export const servingSettings = { trainerImage: 'anneal/trainer:test' };

/** A deployment as the API server would return it; it serves TrainingJob digits. */
export function modelDeployment(spec: Partial<ModelDeploymentSpec> = {}, status: ModelDeployment['status'] = {}): ModelDeployment {
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name: 'served', namespace: 'team-a', uid: 'uid-of-served', generation: 1, creationTimestamp: '2026-03-01T11:59:00Z' },
    spec: { model: { fromTrainingJob: 'digits' }, scaling: { minReplicas: 1, metric: 'CPU', target: 70 }, ...spec },
    status,
  };
}

export function scaling(minReplicas: number, maxReplicas?: number): Pick<ModelDeploymentSpec, 'scaling'> {
  return { scaling: { minReplicas, metric: 'CPU', target: 70, ...(maxReplicas === undefined ? {} : { maxReplicas }) } };
}

export function digestOf(seed: number): string {
  return `sha256:${seed.toString(16).padStart(64, '0')}`;
}

/** The model of one run of a job: a rerun has another UID and so another claim. */
export function modelOf(run: number, name = 'digits'): ModelStatus {
  return { claimName: childName({ name, uid: `uid-of-${name}-${run}` }, 'volume'), path: 'model', digest: digestOf(run), sizeBytes: 1000, metrics: { accuracy: 0.98 } };
}

export type JobState = 'running' | 'succeeded' | 'failed' | 'withoutModel';

export function trainedJob(state: JobState, run = 1, name = 'digits'): TrainingJob {
  const condition = (type: string) => ({ type, status: 'True' as const, reason: type, message: `It ${type.toLowerCase()}.`, lastTransitionTime: '2026-03-01T12:00:00Z' });
  const base = job();
  const status = {
    running: { progress: { summary: '40 %' } },
    succeeded: { conditions: [condition('Succeeded')], model: modelOf(run, name) },
    failed: { conditions: [condition('Failed')] },
    withoutModel: { conditions: [condition('Succeeded')] },
  }[state];
  return { ...base, metadata: { ...base.metadata, name, uid: `uid-of-${name}-${run}` }, status };
}

/** A sweep whose best trial so far is `digits-2`. */
export function sweep(state: 'running' | 'succeeded' | 'failed', run = 1): HyperparamSweep {
  const type = { running: 'Running', succeeded: 'Succeeded', failed: 'Failed' }[state];
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'HyperparamSweep',
    metadata: { name: 'digits', namespace: 'team-a', uid: `uid-of-sweep-${run}` },
    spec: {
      objectives: [{ metric: 'accuracy', direction: 'Maximize' }],
      parameters: [{ name: 'rate', type: 'Float', min: 0, max: 1, scale: 'Linear' }],
      algorithm: { name: 'Random', seed: 0 },
      limits: { trials: 6, parallelism: 2, failures: 0 },
      template: { fromTrainingJob: 'digits', overrides: {} },
      suspend: false,
    },
    status: {
      conditions: [{ type, status: 'True', reason: type, message: `It is ${state}.`, lastTransitionTime: '2026-03-01T12:00:00Z' }],
      trials: { summary: '3/6 trials' },
      best: { trial: 2, trainingJob: 'digits-2', value: 0.99, model: modelOf(run, 'digits-2') },
    },
  };
}

export function karpenterPool(over: Partial<NodePool> = {}): NodePool {
  return { provider: 'Karpenter', nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'gpu' }, capacity: ['Spot', 'OnDemand'], ...over };
}
