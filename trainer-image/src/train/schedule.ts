/** The learning rate of a step, as a pure function of the step and, for a plateau, of what the epochs before it came to. */
import { isLargerBetter } from './metrics.ts';
import type { Metrics } from './metrics.ts';

export interface ScheduleSpec {
  /**
   * By how much the learning rate is multiplied. Constant: 1. Exponential: rate^(step / decaySteps). Step: the same, the exponent rounded down.
   * Cosine: from 1 to rate within decaySteps, and no further. Plateau: by rate each time that a metric got no better for so many epochs.
   */
  readonly kind: 'Constant' | 'Exponential' | 'Step' | 'Cosine' | 'Plateau';
  /** Steps in which the learning rate grows evenly from 0; a decay begins after them. */
  readonly warmupSteps?: number;
  /** 1000 when unset. */
  readonly decaySteps?: number;
  /** When unset, 0.9 for Exponential, 0 for Cosine, else 0.1. */
  readonly rate?: number;
  /** Of a plateau; `val_loss` when unset. */
  readonly metric?: string;
  /** Epochs without improvement before a plateau's rate applies; 10 when unset. */
  readonly patience?: number;
  /** Smallest change that counts as an improvement; 0.0001 when unset. */
  readonly minDelta?: number;
  /** Epochs after a reduction that do not count; 0 when unset. */
  readonly cooldown?: number;
  /** What a plateau does not go below. */
  readonly minLearningRate?: number;
}

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
  const decayed = base * decay(schedule, Math.max(0, step - warmupSteps));
  return warmup * (schedule.kind === 'Plateau' ? reduced(base, schedule, plateau) : decayed);
}

function decay({ kind, decaySteps = 1000, rate }: ScheduleSpec, step: number): number {
  const along = step / decaySteps;
  switch (kind) {
    case 'Constant':
    case 'Plateau': return 1;
    case 'Exponential': return (rate ?? 0.9) ** along;
    case 'Step': return (rate ?? 0.1) ** Math.floor(along);
    case 'Cosine': return cosine(Math.min(along, 1), rate ?? 0);
  }
}

/** Loshchilov and Hutter (2017), eq. 5, without restarts. */
const cosine = (along: number, least: number): number => least + ((1 - least) * (1 + Math.cos(Math.PI * along))) / 2;

const reduced = (base: number, { minLearningRate = 0 }: ScheduleSpec, { factor }: PlateauState): number => Math.max(base * factor, Math.min(base, minLearningRate));

/** After an epoch, as Keras' ReduceLROnPlateau counts. */
export function judgePlateau(base: number, schedule: ScheduleSpec, state: PlateauState, metrics: Metrics): PlateauState {
  const { metric = 'val_loss', patience = 10, minDelta = 1e-4, cooldown = 0, rate = 0.1, minLearningRate = 0 } = schedule;
  const value = metrics[metric];
  if (value === undefined) return state;
  const cooling = Math.max(0, state.cooling - 1);
  const waited = state.cooling > 0 ? 0 : state.waited;
  const gain = state.best === undefined ? Infinity : isLargerBetter(metric) ? value - state.best : state.best - value;
  if (gain > minDelta) return { ...state, best: value, waited: 0, cooling };
  if (cooling > 0 || waited + 1 < patience || reduced(base, schedule, state) <= minLearningRate) return { ...state, waited: cooling > 0 ? waited : waited + 1, cooling };
  return { ...state, waited: 0, cooling: cooldown, factor: state.factor * rate };
}
