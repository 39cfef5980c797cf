/**
 * Weights in fewer bits. The file holds them small; the graph turns them into float32 before their first use, which a runtime does once,
 * when it loads the model. Values between the layers stay float32.
 */
import { dataTypeNumber, int } from '../onnx/proto.ts';
import type { Initializer, Node, OnnxModel } from '../onnx/proto.ts';
import { weightOf } from './weights.ts';
import type { WeightTensor } from './weights.ts';
import { sizeOf } from '../../shape.ts';

export type Precision = 'Float16' | 'Int8';

/** What stands for a weight: tensors, and the operator that makes float32 of them under the weight's name. */
interface Stored {
  readonly initializers: readonly Initializer[];
  readonly node: Node;
}

/** Pure. A weight that the precision cannot hold stays as it is. */
export function quantize(model: OnnxModel, precision: Precision): OnnxModel {
  const encode = precision === 'Float16' ? asFloat16 : asInt8;
  const initializers: Initializer[] = [];
  const nodes: Node[] = [];
  for (const initializer of model.initializers) {
    const weight = weightOf(initializer);
    const stored = weight === undefined ? undefined : encode(weight);
    if (stored === undefined) {
      initializers.push(initializer);
      continue;
    }
    initializers.push(...stored.initializers);
    nodes.push(stored.node);
  }
  return { ...model, initializers, nodes: [...nodes, ...model.nodes] };
}

/** IEEE 754 binary16, rounded to the nearest, which a number above 65,504 is beyond. */
function asFloat16({ name, dims, data, channelAxis }: WeightTensor): Stored | undefined {
  const halves = Float16Array.from(data);
  if (!halves.every(Number.isFinite)) return undefined;
  const half = `${name}/float16`;
  return {
    initializers: [{ name: half, tensor: { type: 'FLOAT16', dims, data: halves }, channelAxis }],
    node: { op: 'Cast', name, inputs: [half], outputs: [name], attributes: { to: int(dataTypeNumber('FLOAT')) } },
  };
}

/** The largest number that int8 has on both sides of zero. */
const steps = 127;

/**
 * round(w / s) with s = max|w| / 127 of each output channel: symmetric, so that zero stays zero (Krishnamoorthi, 2018, "Quantizing deep
 * convolutional networks for efficient inference", §2.2, §3.1).
 */
function asInt8({ name, dims, data, channelAxis }: WeightTensor): Stored | undefined {
  if (!data.every(Number.isFinite)) return undefined;
  const channels = dims[channelAxis] ?? 1;
  const inner = sizeOf(dims.slice(channelAxis + 1));
  const channelOf = (place: number): number => Math.floor(place / inner) % channels;
  const largest = new Float32Array(channels);
  data.forEach((value, place) => {
    const channel = channelOf(place);
    largest[channel] = Math.max(largest[channel] ?? 0, Math.abs(value));
  });
  const scales = largest.map((most) => Math.fround(most / steps) || 1);
  const bytes = new Int8Array(data.length);
  data.forEach((value, place) => {
    // The scale is rounded too, so that the largest of a channel may come out just above 127.
    bytes[place] = Math.max(-steps, Math.min(steps, Math.round(value / (scales[channelOf(place)] ?? 1))));
  });
  const [small, scale] = [`${name}/int8`, `${name}/scale`];
  return {
    initializers: [{ name: small, tensor: { type: 'INT8', dims, data: bytes }, channelAxis }, { name: scale, tensor: { type: 'FLOAT', dims: [channels], data: scales } }],
    node: { op: 'DequantizeLinear', name, inputs: [small, scale], outputs: [name], attributes: { axis: int(channelAxis) } },
  };
}
