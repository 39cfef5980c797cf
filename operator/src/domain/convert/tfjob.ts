/** TFJob of kubeflow.org/v1. */
import type { DraftRole, DraftSpec } from './draft.ts';
import { rolesOf, type KubeflowForm, type Own } from './kubeflow-job.ts';
import type { Reader } from './reader.ts';
import type { ReplicaSpec } from './replica-specs.ts';

export const tfJob: KubeflowForm = {
  kind: 'TFJob',
  field: 'tfReplicaSpecs',
  framework: 'TensorFlow',
  restartPolicy: 'Never',
  trainers: ['tensorflow'],
  roles: [
    { type: 'Chief', name: 'chief', single: true },
    { type: 'Master', name: 'master', single: true },
    { type: 'PS', name: 'ps' },
    { type: 'Worker', name: 'worker' },
    { type: 'Evaluator', name: 'evaluator' },
  ],
  own: readOwn,
};

function readOwn(spec: Reader, replicas: readonly ReplicaSpec[]): Own {
  const named = (name: string): ReplicaSpec | undefined => replicas.find(({ role }) => role.name === name);
  const master = named('master');
  if (named('chief') !== undefined) master?.source.fail('is the old name of the chief, and there is a Chief too; keep one of them.');
  named('evaluator')?.source.remark(
    'The evaluator finds itself in its own TF_CONFIG only, which TensorFlow 2 with parameter servers needs; TFJob listed it to all.',
    'Set spec.tensorflow.evaluatorInClusterSpec: AllTasks to have it as it was.',
  );
  const dynamic = spec.flag('enableDynamicWorker') === true;
  return {
    roles: dynamic ? rolesOf(replicas).map(thatComeAndGo) : rolesOf(replicas),
    spec: { ...(dynamic ? { tensorflow: { clusterSpec: 'Sparse' as const } } : {}), ...readSuccess(spec, named('chief') ?? master) },
  };
}

function thatComeAndGo(role: DraftRole): DraftRole {
  return role.name === 'worker' ? { ...role, restartScope: 'Pod' } : role;
}

function readSuccess(spec: Reader, chief: ReplicaSpec | undefined): Pick<DraftSpec, 'successPolicy'> {
  const policy = spec.choice('successPolicy', ['AllWorkers']);
  if (policy === undefined) return {};
  if (chief !== undefined) spec.remark('With a chief, TFJob ended when the chief did and heeded no policy; now all workers must have succeeded too.', 'Leave successPolicy out to end with the chief.', 'successPolicy');
  return { successPolicy: policy };
}
