/** Recurrent layers, a node for each op of each step. Gates and the order of their weights are those of Keras. */
import type { Value } from './graph.ts';
import { add, multiply, sigmoid, subtract, tanh } from './ops/arithmetic.ts';
import { biasAdd, matMul } from './ops/network.ts';
import { reshape, split, stack, unstack } from './ops/shape.ts';
import { scalar } from './ops/sources.ts';

/** Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000). Gates: input, forget, cell, output. */
export function lstm(input: Value, kernel: Value, recurrent: Value, bias: Value, sequences: boolean): Value {
  let cell: Value | undefined;
  return unrolled(input, kernel, bias, sequences, (inputs, hidden) => {
    const [i, f, c, o] = four(split(hidden === undefined ? inputs : add(inputs, matMul(hidden, recurrent)), quarters(inputs), 1));
    const written = multiply(sigmoid(i), tanh(c));
    cell = cell === undefined ? written : add(multiply(sigmoid(f), cell), written);
    return multiply(sigmoid(o), tanh(cell));
  });
}

/** Cho et al. (2014): the reset gate acts on the state, before the product. Gates: update, reset, candidate. */
export function gru(input: Value, kernel: Value, recurrent: Value, bias: Value, sequences: boolean): Value {
  const units = recurrent.shape[0] ?? 0;
  const [recurrentGates, recurrentCandidate] = two(split(recurrent, [2 * units, units], 1));
  return unrolled(input, kernel, bias, sequences, (inputs, hidden) => {
    const [gates, candidate] = two(split(inputs, [2 * units, units], 1));
    if (hidden === undefined) return multiply(complement(sigmoid(two(split(gates, [units, units], 1))[0])), tanh(candidate));
    const [update, reset] = two(split(sigmoid(add(gates, matMul(hidden, recurrentGates))), [units, units], 1));
    const proposed = tanh(add(candidate, matMul(multiply(reset, hidden), recurrentCandidate)));
    return add(multiply(update, hidden), multiply(complement(update), proposed));
  });
}

/**
 * The reset gate acts on the product, which has a bias of its own: the form of cuDNN, and Keras' own unless it is told.
 *
 * @param biases  [2, 3 units]: of the inputs, of the state
 */
export function gruResetAfter(input: Value, kernel: Value, recurrent: Value, biases: Value, sequences: boolean): Value {
  const units = recurrent.shape[0] ?? 0;
  const [bias, recurrentBias] = two(unstack(biases, 0));
  return unrolled(input, kernel, bias, sequences, (inputs, hidden) => {
    const [gates, candidate] = two(split(inputs, [2 * units, units], 1));
    // A state of 0 leaves the bias of its product.
    const product = hidden === undefined ? recurrentBias : biasAdd(matMul(hidden, recurrent), recurrentBias);
    const [ofGates, ofCandidate] = two(split(product, [2 * units, units], product.shape.length - 1));
    const [update, reset] = two(split(sigmoid(add(gates, ofGates)), [units, units], 1));
    const proposed = multiply(complement(update), tanh(add(candidate, multiply(reset, ofCandidate))));
    return hidden === undefined ? proposed : add(multiply(update, hidden), proposed);
  });
}

/** All steps' products with the kernel are one product; the hidden state begins at 0, which is undefined here. */
function unrolled(input: Value, kernel: Value, bias: Value, sequences: boolean, step: (inputs: Value, hidden: Value | undefined) => Value): Value {
  const [rows = null, steps = null, width = null] = input.shape;
  const gates = kernel.shape[1] ?? null;
  const projected = biasAdd(matMul(reshape(input, [null, width]), kernel), bias);
  const outputs: Value[] = [];
  for (const inputs of unstack(reshape(projected, [rows, steps, gates]), 1)) outputs.push(step(inputs, outputs.at(-1)));
  const [first, ...rest] = outputs;
  const last = outputs.at(-1);
  if (first === undefined || last === undefined) throw new Error('A recurrent layer has no steps.');
  return sequences ? stack([first, ...rest], 1) : last;
}

const complement = (x: Value): Value => subtract(scalar(x.graph, 1), x);
const quarters = ({ shape }: Value): number[] => Array.from({ length: 4 }, () => (shape[1] ?? 0) / 4);

function two([first, second]: readonly Value[]): [Value, Value] {
  if (first === undefined || second === undefined) throw new Error('A split has fewer parts than asked for.');
  return [first, second];
}

function four([first, second, third, fourth]: readonly Value[]): [Value, Value, Value, Value] {
  return [...two([first, second].filter((value) => value !== undefined)), ...two([third, fourth].filter((value) => value !== undefined))];
}
