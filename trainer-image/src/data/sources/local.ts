/** Files that this machine can read already: on a volume, or in the container. */
import { opendir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { AnnealError } from '../../errors.ts';
import { byCodeUnit } from './pattern.ts';
import type { Pattern } from './pattern.ts';
import { mostFiles, nothingThere, sourceField, tooMany } from './spec.ts';
import type { Found, SourceSpec } from './spec.ts';

export interface LocalPlace {
  /** Folder that the pattern is relative to, and what people call it, with a slash behind it: `pvc://lake/`. */
  readonly root: string;
  readonly rootUri: string;
  readonly pattern: Pattern;
}

export interface FoundHere extends Found {
  readonly path: string;
}

/**
 * The files of a pattern by code unit of their paths, hidden and empty ones left out; or the one file.
 * @throws AnnealError `DATA_NOT_FOUND` that names what is there, `DATA_TOO_LARGE` for too many
 */
export async function localFiles(source: SourceSpec, place: LocalPlace): Promise<FoundHere[]> {
  const { root, pattern } = place;
  if (!pattern.isPattern) return [await oneFile(source, place)];
  const found: FoundHere[] = [];
  for await (const file of walk(root, pattern.folder, pattern, [])) {
    found.push(file);
    if (found.length > (source.maxFiles ?? mostFiles)) throw tooMany(source.uri, source.maxFiles ?? mostFiles);
  }
  if (found.length === 0) throw await notFound(source.uri, place);
  return found.sort((a, b) => byCodeUnit(a.name, b.name));
}

async function oneFile(source: SourceSpec, place: LocalPlace): Promise<FoundHere> {
  const { prefix } = place.pattern;
  const file = path.join(place.root, prefix);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true) return { path: file, name: path.basename(prefix), bytes: found.size };
  if (found?.isDirectory() === true) throw new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.uri`, message: `${source.uri} is a folder. Name one file in it, or write a slash behind it to read all files below.` });
  throw await notFound(source.uri, place);
}

/** @param above  real paths of the folders on the way, so that a link back to one of them ends there */
async function* walk(root: string, folder: string, pattern: Pattern, above: readonly string[]): AsyncGenerator<FoundHere> {
  const at = path.join(root, folder);
  const real = await realpath(at).catch(() => undefined);
  if (real === undefined || above.includes(real)) return;
  for await (const entry of await opendir(at)) {
    const below = `${folder}${entry.name}`;
    // A key of a mounted ConfigMap is a link.
    const kind = entry.isSymbolicLink() ? await stat(path.join(root, below)).catch(() => undefined) : entry;
    if (kind?.isDirectory() === true) {
      if (pattern.mayHold(`${below}/`)) yield* walk(root, `${below}/`, pattern, [...above, real]);
    } else if (kind?.isFile() === true && pattern.matches(below)) {
      const { size } = await stat(path.join(root, below));
      if (size > 0) yield { path: path.join(root, below), name: below.slice(pattern.folder.length), bytes: size };
    }
  }
}

/** Names what lies in the deepest folder on the way that there is. */
async function notFound(uri: string, { root, rootUri, pattern }: LocalPlace): Promise<AnnealError> {
  for (let folder = pattern.folder; ;) {
    const names = await namesIn(path.join(root, folder));
    if (names !== undefined) return nothingThere(uri, `${rootUri}${folder}`, names, pattern.isPattern);
    if (folder === '') return new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.uri`, message: `${rootUri} cannot be read, so ${uri} is not found. Check that it is mounted.` });
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  }
}

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    const names: string[] = [];
    for await (const entry of await opendir(folder)) if (!entry.name.startsWith('.')) names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
    return names;
  } catch {
    return undefined;
  }
}
