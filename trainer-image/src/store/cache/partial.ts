/**
 * What a download has so far, owned by one process at a time, so that several that want the same file bring it once.
 *
 * A file KEY.N with the highest N is the owner's; it shows that it lives by the file's modification time. Who finds it silent takes over
 * by making KEY.N+1, which only one can, with a copy of what is there: an owner that was only frozen then writes to a file that no one
 * reads. Nothing depends on clocks but who waits for whom, since a file counts only once its digest is known.
 */
import { constants } from 'node:fs';
import { copyFile, open, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Growing } from '../transfer.ts';

export interface ClaimOptions {
  readonly folder: string;
  readonly key: string;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** An owner that was silent for so long is dead. */
  readonly silenceMs: number;
}

export interface Partial extends Growing, AsyncDisposable {}

/** Waits until another process that brings the same has ended. @returns undefined when it did: what was wanted may be there now */
export async function claimPartial(options: ClaimOptions): Promise<Partial | undefined> {
  const { folder, key, signal, now, silenceMs } = options;
  for (let waited = false; ;) {
    const newest = (await generations(folder, key)).at(-1);
    if (newest === undefined && waited) return undefined;
    if (newest === undefined || await isSilent(pathOf(folder, key, newest), now(), silenceMs)) {
      const next = (newest ?? 0) + 1;
      if (await made(pathOf(folder, key, next))) return takeOver(options, newest, next);
    } else {
      waited = true;
      await delay(Math.min(250, silenceMs), undefined, { signal });
    }
  }
}

const pathOf = (folder: string, key: string, generation: number): string => path.join(folder, `${key}.${String(generation).padStart(6, '0')}`);
const versionOf = (file: string): string => `${file}.version`;

async function generations(folder: string, key: string): Promise<number[]> {
  const pattern = new RegExp(`^${key}\\.(\\d+)$`);
  return (await readdir(folder)).flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

async function isSilent(file: string, now: number, silenceMs: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs > silenceMs;
}

async function made(file: string): Promise<boolean> {
  try {
    await (await open(file, 'wx')).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function takeOver({ folder, key, now, silenceMs }: ClaimOptions, before: number | undefined, generation: number): Promise<Partial> {
  const file = pathOf(folder, key, generation);
  const live = (): Promise<void> => utimes(file, now() / 1000, now() / 1000).catch(() => undefined);
  const beat = setInterval(() => void live(), silenceMs / 6);
  const partial: Partial = {
    path: file,
    version: () => readFile(versionOf(file), 'utf8').catch(() => undefined),
    begin: async (version) => {
      await rm(versionOf(file), { force: true });
      await writeFile(file, '');
      if (version !== undefined) await writeFile(versionOf(file), version);
    },
    // What is left is for whoever comes next, at once.
    [Symbol.asyncDispose]: async () => {
      clearInterval(beat);
      const left = await stat(file).catch(() => undefined);
      if (left === undefined || left.size === 0) await removed(file);
      else await utimes(file, 0, 0);
    },
  };
  if (before !== undefined) await adopt(pathOf(folder, key, before), partial);
  for (const older of await generations(folder, key)) if (older < generation) await removed(pathOf(folder, key, older));
  return partial;
}

/** Goes on with what a dead owner left, unless it is not dead and changed it meanwhile. */
async function adopt(left: string, partial: Partial): Promise<void> {
  const version = (): Promise<string | undefined> => readFile(versionOf(left), 'utf8').catch(() => undefined);
  const before = await version();
  if (before === undefined) return;
  await partial.begin(before);
  await copyFile(left, partial.path, constants.COPYFILE_FICLONE).catch(() => undefined);
  if (await version() !== before) await partial.begin(undefined);
}

async function removed(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(versionOf(file), { force: true });
}
