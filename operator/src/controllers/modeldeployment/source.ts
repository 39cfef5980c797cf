/** Which model a ModelDeployment's source has now. Pure. */
import { findCondition, isTrue, type HyperparamSweep, type ModelDeployment, type ModelStatus, type TrainingJob } from '../../api/index.ts';

/** A model and the TrainingJob that made it. */
export interface Made {
  readonly model: ModelStatus;
  readonly trainingJob: string;
}

export type Source =
  | ({ readonly kind: 'Made' } & Made)
  /** The model is in the making. */
  | { readonly kind: 'Pending'; readonly reason: string; readonly message: string }
  /** No model comes of this unless a person does something. */
  | { readonly kind: 'Missing'; readonly reason: string; readonly message: string };

type ModelSource = ModelDeployment['spec']['model'];

export function sourceOf(spec: ModelSource, job: TrainingJob | undefined, sweep: HyperparamSweep | undefined): Source {
  return spec.fromSweep === undefined ? fromJob(spec.fromTrainingJob ?? '', job) : fromSweep(spec.fromSweep, sweep);
}

function fromJob(name: string, job: TrainingJob | undefined): Source {
  // The model of a job that is going away goes with it.
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) {
    return missing('TrainingJobNotFound', `There is no TrainingJob ${name} in this namespace. Create it, or set spec.model to one that exists.`);
  }
  const { conditions, model, progress } = job.status ?? {};
  if (isTrue(conditions, 'Failed')) return missing('TrainingJobFailed', `TrainingJob ${name} failed: ${findCondition(conditions, 'Failed')?.message ?? ''}`);
  if (!isTrue(conditions, 'Succeeded')) return pending('TrainingJobNotSucceeded', `TrainingJob ${name} has not succeeded yet${soFar(progress?.summary)}.`);
  if (model === undefined) {
    const unknown = findCondition(conditions, 'ModelKnown');
    if (unknown?.status === 'False') return missing('TrainingJobHasNoModel', `TrainingJob ${name} succeeded, but its model is not known: ${unknown.message}`);
    return missing('TrainingJobHasNoModel', `TrainingJob ${name} succeeded without a model; only a job with spec.trainer leaves one that can be served.`);
  }
  return { kind: 'Made', model, trainingJob: name };
}

function fromSweep(name: string, sweep: HyperparamSweep | undefined): Source {
  if (sweep === undefined || sweep.metadata.deletionTimestamp !== undefined) {
    return missing('SweepNotFound', `There is no HyperparamSweep ${name} in this namespace. Create it, or set spec.model to one that exists.`);
  }
  const { conditions, best, trials } = sweep.status ?? {};
  if (isTrue(conditions, 'Failed')) return missing('SweepFailed', `HyperparamSweep ${name} failed: ${findCondition(conditions, 'Failed')?.message ?? ''}`);
  if (!isTrue(conditions, 'Succeeded')) return pending('SweepNotSucceeded', `HyperparamSweep ${name} has not succeeded yet${soFar(trials?.summary)}.`);
  if (best?.model === undefined) {
    return missing('SweepHasNoModel', `The best trial of HyperparamSweep ${name}${best === undefined ? '' : `, TrainingJob ${best.trainingJob},`} has no model; only trials with spec.trainer whose result could be read leave one that can be served.`);
  }
  return { kind: 'Made', model: best.model, trainingJob: best.trainingJob };
}

function pending(reason: string, message: string): Source {
  return { kind: 'Pending', reason, message };
}

function missing(reason: string, message: string): Source {
  return { kind: 'Missing', reason, message };
}

function soFar(summary: string | undefined): string {
  return summary === undefined ? '' : ` (${summary})`;
}
