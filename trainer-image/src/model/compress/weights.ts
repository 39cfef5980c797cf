/** Which tensors of a model may be compressed: the matrices and filters, which are nearly all of its bytes. Biases and scales stay exact. */
import type { Initializer, OnnxModel } from '../onnx/proto.ts';

/** A weight that is multiplied with values, as float32. */
export interface WeightTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
  /** Axis of its output channels. */
  readonly channelAxis: number;
}

export function weightOf({ name, tensor, channelAxis }: Initializer): WeightTensor | undefined {
  return channelAxis === undefined || tensor.type !== 'FLOAT' ? undefined : { name, dims: tensor.dims, data: tensor.data, channelAxis };
}

export const weightsOf = (model: OnnxModel): WeightTensor[] => model.initializers.flatMap((initializer) => weightOf(initializer) ?? []);

/** Share of zeros among all weights, in whatever precision they are; 0 where there are none. */
export function sparsityOf({ initializers }: OnnxModel): number {
  let all = 0;
  let zeros = 0;
  for (const { tensor, channelAxis } of initializers) {
    if (channelAxis === undefined) continue;
    all += tensor.data.length;
    for (const value of tensor.data) if (value === 0) zeros++;
  }
  return all === 0 ? 0 : zeros / all;
}
