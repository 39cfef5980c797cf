/** Gathers from the caches what one HyperparamSweep's plan needs to know. No await: one consistent look. */
import { isTrue, trialName, type HyperparamSweep, type TrainingJob, type TrainingJobSpec } from '../../api/index.ts';
import { controllerOf, type ObjectKey } from '../../kube/resource.ts';
import type { Scope } from '../../runtime/index.ts';
import { hyperparamSweeps, trainingJobs } from '../shared/watched.ts';

export const watches = { sweeps: hyperparamSweeps, jobs: trainingJobs };
export type SweepStatus = NonNullable<HyperparamSweep['status']>;
export type SweepScope = Scope<typeof watches, SweepStatus>;

export type Template =
  | { readonly kind: 'Found'; readonly spec: TrainingJobSpec }
  /** The TrainingJob of this name does not exist. */
  | { readonly kind: 'Missing'; readonly name: string };

export interface Observed {
  readonly object: HyperparamSweep;
  readonly status: SweepStatus;
  /** The TrainingJobs of this sweep by number. */
  readonly trials: ReadonlyMap<number, TrainingJob>;
  /** One more than the largest number that a trial has or had. */
  readonly created: number;
  readonly template: Template;
  /** Numbers of trials to come whose names other TrainingJobs have. */
  readonly taken: ReadonlySet<number>;
}

export function observe(key: ObjectKey, stores: SweepScope['stores']): Observed | undefined {
  const object = stores.sweeps.get(key);
  if (object === undefined) return undefined;
  const { uid = '' } = object.metadata;
  const trials = new Map(stores.jobs.controlledBy(uid).flatMap((job): [number, TrainingJob][] => {
    const trial = trialOf(job.metadata.name, key.name);
    return trial === undefined ? [] : [[trial, job]];
  }));
  const created = [...trials.keys()].reduce((most, trial) => Math.max(most, trial + 1), object.status?.trials?.outcomes?.length ?? 0);
  const upcoming = Array.from({ length: object.spec.limits.parallelism }, (_, index) => created + index);
  return {
    object,
    status: object.status ?? {},
    trials,
    created,
    template: templateOf(object, stores),
    taken: new Set(upcoming.filter((trial) => {
      const holder = stores.jobs.get({ namespace: key.namespace, name: trialName(key.name, trial) });
      return holder !== undefined && controllerOf(holder)?.uid !== uid;
    })),
  };
}

/** The number in `digits-3`, for the sweep `digits`. A name cannot be edited, as a label can. */
export function trialOf(job: string, sweep: string): number | undefined {
  const trial = Number(job.slice(sweep.length + 1));
  return Number.isSafeInteger(trial) && trial >= 0 && job === trialName(sweep, trial) ? trial : undefined;
}

function templateOf(sweep: HyperparamSweep, stores: SweepScope['stores']): Template {
  const { fromTrainingJob, spec } = sweep.spec.template;
  if (spec !== undefined) return { kind: 'Found', spec };
  const name = fromTrainingJob ?? '';
  const job = stores.jobs.get({ namespace: sweep.metadata.namespace ?? '', name });
  return job === undefined ? { kind: 'Missing', name } : { kind: 'Found', spec: job.spec };
}

/** Whether an object has ended for good, and how. Both kinds say it by the same conditions. */
export function endOf(status: Pick<SweepStatus, 'conditions'> | undefined): 'Succeeded' | 'Failed' | undefined {
  if (isTrue(status?.conditions, 'Succeeded')) return 'Succeeded';
  return isTrue(status?.conditions, 'Failed') ? 'Failed' : undefined;
}
