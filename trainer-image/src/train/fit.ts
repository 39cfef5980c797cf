/** What a user writes about training, with the defaults filled in. */
import type { Clip, LossName, OptimizerSpec } from '../model/graph/index.ts';

export interface FitSpec {
  readonly optimizer: OptimizerSpec;
  readonly clip?: Clip;
  /** When unset, CrossEntropy for classes, else MSE. */
  readonly loss?: LossName;
  readonly seed: number;
}
