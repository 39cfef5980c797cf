/**
 * A network as plain data: the one source of the graph that trains it, of the graph that predicts, and of the model that is saved.
 * Shapes are those of one row; images are [height, width, channels], sequences [steps, features].
 */
import { AnnealError } from '../errors.ts';
import { sizeOf } from '../shape.ts';

export type Activation = 'Linear' | 'ReLU' | 'Tanh' | 'Sigmoid' | 'ELU' | 'GELU' | 'Softmax';
export type Padding = 'Same' | 'Valid';

export type LayerKind =
  | { readonly kind: 'Dense'; readonly units: number; readonly activation: Activation; readonly bias: boolean }
  /** Over one axis or two, by how many sizes the kernel has. */
  | { readonly kind: 'Conv'; readonly filters: number; readonly kernelSize: readonly number[]; readonly strides: readonly number[]; readonly padding: Padding; readonly activation: Activation; readonly bias: boolean }
  | { readonly kind: 'MaxPooling'; readonly poolSize: readonly number[]; readonly strides: readonly number[]; readonly padding: Padding }
  | { readonly kind: 'Flatten' }
  | { readonly kind: 'Activation'; readonly activation: Activation }
  /** Share that is dropped, 0 to below 1. */
  | { readonly kind: 'Dropout'; readonly rate: number }
  /** Over the last axis. `momentum` is the share of the moving statistics that a step keeps. */
  | { readonly kind: 'BatchNormalization'; readonly momentum: number; readonly epsilon: number }
  /** Whole numbers from 0 to `rows` - 1 to vectors. */
  | { readonly kind: 'Embedding'; readonly rows: number; readonly dimension: number }
  /** The values `from`, …, `to` - 1 of a flat row, with `offset` added. */
  | { readonly kind: 'Columns'; readonly from: number; readonly to: number; readonly offset: number }
  /** Of flat rows. */
  | { readonly kind: 'Concatenate' }
  | Recurrent & ({
    /** Hochreiter and Schmidhuber (1997) with a forget gate. */
    readonly kind: 'LSTM';
  } | {
    /** Cho et al. (2014). The reset gate acts before the product with the recurrent kernel, or else after it, as in cuDNN; the product then has a bias of its own. */
    readonly kind: 'GRU';
    readonly resetAfter?: boolean;
  });

interface Recurrent {
  readonly units: number;
  /** Whether each step's output is given, or the last one's only. */
  readonly sequences: boolean;
}

export type Layer = LayerKind & {
  readonly name: string;
  /** Names of layers before it, or `features`. */
  readonly inputs: readonly string[];
};

export interface Network {
  /** Shape of `features`. */
  readonly input: readonly number[];
  /** Each after its inputs; the last is the output. */
  readonly layers: readonly Layer[];
}

/** Name of what the network is given. */
export const features = 'features';

/** How a weight begins. */
export type Initial = 'GlorotUniform' | 'Orthogonal' | 'Uniform' | 'Zeros' | 'Ones' | 'ForgetBias';

export interface Weight {
  readonly layer: string;
  /** As Keras calls it. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: Initial;
  /** Penalties are on kernels. Statistics are not learnt by gradient. */
  readonly role: 'Kernel' | 'Vector' | 'Statistic';
}

/** Shape of what each layer gives, by its name. @throws AnnealError `SPEC_SHAPE_MISMATCH` where a layer cannot take its inputs */
export function shapesOf({ input, layers }: Network): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([[features, input]]);
  for (const layer of layers) shapes.set(layer.name, outputShape(layer, inputsOf(layer, shapes)));
  return shapes;
}

/** All weights: those that are learnt in the order of the layers, then the statistics. */
export function weightsOf(network: Network): readonly Weight[] {
  const shapes = shapesOf(network);
  const all = network.layers.flatMap((layer) => layerWeights(layer, inputsOf(layer, shapes)[0]).map((weight) => ({ layer: layer.name, ...weight })));
  return [...all.filter(({ role }) => role !== 'Statistic'), ...all.filter(({ role }) => role === 'Statistic')];
}

/** The layer that gives the output, and whether it is the softmax of what the layer before it gives. */
export function headOf({ layers }: Network): { readonly output: Layer; readonly softmaxOf: string | undefined } {
  const output = layers.at(-1);
  if (output === undefined) throw new Error('A network has at least one layer.');
  return { output, softmaxOf: output.kind === 'Activation' && output.activation === 'Softmax' ? output.inputs[0] : undefined };
}

