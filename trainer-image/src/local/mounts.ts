/** `--mount URI=DIR`: folders that stand for what a cluster would mount. */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { invalid } from './flags.ts';

/**
 * The folder that the job's source is read from; undefined for a source that needs none.
 * @param mounts  `pvc://CLAIM=DIR` or `configmap://NAME=DIR` each
 * @throws AnnealError `COMMAND_INVALID`; `SPEC_SOURCE` where the source needs a folder and none is given
 */
export function sourceFolder(source: TrainerSpec['data']['source'], mounts: readonly string[], directory: string): string | undefined {
  const folders = new Map(mounts.map((mount) => parseMount(mount, directory)));
  const [place] = /^(?:pvc|configmap):\/\/[^/]+/.exec(source.uri) ?? [];
  const stranger = [...folders.keys()].find((known) => known !== place);
  if (stranger !== undefined) throw invalid(`--mount ${stranger} stands for nothing that the job reads; its source is ${source.uri}. Remove it, or correct the name.`);
  if (place === undefined) return undefined;
  const folder = folders.get(place);
  if (folder !== undefined) return folder;
  throw new AnnealError('SPEC_SOURCE', { at: 'spec.trainer.data.source.uri', message: `${source.uri} lies in a cluster. Name the folder that stands for it here: --mount ${place}=DIR.` });
}

function parseMount(mount: string, directory: string): [string, string] {
  const [, place, given] = /^((?:pvc|configmap):\/\/[^/=]+)=(.+)$/.exec(mount) ?? [];
  if (place === undefined || given === undefined) throw invalid(`--mount ${mount} is not URI=DIR. Write for example --mount pvc://lake=data or --mount configmap://digits=data.`);
  const folder = path.resolve(directory, given);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw invalid(`--mount ${mount} names the folder ${given}, which is not there. Correct the path.`);
  return [place, folder];
}
