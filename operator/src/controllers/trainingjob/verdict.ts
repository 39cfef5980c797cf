/** Judges the failures of a look: which failed, what is to blame, which budget pays, and what begins anew. Pure and total. */
import { cutText, endOfText, peerLostCode, sentence, timestamp } from '../../api/index.ts';
import { restartGang, restartPlace, type Attempts } from '../../domain/attempts.ts';
import { isByCluster, judge, type Spent } from '../../domain/budget.ts';
import { ruleFor, type FailureRule } from '../../domain/failure-rules.ts';
import { failureOf, goingAway, longestQuote, vanished, type Failure, type FailureRules, type LedgerEntry } from '../../domain/failures.ts';
import { chiefOf, restartScopeOf, type RestartScope } from '../../domain/roles.ts';
import type { Observed } from './observe.ts';
import type { SeenPlace } from './places.ts';

export type Verdict =
  /** With `untilMs`, for now: the same look may be judged otherwise from then on. */
  | { readonly kind: 'GoOn'; readonly untilMs?: number }
  | { readonly kind: 'Restart'; readonly scope: RestartScope; readonly ruling: Ruling }
  | { readonly kind: 'Fail'; readonly ruling: Ruling; readonly reason: string; readonly message: string };

/** What is to be recorded before anything is done. */
export interface Ruling {
  readonly entries: readonly LedgerEntry[];
  readonly spent: Spent;
  readonly attempts: Attempts;
  readonly excludedNodes: readonly string[];
}

interface PlaceFailure {
  readonly place: SeenPlace;
  readonly failure: Failure;
}

interface Case extends PlaceFailure {
  readonly rule: FailureRule | undefined;
  readonly scope: RestartScope | 'None';
}

export function judgeFailures(seen: Observed, places: readonly SeenPlace[], rules: FailureRules, stalledSinceMs: number | undefined, nowMs: number): Verdict {
  const found = failuresOf(places, rules, nowMs).map((failure) => caseOf(seen, failure));
  const causes = found.filter((one) => !isAftermath(one));
  const untilMs = causes.length > 0 ? undefined : blameDeadline(found, places, rules);
  if (untilMs !== undefined && nowMs < untilMs) return { kind: 'GoOn', untilMs };
  const cases = causes.length > 0 ? causes : found;
  const hopeless = cases.find(({ scope }) => scope === 'None');
  if (hopeless !== undefined) return endJob(seen, hopeless, 'A rule of failurePolicy says Fail.');
  const first = blamed(seen, cases.filter(({ scope }) => scope === 'Gang'), places, nowMs) ?? stalled(seen, places, stalledSinceMs, nowMs);
  if (first !== undefined) return restart(seen, [first], 'Gang');
  return cases.length === 0 ? { kind: 'GoOn' } : restart(seen, cases, 'Pod');
}

/** The failures of all places whose pod has ended badly, cannot begin, sits on a lost node, or was taken away, the earliest first. */
function failuresOf(places: readonly SeenPlace[], rules: FailureRules, nowMs: number): PlaceFailure[] {
  return places
    .filter(({ succeeded }) => !succeeded)
    .flatMap((place) => {
      const failure = place.pod === undefined ? (place.launched ? vanished(nowMs) : undefined) : failureOf(place.pod, place.node, rules, nowMs);
      return failure === undefined ? [] : [{ place, failure }];
    })
    .sort((a, b) => a.failure.timeMs - b.failure.timeMs);
}

/** A replica that ended since another was lost: its end may be seen first, and may even be the earlier one. */
const isAftermath = ({ failure }: PlaceFailure): boolean => failure.reason === peerLostCode;

/** How long Kubernetes may take to call a node not ready, in milliseconds. */
const nodeMonitorGraceMs = 60_000;

/**
 * Until when those that say that they lost a peer wait for word of that peer, so that what became of it is on record and its budget
 * pays: a dead node is heard of only after a while. Undefined where there is nobody left to hear of.
 */
function blameDeadline(found: readonly Case[], places: readonly SeenPlace[], { nodeLostAfterSeconds }: FailureRules): number | undefined {
  const [first] = found;
  const ended = new Set(found.map(({ place }) => place.podName));
  if (first === undefined || found.some(({ scope }) => scope !== 'Gang') || places.every((place) => ended.has(place.podName) || place.succeeded)) return undefined;
  return first.failure.timeMs + nodeLostAfterSeconds * 1000 + nodeMonitorGraceMs;
}

function caseOf({ job: { spec } }: Observed, { place, failure }: PlaceFailure): Case {
  const rule = ruleFor(spec.failurePolicy.rules, place.role, failure);
  const counted = rule?.countAs === undefined ? failure : { ...failure, cause: rule.countAs };
  return { place, failure: counted, rule, scope: scopeBy(rule) ?? (failure.cause === 'Stalled' ? 'Gang' : restartScopeOf(spec, place.of)) };
}

