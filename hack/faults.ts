/**
 * `npm run test:faults [-- --seed N] [--minutes M]`: kills the operator before and after each of its writes, then lets whatever else goes
 * wrong happen by random schedules. Given a seed and no minutes, it runs the schedule of that seed alone. See docs/testing.md.
 */
import { parseArgs } from 'node:util';
import { startBed } from '../test/support/faults/bed.ts';
import type { Bed } from '../test/support/faults/bed.ts';
import { crashMatrix } from '../test/support/faults/crash.ts';
import { trainingJobScenarios } from '../test/support/faults/scenarios.ts';
import { referencesOf, soak } from '../test/support/faults/soak.ts';

interface Options {
  /** Of the first schedule; the next ones have the next numbers. */
  readonly seed: number;
  /** 0 runs one schedule. */
  readonly minutes: number;
  readonly matrix: boolean;
}

/** Schedules that run at the same time, each mostly waiting. */
const lanes = 3;
const defaultMinutes = 5;

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: { seed: { type: 'string' }, minutes: { type: 'string' } } });
  const number = (name: string, text: string): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} is "${text}"; write a number that is not negative.`);
    return value;
  };
  const isReplay = values.seed !== undefined && values.minutes === undefined;
  return {
    seed: values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed),
    minutes: isReplay ? 0 : number('minutes', values.minutes ?? String(defaultMinutes)),
    matrix: values.seed === undefined,
  };
}

async function matrix(bed: Bed): Promise<string[]> {
  console.log('Killing the operator before and after each of its writes (about three minutes) ...');
  const reports = await Promise.all(trainingJobScenarios.map(async (scenario) => crashMatrix(bed, scenario, { tell: (line) => console.log(`  ${line}`) })));
  console.log(`Tried ${reports.reduce((sum, { points }) => sum + points, 0)} crash points.`);
  return reports.flatMap(({ failures }) => failures);
}

async function schedules(bed: Bed, { seed, minutes }: Options): Promise<string[]> {
  const references = await referencesOf(bed);
  const failures: string[] = [];
  const end = performance.now() + minutes * 60_000;
  let next = seed;
  const lane = async (): Promise<void> => {
    do {
      const own = next++;
      const { description, faults } = await soak(bed, references, own);
      console.log(`  ${faults.length === 0 ? 'held' : 'FAILED'}: ${description}`);
      if (faults.length > 0) failures.push(`${description}\n${faults.join('\n')}\nRun it again: npm run test:faults -- --seed ${own}`);
    } while (performance.now() < end);
  };
  console.log(minutes === 0 ? `Running the schedule of seed ${seed} ...` : `Running random schedules from seed ${seed} on for ${minutes} minutes ...`);
  await Promise.all(Array.from({ length: minutes === 0 ? 1 : lanes }, lane));
  console.log(`Ran ${next - seed} schedules.`);
  return failures;
}

async function main(options: Options): Promise<void> {
  await using bed = await startBed();
  const failures = [...(options.matrix ? await matrix(bed) : []), ...(await schedules(bed, options))];
  for (const failure of failures) console.log(`\n${failure}`);
  console.log(`\n${failures.length === 0 ? 'Everything held.' : `${failures.length} failed.`}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

await main(optionsOf(process.argv.slice(2)));
