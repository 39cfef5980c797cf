/** Whether a probability means what it says: of the rows that were given 0.8, are 80 % of the class? */
import type { ClassPredictions } from './predictions.ts';

export const calibrationBins = 10;

/** What is compared, for each row: a probability and whether it came true. */
export interface Forecasts {
  /** Bin of each row: k for a probability in (k / bins, (k + 1) / bins], and 0 for 0. */
  readonly bins: Uint8Array;
  readonly probabilities: Float32Array;
  readonly cameTrue: Uint8Array;
}

export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  /** Weight of the rows in the bin, and the means over them; 0 without rows. */
  readonly rows: number;
  readonly predicted: number;
  readonly observed: number;
}

/** Of two classes the probability of the second; of more that of the class that was predicted (Guo et al. 2017, "On calibration of modern neural networks"). */
export function forecasts({ classes, probabilities, truth }: ClassPredictions, predicted: Int32Array): Forecasts {
  const width = classes.length;
  const made = { bins: new Uint8Array(truth.length), probabilities: new Float32Array(truth.length), cameTrue: new Uint8Array(truth.length) };
  for (let row = 0; row < truth.length; row++) {
    const place = width === 2 ? 1 : predicted[row] ?? 0;
    const probability = probabilities[row * width + place] ?? NaN;
    made.probabilities[row] = probability;
    made.cameTrue[row] = truth[row] === place ? 1 : 0;
    made.bins[row] = binOf(probability);
  }
  return made;
}

const edge = (bin: number): number => bin / calibrationBins;

function binOf(probability: number): number {
  let bin = Math.min(calibrationBins - 1, Math.max(0, Math.floor(probability * calibrationBins)));
  // The product is rounded; the edges decide.
  if (bin > 0 && probability <= edge(bin)) bin--;
  return bin;
}

export function calibrate({ bins, probabilities, cameTrue }: Forecasts, weights: Float64Array): CalibrationBin[] {
  const rows = new Float64Array(calibrationBins);
  const predicted = new Float64Array(calibrationBins);
  const observed = new Float64Array(calibrationBins);
  for (let row = 0; row < bins.length; row++) {
    const bin = bins[row] ?? 0;
    const weight = weights[row] ?? 0;
    rows[bin] = (rows[bin] ?? 0) + weight;
    predicted[bin] = (predicted[bin] ?? 0) + weight * (probabilities[row] ?? 0);
    if (cameTrue[row] === 1) observed[bin] = (observed[bin] ?? 0) + weight;
  }
  return Array.from(rows, (weight, bin) => ({
    low: edge(bin),
    high: edge(bin + 1),
    rows: weight,
    predicted: weight > 0 ? (predicted[bin] ?? 0) / weight : 0,
    observed: weight > 0 ? (observed[bin] ?? 0) / weight : 0,
  }));
}

/** Expected calibration error: mean over the rows of |observed - predicted| of their bin (Naeini, Cooper and Hauskrecht 2015, eq. 1). */
export function calibrationError(bins: readonly CalibrationBin[]): number {
  let rows = 0;
  let gaps = 0;
  for (const bin of bins) {
    rows += bin.rows;
    gaps += bin.rows * Math.abs(bin.observed - bin.predicted);
  }
  return gaps / rows;
}
