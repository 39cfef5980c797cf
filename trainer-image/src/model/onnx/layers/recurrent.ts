/**
 * Recurrent layers. ONNX's operators take time first, hold their weights as [direction, gates × units, inputs], and order the gates of an
 * LSTM as input, output, forget, cell; TensorFlow.js as input, forget, cell, output. Those of a GRU
 * stand in the same order in both.
 */
import { native, valueOf } from '../graph.ts';
import type { Value } from '../graph.ts';
import { floats, int, text, texts } from '../proto.ts';
import type { Attribute } from '../proto.ts';
import { Settings } from '../settings.ts';
import { transposed } from '../weights.ts';
import type { Weight } from '../weights.ts';
import { activationName, hardSigmoid } from './activation.ts';
import { onlyInput, refuse } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';
import { joined } from './merge.ts';

/** A cell's activation as the operators know it, with what they need beside the name. */
const activations: Readonly<Record<string, { readonly name: string; readonly alpha?: number; readonly beta?: number }>> = {
  tanh: { name: 'Tanh' },
  sigmoid: { name: 'Sigmoid' },
  hardsigmoid: { name: 'HardSigmoid', ...hardSigmoid },
  relu: { name: 'Relu' },
  elu: { name: 'Elu', alpha: 1 },
  softsign: { name: 'Softsign' },
  softplus: { name: 'Softplus' },
  linear: { name: 'Affine', alpha: 1, beta: 0 },
};

interface Cell {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  /** Place of each gate of ONNX among those of TensorFlow.js. */
  readonly gates: readonly number[];
  /** Settings that name the activation functions, in the order of the operator. */
  readonly activations: readonly { readonly setting: string; readonly otherwise: string }[];
}

const inner = { setting: 'activation', otherwise: 'tanh' };
const gate = { setting: 'recurrent_activation', otherwise: 'hard_sigmoid' };

const cells: Readonly<Record<string, Cell>> = {
  LSTM: { op: 'LSTM', gates: [0, 3, 1, 2], activations: [gate, inner, inner] },
  GRU: { op: 'GRU', gates: [0, 1, 2], activations: [gate, inner] },
  SimpleRNN: { op: 'RNN', gates: [0], activations: [inner] },
};

type Direction = 'forward' | 'reverse';

/** What the layer's own call and each half of a Bidirectional have in common. `layer.name` is where its weights are. */
function recurrence(layer: Layer, cell: Cell, direction: Direction): Value {
  const { graph, name, settings } = layer;
  for (const setting of ['stateful', 'return_state']) if (settings.flag(setting, false)) refuse(layer, `has ${setting}`);
  const x = onlyInput(layer);
  const [steps = 0] = x.shape;
  const units = settings.number('units');
  const inputs = [
    graph.arranged(x, [1, 0, 2], name),
    gateRows(layer, cell, 'kernel'),
    gateRows(layer, cell, 'recurrent_kernel'),
    ...(settings.flag('use_bias', true) ? [biases(layer, cell)] : []),
  ];
  const attributes = { direction: text(direction), hidden_size: int(units), ...activationAttributes(layer, cell), ...(resetsAfter(layer, cell) ? { linear_before_reset: int(1) } : {}) };
  if (!settings.flag('return_sequences', false)) {
    const last = graph.nodeWith(name, cell.op, inputs, attributes, 1);
    return valueOf([units], [0, 1], graph.node(name, 'Squeeze', [last, graph.indices([0])]));
  }
  const all = graph.node(name, cell.op, inputs, attributes);
  return valueOf([steps, units], [1, 0, 2], graph.node(name, 'Squeeze', [all, graph.indices([1])]));
}

function activationAttributes(layer: Layer, { activations: names }: Cell): Record<string, Attribute> {
  const chosen = names.map(({ setting, otherwise }) => {
    const name = layer.settings.text(setting, otherwise);
    return activations[activationName(name)] ?? refuse(layer, `has ${setting}: ${name}`);
  });
  return {
    activations: texts(chosen.map(({ name }) => name)),
    activation_alpha: floats(chosen.flatMap(({ alpha }) => alpha ?? [])),
    activation_beta: floats(chosen.flatMap(({ beta }) => beta ?? [])),
  };
}

