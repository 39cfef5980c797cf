/** HyperparamSweeps and their trials in the situations that tests speak of. */
import { labels, trialName, type HyperparamSweep, type HyperparamSweepSpec, type TrainingJob } from '@anneal/operator/api';
import { observe, watches, type Observed, type SweepStatus } from '../../../operator/src/controllers/hyperparamsweep/observe.ts';
import type { Stores } from '../../../operator/src/runtime/watched.ts';
import { MemoryStores } from '../memory-stores.ts';
import { job } from './training-job.ts';

export type Parameter = HyperparamSweepSpec['parameters'][number];

export function float(name: string, min: number, max: number, over: Partial<Parameter> = {}): Parameter {
  return { name, type: 'Float', min, max, scale: 'Linear', ...over };
}

export function int(name: string, min: number, max: number, over: Partial<Parameter> = {}): Parameter {
  return { name, type: 'Int', min, max, scale: 'Linear', ...over };
}

export function categorical(name: string, ...values: unknown[]): Parameter {
  return { name, type: 'Categorical', values, scale: 'Linear' };
}

export const random = { name: 'Random', seed: 7 } as const;
export const grid = { name: 'Grid', seed: 0 } as const;

export interface SweepOptions {
  readonly parameters?: HyperparamSweepSpec['parameters'];
  readonly algorithm?: HyperparamSweepSpec['algorithm'];
  readonly limits?: Partial<HyperparamSweepSpec['limits']>;
  readonly direction?: 'Maximize' | 'Minimize';
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly suspend?: boolean;
  readonly status?: SweepStatus;
}

/** A sweep as the API server would return it: six random trials, one at a time, that vary the job `digits`. */
export function sweep({ parameters = [int('epochs', 1, 9)], algorithm = random, limits = {}, direction = 'Maximize', overrides, suspend = false, status = {} }: SweepOptions = {}): HyperparamSweep {
  return {
    apiVersion: 'anneal.dev/v1alpha1',
    kind: 'HyperparamSweep',
    metadata: { name: 'tune', namespace: 'team-a', uid: 'uid-of-tune', generation: 1, creationTimestamp: '2026-03-01T11:59:00Z' },
    spec: {
      objectives: [{ metric: 'val_accuracy', direction }],
      parameters,
      algorithm,
      limits: { ...(algorithm.name === 'Random' ? { trials: 6 } : {}), parallelism: 1, failures: 3, ...limits },
      template: { fromTrainingJob: 'digits', overrides: { ...(overrides ?? Object.fromEntries(parameters.map(({ name }) => [`trainer.fit.${name}`, `\${${name}}`]))) } },
      suspend,
    },
    status,
  };
}

type JobStatus = NonNullable<TrainingJob['status']>;

/** One trial of `tune`. */
export function trial(number: number, status: JobStatus = {}, over: Partial<TrainingJob['metadata']> = {}): TrainingJob {
  const reference = { apiVersion: 'anneal.dev/v1alpha1', kind: 'HyperparamSweep', name: 'tune', uid: 'uid-of-tune', controller: true, blockOwnerDeletion: true };
  const name = trialName('tune', number);
  return {
    ...job({}, status),
    metadata: {
      ...job().metadata, name, uid: `uid-of-${name}`, creationTimestamp: '2026-03-01T12:00:00Z', ownerReferences: [reference],
      labels: { [labels.sweep]: 'tune', [labels.trial]: String(number) }, ...over,
    },
  };
}

const since = '2026-03-01T12:01:40Z';

/** Metrics of the trial's model, 100 seconds after the trial was made. */
export function succeededWith(metrics: Readonly<Record<string, number>>): JobStatus {
  return {
    completionTime: since,
    conditions: [{ type: 'Succeeded', status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: since }],
    model: { claimName: 'claim', path: 'model', digest: `sha256:${'a'.repeat(64)}`, metrics: { ...metrics } },
  };
}

export function failedWith(reason: string, message: string): JobStatus {
  return { completionTime: since, conditions: [{ type: 'Failed', status: 'True', reason, message, lastTransitionTime: since }] };
}

export const runningTrial: JobStatus = { conditions: [{ type: 'Running', status: 'True', reason: 'Running', message: '', lastTransitionTime: since }] };

/** The caches of the controller, holding these objects. */
export function storesOf(objects: readonly (HyperparamSweep | TrainingJob)[]): Stores<typeof watches> {
  const memory = new MemoryStores(watches);
  for (const object of objects) memory.put(object);
  return memory.stores;
}

/** What the controller sees of `tune` among these TrainingJobs, the template `digits` beside them unless it is left out. */
export function seenSweep(object: HyperparamSweep, jobs: readonly TrainingJob[] = [], template: TrainingJob | 'missing' = job()): Observed {
  const seen = observe({ namespace: 'team-a', name: 'tune' }, storesOf([object, ...(template === 'missing' ? [] : [template]), ...jobs]));
  if (seen === undefined) throw new Error('The sweep is in its store.');
  return seen;
}
