/** ONNX Runtime: the one place that imports it. */
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** A network of one input and one output, both float32. */
export interface OnnxSession {
  /** @param features  rows × the numbers of one row. @returns rows × the numbers of one output */
  run(features: Float32Array, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** How every session is opened. @param threads  that may compute at once */
export const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // What goes wrong is thrown; the runtime would also write it to standard error, in lines that are no JSON.
  logSeverityLevel: 4,
  extra: {
    session: {
      // Waiting threads would spin by default, and so use up the CPU time that a container is limited to.
      intra_op: { allow_spinning: '0' },
      // Weights in int8 are made float32 once, when the model is loaded. By default that happens at each call, which takes up to eight times
      // as long, or the runtime rounds the values between the layers to int8 as well, which nobody asked for.
      disable_quant_qdq: '1',
    },
    // It puts zeros that a layer pads with into the pooling after it, and then refuses them where they are as many as the window is long.
    optimization: { disable_specified_optimizers: 'Pad_Fusion' },
  },
});

/**
 * @param shape    of one row
 * @param threads  that may compute at once
 * @throws Error where the model is none, or uses what the runtime does not know
 */
export async function openSession(model: Uint8Array, shape: readonly number[], threads: number): Promise<OnnxSession> {
  const session = await InferenceSession.create(model, sessionOptions(threads));
  const [input] = session.inputNames;
  const [output] = session.outputNames;
  if (input === undefined || output === undefined) throw new Error('The ONNX model has no input or no output.');
  return {
    run: async (features, rows) => {
      const { [output]: result } = await session.run({ [input]: new Tensor('float32', features, [rows, ...shape]) });
      if (!(result?.data instanceof Float32Array)) throw new Error('The ONNX model gave no float32.');
      return result.data;
    },
    close: () => session.release(),
  };
}
