/** Time and memory of a whole run, from a small one that was measured. */
import type { TrainerSpec } from '@anneal/operator/api';
import type { Calibration, MemoryEstimate, TimeEstimate, TrainingPlan } from './plan.ts';

export function trainingOf({ fit: { epochs, batchSize }, validation }: TrainerSpec, trainRows: number): TrainingPlan {
  const stepsPerEpoch = Math.ceil(trainRows / batchSize);
  const networks = 1 + (validation?.kFold ?? 0);
  return { epochs, batchSize, stepsPerEpoch, networks, steps: networks * epochs * stepsPerEpoch };
}

/** @param checkpointIntervalSeconds  0: one after each epoch */
export function timeOf({ fit: { earlyStopping } }: TrainerSpec, { epochs, networks, stepsPerEpoch }: TrainingPlan, measured: Calibration, checkpointIntervalSeconds: number): TimeEstimate {
  const { prepareSeconds, stepSeconds, validationSeconds, checkpointSeconds, finishSeconds } = measured;
  const learning = epochs * (stepsPerEpoch * stepSeconds + validationSeconds);
  const checkpoints = checkpointIntervalSeconds === 0 ? epochs : Math.floor(learning / checkpointIntervalSeconds);
  return { seconds: prepareSeconds + networks * (learning + checkpoints * checkpointSeconds) + finishSeconds, isAtMost: earlyStopping !== undefined, measured };
}

/** @param residentBytes  of the program before it read any data. @param peakBytes  the most that it took while it trained in small */
export function memoryOf(residentBytes: number, peakBytes: number): MemoryEstimate {
  return { peakBytes, programBytes: Math.min(residentBytes, peakBytes) };
}
