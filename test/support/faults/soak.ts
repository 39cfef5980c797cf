/** Runs under random schedules, each from a seed. */
import { asError } from '../../../operator/src/kube/errors.ts';
import type { Bed } from './bed.ts';
import { Cell } from './cell.ts';
import { Disturber } from './disturber.ts';
import { differences } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { describeSchedule, scheduleOf, sparesTheWorld } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { trainingJobScenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** A watch that fell silent is given up after 75 s, and a frozen leader loses its lease after 15. */
const stepSeconds = 180;

export interface SoakRun {
  readonly description: string;
  /** Whatever is not as it must be, in sentences. */
  readonly faults: readonly string[];
}

/** What each scenario leaves when nothing goes wrong, by its name. */
export async function referencesOf(bed: Bed): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = await Promise.all(trainingJobScenarios.map(async (scenario): Promise<[string, Outcome]> => {
    await using cell = await Cell.start(bed, `reference-${scenario.name}`);
    const { outcome, violations } = await cell.run(scenario);
    if (violations.length > 0) throw new Error(`${scenario.name}, undisturbed: ${violations.join(' ')}`);
    return [scenario.name, outcome];
  }));
  return new Map(outcomes);
}

/** The schedule of one seed. */
export async function soak(bed: Bed, references: ReadonlyMap<string, Outcome>, seed: number): Promise<SoakRun> {
  return runSchedule(bed, references, scheduleOf(seed, trainingJobScenarios.map(({ writes }) => writes)));
}

/** A run with an operator and a namespace of its own, so that nothing of an earlier one has a part in it. */
export async function runSchedule(bed: Bed, references: ReadonlyMap<string, Outcome>, schedule: Schedule): Promise<SoakRun> {
  const scenario = trainingJobScenarios[schedule.scenario];
  const reference = references.get(scenario?.name ?? '');
  if (scenario === undefined || reference === undefined) throw new RangeError(`There is no scenario ${schedule.scenario}.`);
  await using cell = await Cell.start(bed, `faults-${schedule.name}`);
  if (schedule.standby) await cell.withStandby();
  return { description: describeSchedule(schedule, scenario.name), faults: await faultsOf(cell, scenario, schedule, reference) };
}

async function faultsOf(cell: Cell, scenario: Scenario, schedule: Schedule, reference: Outcome): Promise<string[]> {
  try {
    const run = await cell.run(underSchedule(scenario, schedule), { stepSeconds, disturb: (own, job) => new Disturber(own, job, schedule) });
    await cell.empty();
    return [...run.violations, ...(sparesTheWorld(schedule) ? differences(reference, run.outcome) : [])];
  } catch (error) {
    const logs = await Promise.all(cell.subjects.map(async (subject) => subject.log(15)));
    return [asError(error).message, ...logs.map((log) => `The operator's last words:\n${log}`)];
  }
}

/** Where a node goes away for some seconds, its pods must be given up within that time. */
function underSchedule(scenario: Scenario, { disturbances }: Schedule): Scenario {
  if (!disturbances.some(({ trouble }) => trouble.kind === 'nodeNotReady')) return scenario;
  return { ...scenario, spec: { ...scenario.spec, failurePolicy: { nodeLostAfterSeconds: 2 } } };
}
