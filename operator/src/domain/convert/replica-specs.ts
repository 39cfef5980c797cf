/** The map of replica specs that all jobs of kubeflow.org have, one entry a role. */
import type { DraftRole } from './draft.ts';
import type { Reader } from './reader.ts';
import type { RestartPolicy, RoleRestart } from './restarts.ts';
import { readTemplate } from './template.ts';

export interface RoleForm {
  /** As the old operator spells it. */
  readonly type: string;
  /** As a TrainingJob does. */
  readonly name: string;
  /** True where a TrainingJob has one pod of it at most. */
  readonly single?: boolean;
  readonly defaultReplicas?: number;
}

export interface ReplicaForm {
  readonly kind: string;
  readonly field: string;
  readonly roles: readonly RoleForm[];
  /** Name of the container that trains; empty where any may. */
  readonly trainers: readonly string[];
  readonly restartPolicy: RestartPolicy;
}

export interface ReplicaSpec {
  readonly source: Reader;
  readonly role: DraftRole;
  readonly replicas: number;
  readonly restart: RoleRestart;
}

const policies = ['Always', 'OnFailure', 'Never', 'ExitCode'] as const;
const mostReplicas = 1000;

/** The roles that have pods, in the order of the form, the leading role first. */
export function readReplicaSpecs(spec: Reader, form: ReplicaForm, jobName: string): readonly ReplicaSpec[] {
  const map = spec.need(form.field, `{${form.roles.map(({ type }) => type).join(', ')}}`);
  const found = map.entries().map(([type, source]) => ({ type, source, role: roleOf(type, form) }));
  for (const { type, source, role } of found) {
    if (role === undefined) return source.fail(`is no role of a ${form.kind}, which has ${form.roles.map((known) => known.type).join(', ')}.`);
    if (found.some((other) => other.type !== type && other.role === role)) source.fail(`stands there twice, in two spellings; keep one ${role.type}.`);
  }
  const specs = form.roles.flatMap((role) => {
    const source = found.find((candidate) => candidate.role === role)?.source;
    return source === undefined ? [] : readReplicaSpec(source, role, form, jobName);
  });
  if (specs.length === 0) map.fail('has no role with a pod; nothing would be trained.');
  return specs;
}

/** The old operators take any mix of capitals. */
function roleOf(type: string, form: ReplicaForm): RoleForm | undefined {
  return form.roles.find((role) => role.type.toLowerCase() === type.toLowerCase());
}

function readReplicaSpec(source: Reader, form: RoleForm, kind: ReplicaForm, jobName: string): readonly ReplicaSpec[] {
  const asked = source.whole('replicas', { min: 0, max: mostReplicas }) ?? form.defaultReplicas ?? 1;
  if (asked === 0) {
    source.lose('It has no pods.', 'Leave the role out, or give it replicas.');
    return [];
  }
  const replicas = form.single === true ? 1 : asked;
  if (asked !== replicas) source.loseField('replicas', `A TrainingJob has one ${form.name}.`, 'Add workers instead.');
  const policy = source.choice('restartPolicy', policies);
  const template = readTemplate(source.need('template', '{spec: {containers: [{name: main, image: example.com/train:1}]}}'), { jobName, trainers: kind.trainers });
  return [
    {
      source,
      replicas,
      role: { name: form.name, replicas, template },
      restart: { role: form.name, policy: policy ?? kind.restartPolicy, source: source.at('restartPolicy') },
    },
  ];
}
