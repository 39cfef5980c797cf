/**
 * Adam and SGD over one flat vector of all weights. Bit-equal to TensorFlow.js' own, but with a dozen kernel calls a step instead of a
 * dozen for each weight, and with a state that can be read and set exactly (docs/decisions/0007-own-optimisers.md).
 */
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-node-gpu';
import type { TrainerSpec } from '@anneal/operator/api';
import { tf } from '../model/backend.ts';

type OptimizerSpec = TrainerSpec['fit']['optimizer'];

/** Everything that the next step depends on, beside weights and gradient. */
export interface OptimizerState {
  readonly slots: readonly Float32Array[];
  readonly scalars: readonly number[];
}

export interface Optimizer {
  /** The weights after one step; called inside a tidy. */
  step(weights: Tensor1D, gradient: Tensor1D): Tensor1D;
  save(): OptimizerState;
  dispose(): void;
}

/** @param size  number of weights. @param saved  state to go on from */
export function createOptimizer(spec: OptimizerSpec, size: number, saved?: OptimizerState): Optimizer {
  return spec.name === 'Adam' ? adam(spec.learningRate, size, saved) : sgd(spec.learningRate, spec.momentum ?? 0, size, saved);
}

/** The tensor outlives the tidy that it was made in; the one before it ends here. */
function replace<T extends Tensor>(before: T, after: T): T {
  before.dispose();
  return tf.keep(after);
}

function slot(saved: OptimizerState | undefined, index: number, size: number): Tensor1D {
  return tf.keep(tf.tensor1d(saved?.slots[index] ?? new Float32Array(size)));
}

/** Kingma and Ba (2015), algorithm 1, in the order of operations that TensorFlow.js uses. */
function adam(learningRate: number, size: number, saved: OptimizerState | undefined): Optimizer {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-7];
  let first = slot(saved, 0, size);
  let second = slot(saved, 1, size);
  // Powers of the betas in float32, as a tensor of TensorFlow.js would hold them.
  let [power1 = Math.fround(beta1), power2 = Math.fround(beta2)] = saved?.scalars ?? [];
  return {
    step: (weights, gradient) => {
      first = replace(first, tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1)));
      second = replace(second, tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
      const unbiased1 = tf.div(first, 1 - power1);
      const unbiased2 = tf.div(second, 1 - power2);
      power1 = Math.fround(power1 * Math.fround(beta1));
      power2 = Math.fround(power2 * Math.fround(beta2));
      return tf.add(tf.mul(tf.div(unbiased1, tf.add(tf.sqrt(unbiased2), epsilon)), -learningRate), weights);
    },
    save: () => ({ slots: [first, second].map((tensor) => tensor.dataSync<'float32'>().slice()), scalars: [power1, power2] }),
    dispose: () => tf.dispose([first, second]),
  };
}

/** v ← momentum v + g; w ← w - rate v (Sutskever et al., 2013, classical momentum). */
function sgd(learningRate: number, momentum: number, size: number, saved: OptimizerState | undefined): Optimizer {
  if (momentum === 0) {
    return { step: (weights, gradient) => tf.add(tf.mul(gradient, -learningRate), weights), save: () => ({ slots: [], scalars: [] }), dispose: () => undefined };
  }
  let velocity = slot(saved, 0, size);
  return {
    step: (weights, gradient) => {
      velocity = replace(velocity, tf.add(tf.mul(velocity, momentum), gradient));
      return tf.add(tf.mul(velocity, -learningRate), weights);
    },
    save: () => ({ slots: [velocity.dataSync<'float32'>().slice()], scalars: [] }),
    dispose: () => tf.dispose(velocity),
  };
}
