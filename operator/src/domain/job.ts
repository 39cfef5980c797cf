import type { Owner, TrainingJobSpec } from '../api/index.ts';

/** A TrainingJob as what is built for it needs to know it. */
export interface Job extends Owner {
  readonly namespace: string;
  readonly spec: TrainingJobSpec;
}
