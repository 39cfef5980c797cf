/** Kills the operator at one chosen write, on either side of it, and compares what comes of that with a run in peace. */
import { trainingJobType } from '../../../operator/src/controllers/shared/resources.ts';
import { asError } from '../../../operator/src/kube/errors.ts';
import type { KubeObject, ObjectKey } from '../../../operator/src/kube/resource.ts';
import type { Bed } from './bed.ts';
import { Cell, concerns, signatureOf } from './cell.ts';
import type { Run } from './cell.ts';
import { differences } from './outcome.ts';
import type { Scenario } from './scenarios.ts';

/** The moment at which the operator is killed. */
export interface CrashPoint {
  /** Which write, without what differs from run to run. */
  readonly signature: string;
  /** The how manieth of that signature, from 1. */
  readonly occurrence: number;
  /** Before it reached the API server, or after it was committed and before the answer. */
  readonly side: 'before' | 'after';
}

/** Both sides of every write of a run. */
export function crashPointsOf({ signatures }: Run): CrashPoint[] {
  const seen = new Map<string, number>();
  return signatures.flatMap((signature) => {
    const occurrence = (seen.get(signature) ?? 0) + 1;
    seen.set(signature, occurrence);
    return (['before', 'after'] as const).map((side) => ({ signature, occurrence, side }));
  });
}

export function nameOfPoint({ signature, occurrence, side }: CrashPoint): string {
  return `${side} write ${occurrence} of ${signature}`;
}

export interface CrashRun {
  /** False when the run had no such write: of status writes and events there may be fewer than in the reference. */
  readonly reached: boolean;
  /** Whatever is not as it must be, in sentences. */
  readonly faults: readonly string[];
}

export async function runWithCrash(cell: Cell, scenario: Scenario, reference: Run, point: CrashPoint): Promise<CrashRun> {
  let reached = false;
  const crash = (_cell: Cell, job: ObjectKey): AsyncDisposable => crashAt(cell, job, point, () => {
    reached = true;
  });
  try {
    const run = await cell.run(scenario, { disturb: crash });
    return { reached, faults: [...run.violations, ...differences(reference.outcome, run.outcome)] };
  } catch (error) {
    const { message } = asError(error);
    return { reached, faults: [`The story did not come to its end. ${message}\nThe operator's last words:\n${await cell.subject.log(20)}`] };
  }
}

function crashAt({ subject, bed }: Cell, job: ObjectKey, point: CrashPoint, reached: () => void): AsyncDisposable {
  let occurrences = 0;
  let relaunched: Promise<void> | undefined;
  const rule = subject.proxy.fault({
    when: ({ method, path, isWrite }, body) => {
      if (!isWrite || !concerns({ path, body }, job)) return false;
      // The operator may see the job, and write for it, before the chronicle does.
      const object = bed.chronicle.objects(trainingJobType, job.namespace).find(({ metadata }) => metadata.name === job.name) ?? ownerIn(body, job);
      if (object === undefined || signatureOf(object, { method, path, body }) !== point.signature) return false;
      occurrences += 1;
      return occurrences === point.occurrence;
    },
    times: 1,
    fault: {
      kind: 'crash', side: point.side,
      crash: async () => {
        reached();
        await subject.kill();
        relaunched = subject.relaunch();
      },
    },
  });
  return {
    [Symbol.asyncDispose]: async () => {
      rule[Symbol.dispose]();
      await relaunched;
    },
  };
}

/** The job as a child that is being created names it. */
function ownerIn(body: unknown, job: ObjectKey): KubeObject | undefined {
  const owner = (body as Partial<KubeObject> | undefined)?.metadata?.ownerReferences?.find(({ name }) => name === job.name);
  return owner && { apiVersion: owner.apiVersion, kind: owner.kind, metadata: { ...job, uid: owner.uid } };
}

export interface MatrixReport {
  readonly points: number;
  /** Points that no run came to. */
  readonly unreached: readonly CrashPoint[];
  /** One text for each run that did not end as the reference did. */
  readonly failures: readonly string[];
}

export interface MatrixOptions {
  /** Which points to try; all when left out. */
  readonly choose?: (points: readonly CrashPoint[]) => readonly CrashPoint[];
  /** Told of each run as it ends. */
  readonly tell?: (line: string) => void;
}

/** A run in peace, another to see that they are alike, and one for each crash point. */
export async function crashMatrix(bed: Bed, scenario: Scenario, { choose = (all) => all, tell = () => undefined }: MatrixOptions = {}): Promise<MatrixReport> {
  await using cell = await Cell.start(bed, `crash-${scenario.name}`);
  const reference = await cell.run(scenario);
  const again = await cell.run(scenario);
  const failures = [...reference.violations, ...again.violations, ...differences(reference.outcome, again.outcome)].map((fault) => `${scenario.name}, undisturbed: ${fault}`);
  const points = choose(crashPointsOf(reference));
  const unreached: CrashPoint[] = [];
  for (const point of points) {
    const { reached, faults } = await runWithCrash(cell, scenario, reference, point);
    if (!reached) unreached.push(point);
    failures.push(...faults.map((fault) => `${scenario.name}, killed ${nameOfPoint(point)}: ${fault}`));
    tell(`${scenario.name}: killed ${nameOfPoint(point)}: ${faults.length === 0 ? (reached ? 'as the reference' : 'there was no such write') : faults.join(' ')}`);
  }
  await cell.empty();
  return { points: points.length, unreached, failures };
}
