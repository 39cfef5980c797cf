/**
 * The model directory: network, preprocessing, metrics, and a manifest with the digest of each file. It holds no time and no host, so
 * that equal training gives an equal directory, and the digest of the manifest names the model.
 */
import path from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { Preprocessing } from '../data/prepare.ts';
import type { Task } from '../data/target.ts';
import { AnnealError } from '../errors.ts';
import { readIfThere, sha256, writeFolder } from '../files.ts';
import type { FileContent } from '../files.ts';
import { tf } from './backend.ts';

export interface TensorSignature {
  readonly name: string;
  /** A datatype of the Open Inference Protocol. */
  readonly datatype: 'FP64' | 'FP32' | 'BYTES';
  /** -1 is any number of rows. */
  readonly shape: readonly number[];
}

export interface Manifest {
  readonly formatVersion: 1;
  readonly task: Task;
  /** Digest of `spec.trainer`. */
  readonly specDigest: string;
  readonly data: { readonly sha256: string; readonly rows: { readonly train: number; readonly validation: number; readonly test: number } };
  readonly versions: Readonly<Record<'trainer' | 'tfjs' | 'tensorflow' | 'node', string>>;
  readonly signature: { readonly inputs: readonly TensorSignature[]; readonly outputs: readonly TensorSignature[] };
  readonly epochs: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly sizeBytes: number }[];
}

export interface StoredModel {
  readonly manifest: Manifest;
  /** `sha256:` and the digest of manifest.json. */
  readonly digest: string;
  /** All files. */
  readonly sizeBytes: number;
}

export interface ModelParts {
  readonly network: LayersModel;
  readonly preprocessing: Preprocessing;
  readonly metrics: object;
  readonly manifest: Omit<Manifest, 'formatVersion' | 'files' | 'signature'>;
}

const manifestFile = 'manifest.json';

/** Writes all files beside and renames once. @throws the system's error */
export async function writeModel(parent: string, name: string, parts: ModelParts): Promise<StoredModel> {
  const content: Record<string, FileContent> = {
    ...await networkFiles(parts.network),
    'preprocessing.json': text(parts.preprocessing),
    'metrics.json': text(parts.metrics),
  };
  const manifest: Manifest = {
    formatVersion: 1,
    ...parts.manifest,
    signature: signatureOf(parts.preprocessing),
    files: Object.entries(content).map(([file, bytes]) => ({ path: file, sha256: sha256(bytes), sizeBytes: Buffer.byteLength(bytes) })),
  };
  const json = text(manifest);
  writeFolder(parent, name, { ...content, [manifestFile]: json });
  return stored(manifest, json);
}

const text = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`;

function stored(manifest: Manifest, json: FileContent): StoredModel {
  return { manifest, digest: `sha256:${sha256(json)}`, sizeBytes: manifest.files.reduce((sum, file) => sum + file.sizeBytes, Buffer.byteLength(json)) };
}

/** In the layout of tfjs' own `save`, so that other programs can read it. */
async function networkFiles(network: LayersModel): Promise<Record<string, FileContent>> {
  let files: Record<string, FileContent> = {};
  await network.save(tf.io.withSaveHandler((artifacts) => {
    const { modelTopology, weightSpecs = [], weightData = new ArrayBuffer(0) } = artifacts;
    const parts = Array.isArray(weightData) ? weightData : [weightData];
    files = {
      'model.json': text({ format: 'layers-model', generatedBy: 'anneal', modelTopology, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] }),
      'weights.bin': Buffer.concat(parts.map((part) => Buffer.from(part))),
    };
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
  }));
  return files;
}

/** Inputs are the raw columns: one tensor for all where all are numbers, else one for each. */
function signatureOf(preprocessing: Preprocessing): Manifest['signature'] {
  const { inputs, target } = preprocessing;
  return {
    inputs: inputs.every(({ kind }) => kind === 'Number')
      ? [{ name: 'rows', datatype: 'FP64', shape: [-1, inputs.length] }]
      : inputs.map(({ name, kind }) => ({ name, datatype: kind === 'Number' ? 'FP64' : 'BYTES', shape: [-1] })),
    outputs: target.task === 'Classification'
      ? [{ name: 'label', datatype: 'BYTES', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, target.classes.length] }]
      : [{ name: 'prediction', datatype: 'FP64', shape: [-1] }],
  };
}

/** The model in a directory, each file checked against the manifest; undefined when there is none. @throws AnnealError `MODEL_INVALID` */
export function readManifest(directory: string): StoredModel | undefined {
  const json = readIfThere(path.join(directory, manifestFile));
  if (json === undefined) return undefined;
  const manifest = parsed(json, manifestFile) as Manifest;
  for (const file of manifest.files) requireFile(directory, file);
  return stored(manifest, json);
}

function requireFile(directory: string, file: Manifest['files'][number]): void {
  const found = readIfThere(path.join(directory, file.path));
  if (found === undefined) throw invalid(`${file.path} is missing`);
  if (sha256(found) !== file.sha256) throw invalid(`${file.path} has the SHA-256 ${sha256(found)}, not ${file.sha256}`);
}

export interface LoadedModel extends StoredModel {
  readonly preprocessing: Preprocessing;
  readonly network: LayersModel;
}

/** Loads what `readManifest` found sound. @throws AnnealError `MODEL_INVALID` */
export async function loadModel(directory: string): Promise<LoadedModel> {
  const found = readManifest(directory);
  if (found === undefined) throw invalid(`there is no ${manifestFile} in it`);
  const read = (file: string): Buffer => readIfThere(path.join(directory, file)) ?? Buffer.alloc(0);
  const { modelTopology, weightsManifest } = parsed(read('model.json'), 'model.json') as { modelTopology: object; weightsManifest: { weights: [] }[] };
  const weights = Uint8Array.from(read('weights.bin'));
  const network = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weightsManifest.flatMap((group) => group.weights), weightData: weights.buffer }));
  return { ...found, preprocessing: parsed(read('preprocessing.json'), 'preprocessing.json') as Preprocessing, network };
}

function parsed(json: Buffer, file: string): unknown {
  try {
    return JSON.parse(json.toString()) as unknown;
  } catch (error) {
    throw new AnnealError('MODEL_INVALID', { at: file, message: `The model cannot be used: ${file} is no JSON. Train again, or restore the model's volume.`, cause: error });
  }
}

function invalid(why: string): AnnealError {
  return new AnnealError('MODEL_INVALID', { message: `The model cannot be used: ${why}. Train again, or restore the model's volume.` });
}
