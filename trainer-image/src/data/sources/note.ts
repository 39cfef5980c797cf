/**
 * A job's note of which files it reads. A source may change while a job runs; an attempt that goes on from a checkpoint, and every replica,
 * must still read what the first one read.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder } from '../../files.ts';

export interface NotePlace {
  readonly folder: string;
  /** UID of the job: a volume may outlive it, and the next of that name reads anew. */
  readonly jobUid: string;
}

export interface Note {
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}

const fileOf = ({ folder, jobUid }: NotePlace, specDigest: string): string => path.join(folder, `source-${jobUid}-${specDigest.slice(0, 16)}.json`);

/** @param specDigest  of the source's spec: of a job whose source was changed nothing is noted */
export async function noted(place: NotePlace | undefined, specDigest: string): Promise<Note | undefined> {
  if (place === undefined) return undefined;
  return readFile(fileOf(place, specDigest), 'utf8').then((json) => JSON.parse(json) as Note, () => undefined);
}

/** Notes the files, unless another replica was first. @returns what is noted now */
export async function note(place: NotePlace | undefined, specDigest: string, files: Note['files']): Promise<Note | undefined> {
  if (place === undefined) return undefined;
  const file = fileOf(place, specDigest);
  const beside = path.join(place.folder, `.tmp-${randomUUID()}`);
  makeFolder(place.folder);
  await writeFile(beside, JSON.stringify({ files }));
  try {
    await link(beside, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) await writeFile(file, JSON.stringify({ files }));
  } finally {
    await rm(beside, { force: true });
  }
  return noted(place, specDigest);
}
