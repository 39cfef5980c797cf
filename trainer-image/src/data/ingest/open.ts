import { canonicalJson, sha256 } from '../../files.ts';
import type { LocalFile } from '../source.ts';
import { cachedTable, toldDisk } from './cache.ts';
import type { CachePlace } from './cache.ts';
import type { Selection } from './scan.ts';
import { storedRows } from './stored-rows.ts';
import type { OpenRows } from './stored-rows.ts';
import { layoutVersion, memorySink, passingSink } from './table-file.ts';
import type { Sink, StoredTable } from './table-file.ts';
import { readTextFiles, usualBlockBytes } from './text-files.ts';

export type Format = 'CSV' | 'TSV' | 'JSONLines' | 'Parquet';

export interface FileOptions {
  readonly format: Format;
  /** Of CSV, and but for the delimiter of TSV. */
  readonly csv: { readonly delimiter: string; readonly header: 'Present' | 'Absent'; readonly missing: readonly string[] };
  /** Columns that are read. Others are in `columns` by name, but cannot be asked for. */
  readonly selection: Selection;
}

export interface Resources {
  readonly threads: number;
  /** Memory that this process may take for all that it does. */
  readonly memoryBytes: number;
  /** Where tables are kept that are too large for memory, and found again. */
  readonly cache: CachePlace;
  readonly signal: AbortSignal;
  /** For tests: how much is read at a time, and from how many bytes of files on a table goes to the cache. */
  readonly sizes?: { readonly blockBytes: number; readonly cachedFrom: number };
}

/** Files from so many bytes on are worth a table on disk; smaller ones are read sooner than a table is written. */
const cachedFromBytes = 32 * 1024 * 1024;
/** Shares of the memory: for columns that are kept, of which every step of a pipeline makes more, and for DuckDB while it reads. */
const columnsShare = 1 / 8;
const duckShare = 1 / 4;

/** @throws AnnealError `DATA_…` of what is wrong with the files, `VOLUME_WRITE` */
export async function openRows(files: readonly LocalFile[], options: FileOptions, resources: Resources): Promise<OpenRows> {
  const { memoryBytes, cache, sizes } = resources;
  const bytes = files.reduce((total, file) => total + file.bytes, 0);
  const read = (sink: () => Sink): Promise<StoredTable> => readTable(files, options, resources, sink);
  const small = sizes?.cachedFrom ?? cachedFromBytes;
  if (bytes < small) {
    const table = await read(() => memorySink({ bytes: small, beyond: () => passingSink(cache.folder) })).catch((error: unknown) => {
      throw toldDisk(error);
    });
    return storedRows(table, memoryBytes * columnsShare, () => table[Symbol.dispose]());
  }
  const table = await cachedTable(cache, keyOf(files, options), read);
  return storedRows(table, memoryBytes * columnsShare, () => table[Symbol.asyncDispose]());
}

/** Equal for all that gives an equal table. */
function keyOf(files: readonly LocalFile[], { format, csv, selection }: FileOptions): string {
  return sha256(canonicalJson({ layoutVersion, files: files.map((file) => file.sha256), format, selection, ...(format === 'CSV' || format === 'TSV' ? { csv } : {}) }));
}

async function readTable(files: readonly LocalFile[], { format, csv, selection }: FileOptions, { threads, memoryBytes, cache, signal, sizes }: Resources, sink: () => Sink): Promise<StoredTable> {
  if (format === 'Parquet') {
    // Its library is of some size; other formats do without.
    const { readParquet } = await import('./parquet.ts');
    return readParquet(files, selection, { threads, memoryBytes: memoryBytes * duckShare, temporary: cache.folder, signal, sink });
  }
  const rule = format === 'JSONLines' ? { missing: [], trims: false } : { missing: csv.missing, trims: true };
  return readTextFiles(files, { format, delimiter: csv.delimiter, header: csv.header, rule, selection }, { threads, blockBytes: sizes?.blockBytes ?? usualBlockBytes, signal, sink });
}
