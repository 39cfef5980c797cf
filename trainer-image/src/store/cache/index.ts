/**
 * Files from elsewhere, kept between attempts and trials: brought once, told apart by what their source calls their version, checked by
 * digest, and removed when room is needed and nobody uses them.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestOf, makeFolder } from '../../files.ts';
import { sizeOf } from '../transfer.ts';
import type { Growing } from '../transfer.ts';
import { openBlobs } from './blobs.ts';
import type { Blobs } from './blobs.ts';
import { claimPartial } from './partial.ts';

export interface CacheOptions {
  /** Folder that processes may share; the cache keeps to `files/` in it. */
  readonly folder: string;
  /** Bytes that finished files may take together. More are kept as long as they are in use. */
  readonly maxBytes: number;
  readonly now: () => number;
  /** How long a process may be silent before it counts as dead; 30 s for one that downloads, 10 min for one that reads. */
  readonly silence?: { readonly downloadMs: number; readonly useMs: number };
}

/** A file that a source can bring. */
export interface Remote {
  /** What tells it from all other files, for example its uri. Only its digest is written down: a uri may hold a signature. */
  readonly id: string;
  /** A digest that it is known to have, in which case any file with it will do. */
  readonly expected: () => Promise<string | undefined>;
  /** Whether the source still has the version that it called so. */
  readonly isCurrent: (version: string) => Promise<boolean>;
  /** Brings the file. @param room  to be called when its size is known. @returns its version; undefined when the source has no name for it */
  readonly bring: (file: Growing, room: (bytes: number) => Promise<void>) => Promise<string | undefined>;
}

export interface CachedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What it gave stays in place until it is disposed. */
export interface FileCache extends AsyncDisposable {
  /** @throws what the source throws, the system's error, or the signal's reason */
  get(remote: Remote, signal: AbortSignal): Promise<CachedFile>;
  /** A file by its digest; undefined when it is not here. */
  find(sha256: string): Promise<CachedFile | undefined>;
}

interface Reference {
  readonly version?: string;
  readonly sha256: string;
}

const day = 24 * 3600 * 1000;

export async function openCache({ folder, maxBytes, now, silence = { downloadMs: 30_000, useMs: 600_000 } }: CacheOptions): Promise<FileCache> {
  const root = path.join(folder, 'files');
  const [refs, partials] = [path.join(root, 'refs'), path.join(root, 'partial')];
  for (const each of [refs, partials]) makeFolder(each);
  const blobs = openBlobs({ folder: root, maxBytes, now, silenceMs: silence.useMs });
  await removeOld(refs, now() - 30 * day);
  await removeOld(partials, now() - day);

  const find = async (sha256: string): Promise<CachedFile | undefined> => {
    const held = await blobs.hold(sha256);
    return held === undefined ? undefined : { path: held, bytes: await sizeOf(held) ?? 0, sha256 };
  };

  return {
    find,
    get: async (remote, signal) => {
      const key = createHash('sha256').update(remote.id).digest('hex').slice(0, 32);
      const reference = path.join(refs, key);
      for (;;) {
        const before = await referenceIn(reference);
        const expected = await remote.expected();
        const known = expected === undefined ? await unchanged(before, remote, find) : await find(expected);
        if (known !== undefined) {
          await utimes(reference, now() / 1000, now() / 1000).catch(() => undefined);
          return known;
        }
        await using partial = await claimPartial({ folder: partials, key, signal, now, silenceMs: silence.downloadMs });
        // Another process has brought it while this one looked.
        if (partial === undefined || (await referenceIn(reference))?.sha256 !== before?.sha256) continue;
        const version = await remote.bring(partial, (bytes) => blobs.makeRoom(bytes));
        return await published(partial.path, version, { blobs, refs, key, signal });
      }
    },
    [Symbol.asyncDispose]: () => blobs[Symbol.asyncDispose](),
  };
}

/** The file that an earlier process brought, if the source says that it has the same one still. */
async function unchanged(reference: Reference | undefined, remote: Remote, find: FileCache['find']): Promise<CachedFile | undefined> {
  if (reference?.version === undefined) return undefined;
  const found = await find(reference.sha256);
  return found !== undefined && await remote.isCurrent(reference.version) ? found : undefined;
}

const referenceIn = (file: string): Promise<Reference | undefined> => readFile(file, 'utf8').then((json) => JSON.parse(json) as Reference, () => undefined);

async function published(file: string, version: string | undefined, { blobs, refs, key, signal }: { blobs: Blobs; refs: string; key: string; signal: AbortSignal }): Promise<CachedFile> {
  const sha256 = await digestOf(file, signal);
  const bytes = await sizeOf(file) ?? 0;
  const held = await blobs.publish(file, sha256);
  const reference: Reference = { sha256, ...(version === undefined ? {} : { version }) };
  const beside = `${file}.reference`;
  await writeFile(beside, JSON.stringify(reference));
  await rename(beside, path.join(refs, key));
  await blobs.makeRoom(0);
  return { path: held, bytes, sha256 };
}

/** What no one touched for so long: names of files that may be gone by now, and downloads that nobody went on with. */
async function removeOld(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const found = await stat(path.join(folder, name)).catch(() => undefined);
    if (found !== undefined && Math.max(found.mtimeMs, found.ctimeMs) < before) await rm(path.join(folder, name), { force: true });
  }
}
