/** The conditions of a HyperparamSweep, each with a reason for programs and a sentence for a person. */
import { findCondition, isTrue, trialName, type Conclusion, type HyperparamSweepSpec } from '../../api/index.ts';
import type { Outcome } from '../../runtime/index.ts';
import { formatted } from '../shared/format.ts';
import type { Assessment } from './assess.ts';
import { metricsOf, objectiveOf, type Letter } from './ledger.ts';
import type { Observed } from './observe.ts';
import type { Refused } from './refusal.ts';
import { counted, refusedSentence } from './sentences.ts';

export interface Results {
  readonly outcome: Outcome;
  readonly refused: Refused | undefined;
}

/** All that is true of the sweep. A refused action outweighs everything, since nothing goes on until it is mended. */
export function conclusionsOf(seen: Observed, assessment: Assessment, results: Results): Conclusion[] {
  const runningNow = running(seen, assessment);
  return [ready(seen, assessment, runningNow, results), runningNow, ...healthy(seen, assessment, results), ...suspended(seen, assessment), ...ends(assessment)];
}

function ready(seen: Observed, { stage, counts }: Assessment, runningNow: Conclusion, { outcome, refused }: Results): Conclusion {
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Ready', status, reason, message });
  if (refused?.counts === false) return conclude('False', 'TrialRefused', refusedSentence(trialName(seen.object.metadata.name, refused.refusal.trial), refused.refusal.message));
  if (refused === undefined && outcome.kind === 'failed') return conclude('False', `${outcome.action.kind}Failed`, outcome.error.message);
  switch (stage.kind) {
    case 'Finished':
    case 'Succeeded':
      return conclude('True', 'Succeeded', stage.kind === 'Succeeded' ? stage.message : 'The sweep succeeded.');
    case 'Failed':
      return conclude('False', stage.reason, stage.message);
    case 'Stopping':
      return conclude('False', stage.reason, `${stage.message} No more are made; the sweep ends with the ${counts.running} that still run.`);
    case 'Blocked':
      return conclude('False', stage.reason, stage.message);
    case 'Waiting':
      return conclude('Unknown', stage.reason, stage.message);
    case 'Suspended':
      return conclude('Unknown', 'Suspended', 'The sweep makes no new trials; set spec.suspend to false to go on.');
    case 'Active':
      return conclude(runningNow.status === 'True' ? 'True' : 'Unknown', runningNow.reason, runningNow.message);
  }
}

function running(seen: Observed, { ledger, stage }: Assessment): Conclusion {
  const conclude = (status: Conclusion['status'], reason: string, message: string): Conclusion => ({ type: 'Running', status, reason, message });
  const open = ledger.flatMap((letter, trial) => (letter === '.' ? (seen.trials.get(trial) ?? []) : []));
  const live = open.filter((job) => isTrue(job.status?.conditions, 'Running')).length;
  if (live > 0) return conclude('True', 'Running', `${counted(live, 'trial')} ${live === 1 ? 'runs' : 'run'}.`);
  const [first] = open;
  if (first === undefined) return stage.kind === 'Active' ? conclude('False', 'Starting', 'Trials are being made.') : conclude('False', stage.kind, 'No trial runs.');
  const cause = findCondition(first.status?.conditions, 'Ready');
  return conclude('False', cause?.reason ?? 'Starting', `TrainingJob ${first.metadata.name} does not run yet: ${cause?.message ?? 'it was just made.'}`);
}

/** How many failed trials are named. */
const mostNamed = 3;

/** Present once a trial was made: a sweep may be well on its way while some of its trials fail. */
function healthy(seen: Observed, { ledger, counts }: Assessment, { refused }: Results): Conclusion[] {
  const refusedNow = refused?.counts === true ? [refusalText(seen, refused.refusal)] : [];
  if (counts.created === 0 && refusedNow.length === 0) return [];
  const failed = ledger.flatMap((letter, trial) => (letter === '.' || letter === 'S' ? [] : [{ letter, trial }]));
  const total = failed.length + refusedNow.length;
  if (total === 0) return [{ type: 'TrialsHealthy', status: 'True', reason: 'NoneFailed', message: 'No trial failed.' }];
  const texts = [...failed.map(({ letter, trial }) => failureText(seen, trial, letter)), ...refusedNow].slice(-mostNamed);
  const { failures } = seen.object.spec.limits;
  const head = `${counted(total, 'trial')} failed; one more than ${failures} ends the sweep.`;
  return [{ type: 'TrialsHealthy', status: 'False', reason: 'SomeFailed', message: [head, ...(total > texts.length ? ['The newest:'] : []), ...texts].join(' ') }];
}

/** Why a trial counts as failed, in a sentence. */
export function failureText(seen: Observed, trial: number, letter: Letter): string {
  const name = trialName(seen.object.metadata.name, trial);
  const job = seen.trials.get(trial);
  if (letter === 'D') return `${name} was deleted before its end.`;
  if (letter === 'R') return seen.status.refusal?.trial === trial ? refusalText(seen, seen.status.refusal) : `${name} was refused by the API server.`;
  if (job === undefined) return letter === 'M' ? `${name} ended without the metric.` : `${name} failed.`;
  if (letter === 'M') {
    const reported = Object.keys(metricsOf(job));
    const { metric } = objectiveOf(seen.object.spec);
    return `${name} ended without a finite value of ${metric}; it reported ${reported.length === 0 ? 'no metrics' : reported.join(', ')}.`;
  }
  const cause = findCondition(job.status?.conditions, 'Failed');
  return `${name} failed (${cause?.reason ?? 'unknown'}): ${shortened(cause?.message ?? '')}`;
}

function refusalText(seen: Observed, { trial, message }: Refused['refusal']): string {
  return `${trialName(seen.object.metadata.name, trial)} was refused by the API server: ${shortened(message)}`;
}

/** So that three of them fit into one message. */
function shortened(text: string): string {
  return text.length <= 500 ? text : `${text.slice(0, 500)}…`;
}

/** Present once a sweep has been suspended. */
function suspended(seen: Observed, { stage }: Assessment): Conclusion[] {
  if (stage.kind === 'Suspended') return [{ type: 'Suspended', status: 'True', reason: 'Suspended', message: 'spec.suspend is true.' }];
  return findCondition(seen.status.conditions, 'Suspended') === undefined ? [] : [{ type: 'Suspended', status: 'False', reason: 'Resumed', message: 'The sweep went on.' }];
}

function ends({ stage }: Assessment): Conclusion[] {
  if (stage.kind === 'Succeeded') return [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: stage.message }];
  if (stage.kind === 'Failed') return [{ type: 'Failed', status: 'True', reason: stage.reason, message: stage.message }];
  return [];
}

/** `val_accuracy 0.9731`. */
export function spelledBest(spec: HyperparamSweepSpec, value: number): string {
  return `${objectiveOf(spec).metric} ${formatted(value)}`;
}
