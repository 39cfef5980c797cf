/**
 * A folder of tables that were read before, by what they were read from. Several processes use it at once, on one machine or on several:
 * an entry is one file that is written beside and renamed, so it is whole or absent, and a process that ends at any point leaves at most
 * a file that the next one removes. Who reads an entry holds a lease beside it; what is leased is never removed.
 */
import { randomUUID } from 'node:crypto';
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { AnnealError } from '../../errors.ts';
import { flush, makeFolder, namesIn } from '../../files.ts';
import { fileSink, openTable } from './table-file.ts';
import type { Sink, StoredTable } from './table-file.ts';

export interface CachePlace {
  readonly folder: string;
  /** Beyond it, tables are removed that nobody reads, those first that were opened longest ago. */
  readonly maxBytes: number;
  /** Milliseconds since 1970, as the file system counts them. */
  readonly now: () => number;
}

/** A lease that was not renewed for so long is one of a process that was killed. */
const leaseMs = 60 * 60_000;
const renewMs = 60_000;
/** A table that nobody wrote to for so long is one of a process that was killed. */
const abandonedMs = 15 * 60_000;

const entry = '.table';
const lease = '.lease-';
const temporary = '.tmp-';

/** A table that a cache holds as long as it is not disposed. */
export interface CachedTable extends Omit<StoredTable, typeof Symbol.dispose>, AsyncDisposable {}

/**
 * The table of a key, written by `write` where the folder has none. It can be read at once; that others find it too is sure when it is disposed.
 * @param key  a digest of everything that the table depends on
 * @throws what `write` throws; AnnealError `VOLUME_WRITE`
 */
export async function cachedTable(place: CachePlace, key: string, write: (sink: () => Sink) => Promise<StoredTable>): Promise<CachedTable> {
  const file = path.join(place.folder, key + entry);
  let held: Lease | undefined;
  try {
    held = new Lease(place, key);
    const found = openTable(file);
    if (found !== undefined) {
      // What the order of removal goes by.
      utimesSync(file, place.now() / 1000, place.now() / 1000);
      return leased(found, held, Promise.resolve());
    }
    removeAbandoned(place);
    const beside = path.join(place.folder, `${temporary}${key}-${randomUUID()}`);
    const table = await write(() => fileSink(beside));
    return leased(table, held, publish(place, beside, file));
  } catch (error) {
    held?.release();
    throw toldDisk(error);
  }
}

/** Waits for the disk while the table is read already. */
async function publish(place: CachePlace, beside: string, file: string): Promise<void> {
  await using written = await open(beside);
  await written.sync();
  renameSync(beside, file);
  flush(place.folder);
  evict(place);
}

function leased({ [Symbol.dispose]: close, ...table }: StoredTable, held: Lease, published: Promise<void>): CachedTable {
  // It is told when the table is disposed.
  published.catch(() => undefined);
  return {
    ...table,
    segment: (block, column) => {
      held.renew();
      return table.segment(block, column);
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await published;
      } catch (error) {
        throw toldDisk(error);
      } finally {
        close();
        held.release();
      }
    },
  };
}

class Lease {
  readonly #file: string;
  readonly #now: () => number;
  #renewedAt: number;

  constructor({ folder, now }: CachePlace, key: string) {
    makeFolder(folder);
    this.#file = path.join(folder, `${key}${lease}${randomUUID()}`);
    this.#now = now;
    this.#renewedAt = now();
    writeFileSync(this.#file, '');
    this.#touch();
  }

  renew(): void {
    if (this.#now() - this.#renewedAt >= renewMs) this.#touch();
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }

  #touch(): void {
    this.#renewedAt = this.#now();
    try {
      utimesSync(this.#file, this.#renewedAt / 1000, this.#renewedAt / 1000);
    } catch {
      // Removed by one that took this process for dead. The open file can be read all the same.
    }
  }
}

interface Found {
  readonly name: string;
  readonly bytes: number;
  readonly usedAt: number;
}

/** What the folder holds now; another process may remove any of it meanwhile. */
function contents(folder: string): Found[] {
  return namesIn(folder).flatMap((name) => {
    const stat = statSync(path.join(folder, name), { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ name, bytes: stat.size, usedAt: stat.mtimeMs }];
  });
}

/** Leases of processes that are no more, and tables that they did not finish. */
function removeAbandoned({ folder, now }: CachePlace): void {
  for (const { name, usedAt } of contents(folder)) {
    const age = now() - usedAt;
    if ((name.startsWith(temporary) && age > abandonedMs) || (name.includes(lease) && age > leaseMs)) rmSync(path.join(folder, name), { force: true });
  }
}

/** Removes tables until the limit is kept, or all that are left are leased. */
function evict(place: CachePlace): void {
  removeAbandoned(place);
  const all = contents(place.folder);
  const tables = all.filter(({ name }) => name.endsWith(entry)).sort((a, b) => a.usedAt - b.usedAt);
  let bytes = tables.reduce((total, table) => total + table.bytes, 0);
  for (const table of tables) {
    if (bytes <= place.maxBytes) return;
    const key = table.name.slice(0, -entry.length);
    const isLeased = (): boolean => namesIn(place.folder).some((name) => name.startsWith(key + lease));
    if (isLeased() || !remove(place.folder, table.name, isLeased)) continue;
    bytes -= table.bytes;
  }
}

/** One that took a lease between the look and the removal gets its table back. @returns whether it is gone */
function remove(folder: string, name: string, isLeased: () => boolean): boolean {
  const file = path.join(folder, name);
  const away = path.join(folder, `${temporary}${name}-${randomUUID()}`);
  try {
    renameSync(file, away);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
  if (isLeased()) {
    renameSync(away, file);
    return false;
  }
  rmSync(away, { force: true });
  return true;
}

const diskCodes = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG']);

/** What the disk refused, as AnnealError `VOLUME_WRITE`; any other error as it is. */
export function toldDisk(error: unknown): unknown {
  return isDisk(error) ? new AnnealError('VOLUME_WRITE', { message: `The rows could not be written to the volume: ${error.message}. Ask for a larger volume.`, cause: error }) : error;
}

const isDisk = (error: unknown): error is Error => error instanceof Error && !(error instanceof AnnealError) && 'code' in error && diskCodes.has(String(error.code));
