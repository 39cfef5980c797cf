/** One small CSV file as a table in memory. Files of any size and format are `ingest`'s. */
import { memorySink } from './ingest/table-file.ts';
import { storedRows } from './ingest/stored-rows.ts';
import { readTextFiles, usualBlockBytes } from './ingest/text-files.ts';
import type { Column, Table } from './table.ts';

export interface CsvOptions {
  readonly delimiter: string;
  readonly header: 'Present' | 'Absent';
  readonly missing: readonly string[];
}

/** @param name  what errors call the file. @throws AnnealError `DATA_…` */
export async function readCsv(path: string, name: string, { missing, ...how }: CsvOptions, signal: AbortSignal): Promise<Table> {
  const options = { format: 'CSV', ...how, rule: { missing, trims: true }, selection: { except: [] } } as const;
  using table = await readTextFiles([{ path, name }], options, { threads: 0, blockBytes: usualBlockBytes, signal, sink: () => memorySink() });
  const rows = storedRows(table, Infinity, () => undefined);
  const columns: Column[] = [];
  for (const column of rows.columns) columns.push(await rows.column(column.name));
  return { rows: rows.rows, columns };
}
