/** XGBoostJob, JAXJob and PaddleJob of kubeflow.org/v1. */
import { rolesOf, successOfMaster, type KubeflowForm, type Own } from './kubeflow-job.ts';
import type { Reader } from './reader.ts';
import type { ReplicaSpec } from './replica-specs.ts';

const masterAndWorker = [
  { type: 'Master', name: 'master', single: true },
  { type: 'Worker', name: 'worker' },
] as const;

export const xgboostJob: KubeflowForm = {
  kind: 'XGBoostJob',
  field: 'xgbReplicaSpecs',
  framework: 'XGBoost',
  restartPolicy: 'Never',
  trainers: ['xgboost'],
  roles: masterAndWorker,
  own: (_spec, replicas) => ({ roles: rolesOf(replicas), spec: successOfMaster(replicas) }),
};

export const jaxJob: KubeflowForm = {
  kind: 'JAXJob',
  field: 'jaxReplicaSpecs',
  framework: 'JAX',
  restartPolicy: 'Never',
  trainers: ['jax'],
  roles: [{ type: 'Worker', name: 'worker' }],
  own: (_spec, replicas) => ({ roles: rolesOf(replicas), spec: {} }),
};

/** Anneal has no wiring for Paddle, so what PaddleJob put into the environment is the user's to set. */
export const paddleJob: KubeflowForm = {
  kind: 'PaddleJob',
  field: 'paddleReplicaSpecs',
  framework: 'Custom',
  restartPolicy: 'OnFailure',
  trainers: ['paddle'],
  roles: masterAndWorker,
  own: readPaddle,
};

function readPaddle(spec: Reader, replicas: readonly ReplicaSpec[]): Own {
  spec.warn(
    'spec.paddleReplicaSpecs',
    'Its pods had the variables PADDLE_MASTER, PADDLE_NNODES and the like, which Anneal does not set.',
    'Set them in the command from ANNEAL_HOSTS, the host names of the role in the order of their indexes.',
  );
  spec.loseField('elasticPolicy', 'It is what PaddleJob sets PADDLE_ELASTIC_ variables from, which Anneal does not.', 'With workers only, set minReplicas and maxReplicas in the role and the variables in the command.');
  return { roles: rolesOf(replicas), spec: successOfMaster(replicas) };
}
