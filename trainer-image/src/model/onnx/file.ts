/** `model.onnx` of a model directory: made from the saved layers, and only trusted where it computes what they do. */
import type { Part } from '../../data/part.ts';
import type { Task } from '../../data/target.ts';
import type { Log } from '../../log.ts';
import { exportOnnx } from './export.ts';
import type { LayersArtifacts } from './export.ts';
import { encodeModel } from './proto.ts';
import type { OnnxModel } from './proto.ts';
import { openSession } from './session.ts';

export const onnxName = 'model.onnx';

/** Rows on which two forms of a network are compared. */
export type Sample = Pick<Part, 'rows' | 'features'>;

/** What the network gives for rows of features: rows × outputs. */
export type Predict = (features: Float32Array, rows: number) => Float32Array | Promise<Float32Array>;

export interface OnnxRequest {
  readonly artifacts: LayersArtifacts;
  /** By TensorFlow.js. */
  readonly predict: Predict;
  readonly sample: Sample;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly task: Task;
}

/** Probabilities may differ by this; values by this part of the largest of them, or of 1, their standard deviation. */
const tolerance = 1e-5;
/** Enough to see every branch of a network many times, and no more than a moment's work. */
const mostRows = 1024;
const batchRows = 64;

export type ExactOnnx =
  | { readonly kind: 'Exact'; readonly model: OnnxModel }
  /** `why` completes the sentence "… cannot be served as ONNX: …". */
  | { readonly kind: 'None'; readonly why: string };

/** The network as ONNX, if every layer has an export and the whole gives the same. The log says what was found. */
export async function exactOnnx(request: OnnxRequest, log: Log): Promise<ExactOnnx> {
  const exported = exportOnnx(request.artifacts);
  if (exported.kind === 'Unsupported') {
    const { layer, className, why } = exported;
    log('info', 'The network will be served by TensorFlow.js: a layer has no export to ONNX', { layer, className, why });
    return { kind: 'None', why: `layer "${layer}" (${className}) ${why}` };
  }
  const found = await disagreement(encodeModel(exported.model), request);
  if ('why' in found) {
    log('warn', 'The network will be served by TensorFlow.js: its ONNX form does not give the same', found);
    return { kind: 'None', why: found.why };
  }
  log('info', 'The ONNX form of the network gives the same as TensorFlow.js', { ...found });
  return { kind: 'Exact', model: exported.model };
}

/** Compares both on the sample. @returns the largest difference, and why it is too much where it is */
async function disagreement(bytes: Uint8Array, request: OnnxRequest): Promise<{ rows: number; difference: number } | { why: string }> {
  try {
    const { rows, difference, largest } = await differences(bytes, request);
    const bound = tolerance * (request.task === 'Classification' ? 1 : Math.max(1, largest));
    // Written so that a difference that is no number is too large.
    return difference <= bound ? { rows, difference } : { why: `outputs differ by ${difference}, which is more than ${bound}` };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

async function differences(bytes: Uint8Array, { predict, sample, shape }: OnnxRequest): Promise<{ rows: number; difference: number; largest: number }> {
  const rows = Math.min(sample.rows, mostRows);
  if (rows === 0) throw new Error('there are no rows to compare them on');
  const session = await openSession(bytes, shape, 1);
  try {
    let difference = 0;
    let largest = 0;
    for (let from = 0; from < rows; from += batchRows) {
      const to = Math.min(rows, from + batchRows);
      const features = sample.features.range(from, to);
      const expected = await predict(features, to - from);
      const found = await session.run(features, to - from);
      if (found.length !== expected.length) throw new Error(`it gives ${found.length} values for ${to - from} rows, not ${expected.length}`);
      for (const [place, value] of expected.entries()) {
        difference = Math.max(difference, Math.abs(value - (found[place] ?? NaN)));
        largest = Math.max(largest, Math.abs(value));
      }
    }
    return { rows, difference, largest };
  } finally {
    await session.close();
  }
}
