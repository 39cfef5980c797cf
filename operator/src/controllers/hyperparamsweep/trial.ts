/** The TrainingJob of one trial. Its name follows from the sweep and the number, so that no trial can exist twice. */
import { annotations, labels, managedBy, trialName, type HyperparamSweep } from '../../api/index.ts';
import type { ParameterValues } from '../../domain/search/index.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { childOf } from '../shared/objects.ts';
import { hyperparamSweepType, trainingJobType } from '../shared/resources.ts';

/** A trial that is to be made. */
export interface TrialPlan {
  readonly trial: number;
  /** Empty for the template. */
  readonly values: ParameterValues;
  readonly spec: object;
  /** What the trial is made of, see `fingerprintOf`. */
  readonly fingerprint: string;
}

export function trialJob(sweep: HyperparamSweep, { trial, values, spec, fingerprint }: TrialPlan): KubeObject {
  const { name } = sweep.metadata;
  return childOf(hyperparamSweepType, sweep, trainingJobType, {
    metadata: {
      name: trialName(name, trial),
      labels: { [labels.managedBy]: managedBy, [labels.sweep]: name, [labels.trial]: String(trial) },
      annotations: { [annotations.parameters]: JSON.stringify(values), [annotations.template]: fingerprint },
    },
    spec,
  });
}
