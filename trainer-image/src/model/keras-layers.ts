/** A network that a user describes in the layers JSON of Keras and TensorFlow.js, instead of a preset. */
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-node-gpu';
import { derivedSeed } from '../data/random.ts';
import { AnnealError } from '../errors.ts';
import { tf } from './backend.ts';
import './gru.ts';
import { asKeras2 } from './keras3.ts';
import { requireKept } from './keras-requirements.ts';
import type { NetworkShape } from './spec.ts';

const at = 'spec.trainer.model.layers';

/**
 * The model, with initial weights by the seed; classes end in a softmax, which is added where it is missing.
 *
 * @param topology  as `model.to_json()` of Keras gives it, or model.json of TensorFlow.js
 * @throws AnnealError `SPEC_INVALID`, `SPEC_SHAPE_MISMATCH`; `SPEC_CONFLICT` for layers whose draws cannot be repeated
 */
export async function readKerasLayers(topology: object, shape: NetworkShape, seed: number): Promise<LayersModel> {
  const written = asKeras2(topology);
  const model = await loaded(seeded(written, seed, 'model'));
  requireKept(written, model);
  const [input, output] = [model.inputs[0], model.outputs[0]];
  if (input === undefined || output === undefined || model.inputs.length > 1 || model.outputs.length > 1) {
    throw new AnnealError('SPEC_INVALID', { at, message: `The network has ${model.inputs.length} inputs and ${model.outputs.length} outputs; write one with one of each.` });
  }
  requireShape('takes', input, shape.input);
  requireShape('gives', output, [shape.classes ?? 1]);
  if (shape.classes === undefined || endsInSoftmax(model)) return model;
  return tf.model({ inputs: input, outputs: tf.layers.activation({ name: 'probabilities', activation: 'softmax' }).apply(output) as SymbolicTensor, name: 'model' });
}

async function loaded(topology: object): Promise<LayersModel> {
  try {
    return await tf.models.modelFromJSON(topology as Parameters<typeof tf.models.modelFromJSON>[0]);
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new AnnealError('SPEC_INVALID', { at, message: `The layers cannot be read: ${why} Write them as model.to_json() of Keras or model.json of TensorFlow.js has them, of layers that TensorFlow.js knows.`, cause: error });
  }
}

/** The same layers, whose initialisers draw from streams of their own by the seed and where they stand. */
function seeded(value: unknown, seed: number, ...path: readonly (string | number)[]): object {
  const copied = (held: unknown, ...at: readonly (string | number)[]): unknown => {
    if (Array.isArray(held)) return held.map((one, index) => copied(one, ...at, index));
    if (typeof held !== 'object' || held === null) return held;
    const entries = Object.entries(held).map(([key, one]) => [key, copied(one, ...at, key)] as const);
    const isInitializer = at.some((name) => typeof name === 'string' && name.endsWith('_initializer')) && at.at(-1) === 'config';
    return Object.fromEntries(isInitializer && 'seed' in held ? [...entries, ['seed', derivedSeed(seed, 'initialise', ...at)]] : entries);
  };
  return copied(value, ...path) as object;
}

function requireShape(does: 'takes' | 'gives', { shape: [, ...found] }: SymbolicTensor, wanted: readonly number[]): void {
  if (found.length === wanted.length && wanted.every((length, axis) => found[axis] === length || found[axis] === null)) return;
  throw new AnnealError('SPEC_SHAPE_MISMATCH', { at, message: `The network ${does} rows of shape [${found.join(', ')}], and the data have [${wanted.join(', ')}]. Write layers that fit, or change features.shape.` });
}

/** Whether what the model gives are probabilities. */
function endsInSoftmax(model: LayersModel): boolean {
  const last = model.layers.at(-1);
  return last?.getClassName() === 'Softmax' || last?.getConfig().activation === 'softmax';
}