function inputsOf({ name, inputs }: Layer, shapes: ReadonlyMap<string, readonly number[]>): readonly [readonly number[], ...(readonly number[])[]] {
  const [first, ...rest] = inputs.map((input) => {
    const shape = shapes.get(input);
    if (shape === undefined) throw new Error(`Layer ${name} takes ${input}, which is no layer before it.`);
    return shape;
  });
  if (first === undefined) throw new Error(`Layer ${name} has no input.`);
  return [first, ...rest];
}

function outputShape(layer: Layer, inputs: readonly [readonly number[], ...(readonly number[])[]]): readonly number[] {
  const [input] = inputs;
  switch (layer.kind) {
    case 'Dense': return [...input.slice(0, -1), layer.units];
    case 'Conv': return [...windowed(layer, input, layer.kernelSize), layer.filters];
    case 'MaxPooling': return [...windowed(layer, input, layer.poolSize), ...input.slice(-1)];
    case 'Flatten': return [sizeOf(input)];
    case 'Embedding': return [...input, layer.dimension];
    case 'Columns': return [layer.to - layer.from];
    case 'Concatenate': return [inputs.reduce((sum, shape) => sum + sizeOf(shape), 0)];
    case 'LSTM':
    case 'GRU': return layer.sequences ? [input[0] ?? 0, layer.units] : [layer.units];
    case 'Activation':
    case 'Dropout':
    case 'BatchNormalization': return input;
  }
}

function windowed({ name, strides, padding }: Extract<Layer, { kind: 'Conv' | 'MaxPooling' }>, input: readonly number[], size: readonly number[]): readonly number[] {
  const lengths = size.map((one, axis) => outputLength(input[axis] ?? 0, one, strides[axis] ?? 1, padding));
  if (input.length === size.length + 1 && lengths.every((length) => length > 0)) return lengths;
  throw new AnnealError('SPEC_SHAPE_MISMATCH', {
    at: 'spec.trainer.data.features.shape',
    message: `Layer ${name} has a window of ${size.join('×')}, which does not fit into what it gets, [${input.join(', ')}]. Write a larger features.shape, or a network with fewer or smaller windows.`,
  });
}

/** How many places a window has along one axis. */
export function outputLength(length: number, size: number, stride: number, padding: Padding): number {
  return padding === 'Same' ? Math.ceil(length / stride) : Math.max(0, Math.floor((length - size) / stride) + 1);
}

function layerWeights(layer: Layer, input: readonly number[]): readonly Omit<Weight, 'layer'>[] {
  const width = input.at(-1) ?? 0;
  const bias = (length: number): Omit<Weight, 'layer'> => ({ name: 'bias', shape: [length], initial: 'Zeros', role: 'Vector' });
  switch (layer.kind) {
    case 'Dense':
      return [{ name: 'kernel', shape: [width, layer.units], initial: 'GlorotUniform', role: 'Kernel' }, ...(layer.bias ? [bias(layer.units)] : [])];
    case 'Conv':
      return [{ name: 'kernel', shape: [...layer.kernelSize, width, layer.filters], initial: 'GlorotUniform', role: 'Kernel' }, ...(layer.bias ? [bias(layer.filters)] : [])];
    case 'BatchNormalization':
      return [
        { name: 'gamma', shape: [width], initial: 'Ones', role: 'Vector' },
        { name: 'beta', shape: [width], initial: 'Zeros', role: 'Vector' },
        { name: 'moving_mean', shape: [width], initial: 'Zeros', role: 'Statistic' },
        { name: 'moving_variance', shape: [width], initial: 'Ones', role: 'Statistic' },
      ];
    case 'Embedding':
      return [{ name: 'embeddings', shape: [layer.rows, layer.dimension], initial: 'Uniform', role: 'Vector' }];
    case 'LSTM':
    case 'GRU': {
      const gates = layer.units * (layer.kind === 'LSTM' ? 4 : 3);
      return [
        { name: 'kernel', shape: [width, gates], initial: 'GlorotUniform', role: 'Kernel' },
        { name: 'recurrent_kernel', shape: [layer.units, gates], initial: 'Orthogonal', role: 'Kernel' },
        layer.kind === 'LSTM' ? { ...bias(gates), initial: 'ForgetBias' } : { ...bias(gates), shape: layer.resetAfter === true ? [2, gates] : [gates] },
      ];
    }
    case 'MaxPooling':
    case 'Flatten':
    case 'Activation':
    case 'Dropout':
    case 'Columns':
    case 'Concatenate': return [];
  }
}
