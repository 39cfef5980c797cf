/**
 * What became of each trial, one letter a trial in a string of the status. A trial that a user deleted leaves no other
 * trace, and without one it would be run again.
 */
import type { HyperparamSweepSpec, TrainingJob } from '../../api/index.ts';
import { endOf, type Observed, type SweepStatus } from './observe.ts';

export type Letter =
  /** Has not ended. */
  | '.'
  /** Succeeded, with a value of the objective. */
  | 'S'
  /** Failed. */
  | 'F'
  /** Succeeded, but without a finite value of the metric. */
  | 'M'
  /** Deleted before its end. */
  | 'D'
  /** Refused by the API server. */
  | 'R';

export type Ledger = readonly Letter[];

export type Objective = HyperparamSweepSpec['objectives'][number];
export type Best = NonNullable<SweepStatus['best']>;

/** The ledger of the status, brought up to what is seen now. Only trials that were seen get into it. */
export function ledgerOf({ object, status, trials, created }: Observed): Ledger {
  const before = status.trials?.outcomes ?? '';
  const objective = objectiveOf(object.spec);
  return Array.from({ length: created }, (_, trial) => letterOf(before[trial], trials.get(trial), objective));
}

function letterOf(before: string | undefined, job: TrainingJob | undefined, objective: Objective): Letter {
  if (before === 'S' || before === 'F' || before === 'M') return before;
  if (job === undefined) return before === 'R' ? 'R' : 'D';
  // A trial that is there again was missing only in a cache that lagged behind.
  switch (endOf(job.status)) {
    case 'Succeeded':
      return valueOf(job, objective) === undefined ? 'M' : 'S';
    case 'Failed':
      return 'F';
    case undefined:
      return '.';
  }
}

export interface Counts {
  readonly created: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
}

export function countsOf(ledger: Ledger): Counts {
  const running = ledger.filter((letter) => letter === '.').length;
  const succeeded = ledger.filter((letter) => letter === 'S').length;
  return { created: ledger.length, running, succeeded, failed: ledger.length - running - succeeded };
}

/** The schema asks for exactly one. */
export function objectiveOf({ objectives }: HyperparamSweepSpec): Objective {
  const [objective] = objectives;
  if (objective === undefined) throw new RangeError('A HyperparamSweep needs one objective.');
  return objective;
}

/** Final metrics of a trial: those of its model, else the newest that it reported. */
export function metricsOf({ status }: TrainingJob): Readonly<Record<string, number>> {
  return status?.model?.metrics ?? status?.progress?.metrics ?? {};
}

/** The trial's value of the objective; undefined where it is missing or not a finite number. */
export function valueOf(job: TrainingJob, { metric }: Objective): number | undefined {
  const value = job.status?.model?.metrics?.[metric] ?? job.status?.progress?.metrics?.[metric];
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

export interface Candidate {
  readonly trial: number;
  readonly value: number;
}

/** The better of two; of equals the earlier trial, so that the answer does not depend on which one ended first. */
export function isBetter(one: Candidate, other: Candidate, { direction }: Objective): boolean {
  if (one.value === other.value) return one.trial < other.trial;
  return direction === 'Maximize' ? one.value > other.value : one.value < other.value;
}
