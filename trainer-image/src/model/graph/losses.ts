/** Losses for each row, each with its derivative by the network's output in closed form. The loss of a batch is their mean. */
import type { Value } from './graph.ts';
import { absolute, maximum, minimum, multiply, scale, sign, square, subtract } from './ops/arithmetic.ts';
import { softmaxCrossEntropy } from './ops/network.ts';
import { reduce } from './ops/shape.ts';
import { scalar } from './ops/sources.ts';

/** Of classes; and of numbers, the mean over a row's: of e², of |e|, and of e² / 2 where |e| <= 1, else |e| - 1/2. */
export type LossName = 'CrossEntropy' | 'MSE' | 'MAE' | 'Huber';

export interface LossRows {
  readonly rows: Value;
  /** Of each row's loss by its outputs. */
  readonly slope: Value;
}

/** @param outputs  [rows, n], logits for classes. @param targets  int32 [rows] for classes, else as outputs */
export function lossOf(name: LossName, outputs: Value, targets: Value): LossRows {
  if (name === 'CrossEntropy') return softmaxCrossEntropy(outputs, targets);
  const { element, slope } = elementLosses[name](subtract(outputs, targets));
  return { rows: reduce('Mean', element, [1]), slope: scale(slope, 1 / (outputs.shape[1] ?? 1)) };
}

/** From the errors e. */
const elementLosses: Readonly<Record<Exclude<LossName, 'CrossEntropy'>, (error: Value) => { readonly element: Value; readonly slope: Value }>> = {
  MSE: (error) => ({ element: square(error), slope: scale(error, 2) }),
  MAE: (error) => ({ element: absolute(error), slope: sign(error) }),
  // Huber (1964).
  Huber: (error) => {
    const [one, size] = [scalar(error.graph, 1), absolute(error)];
    const bounded = minimum(size, one);
    return { element: multiply(bounded, subtract(size, scale(bounded, 0.5))), slope: maximum(minimum(error, one), scalar(error.graph, -1)) };
  },
};
