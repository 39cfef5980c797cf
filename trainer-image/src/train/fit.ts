/** What a user writes about training, with the defaults filled in. */
import type { Clip, LossName, OptimizerSpec } from '../model/graph/index.ts';

export interface FitSpec {
  readonly optimizer: OptimizerSpec;
  readonly clip?: Clip;
  /** CrossEntropy for classes; for numbers MSE when unset. */
  readonly loss?: LossName;
  readonly seed: number;
}