function scopeBy(rule: FailureRule | undefined): Case['scope'] | undefined {
  switch (rule?.action) {
    case 'Fail':
      return 'None';
    case 'RestartPod':
      return 'Pod';
    case 'RestartGang':
      return 'Gang';
    case undefined:
      return undefined;
  }
}

/** The failure that came first: the others of the same attempt mostly follow from it. When the cluster took a pod away, its peers fail without it. */
function blamed(seen: Observed, cases: readonly Case[], places: readonly SeenPlace[], nowMs: number): Case | undefined {
  const [first] = cases;
  if (first === undefined) return undefined;
  const leaving = places.flatMap((place) => {
    const failure = place.pod === undefined ? undefined : goingAway(place.pod, place.node, nowMs);
    return failure === undefined ? [] : [{ place, failure }];
  });
  const taken = cases.find(({ failure, place }) => isByCluster(failure.cause) && place.pod !== undefined) ?? leaving.map((found) => caseOf(seen, found))[0] ?? cases.find(({ place }) => place.pod === undefined);
  return taken ?? first;
}

/** Nobody has reported progress for too long: the whole gang is as good as dead, whichever pod is to blame. */
function stalled(seen: Observed, places: readonly SeenPlace[], sinceMs: number | undefined, nowMs: number): Case | undefined {
  const { stallAfterSeconds } = seen.job.spec.failurePolicy;
  if (sinceMs === undefined || stallAfterSeconds === undefined || nowMs < sinceMs + stallAfterSeconds * 1000) return undefined;
  const chief = chiefOf(seen.job.spec);
  const place = places.find(({ role, index }) => role === chief.role && index === chief.index);
  if (place === undefined) return undefined;
  const message = `No progress was reported for ${stallAfterSeconds} s.`;
  return caseOf(seen, { place, failure: { cause: 'Stalled', reason: 'NoProgress', message, timeMs: nowMs } });
}

function restart(seen: Observed, cases: readonly Case[], scope: RestartScope): Verdict {
  const { budgets } = seen.job.spec.failurePolicy;
  let ruling: Ruling = { entries: [], spent: seen.status.budgetSpent ?? {}, attempts: seen.attempts, excludedNodes: excludedNodes(seen, cases) };
  for (const { place, failure } of cases) {
    const attempts = scope === 'Gang' ? restartGang(ruling.attempts) : restartPlace(ruling.attempts, place);
    const entry = entryOf(place, failure, scope, attempts.newest);
    const judgement = judge(failure.cause, budgets, ruling.spent, [...(seen.status.failures ?? []), ...ruling.entries, entry]);
    if (judgement.kind === 'Fail') {
      return ended(place, failure, { ...ruling, spent: judgement.spent, entries: [...ruling.entries, entryOf(place, failure, 'None')] }, judgement.why);
    }
    ruling = { ...ruling, attempts, spent: judgement.spent, entries: [...ruling.entries, entry] };
  }
  return { kind: 'Restart', scope, ruling };
}

function endJob(seen: Observed, hopeless: Case, why: string): Verdict {
  const { place, failure } = hopeless;
  const entries = [entryOf(place, failure, 'None')];
  return ended(place, failure, { entries, spent: seen.status.budgetSpent ?? {}, attempts: seen.attempts, excludedNodes: excludedNodes(seen, [hopeless]) }, why);
}

function ended(place: SeenPlace, failure: Failure, ruling: Ruling, why: string): Verdict {
  const said = failure.message === '' ? failure.reason : failure.message;
  return { kind: 'Fail', ruling, reason: failure.cause, message: `Attempt ${place.attempt} failed in pod ${place.podName}: ${sentence(endOfText(said, longestQuote))} ${why}`.trim() };
}

/** Most characters, as the schema has it: a status that is too long is refused, and all its evidence with it. */
const longestReason = 128;
const longestWords = 4096;

export function entryOf(place: SeenPlace, failure: Failure, scope: RestartScope | 'None', nextAttempt?: number): LedgerEntry {
  const node = place.pod?.spec.nodeName;
  return {
    pod: place.podName,
    attempt: place.attempt,
    role: place.role,
    index: place.index,
    cause: failure.cause,
    scope,
    ...(nextAttempt === undefined ? {} : { nextAttempt }),
    ...(failure.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
    reason: cutText(failure.reason, longestReason),
    ...(node === undefined ? {} : { node }),
    message: cutText(failure.message, longestWords),
    time: timestamp(failure.timeMs),
  };
}

/** Most nodes, as the schema has it; the oldest is forgotten first. */
const mostExcludedNodes = 20;

function excludedNodes({ status }: Observed, cases: readonly Case[]): readonly string[] {
  const before = status.excludedNodes ?? [];
  const bad = cases.flatMap(({ rule, place }) => (rule?.excludeNode === true && place.pod?.spec.nodeName !== undefined ? [place.pod.spec.nodeName] : []));
  return [...new Set([...before, ...bad])].slice(-mostExcludedNodes);
}
