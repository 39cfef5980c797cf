/** Files that are whole or absent, whatever happens in between: written beside, flushed, renamed. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Names with this beginning are leftovers of a run that was cut off. */
const temporary = '.tmp-';

export type FileContent = string | Uint8Array;

export const sha256 = (content: FileContent): string => createHash('sha256').update(content).digest('hex');

/** SHA-256 of a file of any size. */
export async function digestOf(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash, signal === undefined ? {} : { signal });
  return hash.digest('hex');
}

/** Value as JSON with sorted keys: equal values give equal texts, and so equal digests. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, held: unknown) => (held !== null && typeof held === 'object' && !Array.isArray(held)
    ? Object.fromEntries(Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1)))
    : held));
}

/**
 * Makes a folder and those above it that are missing. Level by level, since Node's recursive mkdir never returns where a file system, as /proc, lets no folder be made in one that is there.
 * @throws the system's error
 */
export function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isFolder(folder)) throw error;
  }
}

export const isFolder = (name: string): boolean => statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Makes the folder `parent/name` with these files, or changes nothing. A folder of that name is replaced.
 * Synchronous, since training must not go on while its state is written.
 * @throws the system's error, for example ENOSPC; what was there before is then still there
 */
export function writeFolder(parent: string, name: string, files: Readonly<Record<string, FileContent>>): void {
  makeFolder(parent);
  const beside = path.join(parent, `${temporary}${name}`);
  rmSync(beside, { recursive: true, force: true });
  try {
    mkdirSync(beside);
    for (const [file, content] of Object.entries(files)) writeFlushed(path.join(beside, file), content);
    flush(beside);
    removeFolder(parent, name);
    renameSync(beside, path.join(parent, name));
    flush(parent);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    throw error;
  }
}

/** Makes the file `parent/name`, or changes nothing. A file of that name is replaced. */
export function writeFile(parent: string, name: string, content: FileContent): void {
  makeFolder(parent);
  const beside = path.join(parent, `${temporary}${name}`);
  rmSync(beside, { force: true });
  try {
    writeFlushed(beside, content);
    renameSync(beside, path.join(parent, name));
    flush(parent);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/** Takes the folder away at once by a rename; a run that is cut off here leaves it under a temporary name. */
export function removeFolder(parent: string, name: string): void {
  const away = path.join(parent, `${temporary}removed-${name}`);
  rmSync(away, { recursive: true, force: true });
  try {
    renameSync(path.join(parent, name), away);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  rmSync(away, { recursive: true, force: true });
}

/** Removes what earlier runs left half-done. */
export function removeLeftovers(parent: string): void {
  for (const name of namesIn(parent)) if (name.startsWith(temporary)) rmSync(path.join(parent, name), { recursive: true, force: true });
}

/** Names in a folder; none when it is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Content, or undefined when there is no such file. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))) return undefined;
    throw error;
  }
}

function writeFlushed(file: string, content: FileContent): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const handle = openSync(file, 'wx');
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A rename is only sure to survive a crash once its folder is flushed. */
export function flush(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
