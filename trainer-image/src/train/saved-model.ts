/** The model that a run goes on from. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { Preprocessing } from '../data/prepare.ts';
import { AnnealError } from '../errors.ts';
import { readModel } from '../model/directory.ts';
import { loadLayersModel } from '../model/layers-format.ts';
import type { TrainingOrder } from './order.ts';

export interface SavedModel {
  readonly digest: string;
  readonly preprocessing: Preprocessing;
  /** With its weights; the caller's to dispose of. */
  layers(): Promise<LayersModel>;
}

const at = 'spec.trainer.model.from.uri';

/** @throws AnnealError `MODEL_INVALID`, `SPEC_SOURCE` for a claim that is not mounted */
export function savedModel({ spec: { model: { from } }, modelDirectory }: Pick<TrainingOrder, 'spec' | 'modelDirectory'>): SavedModel | undefined {
  if (from === undefined) return undefined;
  const folder = folderOf(from.uri, modelDirectory);
  const model = read(folder, from.uri);
  return { digest: model.digest, preprocessing: model.preprocessing, layers: () => loadLayersModel(model.json('model.json'), model.bytes('weights.bin')) };
}

function folderOf(uri: string, mounted: string | undefined): string {
  if (uri.startsWith('file://')) return fileURLToPath(uri);
  if (mounted === undefined) throw new AnnealError('SPEC_SOURCE', { at, message: `${uri} is read from a mounted claim, and none is mounted here. Write a uri that begins with file:///.` });
  return path.join(mounted, uri.replace(/^pvc:\/\/[^/]+\//, ''));
}

function read(folder: string, uri: string): ReturnType<typeof readModel> {
  try {
    return readModel(folder);
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    throw new AnnealError(error.code, { at, message: `${uri}: ${error.message}`, cause: error });
  }
}
