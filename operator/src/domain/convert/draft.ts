/** A TrainingJob as a person writes it: what the schema fills in may be left out. */
import type { FailurePolicy, Role, Scheduling, TrainingJobSpec } from '../../api/index.ts';
import type { JsonObject } from './json.ts';

type Draft<T> = T extends readonly (infer Item)[] ? readonly Draft<Item>[] : T extends object ? { readonly [Field in keyof T]?: Draft<T[Field]> } : T;

export interface DraftTemplate {
  readonly metadata?: JsonObject;
  readonly spec: JsonObject;
}

export type DraftRole = Draft<Omit<Role, 'template' | 'name'>> & { readonly name: string; readonly template: DraftTemplate };
export type DraftScheduling = Draft<Scheduling>;
export type DraftFailurePolicy = Draft<FailurePolicy>;

export type DraftSpec = Draft<Omit<TrainingJobSpec, 'roles' | 'trainer'>> & { readonly roles: readonly DraftRole[] };

export interface DraftJob {
  readonly apiVersion: string;
  readonly kind: 'TrainingJob';
  readonly metadata: JsonObject;
  readonly spec: DraftSpec;
}

export const apiVersion = 'anneal.dev/v1alpha1';

/** A job with its fields in the order in which a person reads them: what is short before the roles, and a role's template last. */
export function draftJob(metadata: JsonObject, { framework, roles, ...rest }: DraftSpec): DraftJob {
  const ordered = roles.map(({ name, template, ...settings }) => ({ name, ...settings, template }));
  return { apiVersion, kind: 'TrainingJob', metadata, spec: { ...(framework === undefined ? {} : { framework }), ...rest, roles: ordered } };
}
