/** Element by element, with NumPy's rules of broadcasting, and the derivative of each. */
import { attribute } from '../graph.ts';
import type { Shape, Value } from '../graph.ts';
import { scalar } from './sources.ts';
import { reduce, reshape } from './shape.ts';

const ofType = ({ dtype }: Value) => ({ T: attribute.type(dtype) });

function unary(op: string, x: Value, derivative: (dy: Value, y: Value) => Value): Value {
  const y: Value = x.graph.value(op, { inputs: [x], attributes: ofType(x), dtype: x.dtype, shape: x.shape, pullback: ([dy]) => [dy && derivative(dy, y)] });
  return y;
}

/** Derivatives are given in the shape of the output; they are added up over what was broadcast. */
function binary(op: string, a: Value, b: Value, derivatives: (dy: Value, y: Value) => readonly [Value, Value]): Value {
  const y: Value = a.graph.value(op, {
    inputs: [a, b], attributes: ofType(a), dtype: a.dtype, shape: broadcast(a.shape, b.shape),
    pullback: ([dy]) => {
      if (dy === undefined) return [];
      const [da, db] = derivatives(dy, y);
      return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
    },
  });
  return y;
}

export const add = (a: Value, b: Value): Value => binary('AddV2', a, b, (dy) => [dy, dy]);
export const subtract = (a: Value, b: Value): Value => binary('Sub', a, b, (dy) => [dy, negate(dy)]);
export const multiply = (a: Value, b: Value): Value => binary('Mul', a, b, (dy) => [multiply(dy, b), multiply(dy, a)]);
export const tanh = (x: Value): Value => unary('Tanh', x, (dy, y) => fusedGradient('TanhGrad', y, dy));
export const sigmoid = (x: Value): Value => unary('Sigmoid', x, (dy, y) => fusedGradient('SigmoidGrad', y, dy));
export const relu = (x: Value): Value => unary('Relu', x, (dy, y) => fusedGradient('ReluGrad', dy, y));
export const elu = (x: Value): Value => unary('Elu', x, (dy, y) => fusedGradient('EluGrad', dy, y));
/** d erf(x) / dx = 2/√π exp(-x²) */
export const errorFunction = (x: Value): Value => unary('Erf', x, (dy) => multiply(dy, scale(exponential(negate(square(x))), 2 / Math.sqrt(Math.PI))));
export const scale = (x: Value, factor: number): Value => multiply(x, scalar(x.graph, factor));

/** No gradient flows through these: they are used on gradients, weights and codes. */
export const divide = (a: Value, b: Value): Value => constantIn('RealDiv', [a, b], broadcast(a.shape, b.shape));
export const negate = (x: Value): Value => constantIn('Neg', [x], x.shape);
export const square = (x: Value): Value => constantIn('Square', [x], x.shape);
export const squareRoot = (x: Value): Value => constantIn('Sqrt', [x], x.shape);
export const absolute = (x: Value): Value => constantIn('Abs', [x], x.shape);
export const exponential = (x: Value): Value => constantIn('Exp', [x], x.shape);
export const sign = (x: Value): Value => constantIn('Sign', [x], x.shape);
export const power = (base: Value, exponent: Value): Value => constantIn('Pow', [base, exponent], broadcast(base.shape, exponent.shape));
export const minimum = (a: Value, b: Value): Value => constantIn('Minimum', [a, b], broadcast(a.shape, b.shape));
export const maximum = (a: Value, b: Value): Value => constantIn('Maximum', [a, b], broadcast(a.shape, b.shape));

export function cast(x: Value, dtype: 'float32' | 'int32'): Value {
  return x.graph.value('Cast', { inputs: [x], attributes: { SrcT: attribute.type(x.dtype), DstT: attribute.type(dtype) }, dtype, shape: x.shape });
}

/** 1 where a >= b, else 0. */
export function isAtLeast(a: Value, b: Value): Value {
  const holds = a.graph.value('GreaterEqual', { inputs: [a, b], attributes: ofType(a), dtype: 'bool', shape: broadcast(a.shape, b.shape) });
  return cast(holds, 'float32');
}

/** Sum of equally shaped values. */
export function sumOf(values: readonly [Value, ...Value[]]): Value {
  const [first, ...rest] = values;
  if (rest.length === 0) return first;
  return first.graph.value('AddN', { inputs: values, attributes: { N: attribute.int(values.length), ...ofType(first) }, dtype: first.dtype, shape: first.shape });
}

function constantIn(op: string, inputs: readonly [Value, ...Value[]], shape: Shape): Value {
  const [first] = inputs;
  return first.graph.value(op, { inputs, attributes: ofType(first), dtype: first.dtype, shape });
}

/** TensorFlow's kernels for derivatives of activations; the second derivative is never asked for. */
function fusedGradient(op: string, a: Value, b: Value): Value {
  return constantIn(op, [a, b], a.shape);
}

function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, place) => {
    const [one = 1, other = 1] = [a, b].map((shape) => shape[place + shape.length - rank]);
    return one === 1 ? other : one;
  });
}

function unbroadcast(gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) => (axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : []));
  return axes.length === 0 ? gradient : reshape(reduce('Sum', gradient, axes), shape);
}
