/** A network made ready to be trained. The one place that chooses how: by one graph where it knows all layers, else op by op. */
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import { buildEagerTraining } from './eager.ts';
import { networkOfLayers } from './from-layers-model.ts';
import { buildTraining } from './graph/index.ts';
import type { Training, TrainingSpec } from './graph/index.ts';
import { initialWeights } from './initial.ts';
import { flatWeights, toLayersModel } from './layers-model.ts';
import { weightsOf } from './network.ts';
import { presetNetwork } from './presets.ts';
import type { ModelSpec, NetworkShape } from './spec.ts';

export interface TrainableSpec extends Omit<TrainingSpec, 'network'> {
  readonly model: ModelSpec;
  readonly shape: NetworkShape;
  readonly seed: number;
  /** The user's own layers, instead of a preset's. */
  readonly layers?: LayersModel;
}

export interface Trainable {
  readonly training: Training;
  /** Weights before the first step. */
  readonly initial: Float32Array;
  /** The layers model with the weights as they stand. Goes away when it is asked for again, and with the training. */
  layers(): LayersModel;
  dispose(): void;
}

/** @throws AnnealError `SPEC_SHAPE_MISMATCH`, `SPEC_CONFLICT` */
export function makeTrainable({ model, shape, seed, layers: own, ...spec }: TrainableSpec): Trainable {
  const network = own === undefined ? presetNetwork(model, shape) : networkOfLayers(own);
  if (network === undefined) return opByOp(own, spec);
  const training = buildTraining({ ...spec, network });
  const initial = own === undefined ? initialWeights(weightsOf(network), seed) : flatWeights(own);
  own?.dispose();
  let made: LayersModel | undefined;
  return {
    training,
    initial,
    layers: () => {
      made?.dispose();
      return (made = toLayersModel(network, training.weights()));
    },
    dispose: () => {
      made?.dispose();
      training.dispose();
    },
  };
}

function opByOp(layers: LayersModel | undefined, spec: Omit<TrainingSpec, 'network'>): Trainable {
  if (layers === undefined) throw new Error('There are no layers to train.');
  const training = buildEagerTraining({ ...spec, model: layers });
  return { training, initial: flatWeights(layers), layers: () => layers, dispose: () => training.dispose() };
}
