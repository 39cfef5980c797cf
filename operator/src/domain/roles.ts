/** The roles of a TrainingJob, and what its framework says of them. A job with `trainer` has one role, of that name. */
import type { Role, TrainingJobSpec } from '../api/index.ts';

export type Framework = NonNullable<TrainingJobSpec['framework']>;
export type SuccessPolicy = NonNullable<TrainingJobSpec['successPolicy']>;
export type RestartScope = NonNullable<Role['restartScope']>;
/** A role of the spec; the built-in trainer's has no template. */
export type JobRole = Omit<Role, 'template'> & { readonly template?: Role['template'] };

/** One place in a job: the same place has one pod per attempt. */
export interface Place {
  readonly role: string;
  readonly index: number;
}

export const trainerRole = 'trainer';

export function frameworkOf(spec: TrainingJobSpec): Framework {
  return spec.trainer === undefined ? (spec.framework ?? 'Custom') : 'TensorFlowJS';
}

export function rolesOf(spec: TrainingJobSpec): readonly JobRole[] {
  if (spec.roles !== undefined) return spec.roles;
  const { replicas, minReplicas, maxReplicas } = spec;
  return [{ name: trainerRole, replicas, ...(minReplicas === undefined ? {} : { minReplicas }), ...(maxReplicas === undefined ? {} : { maxReplicas }) }];
}

/** In the order of the roles, and of the indexes within each. */
export function placesOf(spec: TrainingJobSpec): readonly Place[] {
  return rolesOf(spec).flatMap(({ name, replicas }) => Array.from({ length: replicas }, (_, index) => ({ role: name, index })));
}

export function roleAt(spec: TrainingJobSpec, { role }: Pick<Place, 'role'>): JobRole | undefined {
  return rolesOf(spec).find(({ name }) => name === role);
}

export function placeKey({ role, index }: Place): string {
  return `${role}/${index}`;
}

export function isElastic(role: JobRole): boolean {
  return role.minReplicas !== undefined;
}

/**
 * What a failed pod of the role restarts. Collective operations hang or fail on every rank when one is lost; TensorFlow's
 * parameter-server strategy is made to lose workers, and nobody waits for an evaluator.
 */
export function restartScopeOf(spec: TrainingJobSpec, role: JobRole): RestartScope {
  if (role.restartScope !== undefined) return role.restartScope;
  if (isElastic(role)) return 'Pod';
  if (frameworkOf(spec) !== 'TensorFlow') return 'Gang';
  const hasParameterServers = rolesOf(spec).some(({ name }) => name === 'ps');
  return role.name === 'evaluator' || (role.name === 'worker' && hasParameterServers) ? 'Pod' : 'Gang';
}

const successPolicies: Readonly<Record<Framework, SuccessPolicy>> = {
  TensorFlow: 'Chief',
  MPI: 'Chief',
  PyTorch: 'AllWorkers',
  JAX: 'AllWorkers',
  XGBoost: 'AllWorkers',
  TensorFlowJS: 'AllPods',
  Custom: 'AllPods',
};

export function successPolicyOf(spec: TrainingJobSpec): SuccessPolicy {
  return spec.successPolicy ?? successPolicies[frameworkOf(spec)];
}

const leadingRoles = ['chief', 'master', 'launcher', 'worker'];

/** The place that leads the others: the chief, master or launcher, else worker 0, else the first pod of the first role. */
export function chiefOf(spec: TrainingJobSpec): Place {
  const names = rolesOf(spec).map(({ name }) => name);
  const leader = leadingRoles.find((name) => names.includes(name)) ?? names[0] ?? trainerRole;
  return { role: leader, index: 0 };
}

/** Roles that serve others and never end by themselves, or that look on. */
const notWorkers = new Set(['ps', 'evaluator']);

/** The places that must have succeeded for the job to have. */
export function decidingPlaces(spec: TrainingJobSpec): readonly Place[] {
  const places = placesOf(spec);
  switch (successPolicyOf(spec)) {
    case 'AllPods':
      return places;
    case 'AllWorkers':
      return places.filter(({ role }) => !notWorkers.has(role));
    case 'Chief':
      return [chiefOf(spec)];
    case 'ChiefAndEvaluator':
      return [chiefOf(spec), ...places.filter(({ role }) => role === 'evaluator')];
  }
}
