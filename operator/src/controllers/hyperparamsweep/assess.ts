/** Concludes at which stage a HyperparamSweep is. Pure and total: the plan follows from the stage, and so does the status. */
import { annotations, trialName, type TrainingJobSpec } from '../../api/index.ts';
import { fingerprintOf, overrideProblem, plannedTrials, proposalOf, templateDigests, trialBase, trialSpec, type TemplateDigests } from '../../domain/search/index.ts';
import { countsOf, isBetter, ledgerOf, objectiveOf, valueOf, type Candidate, type Counts, type Ledger } from './ledger.ts';
import { endOf, type Observed, type SweepStatus } from './observe.ts';
import { counted, refusedSentence } from './sentences.ts';
import type { TrialPlan } from './trial.ts';

export type Stage =
  /** Ended in an earlier pass; nothing is left to do. */
  | { readonly kind: 'Finished' }
  | { readonly kind: 'Succeeded'; readonly message: string }
  | { readonly kind: 'Failed'; readonly reason: string; readonly message: string }
  /** Will fail when the trials that still run have ended. */
  | { readonly kind: 'Stopping'; readonly reason: string; readonly message: string }
  | { readonly kind: 'Suspended' }
  /** Something must come before trials can be made. */
  | { readonly kind: 'Waiting'; readonly reason: string; readonly message: string }
  /** A person must mend something before trials can be made. */
  | { readonly kind: 'Blocked'; readonly reason: string; readonly message: string }
  /** `batch` are the trials to make now. */
  | { readonly kind: 'Active'; readonly batch: readonly TrialPlan[] };

/** What the trials were made from, as far as any were. */
export type Recorded = NonNullable<SweepStatus['template']>;

export interface Assessment {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly counts: Counts;
  readonly best: Candidate | undefined;
  /** Undefined where it cannot be said. */
  readonly planned: number | undefined;
  readonly recorded: Recorded | undefined;
}

export function assess(seen: Observed): Assessment {
  const ledger = ledgerOf(seen);
  const counts = countsOf(ledger);
  const plan = plannedTrials(seen.object.spec);
  // A limit that was lowered beneath what exists already plans what exists.
  const planned = typeof plan === 'number' ? Math.max(plan, counts.created) : undefined;
  const base = { ledger, counts, best: bestOf(seen, ledger), planned, recorded: recordedOf(seen) };
  if (endOf(seen.status) !== undefined) return { ...base, stage: { kind: 'Finished' } };
  return { ...base, stage: stageOf(seen, base, plan) };
}

function stageOf(seen: Observed, base: Omit<Assessment, 'stage'>, plan: ReturnType<typeof plannedTrials>): Stage {
  const { counts } = base;
  const { limits, suspend } = seen.object.spec;
  if (counts.failed > limits.failures) {
    const message = `${counted(counts.failed, 'trial')} failed, and limits.failures allows ${limits.failures}.`;
    return { kind: counts.running > 0 ? 'Stopping' : 'Failed', reason: 'TooManyFailedTrials', message };
  }
  if (typeof plan === 'number' && counts.created >= plan) return counts.running > 0 ? { kind: 'Active', batch: [] } : endStage(seen, base);
  if (suspend) return { kind: 'Suspended' };
  if (typeof plan !== 'number') return { kind: 'Blocked', reason: 'TooManyCombinations', message: plan.problem };
  return beforeTrials(seen, base, plan);
}

function endStage({ object }: Observed, { best, counts }: Omit<Assessment, 'stage'>): Stage {
  const { metric } = objectiveOf(object.spec);
  if (best === undefined) return { kind: 'Failed', reason: 'NoTrialSucceeded', message: `None of the ${counts.created} trials ended well with a value of ${metric}.` };
  return { kind: 'Succeeded', message: `Trial ${trialName(object.metadata.name, best.trial)} is the best of ${counts.created}: ${metric} is ${best.value}.` };
}

/** Checks in the order in which a person would mend, then fills the free places. */
function beforeTrials(seen: Observed, base: Omit<Assessment, 'stage'>, plan: number): Stage {
  const { spec } = seen.object;
  const problem = overrideProblem(spec.template.overrides, spec.parameters);
  if (problem !== undefined) return { kind: 'Blocked', reason: problem.code, message: problem.message };
  if (seen.template.kind === 'Missing') {
    return { kind: 'Waiting', reason: 'TemplateMissing', message: `There is no TrainingJob ${seen.template.name} to take the template from; create it, or correct spec.template.fromTrainingJob.` };
  }
  const digests = templateDigests(seen.template.spec, spec.template.overrides);
  return changed(seen, base.recorded, digests) ?? fillPlaces(seen, base.counts, digests, seen.template.spec, plan);
}

