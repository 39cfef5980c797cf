/** Early stopping, as a pure function of the metrics so far. */
import type { TrainerSpec } from '@anneal/operator/api';
import { isLargerBetter } from './metrics.ts';
import type { Metrics } from './metrics.ts';

type StoppingSpec = NonNullable<TrainerSpec['fit']['earlyStopping']>;

export interface StoppingState {
  /** Value of the metric in the best epoch; undefined before the first. */
  readonly best?: number;
  /** Epoch of `best`, from 1. */
  readonly bestEpoch: number;
  readonly waited: number;
}

export const startStopping: StoppingState = { bestEpoch: 0, waited: 0 };

export interface StoppingVerdict {
  readonly state: StoppingState;
  readonly improved: boolean;
  readonly stop: boolean;
}

/** @param epoch  that just ended, from 1 */
export function judgeStopping(spec: StoppingSpec, state: StoppingState, epoch: number, metrics: Metrics): StoppingVerdict {
  const value = metrics[spec.metric] ?? NaN;
  const gain = state.best === undefined ? Infinity : isLargerBetter(spec.metric) ? value - state.best : state.best - value;
  if (!Number.isNaN(value) && gain > spec.minDelta) return { state: { best: value, bestEpoch: epoch, waited: 0 }, improved: true, stop: false };
  const waited = state.waited + 1;
  return { state: { ...state, waited }, improved: false, stop: waited >= spec.patience };
}
