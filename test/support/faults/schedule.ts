/** What goes wrong in a run, and when: a pure function of a seed, so that the same can be had again. */
import { dice } from './random.ts';
import type { Dice } from './random.ts';

/** What is done to requests, from the write that begins it on. */
interface RequestTrouble {
  readonly kind: 'respond409' | 'respond429' | 'respond500' | 'respond503' | 'hang' | 'hangAfterHead' | 'reset' | 'loseReply';
  /** So many requests are befallen. */
  readonly times: number;
  /** Only writes, or whatever comes, lists and watches included. */
  readonly of: 'Writes' | 'All';
}

interface WatchTrouble {
  readonly kind: 'cutWatches' | 'cutInsideEvent' | 'silenceWatches' | 'garbage' | 'gone';
}

interface LastingTrouble {
  readonly kind:
    /** Lists come from the past and watches fall behind. */
    | 'staleServer'
    /** The operator is killed and meets such a server when it comes back (Sieve's time travel). */
    | 'crashIntoThePast'
    /** The leader's process stands still. */
    | 'freeze'
    /** The leader cannot renew its lease. */
    | 'blockLease'
    | 'nodeNotReady';
  readonly seconds: number;
  /** Which node. */
  readonly choice: number;
}

interface Crash {
  readonly kind: 'crash';
  readonly side: 'before' | 'after';
}

interface PodTrouble {
  readonly kind: 'deletePod' | 'evictPod';
  /** Which of the pods that are there. */
  readonly choice: number;
}

interface ClockTrouble {
  readonly kind: 'clockJump';
  readonly seconds: number;
}

export type Trouble = RequestTrouble | WatchTrouble | LastingTrouble | Crash | PodTrouble | ClockTrouble;

export interface Disturbance {
  /** Begins with the how manieth write about the object, from 1. */
  readonly atWrite: number;
  readonly trouble: Trouble;
}

export interface Schedule {
  /** Part of the name of its namespace. */
  readonly name: string;
  /** Index of the scenario. */
  readonly scenario: number;
  /** A second operator stands by. */
  readonly standby: boolean;
  readonly disturbances: readonly Disturbance[];
}

const mostDisturbances = 6;
const hour = 3_600;

type Throw = (roll: Dice) => Trouble;

const quick: readonly Throw[] = [
  (roll) => ({ kind: roll.of(['respond409', 'respond429', 'respond500', 'respond503']), times: 1 + roll.below(4), of: 'Writes' }),
  (roll) => ({ kind: roll.of(['respond429', 'respond500', 'respond503']), times: 1 + roll.below(6), of: 'All' }),
  (roll) => ({ kind: roll.of(['reset', 'loseReply']), times: 1 + roll.below(4), of: roll.of(['Writes', 'All']) }),
  (roll) => ({ kind: roll.of(['cutWatches', 'cutInsideEvent', 'garbage', 'gone']) }),
  (roll) => ({ kind: 'crash', side: roll.of(['before', 'after']) }),
  (roll) => ({ kind: roll.of(['deletePod', 'evictPod']), choice: roll.below(4) }),
];

/** Those whose end is waited for by seconds. */
const slow: readonly Throw[] = [
  (roll) => ({ kind: roll.of(['hang', 'hangAfterHead']), times: 1, of: roll.of(['Writes', 'All']) }),
  () => ({ kind: 'silenceWatches' }),
  (roll) => ({ kind: 'staleServer', seconds: 1 + roll.below(4), choice: 0 }),
  (roll) => ({ kind: 'crashIntoThePast', seconds: 1 + roll.below(4), choice: 0 }),
  (roll) => ({ kind: roll.of(['freeze', 'blockLease']), seconds: 12 + roll.below(15), choice: 0 }),
  (roll) => ({ kind: 'nodeNotReady', seconds: 3 + roll.below(8), choice: roll.below(4) }),
  (roll) => ({ kind: 'clockJump', seconds: roll.of([-hour, -60, 60, hour]) }),
];

/** Quick ones come up twice as often. */
const throws = [...quick, ...quick, ...slow];

/** `writes`: about how many the operator does in each of the scenarios. */
export function scheduleOf(seed: number, writes: readonly number[]): Schedule {
  const roll = dice(seed);
  const scenario = roll.below(writes.length);
  const disturbances = Array.from({ length: 1 + roll.below(mostDisturbances) }, (): Disturbance => ({ atWrite: 1 + roll.below(writes[scenario] ?? 1), trouble: roll.of(throws)(roll) }));
  return {
    name: `seed-${seed}`, scenario,
    standby: disturbances.some(({ trouble }) => trouble.kind === 'freeze' || trouble.kind === 'blockLease') || roll.below(4) === 0,
    disturbances: disturbances.sort((a, b) => a.atWrite - b.atWrite),
  };
}

/** True when nodes and pods were left alone, so that the run must end exactly as one in peace. */
export function sparesTheWorld({ disturbances }: Schedule): boolean {
  return disturbances.every(({ trouble }) => trouble.kind !== 'deletePod' && trouble.kind !== 'evictPod' && trouble.kind !== 'nodeNotReady');
}

/** For a person: `seed-7, elastic, two operators: at write 3 crash before; at write 9 reset 2 of All`. */
export function describeSchedule(schedule: Schedule, scenario: string): string {
  const told = schedule.disturbances.map(({ atWrite, trouble }) => `at write ${atWrite} ${Object.values(trouble).join(' ')}`);
  return `${schedule.name}, ${scenario}, ${schedule.standby ? 'two operators' : 'one operator'}: ${told.join('; ')}`;
}
