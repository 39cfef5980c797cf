/** Which values each trial gets, and how many trials there are. */
import type { HyperparamSweepSpec } from '../../api/index.ts';
import { gridPoint, gridSize } from './grid.ts';
import type { ParameterValues, Search } from './parameters.ts';
import { randomPoint } from './random.ts';

export type Proposal =
  /** The template, unchanged: what a sweep must at least equal. */
  | { readonly kind: 'Template' }
  | { readonly kind: 'Sampled'; readonly values: ParameterValues };

/** Whether trial 0 is the template. Left open, Random begins with it, and Grid tries its combinations only. */
export function runsTemplateFirst({ algorithm }: Search): boolean {
  return (algorithm.firstTrial ?? (algorithm.name === 'Random' ? 'Template' : 'Sampled')) === 'Template';
}

/**
 * What one trial tries; undefined past the last combination of a grid.
 *
 * @param trial  number of the trial, from 0
 */
export function proposalOf(search: Search, trial: number): Proposal | undefined {
  const templateFirst = runsTemplateFirst(search);
  if (templateFirst && trial === 0) return { kind: 'Template' };
  const values = suggest(search, trial - (templateFirst ? 1 : 0));
  return values === undefined ? undefined : { kind: 'Sampled', values };
}

/**
 * The values at a place of the search. Pure: no history, no state.
 *
 * @param place  from 0; a trial that runs the template takes none
 */
export function suggest({ parameters, algorithm }: Search, place: number): ParameterValues | undefined {
  return algorithm.name === 'Grid' ? gridPoint(parameters, place) : randomPoint(parameters, algorithm.seed, place);
}

/** Most trials of one sweep, as the schema of `limits.trials` has it. */
const mostTrials = 10_000n;

/**
 * How many trials the sweep runs at most, or why that cannot be said.
 * A grid is never cut short silently: beyond the limit it asks for `limits.trials`.
 */
export function plannedTrials(spec: Search & Pick<HyperparamSweepSpec, 'limits'>): number | { readonly problem: string } {
  const limit = spec.limits.trials;
  if (spec.algorithm.name === 'Random') return limit ?? { problem: 'Random needs limits.trials, the number of trials to run.' };
  const all = gridSize(spec.parameters) + (runsTemplateFirst(spec) ? 1n : 0n);
  if (limit !== undefined) return Number(all < BigInt(limit) ? all : BigInt(limit));
  if (all <= mostTrials) return Number(all);
  return { problem: `The grid has ${inWords(all)} trials, and a sweep runs at most ${mostTrials}. Set limits.trials, or use larger steps.` };
}

function inWords(count: bigint): string {
  return count > BigInt(Number.MAX_SAFE_INTEGER) ? 'more than 10^15' : String(count);
}
