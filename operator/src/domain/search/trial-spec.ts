/** The spec of a trial: the template with what the trial varies. */
import type { TrainingJobSpec } from '../../api/index.ts';
import { parseOverrides, problemOf, reservedFields, type OverrideProblem, type Overrides } from './overrides.ts';
import type { ParameterValues } from './parameters.ts';
import { setAt } from './paths.ts';
import { fill } from './placeholders.ts';

/** `spec` is what the overrides make of the template; whether a TrainingJob may look so is the API server's to say. */
export type TrialSpecResult = { readonly spec: object } | { readonly problem: OverrideProblem };

/**
 * What a trial takes over from the template. Left out are: suspend, so that a suspended job can serve as a template;
 * backup, since a snapshot of every trial is not what one of the job asks for; ttlSecondsAfterFinished, since a trial
 * that goes takes its model with it.
 */
export function trialBase(template: TrainingJobSpec): object {
  return Object.fromEntries(Object.entries(template).filter(([field]) => !reservedFields.has(field)));
}

/** What is wrong with the overrides whatever the template is; undefined when nothing is. */
export function overrideProblem(overrides: Overrides, parameters: readonly { readonly name: string }[]): OverrideProblem | undefined {
  return problemOf(parseOverrides(overrides), parameters.map(({ name }) => name));
}

/** The template with the overrides set; they must be free of problems on their own, see `overrideProblem`. */
export function trialSpec(template: TrainingJobSpec, overrides: Overrides, parameters: ParameterValues): TrialSpecResult {
  let spec: unknown = trialBase(template);
  for (const { path, value } of parseOverrides(overrides)) {
    const result = setAt(spec, path, fill(value, parameters));
    if ('problem' in result) return result;
    spec = result.value;
  }
  return { spec: spec as object };
}
