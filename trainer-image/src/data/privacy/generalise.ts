/** Makes values coarse enough to be shared by many rows. Done twice it changes nothing more. */
import { AnnealError } from '../../errors.ts';
import { mapTexts } from '../table.ts';
import type { Column, ColumnInfo } from '../table.ts';
import type { Generalisation, TimeUnit } from './spec.ts';

/** @param at  the item's field of the manifest. @throws AnnealError `SPEC_COLUMN_KIND` for a method that does not go with the column */
export function requireGeneralisable({ method }: Generalisation, { name, kind }: ColumnInfo, at: string): void {
  const needed = kindOf[method];
  if (kind === needed) return;
  const other = { Number: 'Bin or Round', Text: 'Prefix', Time: 'TruncateTime' }[kind];
  throw new AnnealError('SPEC_COLUMN_KIND', { at, message: `${method} is for a column of ${kindNames[needed]}, and "${name}" holds ${kindNames[kind]}. Write method: ${other}.` });
}

const kindNames = { Number: 'numbers', Text: 'text', Time: 'times' } as const satisfies Record<Column['kind'], string>;
const kindOf = { Bin: 'Number', Round: 'Number', Prefix: 'Text', TruncateTime: 'Time' } as const satisfies Record<Generalisation['method'], Column['kind']>;

/** @returns a function that may keep what it did to a dictionary */
export function generaliser(how: Generalisation): (column: Column) => Column {
  switch (how.method) {
    case 'Bin': return ofValues('width' in how ? (value) => lowerEnd(value, how.width) : (value) => edgeBelow(value, how.edges));
    case 'Round': return ofValues((value) => nearest(value, how.to));
    case 'TruncateTime': return ofValues((value) => beginningOf(value, how.unit));
    case 'Prefix': {
      const known = new WeakMap<readonly string[], Column & { kind: 'Text' }>();
      return (column) => {
        if (column.kind !== 'Text') return column;
        const before = known.get(column.dictionary);
        const places = before ?? mapTexts({ ...column, codes: Int32Array.from(column.dictionary.keys()) }, (text) => prefix(text, how.length));
        if (before === undefined) known.set(column.dictionary, places);
        return { ...column, dictionary: places.dictionary, codes: column.codes.map((code) => places.codes[code] ?? -1) };
      };
    }
  }
}

const ofValues = (change: (value: number) => number) => (column: Column): Column => (column.kind === 'Text' ? column : { ...column, values: column.values.map((value) => (Number.isFinite(value) ? change(value) : value)) });

/** Beyond it a double is coarser than any width, and stays as it is. */
const mostTimes = 2 ** 51;

function nearest(value: number, to: number): number {
  const times = Math.round(value / to);
  return Math.abs(times) < mostTimes ? times * to : value;
}

/** The greatest multiple of `width`, as a double, that is not above the value: the quotient alone may be off by one. */
function lowerEnd(value: number, width: number): number {
  let times = Math.floor(value / width);
  if (Math.abs(times) >= mostTimes) return value;
  while (times * width > value) times--;
  while ((times + 1) * width <= value) times++;
  return times * width;
}

function edgeBelow(value: number, edges: readonly number[]): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? NaN) <= value) low = middle + 1; else high = middle;
  }
  return edges[Math.max(0, low - 1)] ?? value;
}

/** By code points: half of a pair is no character. */
function prefix(text: string, length: number): string {
  let end = 0;
  for (let taken = 0; taken < length && end < text.length; taken++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

const hour = 3_600_000_000;
const lengths: Readonly<Partial<Record<TimeUnit, number>>> = { Hour: hour, Day: 24 * hour };

/** @param value  microseconds since 1970 */
function beginningOf(value: number, unit: TimeUnit): number {
  const length = lengths[unit];
  if (length !== undefined) return Math.floor(value / length) * length;
  // A Date drops what is below a millisecond towards 1970, which before it is the wrong way.
  const date = new Date(Math.floor(value / 1000));
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  return new Date(0).setUTCFullYear(date.getUTCFullYear(), unit === 'Year' ? 0 : date.getUTCMonth(), 1) * 1000;
}
