/** The weights of a saved TensorFlow.js model: names, shapes and one block of little-endian bytes. */
import { sizeOf } from '../../shape.ts';

export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** An array of float32, its last axis the fastest. */
export interface Weight {
  readonly dims: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** @returns each weight by its name. @throws Error where the block is not as long as the shapes say, or holds anything but float32 */
export function readWeights(specs: readonly WeightSpec[], block: Uint8Array): ReadonlyMap<string, Weight> {
  const weights = new Map<string, Weight>();
  let from = 0;
  for (const { name, shape, dtype } of specs) {
    if (dtype !== 'float32') throw new Error(`Weight "${name}" is ${dtype}, not float32.`);
    const to = from + 4 * sizeOf(shape);
    if (to > block.length) break;
    // Copied, since a view of float32 must begin at a multiple of four.
    weights.set(name, { dims: shape, data: new Float32Array(Uint8Array.from(block.subarray(from, to)).buffer) });
    from = to;
  }
  if (from !== block.length || weights.size !== specs.length) throw new Error(`The weights are ${block.length} bytes, which are not those of the manifest.`);
  return weights;
}

/** Axis i of the result is axis order[i] of the weight. */
export function transposed({ dims, data }: Weight, order: readonly number[]): Weight {
  const strides = dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
  const newDims = order.map((axis) => dims[axis] ?? NaN);
  const steps = order.map((axis) => strides[axis] ?? NaN);
  const moved = new Float32Array(data.length);
  let at = 0;
  const walk = (axis: number, from: number): void => {
    const step = steps[axis];
    if (step === undefined) {
      moved[at++] = data[from] ?? NaN;
      return;
    }
    for (let place = 0; place < (newDims[axis] ?? NaN); place++) walk(axis + 1, from + place * step);
  };
  walk(0, 0);
  return { dims: newDims, data: moved };
}

export const reshaped = ({ data }: Weight, dims: readonly number[]): Weight => ({ dims, data });
