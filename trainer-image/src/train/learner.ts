/** A network, its loss and its optimiser as one thing that learns from a batch. */
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { Part } from '../data/part.ts';
import { random } from '../data/random.ts';
import type { TargetCoding } from '../data/target.ts';
import { AnnealError } from '../errors.ts';
import type { LossName, Rows } from '../model/graph/index.ts';
import { presetNetwork } from '../model/presets.ts';
import type { CodedColumn, ModelSpec, NetworkShape } from '../model/spec.ts';
import { makeTrainable } from '../model/trainable.ts';
import { consecutive } from './batches.ts';
import type { Batch } from './batches.ts';
import type { FitSpec } from './fit.ts';
import { addBatch, emptyTally } from './metrics.ts';
import type { Tally } from './metrics.ts';

/** Everything that the next step depends on, beside weights and gradient. */
export interface OptimizerState {
  /** Vectors beside the learnt weights. */
  readonly slots: readonly Float32Array[];
  /** Steps that were done. */
  readonly scalars: readonly number[];
}

export interface LearnerState {
  /** All weights in the network's order. */
  readonly weights: Float32Array;
  readonly optimizer: OptimizerState;
}

/** What a part of a batch contributes to a step. */
export interface Measured {
  /** Of the whole batch's mean loss, and of moving statistics; the parts' add up to it. */
  readonly gradient: Float32Array;
  /** What was predicted for each row before the step. */
  readonly outputs: Int32Array | Float32Array;
  /** Mean over the part's rows. */
  readonly loss: number;
}

export interface Learner {
  /** Numbers in the gradient, as in the weights. */
  readonly size: number;
  /**
   * One optimiser step; adds the batch, as it was predicted before the step, to the tally.
   * @param step  chooses the dropout masks. @param rate  the learning rate. @returns the batch's mean loss
   */
  learn(batch: Batch, step: number, tally: Tally, rate: number): number;
  /** The half of a step that can be shared out. @param draw  chooses the dropout masks. @param share  of the part's rows in the batch's */
  measure(part: Batch, draw: readonly number[], share: number): Measured;
  /** The other half, with the sum of the gradients. */
  apply(gradient: Float32Array, rate: number): void;
  /** What is predicted for each row, row after row: probabilities of classes, or values as they are learnt. */
  predict(part: Part): Float32Array;
  evaluate(part: Part): Tally;
  weights(): Float32Array;
  setWeights(weights: Float32Array): void;
  save(): LearnerState;
  load(state: LearnerState): void;
  /** What is saved and served, as it stands. Goes away with the learner, or when it is asked for again. */
  model(): LayersModel;
  dispose(): void;
}

export interface LearnerSpec {
  readonly model: ModelSpec;
  readonly fit: FitSpec;
  readonly target: TargetCoding;
  /** Shape of one row. */
  readonly shape: readonly number[];
  /** The user's own layers, or those of a saved model, instead of a preset's; the learner's to dispose of. */
  readonly layers?: LayersModel;
  /** Columns that hold whole numbers, where the model embeds them. */
  readonly coded?: readonly CodedColumn[];
  /** Whether parts have weights of their rows. */
  readonly weighted?: boolean;
  /** Of each class, by which its rows count more or less when they are learnt. */
  readonly classWeights?: readonly number[];
}

/** Rows that are predicted at once when nothing is learnt; bounds memory. */
const evaluationBatch = 1024;

