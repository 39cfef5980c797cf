/** Activation functions, by their names in TensorFlow.js, as operators. */
import { native, valueOf } from '../graph.ts';
import type { Value } from '../graph.ts';
import { float, int } from '../proto.ts';
import { elementwise, onlyInput, refuse } from './layer.ts';
import type { Emitter, Layer } from './layer.ts';

type Activation = (layer: Layer, x: Value) => Value;

const operator = (op: string): Activation => (layer, x) => elementwise(layer, x, op);

/** In TensorFlow.js clip(0.2 x + 0.5, 0, 1), which are ONNX's defaults; written out all the same. */
export const hardSigmoid = { alpha: 0.2, beta: 0.5 } as const;

const overLast = (op: string): Activation => (layer, x) => elementwise(layer, x, op, [], { axis: int(x.order.indexOf(x.shape.length)) });
const softmax = overLast('Softmax');

/** A chain of operators on each number; `step(op, a, b)` adds one. */
const composed = (build: (x: string, step: (op: string, ...inputs: string[]) => string, scalar: (value: number) => string) => string): Activation => (layer, x) =>
  valueOf(x.shape, x.order, build(native(x), (op, ...inputs) => layer.graph.node(layer.name, op, inputs), (value) => layer.graph.scalar(value)));

const clip = (layer: Layer, x: Value, most: number): Value => elementwise(layer, x, 'Clip', [layer.graph.scalar(0), layer.graph.scalar(most)]);

const activations: Readonly<Record<string, Activation>> = {
  linear: (_, x) => x,
  relu: operator('Relu'),
  relu6: (layer, x) => clip(layer, x, 6),
  tanh: operator('Tanh'),
  sigmoid: operator('Sigmoid'),
  hardsigmoid: (layer, x) => elementwise(layer, x, 'HardSigmoid', [], { alpha: float(hardSigmoid.alpha), beta: float(hardSigmoid.beta) }),
  elu: operator('Elu'),
  selu: operator('Selu'),
  softplus: operator('Softplus'),
  softsign: operator('Softsign'),
  softmax,
  logsoftmax: overLast('LogSoftmax'),
  swish: composed((x, step) => step('Mul', x, step('Sigmoid', x))),
  mish: composed((x, step) => step('Mul', x, step('Tanh', step('Softplus', x)))),
  // x Φ(x); an operator of its own only from opset 20 on. Runtimes know this chain and fuse it.
  gelu: composed((x, step, scalar) => step('Mul', step('Mul', x, step('Add', step('Erf', step('Div', x, scalar(Math.SQRT2))), scalar(1))), scalar(0.5))),
  // Hendrycks and Gimpel (2016), the approximation with tanh.
  gelunew: composed((x, step, scalar) => {
    const cube = step('Mul', step('Mul', x, x), x);
    const inner = step('Mul', step('Add', x, step('Mul', cube, scalar(0.044715))), scalar(Math.sqrt(2 / Math.PI)));
    return step('Mul', step('Mul', x, step('Add', step('Tanh', inner), scalar(1))), scalar(0.5));
  }),
};

/** `hardSigmoid`, `hard_sigmoid`: a model may be written in the names of JavaScript or of Python. */
export const activationName = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** The layer's setting `activation` applied to what it has computed. */
export function activated(layer: Layer, x: Value): Value {
  const name = layer.settings.text('activation', 'linear');
  const activation = activations[activationName(name)] ?? refuse(layer, `has the activation ${name}`);
  return activation(layer, x);
}

/** Over the last axis, the only one that TensorFlow.js can do it over; the setting counts the batch as axis 0. */
const softmaxLayer: Emitter = (layer) => {
  const x = onlyInput(layer);
  const axis = layer.settings.number('axis', 1);
  return axis === -1 || axis === x.shape.length ? softmax(layer, x) : refuse(layer, `normalises over axis ${axis}`);
};

export const activationLayers: Readonly<Record<string, Emitter>> = {
  Activation: (layer) => activated(layer, onlyInput(layer)),
  Softmax: softmaxLayer,
  ReLU: (layer) => {
    const x = onlyInput(layer);
    return layer.settings.has('max_value') ? clip(layer, x, layer.settings.number('max_value')) : elementwise(layer, x, 'Relu');
  },
  LeakyReLU: (layer) => elementwise(layer, onlyInput(layer), 'LeakyRelu', [], { alpha: float(layer.settings.number('alpha', 0.3)) }),
  ELU: (layer) => elementwise(layer, onlyInput(layer), 'Elu', [], { alpha: float(layer.settings.number('alpha', 1)) }),
};
