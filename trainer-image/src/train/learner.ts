/** A network, its loss and its optimiser as one thing that learns from a batch. The one file of training that holds tensors. */
import type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-node-gpu';
import type { TrainerSpec } from '@anneal/operator/api';
import type { Part } from '../data/prepare.ts';
import type { TargetCoding } from '../data/target.ts';
import { tf } from '../model/backend.ts';
import { buildNetwork } from '../model/network.ts';
import type { Network } from '../model/network.ts';
import { consecutive } from './batches.ts';
import type { Batch } from './batches.ts';
import { losses } from './loss.ts';
import { addBatch, emptyTally } from './metrics.ts';
import type { Tally } from './metrics.ts';
import { createOptimizer } from './optimizer.ts';
import type { OptimizerState } from './optimizer.ts';

export interface LearnerState {
  /** All weights in the network's order. */
  readonly weights: Float32Array;
  readonly optimizer: OptimizerState;
}

/** What a part of a batch contributes to a step. */
export interface Measured {
  /** Of the whole batch's mean loss; the parts' add up to it. */
  readonly gradient: Float32Array;
  /** What was predicted for each row before the step. */
  readonly outputs: Int32Array | Float32Array;
  /** Mean over the part's rows. */
  readonly loss: number;
}

export interface Learner {
  readonly network: Network;
  /** Numbers in the gradient, as in the weights. */
  readonly size: number;
  /** One optimiser step; adds the batch, as it was predicted before the step, to the tally. @returns the batch's mean loss */
  learn(batch: Batch, step: number, tally: Tally): number;
  /** The half of a step that can be shared out. @param draw  chooses the dropout masks. @param share  of the part's rows in the batch's */
  measure(part: Batch, draw: readonly number[], share: number): Measured;
  /** The other half, with the sum of the gradients. */
  apply(gradient: Float32Array): void;
  evaluate(part: Part): Tally;
  weights(): Float32Array;
  setWeights(weights: Float32Array): void;
  save(): LearnerState;
  load(state: LearnerState): void;
  dispose(): void;
}

export interface LearnerSpec {
  readonly model: TrainerSpec['model'];
  readonly fit: TrainerSpec['fit'];
  readonly target: TargetCoding;
  /** Shape of one row. */
  readonly shape: readonly number[];
}

/** Rows that are predicted at once when nothing is learnt; bounds memory. */
const evaluationBatch = 1024;

export function createLearner(spec: LearnerSpec, saved?: LearnerState): Learner {
  const { target } = spec;
  const outputs = target.task === 'Classification' ? target.classes.length : 1;
  const network = buildNetwork(spec.model, { task: target.task, input: spec.shape, outputs }, spec.fit.seed);
  const variables = [...network.variables];
  const sizes = variables.map((variable) => variable.size);
  const kernels = spec.model.l2 > 0 ? tf.tidy(() => tf.keep(tf.concat1d(variables.map((variable) => tf.fill([variable.size], variable.rank > 1 ? 2 * spec.model.l2 : 0))))) : undefined;
  let flat: Tensor1D = tf.keep(tf.tidy(() => concat(variables)));
  const { size } = flat;
  let optimizer = createOptimizer(spec.fit.optimizer, size, saved?.optimizer);
  const loss = losses[target.task];

  const assign = (weights: Tensor1D): void => {
    flat.dispose();
    flat = tf.keep(weights);
    tf.split(flat, sizes).forEach((part, index) => {
      const variable = variables[index];
      variable?.assign(part.reshape(variable.shape));
    });
  };
  const setWeights = (weights: Float32Array): void => tf.tidy(() => assign(tf.tensor1d(weights.slice())));
  if (saved !== undefined) setWeights(saved.weights);

  const features = (batch: Batch): Tensor => tf.tensor(batch.features, [batch.rows, ...spec.shape]);
  const truth = (batch: Batch): Tensor => (target.task === 'Classification'
    ? tf.oneHot(tf.tensor1d(batch.targets, 'int32'), outputs).cast('float32')
    : tf.tensor2d(batch.targets, [batch.rows, 1], 'float32'));
  const told = (output: Tensor2D): Int32Array | Float32Array => (target.task === 'Classification' ? output.argMax(-1) : output).dataSync<'int32' | 'float32'>();

  /** Called inside a tidy. The gradient is not scaled: that of a whole batch needs none. */
  const differentiate = (batch: Batch, draw: readonly number[]): { mean: number; outputs: Int32Array | Float32Array; gradient: Tensor1D } => {
    const y = truth(batch);
    let output: Tensor2D | undefined;
    const { value, grads } = tf.variableGrads(() => {
      output = network.trainForward(features(batch), draw) as Tensor2D;
      tf.keep(output);
      return loss(output, y);
    }, variables);
    if (output === undefined) throw new Error('The network gave no output.');
    const mean = scalarOf(value);
    const outputs = told(output);
    output.dispose();
    return { mean, outputs, gradient: concat(variables.map((variable) => gradientOf(grads, variable))) };
  };
  const descend = (gradient: Tensor1D): void => assign(optimizer.step(flat, kernels === undefined ? gradient : tf.add(gradient, tf.mul(kernels, flat))));

  return {
    network,
    size,
    learn: (batch, step, tally) => tf.tidy(() => {
      const { mean, outputs, gradient } = differentiate(batch, [step]);
      addBatch(tally, batch.targets, outputs, mean);
      descend(gradient);
      return mean;
    }),
    measure: (part, draw, share) => tf.tidy(() => {
      const { mean, outputs, gradient } = differentiate(part, draw);
      const shared = share === 1 ? gradient : tf.mul(gradient, share);
      return { gradient: shared.dataSync<'float32'>().slice(), outputs: outputs.slice(), loss: mean };
    }),
    apply: (gradient) => tf.tidy(() => descend(tf.tensor1d(gradient))),
    evaluate: (part) => {
      const tally = emptyTally(target);
      for (let from = 0; from < part.rows; from += evaluationBatch) {
        const batch = consecutive(part, from, Math.min(part.rows, from + evaluationBatch));
        tf.tidy(() => {
          const output = network.forward(features(batch)) as Tensor2D;
          addBatch(tally, batch.targets, told(output), scalarOf(loss(output, truth(batch))));
        });
      }
      return tally;
    },
    weights: () => flat.dataSync<'float32'>().slice(),
    setWeights,
    save: () => ({ weights: flat.dataSync<'float32'>().slice(), optimizer: optimizer.save() }),
    load: ({ weights, optimizer: state }) => {
      optimizer.dispose();
      optimizer = createOptimizer(spec.fit.optimizer, size, state);
      setWeights(weights);
    },
    dispose: () => {
      tf.dispose([flat, ...(kernels === undefined ? [] : [kernels])]);
      optimizer.dispose();
      network.dispose();
    },
  };
}

const concat = (tensors: readonly Tensor[]): Tensor1D => tf.concat1d(tensors.map((tensor) => tensor.flatten()));
const scalarOf = (value: Scalar): number => value.dataSync()[0] ?? NaN;

function gradientOf(grads: Readonly<Record<string, Tensor>>, variable: Variable): Tensor {
  const gradient = grads[variable.name];
  if (gradient === undefined) throw new Error(`The loss does not depend on ${variable.name}.`);
  return gradient;
}
