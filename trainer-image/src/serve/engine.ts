/** What computes a served network: ONNX Runtime, or TensorFlow.js for a model that has no ONNX file. Only the one that is used is loaded. */
import { AnnealError } from '../errors.ts';
import type { Engine, ReadModel } from '../model/directory.ts';

export interface RunningEngine {
  readonly name: Engine;
  /** @param features  rows × the numbers of one row. @returns rows × the numbers of one output */
  run(features: Float32Array, rows: number): Promise<Float32Array>;
}

type Open = (model: ReadModel, threads: number) => Promise<RunningEngine['run']>;

const engines: Readonly<Record<Engine, Open>> = {
  OnnxRuntime: async (model, threads) => {
    const [{ openSession }, { onnxName }] = await Promise.all([import('../model/onnx/session.ts'), import('../model/onnx/file.ts')]);
    const session = await openSession(model.bytes(onnxName), model.preprocessing.shape, threads);
    return (features, rows) => session.run(features, rows);
  },
  'TensorFlow.js': async (model) => {
    const { forward, loadLayersModel } = await import('../model/layers-format.ts');
    const predict = forward(await loadLayersModel(model.json('model.json'), model.bytes('weights.bin')), model.preprocessing.shape);
    return (features, rows) => Promise.resolve(predict(features, rows));
  },
};

/** @throws AnnealError `MODEL_INVALID` where the engine cannot load it */
export async function openEngine(model: ReadModel, threads: number): Promise<RunningEngine> {
  const name = model.manifest.engine ?? 'TensorFlow.js';
  try {
    return { name, run: await engines[name](model, threads) };
  } catch (error) {
    if (error instanceof AnnealError) throw error;
    throw new AnnealError('MODEL_INVALID', { message: `The model cannot be used: ${name} does not load it: ${error instanceof Error ? error.message : String(error)}. Train again, or restore the model's volume.`, cause: error });
  }
}
