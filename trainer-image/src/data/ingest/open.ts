import { AnnealError } from '../../errors.ts';
import type { DataFile } from './opening.ts';
import type { Selection } from './scan.ts';
import { storedRows } from './stored-rows.ts';
import type { OpenRows } from './stored-rows.ts';
import { memorySink } from './table-file.ts';
import type { StoredTable } from './table-file.ts';
import { readTextFiles } from './text-files.ts';

export type Format = 'CSV' | 'TSV' | 'JSONLines' | 'Parquet';

export interface FileOptions {
  readonly format: Format;
  /** Of CSV and TSV. */
  readonly csv: { readonly delimiter: string; readonly header: 'Present' | 'Absent'; readonly missing: readonly string[] };
  /** Columns that are read. Others are in `columns` by name, but cannot be asked for. */
  readonly selection: Selection;
}

export interface Resources {
  readonly threads: number;
  /** Memory that all columns together may take. */
  readonly budgetBytes: number;
  readonly signal: AbortSignal;
}

/** @throws AnnealError `DATA_…` of what is wrong with the files */
export async function openRows(files: readonly DataFile[], options: FileOptions, resources: Resources): Promise<OpenRows> {
  return storedRows(await read(files, options, resources), resources.budgetBytes);
}

function read(files: readonly DataFile[], { format, csv, selection }: FileOptions, { threads, signal }: Resources): Promise<StoredTable> {
  if (format === 'Parquet') throw new AnnealError('INTERNAL', { message: 'not yet' });
  const isJson = format === 'JSONLines';
  return readTextFiles(files, { format, delimiter: format === 'TSV' ? '\t' : csv.delimiter, header: csv.header, rule: isJson ? { missing: [], trims: false } : { missing: csv.missing, trims: true }, selection }, { threads, signal, sink: memorySink });
}
