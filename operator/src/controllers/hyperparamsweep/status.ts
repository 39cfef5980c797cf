/** The status that follows from what was seen, what was concluded and how the actions went. Pure. */
import { conditionsFrom, parseTime, timestamp, trialName, type TrainingJob } from '../../api/index.ts';
import { proposalOf } from '../../domain/search/index.ts';
import type { Outcome } from '../../runtime/index.ts';
import type { Assessment } from './assess.ts';
import { conclusionsOf, spelledBest } from './conclusions.ts';
import { countsOf, type Best, type Ledger } from './ledger.ts';
import type { Observed, SweepStatus } from './observe.ts';
import { refusalIn } from './refusal.ts';

type Trials = NonNullable<SweepStatus['trials']>;

export function statusOf(seen: Observed, assessment: Assessment, outcome: Outcome, nowMs: number): SweepStatus {
  const generation = seen.object.metadata.generation ?? 0;
  const time = timestamp(nowMs);
  const { stage, recorded } = assessment;
  if (stage.kind === 'Finished') {
    return { ...seen.status, observedGeneration: generation, conditions: conditionsFrom(seen.status.conditions, keptConclusions(seen), generation, time) };
  }
  const refused = refusalIn(outcome, seen, assessment);
  const ledger = refused?.counts === true ? withRefusal(assessment.ledger, refused.refusal.trial) : assessment.ledger;
  const ended = stage.kind === 'Succeeded' || stage.kind === 'Failed';
  return {
    ...(outcome.kind === 'done' || refused !== undefined ? { observedGeneration: generation } : keep('observedGeneration', seen.status.observedGeneration)),
    conditions: conditionsFrom(seen.status.conditions, conclusionsOf(seen, assessment, { outcome, refused }), generation, time),
    ...keep('startTime', seen.status.startTime ?? firstStart(seen)),
    ...(ended ? { completionTime: time } : {}),
    trials: trialsOf(ledger, assessment),
    ...keep('template', recorded),
    ...keep('refusal', refused?.refusal ?? seen.status.refusal),
    ...keep('remainingSeconds', ended ? undefined : remainingSeconds(seen, assessment)),
    ...keep('best', bestOf(seen, assessment)),
  };
}

/** Up to the refused trial all were made in this pass or before; those that no cache has shown yet have not ended. */
function withRefusal(ledger: Ledger, trial: number): Ledger {
  return [...ledger, ...Array.from({ length: trial - ledger.length }, () => '.' as const), 'R'];
}

function trialsOf(ledger: Ledger, { planned }: Assessment): Trials {
  const { created, running, succeeded, failed } = countsOf(ledger);
  const of = planned === undefined ? '' : `/${planned}`;
  return {
    summary: `${succeeded + failed}${of} done, ${running} running${failed > 0 ? `, ${failed} failed` : ''}`,
    ...(planned === undefined ? {} : { planned }),
    created,
    running,
    succeeded,
    failed,
    outcomes: ledger.join(''),
  };
}

function firstStart({ trials }: Observed): string | undefined {
  return [...trials.values()].map(({ metadata }) => metadata.creationTimestamp).filter((time) => time !== undefined).sort()[0];
}

/** Trials that the forecast looks at: enough for a mean, and the newest tell most about those to come. */
const forecastTrials = 100;

/**
 * Mean duration of the newest trials that ended well, times the rounds that are left at this parallelism. It moves when a trial
 * ends and not by time alone, so that a waiting sweep writes nothing.
 */
function remainingSeconds({ object, trials }: Observed, { ledger, counts, planned, stage }: Assessment): number | undefined {
  if (planned === undefined || stage.kind !== 'Active') return undefined;
  const succeeded = ledger.flatMap((letter, trial) => (letter === 'S' ? [trial] : [])).slice(-forecastTrials);
  const durations = succeeded.flatMap((trial) => secondsOf(trials.get(trial)) ?? []);
  if (durations.length === 0) return undefined;
  const mean = durations.reduce((sum, seconds) => sum + seconds, 0) / durations.length;
  const left = planned - counts.succeeded - counts.failed;
  return Math.round(mean * Math.ceil(left / object.spec.limits.parallelism));
}

/** From the creation to the end: waiting for a node or an image delays the sweep as much as training does. */
function secondsOf(job: TrainingJob | undefined): number | undefined {
  const [start, end] = [job?.metadata.creationTimestamp, job?.status?.completionTime];
  return start === undefined || end === undefined ? undefined : Math.max(0, parseTime(end) - parseTime(start)) / 1000;
}

/** Most characters of a summary, as the schema has it. */
const longestSummary = 64;

function bestOf(seen: Observed, { best }: Assessment): Best | undefined {
  if (best === undefined) return undefined;
  const { metadata, spec } = seen.object;
  const job = seen.trials.get(best.trial);
  if (job === undefined) return seen.status.best;
  const proposal = proposalOf(spec, best.trial);
  const model = job.status?.model;
  return {
    trial: best.trial,
    trainingJob: trialName(metadata.name, best.trial),
    value: best.value,
    summary: spelledBest(spec, best.value).slice(-longestSummary),
    parameters: proposal?.kind === 'Sampled' ? { ...proposal.values } : {},
    ...(model === undefined ? {} : { model }),
  };
}

function keptConclusions({ status }: Observed) {
  return (status.conditions ?? []).map(({ type, status: holds, reason, message }) => ({ type, status: holds, reason, message }));
}

function keep<K extends keyof SweepStatus>(key: K, value: SweepStatus[K] | undefined): Partial<Pick<SweepStatus, K>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Pick<SweepStatus, K>>);
}
