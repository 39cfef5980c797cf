/** The same work, asked of two controllers: N jobs of two pods each. */
import { trainingJobType } from '../../operator/src/controllers/shared/resources.ts';
import type { KubeObject, ResourceType } from '../../operator/src/kube/resource.ts';

export const podsPerJob = 2;

export interface Contender {
  readonly name: 'anneal' | 'native';
  readonly title: string;
  readonly type: ResourceType;
  job(namespace: string, name: string): KubeObject;
  /** Whether the object's own status says that both pods run. */
  saysRunning(object: KubeObject): boolean;
}

/** No node ever pulls it: the nodes are simulated. */
const podSpec = { containers: [{ name: 'main', image: 'example.com/never-pulled:1', resources: { requests: { cpu: '10m', memory: '16Mi' } } }] };

export const anneal: Contender = {
  name: 'anneal',
  title: 'Anneal TrainingJob',
  type: trainingJobType,
  job: (namespace, name) => {
    const object = {
      apiVersion: 'anneal.dev/v1alpha1', kind: 'TrainingJob', metadata: { namespace, name },
      spec: { roles: [{ name: 'worker', replicas: podsPerJob, template: { spec: podSpec } }] },
    };
    return object;
  },
  saysRunning: (object: KubeObject & { readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } }) =>
    object.status?.conditions?.some(({ type, status }) => type === 'Running' && status === 'True') ?? false,
};

export const native: Contender = {
  name: 'native',
  title: 'batch/v1 Job',
  type: { group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true },
  job: (namespace, name) => {
    const object = {
      apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace, name },
      spec: {
        parallelism: podsPerJob, completions: podsPerJob, completionMode: 'Indexed', backoffLimit: 0,
        template: { spec: { ...podSpec, restartPolicy: 'Never' } },
      },
    };
    return object;
  },
  saysRunning: (object: KubeObject & { readonly status?: { readonly ready?: number } }) => object.status?.ready === podsPerJob,
};
