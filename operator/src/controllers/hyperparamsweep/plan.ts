/** What to do for one HyperparamSweep at its stage. Pure: the same look gives the same actions. */
import { findCondition, trialName } from '../../api/index.ts';
import { done, type Action, type EventNote, type Plan } from '../../runtime/index.ts';
import { emit, seenOf } from '../shared/objects.ts';
import { hyperparamSweepType, trainingJobType } from '../shared/resources.ts';
import type { Assessment } from './assess.ts';
import { failureText, spelledBest } from './conclusions.ts';
import type { Observed, SweepStatus } from './observe.ts';
import type { Refused } from './refusal.ts';
import { refusedSentence } from './sentences.ts';
import { trialJob } from './trial.ts';

/** Events come first: an action that fails keeps those after it from being done, and what they tell is true already. */
export function planSweep(seen: Observed, assessment: Assessment): Plan {
  const { stage } = assessment;
  if (stage.kind === 'Finished') return { actions: [], next: done };
  const trials = stage.kind === 'Active' ? stage.batch : [];
  return {
    actions: [
      ...announceFailures(seen, assessment),
      ...announceBest(seen, assessment),
      ...announceStage(seen, assessment),
      ...trials.map((trial): Action => ({ kind: 'Create', type: trainingJobType, object: trialJob(seen.object, trial) })),
    ],
    next: done,
  };
}

/** What is to be told after the plan was carried out: that a trial was refused, once. */
export function announceRefusal(seen: Observed, refused: Refused | undefined): Action[] {
  const { refusal } = seen.status;
  if (refused === undefined || (refusal?.trial === refused.refusal.trial && refusal.message === refused.refusal.message)) return [];
  const name = trialName(seen.object.metadata.name, refused.refusal.trial);
  return [announce(seen, 'Warning', 'TrialRefused', 'CreateTrial', refusedSentence(name, refused.refusal.message))];
}

function announceFailures(seen: Observed, { ledger }: Assessment): Action[] {
  const before = seen.status.trials?.outcomes ?? '';
  return ledger.flatMap((letter, trial) => {
    const isNews = (before[trial] ?? '.') === '.' && letter !== '.' && letter !== 'S';
    return isNews ? [announce(seen, 'Warning', 'TrialFailed', 'CountTrial', failureText(seen, trial, letter))] : [];
  });
}

function announceBest(seen: Observed, { best }: Assessment): Action[] {
  if (best === undefined || best.trial === seen.status.best?.trial) return [];
  const note = `Trial ${trialName(seen.object.metadata.name, best.trial)} is the best so far: ${spelledBest(seen.object.spec, best.value)}.`;
  return [announce(seen, 'Normal', 'BestImproved', 'CompareTrials', note)];
}

/** The end, and what holds the sweep up, when it begins to. */
function announceStage(seen: Observed, { stage }: Assessment): Action[] {
  switch (stage.kind) {
    case 'Succeeded':
      return [announce(seen, 'Normal', 'Succeeded', 'Finish', stage.message)];
    case 'Failed':
      return [announce(seen, 'Warning', 'Failed', 'Finish', stage.message)];
    case 'Stopping':
    case 'Blocked':
      return isNew(seen.status, stage.reason) ? [announce(seen, 'Warning', stage.reason, 'CreateTrial', stage.message)] : [];
    case 'Finished':
    case 'Suspended':
    case 'Waiting':
    case 'Active':
      return [];
  }
}

function isNew(status: SweepStatus, reason: string): boolean {
  return findCondition(status.conditions, 'Ready')?.reason !== reason;
}

/** Most characters of an event's note in events.k8s.io/v1. */
const longestNote = 1024;

function announce(seen: Observed, type: EventNote['type'], reason: string, action: string, note: string): Action {
  return emit(seenOf(hyperparamSweepType, seen.object), type, reason, action, note.slice(0, longestNote));
}
