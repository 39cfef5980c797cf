/** Files of a test's folder, opened as a run opens them. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { openRows } from '../../../../trainer-image/src/data/ingest/index.ts';
import type { FileOptions, OpenRows, Resources } from '../../../../trainer-image/src/data/ingest/index.ts';
import type { LocalFile } from '../../../../trainer-image/src/data/source.ts';
import type { Column } from '../../../../trainer-image/src/data/table.ts';
import type { Folder } from '../../support.ts';

export const csv: FileOptions = { format: 'CSV', csv: { delimiter: ',', header: 'Present', missing: ['', 'NA'] }, selection: { except: [] } };

export function local(place: Folder, name: string): LocalFile {
  const file = path.join(place.path, name);
  return { path: file, name, bytes: statSync(file).size, sha256: createHash('sha256').update(readFileSync(file)).digest('hex') };
}

export const resources = (place: Folder, changed: Partial<Resources> = {}): Resources => ({
  threads: 0,
  memoryBytes: 1024 ** 3,
  cache: { folder: path.join(place.path, 'cache'), maxBytes: 1024 ** 3, now: Date.now },
  signal: new AbortController().signal,
  ...changed,
});

export function open(place: Folder, names: readonly string[], options: FileOptions = csv, changed: Partial<Resources> = {}): Promise<OpenRows> {
  return openRows(names.map((name) => local(place, name)), options, resources(place, changed));
}

export async function columnsOf(rows: OpenRows): Promise<Column[]> {
  const columns: Column[] = [];
  for (const { name } of rows.columns) columns.push(await rows.column(name));
  return columns;
}
