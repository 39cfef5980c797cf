/** The network as TensorFlow.js' own `save` lays it out, so that other programs can read it. */
import type { LayersModel, Tensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from './backend.ts';
import './gru.ts';
import type { LayersArtifacts } from './onnx/export.ts';

/** The topology and the weights, as plain data. */
export async function artifactsOf(network: LayersModel): Promise<LayersArtifacts> {
  let saved: LayersArtifacts | undefined;
  await network.save(tf.io.withSaveHandler(({ modelTopology, weightSpecs = [], weightData = new ArrayBuffer(0) }) => {
    const parts = Array.isArray(weightData) ? weightData : [weightData];
    // Through JSON, as a reader of the file will have it.
    saved = { topology: JSON.parse(JSON.stringify(modelTopology)) as unknown, weightSpecs, weightData: Buffer.concat(parts.map((part) => Buffer.from(part))) };
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
  }));
  if (saved === undefined) throw new Error('TensorFlow.js saved nothing.');
  return saved;
}

/** Content of `model.json`; `weights.bin` lies beside it. */
export const modelJson = ({ topology, weightSpecs }: LayersArtifacts): object =>
  ({ format: 'layers-model', generatedBy: 'anneal', modelTopology: topology, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] });

/** @param json  of `model.json`. @param weights  content of `weights.bin` */
export async function loadLayersModel(json: unknown, weights: Uint8Array): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = json as { modelTopology: object; weightsManifest: { weights: [] }[] };
  return tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData: Uint8Array.from(weights).buffer }));
}

/** @param shape  of one row. @returns what the network gives, without what it does in training only */
export function forward(network: LayersModel, shape: readonly number[]): (features: Float32Array, rows: number) => Float32Array {
  return (features, rows) => tf.tidy(() => (network.apply(tf.tensor(features, [rows, ...shape])) as Tensor).dataSync<'float32'>());
}
