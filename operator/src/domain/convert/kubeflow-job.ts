/** What is alike in the jobs of kubeflow.org: metadata, replica specs, run policy, restarts. */
import { draftJob, type DraftJob, type DraftRole, type DraftSpec } from './draft.ts';
import { readIdentity } from './metadata.ts';
import type { Reader } from './reader.ts';
import { readReplicaSpecs, type ReplicaForm, type ReplicaSpec } from './replica-specs.ts';
import { failurePolicyOf } from './restarts.ts';
import { joinScheduling, readRunPolicy, readSuspend } from './run-policy.ts';

export interface KubeflowForm extends ReplicaForm {
  readonly framework: NonNullable<DraftSpec['framework']>;
  /** Reads the fields that only this kind has. May change roles. */
  readonly own: (spec: Reader, replicas: readonly ReplicaSpec[]) => Own;
}

export interface Own {
  readonly roles: readonly DraftRole[];
  readonly spec: Omit<DraftSpec, 'roles'>;
}

const backoffRemark = 'The old operator counted little of it: restarts in a pod at most. Here it is the budget for the program\'s own failures, of the whole job.';

export function convertKubeflowJob(document: Reader, form: KubeflowForm): DraftJob {
  document.ignore('apiVersion', 'kind', 'status');
  const identity = readIdentity(document);
  const spec = document.need('spec', `{${form.field}: …}`);
  const replicas = readReplicaSpecs(spec, form, identity.name);
  const pods = replicas.reduce((sum, role) => sum + role.replicas, 0);
  const policy = spec.at('runPolicy');
  const run = readRunPolicy(policy, pods);
  const own = form.own(spec, replicas);
  const scheduling = joinScheduling(identity.scheduling, run.scheduling, policy?.at('schedulingPolicy'));
  return draftJob(identity.metadata, {
    framework: form.framework,
    ...own.spec,
    roles: own.roles,
    ...failurePolicyOf(replicas.map(({ restart }) => restart), run.backoffLimit, backoffRemark),
    ...run.spec,
    ...scheduling,
    ...readSuspend(policy, scheduling.scheduling ?? {}),
  });
}

export function rolesOf(replicas: readonly ReplicaSpec[]): readonly DraftRole[] {
  return replicas.map(({ role }) => role);
}

/** Where there is a master, its end is the job's, whatever the workers do. */
export function successOfMaster(replicas: readonly ReplicaSpec[]): Pick<DraftSpec, 'successPolicy'> {
  return replicas.some(({ role }) => role.name === 'master') && replicas.length > 1 ? { successPolicy: 'Chief' } : {};
}
