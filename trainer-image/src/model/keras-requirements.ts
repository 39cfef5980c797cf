/**
 * What layers may not ask for: options that TensorFlow.js would pass over, so that another network would be trained than the one that is
 * written; and what makes a run one that cannot be repeated.
 */
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import { AnnealError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

export type KerasLayer = LayersModel['layers'][number];

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param written  as Keras 2 would write it. @throws AnnealError `SPEC_INVALID`, `SPEC_CONFLICT` */
export function requireKept(written: object, model: LayersModel): void {
  requireOptions(written, model.toJSON(undefined, false));
  requireMasks({ ...written }, model);
  for (const layer of layersWithin(model)) requireRepeatable(layer.name, layer.getClassName(), layer.getConfig());
}

/** The layers of a model, and those of models within it. */
export function layersWithin(model: LayersModel): KerasLayer[] {
  return model.layers.flatMap((layer) => ('layers' in layer ? layersWithin(layer as LayersModel) : [layer]));
}

/** They say nothing about what a layer computes, or are looked at by themselves, or are read and only not told again. */
const beside = new Set([
  'name', 'dtype', 'trainable', 'seed', 'unroll', 'implementation', 'batch_input_shape', 'input_shape', 'input_length', 'build_input_shape',
  'renorm_momentum', 'fill_mode', 'depth_multiplier', 'backward_layer', 'zero_output_for_mask',
]);

/** Values with which an option that is not known does nothing. */
function isIdle(option: string, value: unknown): boolean {
  if (option === 'groups' || option === 'dilation_rate') return [value ?? 1].flat().every((one) => one === 1);
  return [null, undefined, false, 0, 'channels_last'].some((idle) => value === idle);
}

/** Options that are read, and then not heeded. */
const unheeded: Readonly<Record<string, { readonly option: string; readonly isKept: (value: unknown) => boolean } | undefined>> = {
  Dropout: { option: 'noise_shape', isKept: (shape) => shape === null || shape === undefined },
  Conv1D: { option: 'padding', isKept: (padding) => padding !== 'causal' },
  DepthwiseConv2D: { option: 'dilation_rate', isKept: (rate) => isIdle('dilation_rate', rate) },
};

/** Walks what was written beside what was read of it. */
function requireOptions(written: unknown, read: unknown): void {
  if (!isObject(written) || !isObject(written.config) || !isObject(read) || !isObject(read.config)) return;
  const { config, class_name: className } = written;
  for (const [option, value] of Object.entries(config)) {
    const known = unheeded[String(className)];
    const isLost = known?.option === option ? !known.isKept(value) : !(option in read.config) && !beside.has(option) && !isIdle(option, value);
    if (isLost) throw refusal(config.name, 'SPEC_INVALID', `has ${option}: ${JSON.stringify(value)}, which TensorFlow.js does not know of and would pass over. Write layers that do without it.`);
  }
  if (isObject(config.backward_layer) && sameBothWays(config.layer) !== sameBothWays(config.backward_layer)) {
    throw refusal(config.name, 'SPEC_INVALID', 'has a backward_layer that differs from its layer. Only one layer both ways is known; leave backward_layer out.');
  }
  for (const inner of ['layer', 'cell']) requireOptions(config[inner], read.config[inner]);
  for (const list of ['layers', 'cells']) {
    const found = listed(read.config[list]);
    listed(config[list]).forEach((one, index) => requireOptions(one, found[index]));
  }
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A layer's settings without what the two of a Bidirectional differ in anyway. */
function sameBothWays(layer: unknown): string {
  return JSON.stringify(layer, (key, value: unknown) => (['name', 'go_backwards', 'seed', 'build_config'].includes(key) ? undefined : value));
}

const recurrent = new Set(['LSTM', 'GRU', 'SimpleRNN', 'RNN', 'Bidirectional']);
const flattening = new Set(['Flatten', 'GlobalMaxPooling1D']);
/** Where Keras heeds which steps are masked, and TensorFlow.js does not. */
const heeding = new Set(['GlobalAveragePooling1D', 'BatchNormalization', 'TimeDistributed']);

/** A mask of TensorFlow.js reaches every layer that is computed after it; one of Keras those that the masked steps reach. */
function requireMasks(written: Json, model: LayersModel): void {
  const configs = model.layers.map((layer) => ({ layer, kind: layer.getClassName(), config: innermost(layer.getConfig()) }));
  const makers = configs.filter(({ kind, config }) => kind === 'Masking' || config.maskZero === true).map(({ layer }) => layer.name);
  if (makers.length === 0) return;
  const masked = new Set(makers);
  /** Of which Keras gives 0 at masked steps, and TensorFlow.js the output of the step before. */
  const zeroed = new Set<string>();
  for (const { layer, kind, config } of configs) {
    const before = layer.inboundNodes.flatMap(({ inboundLayers }) => inboundLayers.map((one) => one.name));
    const isMasked = before.some((one) => masked.has(one));
    const isRecurrent = recurrent.has(kind);
    const differs = isRecurrent ? !isMasked : kind === 'Softmax' || (isMasked && heeding.has(kind)) || before.some((one) => zeroed.has(one));
    if (differs) throw refusal(layer.name, 'SPEC_INVALID', 'would leave out other masked steps in TensorFlow.js than in Keras. Put recurrent layers behind the mask, one upon the other and the last without return_sequences, and dense ones behind them; or mask no steps.');
    const ends = flattening.has(kind) || (isRecurrent && config.returnSequences !== true);
    if (!isMasked || ends) continue;
    masked.add(layer.name);
    if (isRecurrent && (kind === 'Bidirectional' || zeroes(written, layer.name))) zeroed.add(layer.name);
  }
}

/** Of a Bidirectional, what is said of the layer both ways. */
const innermost = (config: Json): Json => (isObject(config.layer) && isObject(config.layer.config) ? config.layer.config : config);

/** Whether a layer of the model is told to give 0 at masked steps. */
function zeroes({ config }: Json, name: string): boolean {
  return listed(isObject(config) ? config.layers : []).some((one) => isObject(one) && isObject(one.config) && one.config.name === name && one.config.zero_output_for_mask === true);
}

/** Layers that draw at random each time; dropout's draws are replaced by our own, where it is a layer by itself. */
const drawing = new Set(['GaussianNoise', 'GaussianDropout', 'AlphaDropout', 'SpatialDropout1D', 'RandomWidth']);

function requireRepeatable(name: string, className: string, config: Json, isInner = false): void {
  const draws = drawing.has(className) || (className === 'Dropout' ? isInner : Number(config.dropout ?? 0) > 0) || Number(config.recurrentDropout ?? 0) > 0;
  if (draws) throw refusal(name, 'SPEC_CONFLICT', 'draws at random, and a run that goes on could not draw the same again. Use a layer Dropout.');
  if (config.stateful === true) throw refusal(name, 'SPEC_CONFLICT', 'keeps a state from batch to batch, which a batch may not depend on. Write stateful: false.');
  const inner = [config.layer, config.cell, ...listed(config.cells)].filter(isObject);
  for (const { className: its, config: settings } of inner) if (isObject(settings)) requireRepeatable(name, String(its), settings, true);
}

function refusal(name: unknown, code: ErrorCode, why: string): AnnealError {
  return new AnnealError(code, { at: 'spec.trainer.model.layers', message: `Layer ${String(name)} ${why}` });
}