/** @throws AnnealError `SPEC_SHAPE_MISMATCH`, `SPEC_CONFLICT`, `SPEC_TASK_MISMATCH` for a network that cannot be, or not learn this */
export function createLearner(spec: LearnerSpec, saved?: LearnerState): Learner {
  const { model, fit, target, classWeights } = spec;
  if (model.preset !== undefined && (model.preset === 'Autoencoder') !== (target.task === 'Reconstruction')) {
    throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.model.preset', message: `preset: ${model.preset} does not go with a ${target.task}. An Autoencoder learns its own rows and no target, and nothing else does.` });
  }
  const isWeighted = spec.weighted === true || classWeights !== undefined;
  const { training, initial, ...made } = makeTrainable({
    model, seed: fit.seed, shape: networkShape({ target, shape: spec.shape, coded: spec.coded }), ...(spec.layers === undefined ? {} : { layers: spec.layers }),
    task: target.task, loss: lossFor(spec), weighted: isWeighted,
    update: { optimizer: fit.optimizer, l1: model.l1 ?? 0, l2: model.l2, ...(fit.clip === undefined ? {} : { clip: fit.clip }) },
  });
  let iteration = 0;
  const load = ({ weights, optimizer }: LearnerState): void => {
    training.setWeights(weights);
    training.setSlots(optimizer.slots.length === 0 ? undefined : optimizer.slots);
    iteration = optimizer.scalars[0] ?? 0;
  };
  load(saved ?? { weights: initial, optimizer: { slots: [], scalars: [] } });

  const judgedRows = (batch: Batch): Rows => (isWeighted ? { ...batch, weights: batch.weights ?? new Float32Array(batch.rows).fill(1) } : batch);
  const learntRows = (batch: Batch): Rows => (classWeights === undefined ? judgedRows(batch) : { ...batch, weights: weighted(batch, classWeights) });
  const masks = (draw: readonly number[]): Int32Array => Int32Array.from(training.dropouts.flatMap((layer) => maskSeed(fit.seed, layer, draw)));
  return {
    size: training.size,
    learn: (batch, step, tally, rate) => {
      const { loss, outputs } = training.learn(learntRows(batch), masks([step]), rate, iteration + 1);
      iteration += 1;
      addBatch(tally, batch.targets, outputs, loss);
      return loss;
    },
    measure: (part, draw, share) => {
      const { loss, outputs, changes } = training.measure(learntRows(part), masks(draw), share);
      return { loss, outputs, gradient: changes };
    },
    apply: (gradient, rate) => {
      training.apply(gradient, rate, iteration + 1);
      iteration += 1;
    },
    predict: (part) => joined(Array.from(batchesOf(part), ({ features }) => training.predict(features))),
    evaluate: (part) => {
      const tally = emptyTally(target);
      for (const batch of batchesOf(part)) {
        const { loss, outputs } = training.evaluate(judgedRows(batch));
        addBatch(tally, batch.targets, outputs, loss);
      }
      return tally;
    },
    weights: () => training.weights(),
    setWeights: (weights) => training.setWeights(weights),
    save: () => ({ weights: training.weights(), optimizer: { slots: training.slots(), scalars: [iteration] } }),
    load,
    model: () => made.layers(),
    dispose: () => made.dispose(),
  };
}

/** What checkpoints of equal networks agree on: layers that have weights, and what they give. */
export function architectureOf({ model, target, shape, coded }: LearnerSpec): object {
  const classes = target.task === 'Classification' ? target.classes : [];
  const described = model.preset === undefined ? model.layers : presetNetwork(model, networkShape({ target, shape, coded })).layers.filter(({ kind }) => kind !== 'Dropout').map(({ inputs: _inputs, ...layer }) => layer);
  return { classes, layers: described ?? [] };
}

/** What the data say about the network. */
export function networkShape({ target, shape, coded }: { readonly target: TargetCoding; readonly shape: readonly number[]; readonly coded?: readonly CodedColumn[] | undefined }): NetworkShape {
  return { input: shape, classes: target.task === 'Classification' ? target.classes.length : undefined, ...(coded === undefined ? {} : { coded }) };
}

function lossFor({ fit, target }: LearnerSpec): LossName {
  const isOfClasses = target.task === 'Classification';
  const loss = fit.loss ?? (isOfClasses ? 'CrossEntropy' : 'MSE');
  if ((loss === 'CrossEntropy') === isOfClasses) return loss;
  throw new AnnealError('SPEC_TASK_MISMATCH', { at: 'spec.trainer.fit.loss', message: `${loss} is no loss of a ${target.task}. Write ${isOfClasses ? 'CrossEntropy' : 'MSE, MAE or Huber'}, or remove it.` });
}

const maskSeed = (seed: number, layer: string, draw: readonly number[]): [number, number] => {
  const source = random(seed, 'dropout', layer, ...draw);
  return [source.uint32() | 0, source.uint32() | 0];
};

function weighted({ rows, targets, weights }: Batch, classWeights: readonly number[]): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => (weights?.[row] ?? 1) * (classWeights[targets[row] ?? -1] ?? 1));
}

/** One at a time, so that no more rows than these are held twice. */
function* batchesOf(part: Part): Generator<Batch> {
  for (let from = 0; from < part.rows; from += evaluationBatch) yield consecutive(part, from, Math.min(part.rows, from + evaluationBatch));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
