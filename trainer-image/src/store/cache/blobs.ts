/**
 * Whole files by digest, in a folder that several processes share and any may leave by kill -9.
 *
 * `blobs/SHA256` is a file that is never written to again. Its times are its record: modified at `verified` when it was found to have its
 * digest (any later write would show), accessed when it was last used. `uses/ID/SHA256` are hard links to what a process holds. Room is
 * made by removing names in `blobs` that nobody holds, the longest unused first; a reader that comes in between still has its link.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { digestOf, makeFolder } from '../../files.ts';

export interface BlobsOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly now: () => number;
  /** A process whose uses were not touched for so long is dead. */
  readonly silenceMs: number;
}

export interface Blobs extends AsyncDisposable {
  /** Path of the file with this digest, which stays until this is disposed; undefined when it is not there, or is not what it was. */
  hold(sha256: string): Promise<string | undefined>;
  /** Moves a finished file in. @returns its path, as `hold` */
  publish(file: string, sha256: string): Promise<string>;
  /** Makes room for so many bytes, as far as files that nobody holds allow. */
  makeRoom(bytes: number): Promise<void>;
}

/** Looking at all files for each of a hundred thousand would take the day; while there is this share of room, what was found last is trusted. */
const spare = 0.1;
/** 2000-01-01, as seconds: no file is written then. */
const verified = 946_684_800;

export function openBlobs({ folder, maxBytes, now, silenceMs }: BlobsOptions): Blobs {
  const blobs = path.join(folder, 'blobs');
  const uses = path.join(folder, 'uses');
  const own = path.join(uses, randomUUID());
  makeFolder(blobs);
  makeFolder(own);
  const touch = (): Promise<void> => utimes(own, now() / 1000, now() / 1000).catch(() => undefined);
  const beat = setInterval(() => void touch(), silenceMs / 6);

  /** Bytes that were there when last looked at, and that were added since. */
  let known: number | undefined;

  const hold = async (sha256: string): Promise<string | undefined> => {
    const [blob, held] = [path.join(blobs, sha256), path.join(own, sha256)];
    if (!await linked(blob, held)) return undefined;
    if ((await stat(held)).mtimeMs !== verified * 1000 && await digestOf(held) !== sha256) {
      await rm(blob, { force: true });
      await rm(held, { force: true });
      return undefined;
    }
    // Twice the same file, unless the volume knows no links.
    for (const file of [held, blob]) await utimes(file, now() / 1000, verified).catch(() => undefined);
    return held;
  };

  return {
    hold,
    publish: async (file, sha256) => {
      await flush(file);
      await utimes(file, now() / 1000, verified);
      const held = path.join(own, sha256);
      await linked(file, held);
      if (known !== undefined) known += (await stat(file)).size;
      await rename(file, path.join(blobs, sha256));
      await flush(blobs);
      return held;
    },
    makeRoom: async (bytes) => {
      if (known !== undefined && known + bytes <= maxBytes * (1 - spare)) return;
      const held = await heldNames(uses, now() - silenceMs);
      const stored = await filesIn(blobs);
      let total = stored.reduce((sum, { size }) => sum + size, 0);
      for (const { name, size } of stored.sort((a, b) => a.usedMs - b.usedMs)) {
        if (total + bytes <= maxBytes) break;
        if (held.has(name)) continue;
        await rm(path.join(blobs, name), { force: true });
        total -= size;
      }
      known = total;
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(beat);
      await rm(own, { recursive: true, force: true });
    },
  };
}

/** Digests that living processes hold; the uses of dead ones are removed. */
async function heldNames(uses: string, silentSince: number): Promise<Set<string>> {
  const held = new Set<string>();
  for (const id of await readdir(uses)) {
    const use = path.join(uses, id);
    const touched = await stat(use).catch(() => undefined);
    if (touched === undefined) continue;
    if (touched.mtimeMs < silentSince) await rm(use, { recursive: true, force: true });
    else for (const name of await readdir(use).catch(() => [])) held.add(name);
  }
  return held;
}

async function filesIn(blobs: string): Promise<{ name: string; size: number; usedMs: number }[]> {
  const files = [];
  for (const name of await readdir(blobs)) {
    const found = await stat(path.join(blobs, name)).catch(() => undefined);
    if (found !== undefined) files.push({ name, size: found.size, usedMs: found.atimeMs });
  }
  return files;
}

/** Whether the second is now a name of the first, or, where a volume knows no hard links, a copy of it. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT') return false;
  }
  return copyFile(from, to, constants.COPYFILE_FICLONE).then(() => true, (error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  });
}

/** A rename is only sure to survive a crash once what it names is on the disk. */
async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
