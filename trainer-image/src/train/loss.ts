/** Losses, from the network's output before the softmax. Each is the mean over the batch, with its gradient in closed form. */
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-node-gpu';
import type { Task } from '../data/target.ts';
import { tf } from '../model/backend.ts';

export type Loss = (outputs: Tensor2D, targets: Tensor) => Scalar;

/** Cross-entropy of softmax(logits); the gradient is softmax(logits) - truth, which cannot overflow. `targets` are one-hot rows. */
const crossEntropy: Loss = (outputs, targets) => tf.customGrad((logits, save) => {
  const logProbabilities = tf.logSoftmax(logits as Tensor2D);
  (save as (tensors: Tensor[]) => void)([logProbabilities]);
  const value: Scalar = tf.neg(tf.sum(tf.mul(logProbabilities, targets))).div(outputs.shape[0]);
  const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor => {
    const [kept] = saved;
    if (kept === undefined) throw new Error('The loss kept nothing for its gradient.');
    return tf.mul(tf.sub(tf.exp(kept), targets), tf.div(dy, outputs.shape[0]));
  };
  return { value, gradFunc };
})(outputs);

const meanSquaredError: Loss = (outputs, targets) => tf.mean(tf.squaredDifference(outputs, targets));

export const losses: Readonly<Record<Task, Loss>> = { Classification: crossEntropy, Regression: meanSquaredError };
