/** Writes a model directory. The network goes in twice: in full for TensorFlow.js, and, where it can be exported, as the ONNX file that is served. */
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { Preprocessing } from '../data/prepare.ts';
import { AnnealError } from '../errors.ts';
import { sha256, writeFolder } from '../files.ts';
import type { FileContent } from '../files.ts';
import type { Log } from '../log.ts';
import { referenceProfileFile } from '../reference/profile.ts';
import type { ReferenceProfile } from '../reference/profile.ts';
import { compress } from './compress/compress.ts';
import type { CompressionSpec, Judge } from './compress/compress.ts';
import { manifestFile, stored } from './directory.ts';
import type { Manifest, StoredModel } from './directory.ts';
import { artifactsOf, forward, modelJson } from './layers-format.ts';
import { exactOnnx, onnxName } from './onnx/file.ts';
import type { ExactOnnx, Sample } from './onnx/file.ts';
import { encodeModel } from './onnx/proto.ts';

export interface ModelParts {
  readonly network: LayersModel;
  readonly preprocessing: Preprocessing;
  readonly metrics: object;
  readonly reference: ReferenceProfile;
  /** Files about the model, for people and programs, by name. */
  readonly reports: Readonly<Record<string, FileContent>>;
  readonly manifest: Omit<Manifest, 'formatVersion' | 'files' | 'signature' | 'engine' | 'compression' | 'pseudonymKeyId' | 'referenceProfile'>;
  /** Rows on which the two forms of the network must agree. */
  readonly sample: Sample;
  /** How the served form is made smaller, and who says what that costs on the sample. */
  readonly compression?: { readonly spec: CompressionSpec; readonly judge: Judge; /** Milliseconds of a clock that never goes back. */ readonly now: () => number };
}

/** All that a model directory holds, before it is written. */
export interface ModelFolder {
  readonly files: Readonly<Record<string, FileContent>>;
  readonly model: StoredModel;
}

/**
 * Decides, and computes, what goes into the directory. The log says which form of the network is served, and why.
 * @throws AnnealError `COMPRESSION_LOSS`; `SPEC_CONFLICT` where there is nothing that could be compressed
 */
export async function assembleModel(parts: ModelParts, log: Log): Promise<ModelFolder> {
  const { network, preprocessing, sample } = parts;
  const { shape, target: { task } } = preprocessing;
  const artifacts = await artifactsOf(network);
  const exact = await exactOnnx({ artifacts, predict: forward(network, shape), sample, shape, task }, log);
  const { file, compression } = await servedFile(exact, parts, log);
  const content: Record<string, FileContent> = {
    'model.json': text(modelJson(artifacts)),
    'weights.bin': artifacts.weightData,
    ...(file === undefined ? {} : { [onnxName]: file }),
    'preprocessing.json': text(preprocessing),
    'metrics.json': text(parts.metrics),
    [referenceProfileFile]: text(parts.reference),
    ...parts.reports,
  };
  const manifest: Manifest = {
    formatVersion: 1,
    ...parts.manifest,
    signature: signatureOf(preprocessing),
    engine: file === undefined ? 'TensorFlow.js' : 'OnnxRuntime',
    // The other metrics are of the network as it was trained.
    ...(compression === undefined ? {} : { compression, metrics: { ...parts.manifest.metrics, [`compressed_${compression.metric}`]: compression.value.after } }),
    ...keyOf(preprocessing),
    referenceProfile: referenceProfileFile,
    files: Object.entries(content).map(([file, bytes]) => ({ path: file, sha256: sha256(bytes), sizeBytes: Buffer.byteLength(bytes) })),
  };
  const json = text(manifest);
  return { files: { ...content, [manifestFile]: json }, model: stored(manifest, json) };
}

function keyOf({ privacy = [] }: Preprocessing): Pick<Manifest, 'pseudonymKeyId'> {
  const pseudonyms = privacy.find((step) => step.kind === 'Pseudonymise');
  return pseudonyms === undefined ? {} : { pseudonymKeyId: pseudonyms.keyId };
}

/** `model.onnx`, compressed if that was asked for. How long both forms take is told to the log alone. */
async function servedFile(exact: ExactOnnx, { preprocessing: { shape }, sample, compression }: ModelParts, log: Log): Promise<{ file?: Uint8Array; compression?: Manifest['compression'] }> {
  if (compression === undefined) return exact.kind === 'Exact' ? { file: encodeModel(exact.model) } : {};
  if (exact.kind === 'None') {
    throw new AnnealError('SPEC_CONFLICT', { at: 'spec.trainer.compress', message: `Only a network that can be served as ONNX can be compressed, and this one cannot: ${exact.why}. Remove compress, or change the network.` });
  }
  const { spec, judge, now } = compression;
  const { file, report, latency } = await compress({ model: exact.model, shape, sample, judge, spec }, now);
  log('info', 'The served form of the network was compressed', { ...report, latency });
  return { file, compression: report };
}

/** Writes all files beside and renames once. @throws the system's error */
export function writeModel(parent: string, name: string, { files, model }: ModelFolder): StoredModel {
  writeFolder(parent, name, files);
  return model;
}

export const text = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`;

const datatypes = { Number: 'FP64', Time: 'BYTES', Text: 'BYTES', Vector: 'FP32' } as const satisfies Record<Preprocessing['inputs'][number]['kind'], string>;

/** Inputs are the raw columns: one tensor for all where all are numbers, else one for each. */
export function signatureOf(preprocessing: Preprocessing): Manifest['signature'] {
  const { inputs, target } = preprocessing;
  return {
    inputs: inputs.every(({ kind }) => kind === 'Number')
      ? [{ name: 'rows', datatype: 'FP64', shape: [-1, inputs.length] }]
      : inputs.map((input) => ({ name: input.name, datatype: datatypes[input.kind], shape: input.kind === 'Vector' ? [-1, ...input.shape] : [-1] })),
    outputs: outputsOf(target),
  };
}

function outputsOf(target: Preprocessing['target']): Manifest['signature']['outputs'] {
  switch (target.task) {
    case 'Classification': return [{ name: 'label', datatype: 'BYTES', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, target.classes.length] }];
    case 'Regression': return [{ name: 'prediction', datatype: 'FP64', shape: [-1] }];
    case 'Reconstruction': return [{ name: 'score', datatype: 'FP64', shape: [-1] }, { name: 'anomaly', datatype: 'BOOL', shape: [-1] }];
  }
}
