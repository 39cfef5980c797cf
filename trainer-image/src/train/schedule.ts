/** The learning rate of a step, as a pure function of the step and, for a plateau, of what the epochs before it came to. */
import type { TrainerSpec } from '@anneal/operator/api';
import { isLargerBetter } from './metrics.ts';
import type { Metrics } from './metrics.ts';

export type ScheduleSpec = NonNullable<TrainerSpec['fit']['schedule']>;

/** What a plateau remembers from epoch to epoch. */
export interface PlateauState {
  /** Value of the metric in the best epoch; undefined before the first. */
  readonly best?: number;
  readonly waited: number;
  /** Epochs that still do not count. */
  readonly cooling: number;
  /** Product of the reductions. */
  readonly factor: number;
}

export const startPlateau: PlateauState = { waited: 0, cooling: 0, factor: 1 };

/** @param base  the optimiser's learning rate. @param step  that is to be done, from 0 */
export function learningRateAt(base: number, schedule: ScheduleSpec | undefined, step: number, plateau: PlateauState = startPlateau): number {
  if (schedule === undefined) return base;
  const { warmupSteps = 0 } = schedule;
  const warmup = step < warmupSteps ? step / warmupSteps : 1;
  return warmup * scheduled(base, schedule, Math.max(0, step - warmupSteps), plateau);
}

function scheduled(base: number, schedule: ScheduleSpec, step: number, plateau: PlateauState): number {
  const { name, decaySteps = 1, decayRate = 0.9, staircase = false, alpha = 0 } = schedule;
  const along = step / decaySteps;
  switch (name) {
    case 'Constant': return base;
    case 'ExponentialDecay': return base * decayRate ** (staircase ? Math.floor(along) : along);
    case 'CosineDecay': return base * cosine(Math.min(along, 1), alpha);
    case 'ReduceLROnPlateau': return reduced(base, schedule, plateau);
  }
}

/** Loshchilov and Hutter (2017), eq. 5, without restarts. */
const cosine = (along: number, least: number): number => least + ((1 - least) * (1 + Math.cos(Math.PI * along))) / 2;

const reduced = (base: number, { minLearningRate = 0 }: ScheduleSpec, { factor }: PlateauState): number => Math.max(base * factor, Math.min(base, minLearningRate));

/** What a plateau watches, `val_loss` unless it is told. */
export const watchedBy = ({ metric = 'val_loss' }: ScheduleSpec): string => metric;

/** After an epoch, as Keras' ReduceLROnPlateau counts. */
export function judgePlateau(base: number, schedule: ScheduleSpec, state: PlateauState, metrics: Metrics): PlateauState {
  const { patience = 10, minDelta = 1e-4, cooldown = 0, factor = 0.1, minLearningRate = 0 } = schedule;
  const metric = watchedBy(schedule);
  const value = metrics[metric];
  if (value === undefined) return state;
  const cooling = Math.max(0, state.cooling - 1);
  const waited = state.cooling > 0 ? 0 : state.waited;
  const gain = state.best === undefined ? Infinity : isLargerBetter(metric) ? value - state.best : state.best - value;
  if (gain > minDelta) return { ...state, best: value, waited: 0, cooling };
  if (cooling > 0 || waited + 1 < patience || reduced(base, schedule, state) <= minLearningRate) return { ...state, waited: cooling > 0 ? waited : waited + 1, cooling };
  return { ...state, waited: 0, cooling: cooldown, factor: state.factor * factor };
}
