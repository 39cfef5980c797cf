/** What to make of an API server that will not have a trial: its sentence must reach the user, and be asked for once. */
import { ApiError } from '../../kube/errors.ts';
import type { Outcome } from '../../runtime/index.ts';
import type { Assessment } from './assess.ts';
import type { Observed, SweepStatus } from './observe.ts';
import type { TrialPlan } from './trial.ts';

export interface Refused {
  readonly refusal: NonNullable<SweepStatus['refusal']>;
  /**
   * Whether the trial counts as failed, and the sweep goes on with the next. Where no values were accepted before, all
   * of them would be refused for the same mistake in the overrides or the template: then the sweep waits for its edit.
   */
  readonly counts: boolean;
}

/** Invalid, and unknown fields, which strict decoding calls a bad request: the same object would be refused again. */
const finalCodes = new Set([400, 422]);

/** How the API server words that a webhook or a policy of the cluster said no, whatever code they chose. */
const byPolicy = /denied (the )?request/;

const longestMessage = 2048;

/** Undefined when no trial was refused for good; any other failure is tried again. */
export function refusalIn(outcome: Outcome, { object }: Observed, { stage, recorded }: Assessment): Refused | undefined {
  if (outcome.kind !== 'failed' || outcome.action.kind !== 'Create' || stage.kind !== 'Active') return undefined;
  const { error } = outcome;
  if (!(error instanceof ApiError) || !finalCodes.has(error.code)) return undefined;
  const { name } = outcome.action.object.metadata;
  const place = stage.batch.findIndex(({ trial }) => name.endsWith(`-${trial}`));
  const refused = stage.batch[place];
  if (refused === undefined) return undefined;
  const message = (error.status.message ?? error.message).slice(0, longestMessage);
  const made = stage.batch.slice(0, place);
  const counts = isSampled(refused) && (recorded?.overridesDigest !== undefined || made.some(isSampled));
  // Nobody can tell when a policy of the cluster changes, and then it is no edit of the sweep that makes it go on.
  if (!counts && byPolicy.test(message)) return undefined;
  return {
    refusal: { trial: refused.trial, template: refused.fingerprint, generation: object.metadata.generation ?? 0, message },
    counts,
  };
}

function isSampled({ fingerprint }: TrialPlan): boolean {
  return fingerprint.includes('/');
}
