/**
 * The model directory: network, preprocessing, metrics, and a manifest with the digest of each file. It holds no time and no host, so
 * that equal training gives an equal directory, and the digest of the manifest names the model. Reading it needs no TensorFlow.
 */
import path from 'node:path';
import type { Preprocessing } from '../data/prepare.ts';
import type { Task } from '../data/target.ts';
import { AnnealError } from '../errors.ts';
import { readIfThere, sha256 } from '../files.ts';
import type { FileContent } from '../files.ts';
import type { CompressionReport } from './compress/compress.ts';

export interface TensorSignature {
  readonly name: string;
  /** A datatype of the Open Inference Protocol. */
  readonly datatype: 'FP64' | 'FP32' | 'BYTES' | 'BOOL';
  /** -1 is any number of rows. */
  readonly shape: readonly number[];
}

export type Engine = 'OnnxRuntime' | 'TensorFlow.js';

export interface Manifest {
  readonly formatVersion: 1;
  readonly task: Task;
  /** Digest of `spec.trainer`. */
  readonly specDigest: string;
  readonly data: { readonly sha256: string; readonly rows: { readonly train: number; readonly validation: number; readonly test: number } };
  readonly versions: Readonly<Record<'trainer' | 'tfjs' | 'tensorflow' | 'node', string>>;
  readonly signature: { readonly inputs: readonly TensorSignature[]; readonly outputs: readonly TensorSignature[] };
  /** What serves the model: `model.onnx`, or else the files of TensorFlow.js. Models of older releases do not say; they are served by the latter. */
  readonly engine?: Engine;
  /** What was done to `model.onnx` and what it cost, where the spec asks for it. */
  readonly compression?: CompressionReport;
  /** Which key rows are pseudonymised with before the model sees them; it is served with no other. */
  readonly pseudonymKeyId?: string;
  /** File that says what data and answers were like, for what watches whether they change. Models of older releases have none. */
  readonly referenceProfile?: string;
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

export const manifestFile = 'manifest.json';

export function stored(manifest: Manifest, json: FileContent): StoredModel {
  return { manifest, digest: `sha256:${sha256(json)}`, sizeBytes: manifest.files.reduce((sum, file) => sum + file.sizeBytes, Buffer.byteLength(json)) };
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

export interface ReadModel extends StoredModel {
  readonly preprocessing: Preprocessing;
  /** Content of a file that the manifest names. @throws AnnealError `MODEL_INVALID` */
  bytes(file: string): Buffer;
  /** The same as JSON. */
  json(file: string): unknown;
}

/** @throws AnnealError `MODEL_INVALID` */
export function readModel(directory: string): ReadModel {
  const found = readManifest(directory);
  if (found === undefined) throw invalid(`there is no ${manifestFile} in it`);
  const bytes = (file: string): Buffer => {
    const content = readIfThere(path.join(directory, file));
    if (content === undefined) throw invalid(`${file} is missing`);
    return content;
  };
  const json = (file: string): unknown => parsed(bytes(file), file);
  return { ...found, preprocessing: json('preprocessing.json') as Preprocessing, bytes, json };
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
