/** The networks that a preset stands for. */
import { AnnealError } from '../errors.ts';
import { features } from './network.ts';
import { sizeOf } from '../shape.ts';
import type { Layer, LayerKind, Network } from './network.ts';
import type { CodedColumn, ModelSpec, NetworkShape, Preset } from './spec.ts';

/** As Keras'. */
const batchNormalization = { kind: 'BatchNormalization', momentum: 0.99, epsilon: 0.001 } as const;

const defaultUnits: Readonly<Record<Preset, readonly number[]>> = { Linear: [], MLP: [64, 32], CNN: [64], LSTM: [64], GRU: [64], Autoencoder: [32, 8] };

/** @throws AnnealError `SPEC_SHAPE_MISMATCH`, `SPEC_CONFLICT` where preset and data do not go together */
export function presetNetwork(spec: ModelSpec, shape: NetworkShape): Network {
  const { preset } = spec;
  if (preset === undefined) throw new Error('A network without a preset is described by its layers.');
  const chain = new Chain();
  const units = spec.units ?? defaultUnits[preset];
  if (spec.embedding !== undefined && shape.coded !== undefined) embed(chain, spec, spec.embedding.dimension, shape.input, shape.coded);
  switch (preset) {
    case 'Linear':
      flatten(chain, shape.input);
      break;
    case 'MLP':
      flatten(chain, shape.input);
      hiddenLayers(chain, spec, units);
      break;
    case 'CNN':
      convolutions(chain, spec, shape.input);
      hiddenLayers(chain, spec, units);
      break;
    case 'LSTM':
    case 'GRU':
      recurrentLayers(chain, preset, spec, shape.input, units);
      break;
    case 'Autoencoder':
      flatten(chain, shape.input);
      hiddenLayers(chain, spec, [...units, ...units.slice(0, -1).toReversed()]);
      break;
  }
  const outputs = preset === 'Autoencoder' ? sizeOf(shape.input) : shape.classes ?? 1;
  chain.add('output', { kind: 'Dense', units: outputs, activation: 'Linear', bias: true });
  if (shape.classes !== undefined) chain.add('probabilities', { kind: 'Activation', activation: 'Softmax' });
  return { input: shape.input, layers: chain.layers };
}

/** Layers one after the other. */
class Chain {
  readonly layers: Layer[] = [];
  private last = features;

  add(name: string, kind: LayerKind, inputs: readonly string[] = [this.last]): string {
    this.layers.push({ ...kind, name, inputs });
    this.last = name;
    return name;
  }
}

function flatten(chain: Chain, input: readonly number[]): void {
  if (input.length > 1) chain.add('flatten', { kind: 'Flatten' });
}

/** Batch normalisation makes the bias before it needless: it takes the mean away. */
function hiddenLayers(chain: Chain, spec: ModelSpec, units: readonly number[]): void {
  const normalises = spec.batchNorm === true;
  units.forEach((size, index) => {
    const number = index + 1;
    chain.add(`dense_${number}`, { kind: 'Dense', units: size, activation: normalises ? 'Linear' : spec.activation, bias: !normalises });
    if (normalises) normalise(chain, spec, `dense_${number}`);
    if (spec.dropout > 0) chain.add(`dropout_${number}`, { kind: 'Dropout', rate: spec.dropout });
  });
}

function normalise(chain: Chain, spec: ModelSpec, layer: string): void {
  chain.add(`${layer}_norm`, batchNormalization);
  chain.add(`${layer}_activation`, { kind: 'Activation', activation: spec.activation });
}

function convolutions(chain: Chain, spec: ModelSpec, input: readonly number[]): void {
  const { filters = 32, blocks = 2, kernelSize = 3, batchNorm: normalises = false } = spec;
  const axes = input.length - 1;
  if (axes !== 1 && axes !== 2) {
    throw new AnnealError('SPEC_SHAPE_MISMATCH', { at: 'spec.trainer.data.features.shape', message: 'preset: CNN needs images or sequences. Write features.shape as [height, width, channels], for example [8, 8, 1], or as [length, channels].' });
  }
  const along = (length: number): readonly number[] => Array.from({ length: axes }, () => length);
  for (let block = 1; block <= blocks; block++) {
    const name = `conv_${block}`;
    chain.add(name, { kind: 'Conv', filters: filters * 2 ** (block - 1), kernelSize: along(kernelSize), strides: along(1), padding: 'Same', activation: normalises ? 'Linear' : spec.activation, bias: !normalises });
    if (normalises) normalise(chain, spec, name);
    chain.add(`pool_${block}`, { kind: 'MaxPooling', poolSize: along(2), strides: along(2), padding: 'Same' });
  }
  chain.add('flatten', { kind: 'Flatten' });
}

function recurrentLayers(chain: Chain, kind: 'LSTM' | 'GRU', spec: ModelSpec, input: readonly number[], units: readonly number[]): void {
  if (input.length !== 2) {
    throw new AnnealError('SPEC_SHAPE_MISMATCH', { at: 'spec.trainer.data.features.shape', message: `preset: ${kind} needs sequences. Write features.shape as [steps, features], for example [24, 3].` });
  }
  if (spec.batchNorm === true) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.model.batchNorm', message: `batchNorm does not go with preset: ${kind}, whose steps share their weights. Remove it.` });
  if (units.length === 0) throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.model.units', message: `preset: ${kind} needs at least one recurrent layer. Write its size, for example units: [64].` });
  units.forEach((size, index) => {
    chain.add(`${kind.toLowerCase()}_${index + 1}`, { kind, units: size, sequences: index < units.length - 1 });
    if (spec.dropout > 0) chain.add(`dropout_${index + 1}`, { kind: 'Dropout', rate: spec.dropout });
  });
}

/** Coded columns by a table of vectors each, whose first row is for what training never saw; then the other columns as they are. */
function embed(chain: Chain, spec: ModelSpec, dimension: number, input: readonly number[], coded: readonly CodedColumn[]): void {
  const [width = 0, ...deeper] = input;
  if (deeper.length > 0 || spec.preset === undefined || !['Linear', 'MLP'].includes(spec.preset)) {
    throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.model.embedding', message: `embedding needs columns, and goes with preset: Linear and MLP without features.shape; not with ${spec.preset ?? 'layers'}.` });
  }
  const vectors = coded.map(({ place, categories }) => {
    chain.add(`code_${place}`, { kind: 'Columns', from: place, to: place + 1, offset: 1 }, [features]);
    chain.add(`embedding_${place}`, { kind: 'Embedding', rows: categories + 1, dimension });
    return chain.add(`vector_${place}`, { kind: 'Flatten' });
  });
  const numbers = runsWithout(width, coded).map(([from, to]) => chain.add(`columns_${from}`, { kind: 'Columns', from, to, offset: 0 }, [features]));
  const parts = [...vectors, ...numbers];
  if (parts.length > 1) chain.add('columns', { kind: 'Concatenate' }, parts);
}

/** The longest runs of places that are not coded, half-open. */
function runsWithout(width: number, coded: readonly CodedColumn[]): [from: number, to: number][] {
  const bounds = [...coded.map(({ place }) => place).sort((a, b) => a - b), width];
  return bounds.map((place, index): [number, number] => [index === 0 ? 0 : (bounds[index - 1] ?? 0) + 1, place]).filter(([from, to]) => from < to);
}
