/** One block of bytes to columns, on whatever thread. Plain data in and out: it crosses from thread to thread. */
import { isUtf8 } from 'node:buffer';
import { CsvScanner } from './csv-scanner.ts';
import type { Kinds } from './csv-scanner.ts';
import { FaultError, lineFeed } from './dialect.ts';
import type { Dialect, Fault } from './dialect.ts';
import type { ScannedColumn } from './growing.ts';
import { JsonScanner } from './json-scanner.ts';
import type { JsonColumn } from './json-scanner.ts';
import type { TextRule } from './text-rule.ts';

/** Which keys or columns are read: these alone, or all but these. */
export type Selection = { readonly only: readonly string[] } | { readonly except: readonly string[] };

export const isSelected = (selection: Selection, name: string): boolean => ('only' in selection ? selection.only.includes(name) : !selection.except.includes(name));

export type ScanOrder =
  | { readonly format: 'Delimited'; readonly dialect: Dialect; readonly kinds: Kinds; readonly rule: TextRule }
  | { readonly format: 'JSONLines'; readonly known: readonly JsonColumn[]; readonly selection: Selection };

export interface ScannedBlock {
  readonly rows: number;
  /** By the scanner's own order of columns; undefined is one that is not read. */
  readonly columns: readonly (ScannedColumn | undefined)[];
  /** What the scanner met in each column so far. */
  readonly seen: readonly number[];
  /** Columns that were met in this block for the first time, at the end of that order. */
  readonly newColumns: readonly JsonColumn[];
}

export type Scan = { readonly kind: 'Block'; readonly block: ScannedBlock } | { readonly kind: 'Fault'; readonly fault: Fault };

/** A function that reads one block after the other; what it met before decides the codes of texts. */
export function scanner(order: ScanOrder): (bytes: Uint8Array, end: number) => Scan {
  const reader = order.format === 'Delimited' ? new CsvScanner(order.dialect, order.kinds, order.rule) : new JsonScanner(order.known, (name) => isSelected(order.selection, name));
  let told = order.format === 'Delimited' ? 0 : order.known.length;
  return (bytes, end) => {
    try {
      requireUtf8(bytes.subarray(0, end));
      const scanned = reader.scan(bytes, end);
      const newColumns = reader instanceof JsonScanner ? reader.columns.slice(told) : [];
      told += newColumns.length;
      return { kind: 'Block', block: { ...scanned, seen: reader.seen, newColumns } };
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { kind: 'Fault', fault: error.fault };
    }
  };
}

/** The memory of what was scanned, which can be given to another thread rather than copied. */
export function memoryOf(scan: Scan): ArrayBuffer[] {
  if (scan.kind === 'Fault') return [];
  const all = scan.block.columns.flatMap((column) => {
    if (column === undefined) return [];
    return column.kind === 'Codes' ? [column.codes.buffer] : [column.segment.bytes.buffer];
  });
  return all.filter((buffer) => buffer instanceof ArrayBuffer && buffer.byteLength > 0) as ArrayBuffer[];
}

/** @throws FaultError `NotUtf8` with the line */
function requireUtf8(bytes: Uint8Array): void {
  if (isUtf8(bytes)) return;
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(lineFeed, from);
    const to = end < 0 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(from, to))) throw new FaultError({ kind: 'NotUtf8', at: from });
    from = to;
  }
}