/** Trials of two templates in one sweep would be compared as if they were of one. */
function changed({ object }: Observed, recorded: Recorded | undefined, digests: TemplateDigests): Stage | undefined {
  if (recorded === undefined) return undefined;
  const { fromTrainingJob } = object.spec.template;
  const what = recorded.digest !== digests.template
    ? fromTrainingJob === undefined ? 'spec.template.spec' : `The spec of TrainingJob ${fromTrainingJob}`
    : recorded.overridesDigest !== undefined && recorded.overridesDigest !== digests.overrides ? 'spec.template.overrides' : undefined;
  if (what === undefined) return undefined;
  return { kind: 'Blocked', reason: 'TemplateChanged', message: `${what} is not what the sweep's earlier trials were made from. Put it back, or make a new HyperparamSweep.` };
}

function fillPlaces(seen: Observed, counts: Counts, digests: TemplateDigests, template: TrainingJobSpec, plan: number): Stage {
  const { spec } = seen.object;
  const end = Math.min(plan, counts.created + Math.max(0, spec.limits.parallelism - counts.running));
  const batch: TrialPlan[] = [];
  for (let trial = counts.created; trial < end; trial += 1) {
    const next = planTrial(seen, trial, digests, template);
    if ('kind' in next) return batch.length === 0 ? next : { kind: 'Active', batch };
    batch.push(next);
  }
  return { kind: 'Active', batch };
}

function planTrial(seen: Observed, trial: number, digests: TemplateDigests, template: TrainingJobSpec): TrialPlan | Stage {
  const { metadata, spec } = seen.object;
  const name = trialName(metadata.name, trial);
  if (seen.taken.has(trial)) {
    return { kind: 'Blocked', reason: 'TrialNameTaken', message: `TrainingJob ${name} exists and does not belong to this sweep. Delete it, or give the sweep another name.` };
  }
  const proposal = proposalOf(spec, trial);
  if (proposal === undefined) return { kind: 'Blocked', reason: 'NoSuchTrial', message: `The search has no trial ${trial}.` };
  const fingerprint = fingerprintOf(digests, proposal.kind);
  const { refusal } = seen.status;
  if (refusal?.trial === trial && refusal.template === fingerprint && refusal.generation === metadata.generation) {
    return { kind: 'Blocked', reason: 'TrialRefused', message: refusedSentence(name, refusal.message) };
  }
  if (proposal.kind === 'Template') return { trial, values: {}, spec: trialBase(template), fingerprint };
  const made = trialSpec(template, spec.template.overrides, proposal.values);
  if ('problem' in made) return { kind: 'Blocked', reason: made.problem.code, message: made.problem.message };
  return { trial, values: proposal.values, spec: made.spec, fingerprint };
}

/** The earlier best stays even if its TrainingJob was deleted: what was found out is not forgotten. */
function bestOf({ object, status, trials }: Observed, ledger: Ledger): Candidate | undefined {
  const objective = objectiveOf(object.spec);
  let best: Candidate | undefined = status.best;
  for (const [trial, job] of trials) {
    const value = ledger[trial] === 'S' ? valueOf(job, objective) : undefined;
    if (value !== undefined && (best === undefined || isBetter({ trial, value }, best, objective))) best = { trial, value };
  }
  return best === undefined ? undefined : { trial: best.trial, value: best.value };
}

/** From the status, or from the trials themselves where a crash kept it from being written there. */
function recordedOf({ status, trials }: Observed): Recorded | undefined {
  if (status.template?.overridesDigest !== undefined) return status.template;
  const recorded = [...trials.values()].map(({ metadata }) => (metadata.annotations?.[annotations.template] ?? '').split('/'));
  const [digest, overridesDigest] = recorded.find(([, overrides]) => overrides !== undefined) ?? recorded[0] ?? [];
  if (digest === undefined || digest === '') return status.template;
  return { digest: status.template?.digest ?? digest, ...(overridesDigest === undefined ? {} : { overridesDigest }) };
}
