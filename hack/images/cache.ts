import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

import type { Say } from './command.ts';
import { ImageError } from './errors.ts';

/** Another build of the same thing takes minutes at most; beyond this something hangs. */
const lockTimeoutMs = 20 * 60_000;
const sqliteBusy = 5;

/** `${XDG_CACHE_HOME:-~/.cache}/anneal/images`. */
export function imageCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env.XDG_CACHE_HOME;
  return join(home === undefined || home === '' ? join(homedir(), '.cache') : home, 'anneal', 'images');
}

/** Sixteen hexadecimal digits over the parts; a part cannot run into the next. */
export function keyOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${String(part.length)}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

export interface CacheEntry {
  readonly folder: string;
  readonly name: string;
  readonly key: string;
  /** With its dot, for example `.tar`. */
  readonly suffix: string;
  /** How many files of this name stay, the newest first. */
  readonly keep: number;
}

/**
 * The path of the entry; `make` writes it when it is not there yet. Safe against other processes that want the same
 * entry, and against being killed: a file under its final name is complete.
 *
 * @param make  writes the file at `path`; `work` is an empty folder on the same file system that is removed afterwards
 */
export async function cached(entry: CacheEntry, say: Say, make: (path: string, work: string) => Promise<void>): Promise<string> {
  const path = join(entry.folder, `${entry.name}-${entry.key}${entry.suffix}`);
  if (await touched(path)) return path;
  await mkdir(entry.folder, { recursive: true });
  const lock = await locked(join(entry.folder, `.${entry.name}.lock`), say);
  try {
    if (!(await touched(path))) await fill(entry, path, make);
  } finally {
    lock[Symbol.dispose]();
  }
  return path;
}

async function fill(entry: CacheEntry, path: string, make: (path: string, work: string) => Promise<void>): Promise<void> {
  await removeAbandoned(entry);
  const work = await mkdtemp(join(entry.folder, `.${entry.name}-work-`));
  try {
    const draft = join(work, `result${entry.suffix}`);
    await make(draft, work);
    await rename(draft, path);
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
  await prune(entry, path);
}

/** Whether the file is there; its time is set to now, so that the pruning spares what is in use. */
async function touched(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Work folders of builds that were killed. Only called under the lock, so nobody is using them. */
async function removeAbandoned(entry: CacheEntry): Promise<void> {
  for (const name of await readdir(entry.folder)) {
    if (name.startsWith(`.${entry.name}-work-`)) await rm(join(entry.folder, name), { recursive: true, force: true });
  }
}

async function prune(entry: CacheEntry, current: string): Promise<void> {
  const pattern = new RegExp(`^${entry.name}-[0-9a-f]{16}\\${entry.suffix}$`);
  const others = (await readdir(entry.folder)).filter((name) => pattern.test(name) && name !== basename(current));
  const aged = await Promise.all(others.map(async (name) => ({ name, time: (await stat(join(dirname(current), name))).mtimeMs })));
  aged.sort((a, b) => b.time - a.time);
  for (const { name } of aged.slice(entry.keep - 1)) await rm(join(entry.folder, name), { force: true });
}

/**
 * Holds an exclusive lock on `path` until disposed. SQLite's lock on a file is the one portable lock in Node that the
 * system releases when the holder is killed, so no lock is ever stale.
 */
async function locked(path: string, say: Say): Promise<Disposable> {
  const deadline = performance.now() + lockTimeoutMs;
  let told = false;
  const database = new DatabaseSync(path);
  while (!begun(database)) {
    if (performance.now() > deadline) {
      database.close();
      throw new ImageError('LOCK_TIMEOUT', `Another process has held ${path} for 20 minutes. End it, then run this again.`);
    }
    if (!told) say('  another process is building the same thing: waiting for it');
    told = true;
    await delay(250);
  }
  return { [Symbol.dispose]: () => database.close() };
}

function begun(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === sqliteBusy) return false;
    throw error;
  }
}