/** [inputs, gates × units] to [1, gates × units, inputs], with the gates in the order of ONNX. */
function gateRows(layer: Layer, { gates }: Cell, weight: string): string {
  return layer.graph.constant(`${layer.name}/${weight}`, () => {
    const { dims: [rows = 0, inputs = 0], data } = transposed(layer.weight(weight), [1, 0]);
    return { type: 'FLOAT', dims: [1, rows, inputs], data: inGateOrder(data, gates) };
  }, 1);
}

/** A GRU whose reset gate acts on the product of the state, not on the state. */
const resetsAfter = ({ settings }: Layer, { op }: Cell): boolean => op === 'GRU' && settings.flag('reset_after', false);

/** The operators add two biases, one for the inputs and one for the state; the second is that of a GRU which resets after, and zeros for others. */
function biases(layer: Layer, { gates }: Cell): string {
  return layer.graph.constant(`${layer.name}/bias`, () => {
    const { dims, data } = layer.weight('bias');
    const [length = 0] = dims.slice(-1);
    const both = new Float32Array(2 * length);
    for (let from = 0; from < data.length; from += length) both.set(inGateOrder(data.subarray(from, from + length), gates), from);
    return { type: 'FLOAT', dims: [1, both.length], data: both };
  });
}

function inGateOrder(data: Weight['data'], gates: readonly number[]): Float32Array<ArrayBuffer> {
  const size = data.length / gates.length;
  const ordered = new Float32Array(data.length);
  gates.forEach((from, to) => ordered.set(data.subarray(from * size, (from + 1) * size), to * size));
  return ordered;
}

const recurrent = (cell: Cell): Emitter => (layer) => {
  const { graph, name, settings } = layer;
  if (!settings.flag('go_backwards', false)) return recurrence(layer, cell, 'forward');
  const value = recurrence(layer, cell, 'reverse');
  if (!settings.flag('return_sequences', false)) return value;
  // In the order in which they were computed, which is from the last step to the first; the operator gives them in the order of the steps.
  return valueOf(value.shape, value.order, graph.node(name, 'Slice', [native(value), graph.indices([-1]), graph.indices([-(2 ** 31)]), graph.indices([0]), graph.indices([-1])]));
};

/** One layer over the steps and a second one, with weights of its own, back over them. */
const bidirectional: Emitter = (layer) => {
  const { graph, settings } = layer;
  const { className, config } = settings.inner('layer');
  const cell = cells[className] ?? refuse(layer, `goes both ways with a ${className}`);
  const half = (prefix: string): Layer => ({
    ...layer,
    name: `${layer.name}/${prefix}_${String(config.name)}`,
    settings: new Settings(layer.name, className, config),
    weight: (name) => layer.weight(`${prefix}_${String(config.name)}/${name}`),
  });
  if (half('forward').settings.flag('go_backwards', false)) refuse(layer, 'has a layer that goes backwards by itself');
  const both = [recurrence(half('forward'), cell, 'forward'), recurrence(half('backward'), cell, 'reverse')] as const;
  const between = (op: string): Value => valueOf(both[0].shape, both[0].order, graph.node(layer.name, op, both.map(native)));
  const mode = settings.text('merge_mode', 'none');
  switch (mode) {
    case 'concat': return joined(layer, both, both[0].shape.length);
    case 'sum': return between('Add');
    case 'mul': return between('Mul');
    case 'ave': {
      const sum = between('Add');
      return valueOf(sum.shape, sum.order, graph.node(layer.name, 'Mul', [native(sum), graph.scalar(0.5)]));
    }
    default: return refuse(layer, `has merge_mode: ${mode}`);
  }
};

export const recurrentLayers: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(Object.entries(cells).map(([name, cell]) => [name, recurrent(cell)])),
  Bidirectional: bidirectional,
};
