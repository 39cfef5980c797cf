/** How often a checkpoint is worth its time: from what a write costs and how often the job is interrupted. Pure. */
import type { TrainingJobSpec } from '../api/index.ts';

export type IntervalSpec = TrainingJobSpec['checkpoint']['interval'];

/**
 * Checkpoint interval that loses least work to interruptions.
 * Daly (2006), "A higher order estimate of the optimum checkpoint interval for restart dumps", eq. 37; Young (1974) is its first term.
 *
 * @param writeSeconds  mean time to write one checkpoint, C > 0
 * @param mtbfSeconds   mean time between interruptions, M > 0
 * @returns seconds of work between two checkpoints; M itself when C >= 2M, where checkpoints cannot help
 */
export function optimalInterval(writeSeconds: number, mtbfSeconds: number): number {
  const ratio = writeSeconds / (2 * mtbfSeconds);
  if (ratio >= 1) return mtbfSeconds;
  return Math.sqrt(2 * writeSeconds * mtbfSeconds) * (1 + Math.sqrt(ratio) / 3 + ratio / 9) - writeSeconds;
}

/** Gamma distribution of the rate of interruptions: as if this many had been seen in this time before the job began. */
export interface RatePrior {
  readonly interruptions: number;
  readonly seconds: number;
}

const hour = 3600;

/**
 * What is believed of one node that the job has not run on yet. Spot: one interruption in 4 h, within the 0.7 to 10.4 h that nine zones of a public
 * spot trace have as their mean. On demand: half of one in 84 h, that is one a week, from node upgrades and consolidation. The
 * weights are small, so that a few hours of the job's own history outweigh them.
 */
export const ratePriors: Readonly<Record<'spot' | 'onDemand', RatePrior>> = {
  spot: { interruptions: 1, seconds: 4 * hour },
  onDemand: { interruptions: 0.5, seconds: 84 * hour },
};

/** That of a job on so many nodes, each of which it needs: the rates add up. */
export function ofNodes({ interruptions, seconds }: RatePrior, nodes: number): RatePrior {
  return { interruptions, seconds: seconds / nodes };
}

/**
 * Mean seconds between interruptions: the inverse of the posterior mean of a Poisson rate, by its conjugate prior
 * (Gelman et al., "Bayesian Data Analysis", 3rd ed., section 2.6).
 */
export function meanSecondsBetweenInterruptions(prior: RatePrior, interruptions: number, runningSeconds: number): number {
  return (prior.seconds + Math.max(0, runningSeconds)) / (prior.interruptions + interruptions);
}

const leastSeconds = 10;
const mostSeconds = 3600;
/** Until the first write was measured: soon, since that measures it. */
const firstSeconds = 60;

/** @param writeSeconds  undefined before the first checkpoint */
export function autoInterval(bounds: IntervalSpec, writeSeconds: number | undefined, mtbfSeconds: number): number {
  const wanted = writeSeconds === undefined ? firstSeconds : optimalInterval(Math.max(writeSeconds, 1e-3), mtbfSeconds);
  // A bound of the user's that lies beyond our own for the other end moves that.
  const minSeconds = bounds.minSeconds ?? Math.min(leastSeconds, bounds.maxSeconds ?? mostSeconds);
  const maxSeconds = bounds.maxSeconds ?? Math.max(mostSeconds, minSeconds);
  return Math.min(Math.max(wanted, minSeconds), maxSeconds);
}
