/** Magnitude pruning: the smallest weights become zero (Han, Pool, Tran and Dally, 2015, "Learning both Weights and Connections"). */
import type { Initializer, OnnxModel } from '../onnx/proto.ts';
import { weightOf, weightsOf } from './weights.ts';

export interface Pruning {
  /** Share of the weights that become zero, from 0 to 1. */
  readonly sparsity: number;
  /** The smallest of all weights together, or in each layer as many. */
  readonly scope: 'Global' | 'Layer';
}

/** Pure. @returns the model with exactly floor(sparsity × weights) more zeros, or fewer where that many are zero already */
export function prune(model: OnnxModel, { sparsity, scope }: Pruning): OnnxModel {
  const weights = weightsOf(model);
  const groups = scope === 'Global' ? [weights] : weights.map((weight) => [weight]);
  const pruned = new Map<string, Float32Array>();
  for (const group of groups) {
    const zeroed = withoutSmallest(group.map(({ data }) => data), sparsity);
    group.forEach(({ name }, place) => pruned.set(name, zeroed[place] ?? new Float32Array(0)));
  }
  const replaced = (initializer: Initializer): Initializer => {
    const data = pruned.get(initializer.name);
    return data === undefined || weightOf(initializer) === undefined ? initializer : { ...initializer, tensor: { type: 'FLOAT', dims: initializer.tensor.dims, data } };
  };
  return { ...model, initializers: model.initializers.map(replaced) };
}

/** Copies with the smallest magnitudes of all zeroed; of equal ones those that stand first. */
function withoutSmallest(parts: readonly Float32Array[], sparsity: number): Float32Array[] {
  const magnitudes = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) for (const value of part) magnitudes[at++] = Math.abs(value);
  const gone = Math.floor(sparsity * magnitudes.length);
  const threshold = gone === 0 ? -1 : magnitudes.sort()[gone - 1] ?? Infinity;
  let ties = gone - countBelow(magnitudes, threshold);
  return parts.map((part) => part.map((value) => {
    const magnitude = Math.abs(value);
    if (magnitude < threshold) return 0;
    return magnitude === threshold && ties-- > 0 ? 0 : value;
  }));
}

/** Of values in ascending order. */
function countBelow(sorted: Float32Array, threshold: number): number {
  const first = sorted.findIndex((value) => value >= threshold);
  return first < 0 ? sorted.length : first;
}
