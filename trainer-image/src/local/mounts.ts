/** `--mount URI=DIR`: folders that stand for what a cluster would mount. */
import path from 'node:path';
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { isFolder } from '../files.ts';
import { invalid } from './flags.ts';

export interface MountedFolders {
  /** Of the job's source; undefined for one that needs none, as in the next. */
  readonly sourceFolder: string | undefined;
  /** Of the model that the job goes on from. */
  readonly modelFolder: string | undefined;
}

/**
 * The folders that stand for what a cluster would mount.
 * @param mounts  `pvc://CLAIM=DIR` or `configmap://NAME=DIR` each
 * @throws AnnealError `COMMAND_INVALID`; `SPEC_SOURCE` where a folder is needed and none is given
 */
export function mountedFolders({ data: { source }, model: { from } }: Pick<TrainerSpec, 'data' | 'model'>, mounts: readonly string[], directory: string): MountedFolders {
  const folders = new Map(mounts.map((mount) => parseMount(mount, directory)));
  const places = [placeOf(source.uri), placeOf(from?.uri)];
  const stranger = [...folders.keys()].find((known) => !places.includes(known));
  if (stranger !== undefined) throw invalid(`--mount ${stranger} stands for nothing that the job reads; its source is ${source.uri}. Remove it, or correct the name.`);
  return {
    sourceFolder: folderFor(source.uri, folders, 'spec.trainer.data.source.uri'),
    modelFolder: folderFor(from?.uri, folders, 'spec.trainer.model.from.uri'),
  };
}

const placeOf = (uri: string | undefined): string | undefined => /^(?:pvc|configmap):\/\/[^/]+/.exec(uri ?? '')?.[0];

function folderFor(uri: string | undefined, folders: ReadonlyMap<string, string>, at: string): string | undefined {
  const place = placeOf(uri);
  if (place === undefined) return undefined;
  const folder = folders.get(place);
  if (folder !== undefined) return folder;
  throw new AnnealError('SPEC_SOURCE', { at, message: `${uri ?? ''} lies in a cluster. Name the folder that stands for it here: --mount ${place}=DIR.` });
}

function parseMount(mount: string, directory: string): [string, string] {
  const [, place, given] = /^((?:pvc|configmap):\/\/[^/=]+)=(.+)$/.exec(mount) ?? [];
  if (place === undefined || given === undefined) throw invalid(`--mount ${mount} is not URI=DIR. Write for example --mount pvc://lake=data or --mount configmap://digits=data.`);
  const folder = path.resolve(directory, given);
  if (!isFolder(folder)) throw invalid(`--mount ${mount} names the folder ${given}, which is not there. Correct the path.`);
  return [place, folder];
}
