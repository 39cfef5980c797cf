/** Which failures a job may survive. Each cause has a budget of its own, so that a bad node never spends the user's retries. */
import { parseTime, type TrainingJobSpec } from '../api/index.ts';
import type { Cause, LedgerEntry } from './failures.ts';

export type Budgets = TrainingJobSpec['failurePolicy']['budgets'];
export type Spent = { readonly [K in keyof Budgets]?: number };

/** What has no budget is not tried again: a configuration that cannot work would end the same, and a deadline has passed. */
const budgetOf: Readonly<Record<Cause, keyof Budgets | undefined>> = {
  ApplicationError: 'applicationError',
  OutOfMemory: 'outOfMemory',
  ImagePull: 'imagePull',
  Preempted: 'preempted',
  SpotReclaim: 'spotReclaim',
  NodeLost: 'nodeLost',
  Stalled: 'stalled',
  ConfigurationError: undefined,
  Unschedulable: undefined,
};

/** Restarts that this cause has cost so far. */
export function spentOn(cause: Cause, spent: Spent): number {
  const budget = budgetOf[cause];
  return budget === undefined ? 0 : (spent[budget] ?? 0);
}

export type Judgement =
  | { readonly kind: 'Restart'; readonly spent: Spent; readonly delayMs: number }
  | { readonly kind: 'Fail'; readonly spent: Spent; readonly why: string };

/**
 * What becomes of a job after one more failure.
 *
 * @param ledger  failures so far, the newest, which is judged, included
 */
export function judge(cause: Cause, budgets: Budgets, spent: Spent, ledger: readonly LedgerEntry[]): Judgement {
  const budget = budgetOf[cause];
  if (budget === undefined) return { kind: 'Fail', spent, why: cause === 'Unschedulable' ? '' : 'A configuration that cannot work is not tried again.' };
  const before = spent[budget] ?? 0;
  const allowed = budgets[budget];
  if (before >= allowed) {
    return { kind: 'Fail', spent, why: allowed === 0 ? `The budget ${budget} allows no restart.` : `The budget ${budget} of ${allowed} restarts is spent.` };
  }
  return { kind: 'Restart', spent: { ...spent, [budget]: before + 1 }, delayMs: restartDelayMs(cause, before + 1, ledger) };
}

const firstDelayMs = 1000;
const longestDelayMs = 300_000;

/** Failures that follow each other within this time are of one trouble. */
const oneTroubleMs = 120_000;
const longestClusterDelayMs = 60_000;

/**
 * Pause before a restart. Where the cluster took the pod away nothing is wrong with the program, so there is none, unless
 * it goes on doing so: a node that refuses every pod would use up the whole budget within seconds. Else the pause doubles
 * from one second to five minutes.
 *
 * @param restart  how many restarts this cause has cost, this one included
 * @param ledger   failures so far, the newest included
 */
export function restartDelayMs(cause: Cause, restart: number, ledger: readonly LedgerEntry[]): number {
  if (!isByCluster(cause)) return Math.min(firstDelayMs * 2 ** (restart - 1), longestDelayMs);
  const row = inARow(ledger);
  return row <= 2 ? 0 : Math.min(firstDelayMs * 2 ** (row - 3), longestClusterDelayMs);
}

/** The cluster took the pod away, or lost it; the program did nothing wrong. */
export function isByCluster(cause: Cause): boolean {
  return cause === 'Preempted' || cause === 'SpotReclaim' || cause === 'NodeLost';
}

function inARow(ledger: readonly LedgerEntry[]): number {
  const times = ledger.map(({ time }) => parseTime(time)).reverse();
  const gap = times.findIndex((time, place) => time - (times[place + 1] ?? -Infinity) > oneTroubleMs);
  return gap === -1 ? times.length : gap + 1;
}
