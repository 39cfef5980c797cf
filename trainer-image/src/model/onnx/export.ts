/**
 * From a saved layers model of TensorFlow.js (model.json, weights.bin) to an ONNX model of the same function, by the operator
 * specification of opset 17. Works on the files' content alone; TensorFlow is not needed.
 */
import { Graph } from './graph.ts';
import type { Value } from './graph.ts';
import { emitters } from './layers/index.ts';
import type { Layer } from './layers/index.ts';
import type { OnnxModel } from './proto.ts';
import { Settings } from './settings.ts';
import { readTopology } from './topology.ts';
import type { Call } from './topology.ts';
import { Unsupported } from './unsupported.ts';
import { readWeights } from './weights.ts';
import type { Weight, WeightSpec } from './weights.ts';

export interface LayersArtifacts {
  /** `modelTopology` of model.json. */
  readonly topology: unknown;
  readonly weightSpecs: readonly WeightSpec[];
  readonly weightData: Uint8Array;
}

export type Exported =
  | { readonly kind: 'Exported'; readonly model: OnnxModel }
  /** `why` completes the sentence "Layer X …". */
  | { readonly kind: 'Unsupported'; readonly layer: string; readonly className: string; readonly why: string };

/** Pure. @throws Error where the weights are not those that the topology or their list asks for */
export function exportOnnx({ topology, weightSpecs, weightData }: LayersArtifacts): Exported {
  try {
    return { kind: 'Exported', model: modelOf(topology, readWeights(weightSpecs, weightData)) };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    const { layer, className, why } = error;
    return { kind: 'Unsupported', layer, className, why };
  }
}

function modelOf(topology: unknown, weights: ReadonlyMap<string, Weight>): OnnxModel {
  const network = readTopology(topology);
  const graph = new Graph();
  const values = new Map<string, Value>(network.inputs.map(({ name, label, shape }) => [name, graph.input(label, shape)]));
  const valueNamed = (name: string): Value => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`Nothing gives the value "${name}".`);
    return value;
  };
  for (const call of network.calls) values.set(call.output, emitted(call, call.inputs.map(valueNamed), graph, weights));
  for (const { name, value } of network.outputs) graph.output(name, valueNamed(value));
  return graph.finish();
}

function emitted({ layer: name, className, config }: Call, inputs: readonly Value[], graph: Graph, weights: ReadonlyMap<string, Weight>): Value {
  const emitter = emitters[className];
  if (emitter === undefined) throw new Unsupported(name, className, 'is of a kind that has no export to ONNX');
  const weight = (part: string): Weight => {
    const found = weights.get(`${name}/${part}`);
    if (found === undefined) throw new Error(`The model has no weight "${name}/${part}".`);
    return found;
  };
  const layer: Layer = { name, className, settings: new Settings(name, className, config), inputs, graph, weight };
  return emitter(layer);
}
