/** Rows that equal others, found in passes over the data that hold only hashes. */
import type { Rows } from '../rows.ts';
import { lengthOf, rowNumber } from '../table.ts';
import type { Column, Table } from '../table.ts';
import { RowHasher, hashWords } from './hash.ts';
import { Keys, inParts, mostKeys } from './keys.ts';

/** Rows with something in common: how many, and the numbers of the first few, counted from 1 in the data. */
export interface FoundRows {
  readonly rows: number;
  readonly first: readonly number[];
}

/** So many row numbers help a person; more fill a sentence. */
export const mostShown = 5;

/** Values of a block, so that wide rows do not make it large. */
const blockValues = 2 * 1024 * 1024;
export const blockRows = (columns: number): number => Math.max(1024, Math.min(65_536, Math.floor(blockValues / Math.max(columns, 1))));

export interface HashedBlock {
  readonly table: Table;
  readonly hashes: Int32Array;
  /** Place of its first row among all rows. */
  readonly from: number;
}

/** The hashes of rows, block by block. */
export async function* hashedBlocks(source: Rows, names: readonly string[], hasher: RowHasher = new RowHasher()): AsyncGenerator<HashedBlock> {
  let from = 0;
  for await (const table of source.blocks(names, blockRows(names.length + (source.vector?.width ?? 0)))) {
    yield { table, hashes: hasher.hash(table.columns, table.rows, table.vector), from };
    from += table.rows;
  }
}

/**
 * Rows that equal an earlier one in these columns.
 * @param skipMissing  leaves out rows where one of them is missing
 */
export async function repeatedRows(source: Rows, names: readonly string[], skipMissing = false, most = mostKeys): Promise<FoundRows> {
  const found = await inParts(source.rows, most, async (part) => {
    const keys = new Keys(part.most);
    const repeats = collect(source);
    for await (const { table, hashes, from } of hashedBlocks(source, names)) {
      const skipped = skipMissing ? missingIn(table.columns) : undefined;
      for (let row = 0; row < table.rows; row++) {
        const at = row * hashWords;
        if (skipped?.[row] === 1 || !part.holds(hashes, at)) continue;
        const size = keys.size;
        if (keys.add(hashes, at) < size) repeats.add(from + row);
      }
    }
    return repeats.found();
  });
  return together(found);
}

/**
 * Rows of one set that equal a row of another.
 * @param role  of each row: `Known` ones are looked up in, `Asked` ones looked up, others left out
 */
export async function sharedRows(source: Rows, names: readonly string[], role: (row: number) => 'Known' | 'Asked' | undefined, most = mostKeys): Promise<FoundRows> {
  const found = await inParts(source.rows, most, async (part) => {
    const known = new Keys(part.most);
    for await (const { hashes, from, table } of hashedBlocks(source, names)) {
      for (let row = 0; row < table.rows; row++) if (role(from + row) === 'Known' && part.holds(hashes, row * hashWords)) known.add(hashes, row * hashWords);
    }
    const shared = collect(source);
    for await (const { hashes, from, table } of hashedBlocks(source, names)) {
      for (let row = 0; row < table.rows; row++) if (role(from + row) === 'Asked' && known.find(hashes, row * hashWords) >= 0) shared.add(from + row);
    }
    return shared.found();
  });
  return together(found);
}

export interface Collector {
  add(row: number): void;
  found(): FoundRows;
}

/** Counts rows that are met in ascending order, and keeps the first few. */
export function collect(source: Rows): Collector {
  let rows = 0;
  const first: number[] = [];
  return {
    add: (row) => {
      if (rows++ < mostShown) first.push(rowNumber(source, row));
    },
    found: () => ({ rows, first }),
  };
}

function together(found: readonly FoundRows[]): FoundRows {
  return { rows: found.reduce((sum, { rows }) => sum + rows, 0), first: found.flatMap(({ first }) => first).sort((a, b) => a - b).slice(0, mostShown) };
}

function missingIn(columns: readonly Column[]): Uint8Array {
  const missing = new Uint8Array(columns[0] === undefined ? 0 : lengthOf(columns[0]));
  for (const column of columns) {
    for (let row = 0; row < missing.length; row++) if (column.kind === 'Text' ? (column.codes[row] ?? -1) < 0 : Number.isNaN(column.values[row])) missing[row] = 1;
  }
  return missing;
}
