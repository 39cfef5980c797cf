/** A layers model as a network that the graph knows, where it holds nothing else. */
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { KerasLayer } from './keras-requirements.ts';
import { features } from './network.ts';
import type { Activation, Layer, LayerKind, Network, Padding } from './network.ts';

type Config = ReturnType<KerasLayer['getConfig']>;

/** @returns undefined where a layer, or an option of one, is unknown to the graph */
export function networkOfLayers(model: LayersModel): Network | undefined {
  const layers: Layer[] = [];
  /** What each layer's output is called; a softmax becomes a layer of its own. */
  const outputs = new Map<string, string>();
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue;
    if ('layers' in layer) return undefined;
    const kinds = kindsOf(layer);
    const inputs = layer.inboundNodes.length === 1 ? layer.inboundNodes[0]?.inboundLayers.map((before) => (before.getClassName() === 'InputLayer' ? features : outputs.get(before.name) ?? before.name)) : undefined;
    if (kinds === undefined || inputs === undefined || !layer.trainable) return undefined;
    for (const [index, kind] of kinds.entries()) {
      const name = index === 0 ? layer.name : `${layer.name}_activation`;
      layers.push({ ...kind, name, inputs: index === 0 ? inputs : [layer.name] });
      outputs.set(layer.name, name);
    }
  }
  return { input: (model.inputs[0]?.shape.slice(1) ?? []).map(Number), layers };
}

const activations: Readonly<Record<string, Activation>> = { linear: 'Linear', relu: 'ReLU', tanh: 'Tanh', sigmoid: 'Sigmoid', elu: 'ELU', gelu: 'GELU', softmax: 'Softmax' };
const paddings: Readonly<Record<string, Padding>> = { same: 'Same', valid: 'Valid' };

/** A softmax within a layer comes after it, so that the loss can be computed from what it takes. */
function kindsOf(layer: KerasLayer): readonly LayerKind[] | undefined {
  const config = layer.getConfig();
  if (isConstrained(config)) return undefined;
  const kind = kindOf(layer, config);
  if (kind === undefined || (kind.kind !== 'Dense' && kind.kind !== 'Conv') || kind.activation !== 'Softmax') return kind === undefined ? undefined : [kind];
  return [{ ...kind, activation: 'Linear' }, { kind: 'Activation', activation: 'Softmax' }];
}

/** Penalties and constraints of single layers. */
const isConstrained = (config: Config): boolean => Object.entries(config).some(([key, value]) => /(Regularizer|Constraint)$/.test(key) && typeof value === 'object' && value !== null);

function kindOf(layer: KerasLayer, config: Config): LayerKind | undefined {
  const activation = named(activations, config.activation);
  const padding = named(paddings, config.padding);
  const bias = config.useBias === true;
  const rank = Array.isArray(layer.input) ? 0 : layer.input.shape.length - 1;
  switch (layer.getClassName()) {
    case 'Dense': return activation && { kind: 'Dense', units: Number(config.units), activation, bias };
    case 'Conv1D':
    case 'Conv2D': {
      if (activation === undefined || padding === undefined || config.dataFormat !== 'channelsLast' || numbers(config.dilationRate).some((rate) => rate !== 1)) return undefined;
      return { kind: 'Conv', filters: Number(config.filters), kernelSize: numbers(config.kernelSize), strides: numbers(config.strides), padding, activation, bias };
    }
    case 'MaxPooling1D':
    case 'MaxPooling2D': return padding && (config.dataFormat ?? 'channelsLast') === 'channelsLast' ? { kind: 'MaxPooling', poolSize: numbers(config.poolSize), strides: numbers(config.strides), padding } : undefined;
    case 'Flatten': return (config.dataFormat ?? 'channelsLast') === 'channelsLast' ? { kind: 'Flatten' } : undefined;
    case 'Activation': return activation && { kind: 'Activation', activation };
    case 'Softmax': return config.axis === -1 || config.axis === undefined ? { kind: 'Activation', activation: 'Softmax' } : undefined;
    case 'Dropout': return { kind: 'Dropout', rate: Number(config.rate) };
    case 'BatchNormalization': return (config.axis === -1 || config.axis === rank) && config.center === true && config.scale === true
      ? { kind: 'BatchNormalization', momentum: Number(config.momentum), epsilon: Number(config.epsilon) }
      : undefined;
    case 'Concatenate': return Array.isArray(layer.input) && layer.input.every(({ shape }) => shape.length === 2) ? { kind: 'Concatenate' } : undefined;
    case 'Embedding': return config.maskZero === true ? undefined : { kind: 'Embedding', rows: Number(config.inputDim), dimension: Number(config.outputDim) };
    case 'LSTM':
    case 'GRU': {
      if (activation !== 'Tanh' || config.recurrentActivation !== 'sigmoid' || !bias || config.goBackwards === true || config.returnState === true) return undefined;
      const shared = { units: Number(config.units), sequences: config.returnSequences === true };
      return layer.getClassName() === 'LSTM' ? { kind: 'LSTM', ...shared } : { kind: 'GRU', ...shared, resetAfter: config.resetAfter === true };
    }
    default: return undefined;
  }
}

const named = <T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined => (typeof name === 'string' ? table[name] : undefined);
const numbers = (value: unknown): number[] => (Array.isArray(value) ? value : [value]).map(Number);
