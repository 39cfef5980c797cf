/** TensorFlow.js on its native backend: the one place that imports it. */
import './node24.ts';
import tfjs from '@tensorflow/tfjs-node-gpu';
import type { GradFunc, Tensor, TensorInfo } from '@tensorflow/tfjs-node-gpu';
import { AnnealError } from '../errors.ts';

export const tf = tfjs;

/** The package's own C++ functions. Tensors and sessions are named by numbers, and live until they are deleted. */
interface Binding {
  readonly TF_Version: string;
  readonly TF_ATTR_TYPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_STRING: number;
  createTensor(shape: readonly number[], type: number, values: Float32Array | Int32Array | readonly Uint8Array[]): number;
  tensorDataSync(tensor: number): Float32Array | Int32Array;
  deleteTensor(tensor: number): void;
  getNumOfTensors(): number;
  executeOp(op: string, attributes: readonly object[], inputs: readonly number[], outputs: number): readonly { readonly id: number }[];
  loadSavedModel(path: string, tags: string): number;
  /** Inputs and outputs are named `node:index`, joined by commas. */
  runSavedModel(session: number, tensors: readonly number[], inputs: string, outputs: string): readonly { readonly id: number }[];
  deleteSavedModel(session: number): void;
}

/** What we use of the native backend; tfjs does not export its type. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: Binding;
  executeSingleOutput(op: string, attributes: readonly { name: string; type: number; value: number }[], inputs: readonly TensorInfo[]): Tensor;
}

export function native(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

/** Version of the TensorFlow library that does the maths, for example `2.16.2`. */
export function tensorflowVersion(): string {
  return native().binding.TF_Version;
}

/**
 * TensorFlow falls back to the CPU by itself; a run that asked for an accelerator and paid for it must not.
 *
 * @param asked  the resource name, for example `nvidia.com/gpu`; undefined when none was asked for
 * @throws AnnealError `ACCELERATOR_UNUSED`
 */
export function requireAccelerator(asked: string | undefined): void {
  if (asked === undefined || native().isUsingGpuDevice) return;
  throw new AnnealError('ACCELERATOR_UNUSED', {
    at: 'spec.accelerator',
    message: `The run asked for ${asked}, but TensorFlow ${tensorflowVersion()} found no such device and would have used the CPU. Check driver and image (it needs the CUDA build), or remove spec.accelerator.`,
  });
}

/**
 * Gradient of ReLU by TensorFlow's own kernel. tfjs builds it from Fill, Select and a multiplication, which is a third of a CNN's
 * training time; the values are the same. float32 only, as all our tensors are.
 */
const reluGradient: GradFunc = (dy, saved) => ({
  x: (): Tensor => {
    const { TF_ATTR_TYPE, TF_FLOAT } = native().binding;
    return native().executeSingleOutput('ReluGrad', [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }], [dy, saved[0]] as TensorInfo[]);
  },
});

tf.unregisterGradient('Relu');
tf.registerGradient({ kernelName: 'Relu', outputsToSave: [true], gradFunc: reluGradient });
