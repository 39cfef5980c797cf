/** Weights before the first step, each from a stream of its own by (seed, layer, weight). The rules are those of Keras. */
import { random } from '../data/random.ts';
import type { Random } from '../data/random.ts';
import { sizeOf } from '../shape.ts';
import type { Weight } from './network.ts';

export function initialWeights(weights: readonly Weight[], seed: number): Float32Array {
  const parts = weights.map((weight) => initialValues(weight, random(seed, 'initialise', weight.layer, weight.name)));
  const flat = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    flat.set(part, at);
    at += part.length;
  }
  return flat;
}

function initialValues({ initial, shape }: Weight, source: Random): Float32Array {
  const size = sizeOf(shape);
  switch (initial) {
    case 'Zeros': return new Float32Array(size);
    case 'Ones': return new Float32Array(size).fill(1);
    case 'Uniform': return uniform(size, 0.05, source);
    case 'GlorotUniform': return uniform(size, glorotLimit(shape), source);
    case 'Orthogonal': return orthogonal(shape, source);
    // Gates are input, forget, cell, output; what is not forgotten at first can be learnt from (Jozefowicz et al., 2015).
    case 'ForgetBias': return new Float32Array(size).fill(1, size / 4, size / 2);
  }
}

/** From -limit to below limit. */
function uniform(size: number, limit: number, source: Random): Float32Array {
  return Float32Array.from({ length: size }, () => limit * (source.uint32() / 2 ** 31 - 1));
}

/** Glorot and Bengio (2010), eq. 16; of a convolution, inputs and outputs count once for each place of the window. */
function glorotLimit(shape: readonly number[]): number {
  const [inputs = 1, outputs = 1] = shape.slice(-2);
  return Math.sqrt(6 / (sizeOf(shape.slice(0, -2)) * (inputs + outputs)));
}

/** Rows (of a wide matrix) of length 1 at right angles to each other: Gram-Schmidt, twice, of normal numbers (Saxe et al., 2014). */
function orthogonal([rows = 0, columns = 0]: readonly number[], source: Random): Float32Array {
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const vectors: Float64Array[] = [];
  for (let index = 0; index < count; index++) {
    const vector = Float64Array.from({ length }, () => normal(source));
    // The second pass takes away what rounding left in the first.
    for (let pass = 0; pass < 2; pass++) for (const other of vectors) subtractProjection(vector, other);
    const norm = Math.sqrt(dot(vector, vector));
    vectors.push(vector.map((value) => value / norm));
  }
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return (rows <= columns ? vectors[row]?.[column] : vectors[column]?.[row]) ?? NaN;
  });
}

function subtractProjection(vector: Float64Array, unit: Float64Array): void {
  const along = dot(vector, unit);
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] ?? 0) - along * (unit[at] ?? 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** Box and Muller (1958). */
function normal(source: Random): number {
  const [radius, angle] = [1 - source.uint32() / 2 ** 32, source.uint32() / 2 ** 32];
  return Math.sqrt(-2 * Math.log(radius)) * Math.cos(2 * Math.PI * angle);
}
