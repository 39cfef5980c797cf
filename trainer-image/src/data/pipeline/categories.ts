/** The categories of a column, and the place of each row's category among them. */
import { AnnealError } from '../../errors.ts';
import { countCodes, present } from '../statistics.ts';
import { rowNumber, shownAt } from '../table.ts';
import type { Column, Table } from '../table.ts';

export interface Categories {
  /** In sorted order: numbers by size, texts by code unit. */
  readonly names: readonly string[];
  /** How many rows have each. */
  readonly counts: Float64Array;
}

export function categoriesOf(column: Column): Categories {
  if (column.kind !== 'Text') return runsOf(present(column.values).sort());
  const counts = countCodes(column.codes, column.dictionary.length);
  const found = [...column.dictionary.keys()].filter((code) => (counts[code] ?? 0) > 0);
  const text = (code: number): string => column.dictionary[code] ?? '';
  found.sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return { names: found.map(text), counts: Float64Array.from(found, (code) => counts[code] ?? 0) };
}

function runsOf(sorted: Float64Array): Categories {
  const names: string[] = [];
  const counts: number[] = [];
  for (let from = 0; from < sorted.length;) {
    let to = from + 1;
    while (sorted[to] === sorted[from]) to++;
    names.push(String(sorted[from]));
    counts.push(to - from);
    from = to;
  }
  return { names, counts: Float64Array.from(counts) };
}

/**
 * Which categories stand for themselves and which are lumped together, as scikit-learn's infrequent categories.
 * @param minFrequency   fewer rows are rare: below 1 a share of the rows, else a number of them
 * @param maxCategories  how many may be left, the lump included; of equally frequent ones the later in order stay
 */
export function lump({ names, counts }: Categories, rows: number, minFrequency: number | undefined, maxCategories: number | undefined): { kept: string[]; others: string[] } {
  const fewest = minFrequency === undefined ? 0 : minFrequency < 1 ? minFrequency * rows : minFrequency;
  const rare = new Set([...names.keys()].filter((place) => (counts[place] ?? 0) < fewest));
  if (maxCategories !== undefined && names.length - rare.size + (rare.size > 0 ? 1 : 0) > maxCategories) {
    const byCount = [...names.keys()].sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0));
    for (const place of byCount.slice(0, names.length - (maxCategories - 1))) rare.add(place);
  }
  return { kept: names.filter((_, place) => !rare.has(place)), others: names.filter((_, place) => rare.has(place)) };
}

/** Gives the place of each row's category: `otherwise` for a value that is none. */
export type Places = (column: Column) => Int32Array;

/** @param places  by category */
export function placesAmong(places: ReadonlyMap<string, number>, otherwise: number): Places {
  let ofNumber: Map<number, number> | undefined;
  return (column) => {
    if (column.kind === 'Text') return ofTexts(column.codes, column.dictionary, (text) => places.get(text) ?? otherwise);
    ofNumber ??= new Map([...places].map(([category, place]) => [Number(category), place]));
    const found = new Int32Array(column.values.length);
    for (let row = 0; row < found.length; row++) found[row] = ofNumber.get(column.values[row] ?? NaN) ?? otherwise;
    return found;
  };
}

/** What `placeOf` says of each row's text, asked once for each text that a row has. */
export function ofTexts(codes: Int32Array, dictionary: readonly string[], placeOf: (text: string) => number): Int32Array {
  const found = new Int32Array(codes.length);
  // Few rows of a large dictionary: what the others hold does not matter.
  if (codes.length < dictionary.length) {
    for (let row = 0; row < found.length; row++) found[row] = placeOf(dictionary[codes[row] ?? 0] ?? '');
    return found;
  }
  const ofCode = Int32Array.from(dictionary, placeOf);
  for (let row = 0; row < found.length; row++) found[row] = ofCode[codes[row] ?? 0] ?? 0;
  return found;
}

/** @throws AnnealError `DATA_CATEGORIES` when a row's place is `stranger` */
export function refuseStranger(table: Table, column: Column, places: Int32Array, stranger: number): void {
  const row = places.indexOf(stranger);
  if (row < 0) return;
  throw new AnnealError('DATA_CATEGORIES', { at: column.name, message: `Row ${rowNumber(table, row)} has "${shownAt(column, row)}" in column "${column.name}", which no training row had. Send a known category, or train with encode.unknown: Ignore.` });
}
