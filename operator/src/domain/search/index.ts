/**
 * Hyperparameter search as pure functions: which values a trial gets follows from the sweep's spec and the trial's number
 * alone, so that a restarted operator proposes the same trials, in any order.
 */
export { fingerprintOf, templateDigests, type TemplateDigests } from './digest.ts';
export type { ParameterValues } from './parameters.ts';
export { plannedTrials, proposalOf } from './suggest.ts';
export { overrideProblem, trialBase, trialSpec } from './trial-spec.ts';
