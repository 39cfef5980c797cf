/** What came of one check, in words that hold counts and row numbers but no value of a private column. */
import type { FoundRows } from '../rowhash/repeats.ts';
import { count, percent } from '../words.ts';
import type { Check } from './spec.ts';

export interface Finding {
  readonly check: Check;
  /** The column that it is about. */
  readonly column?: string;
  /** Field of the manifest; left out for a check that nobody wrote. */
  readonly at?: string;
  readonly outcome: 'Pass' | 'Warn' | 'Fail';
  /** Clauses of the sentence that `told` makes. */
  readonly expected: string;
  readonly found: string;
  /** Rows that violate it, where it is about rows. */
  readonly rows?: number;
  /** Numbers of the first few, counted from 1 in the data. */
  readonly firstRows?: readonly number[];
  /** How far off, from 0 to 1: a share of the rows, or of what was expected. 0 where it passes. */
  readonly severity: number;
}

/** One sentence: what was expected, and what was found. */
export const told = ({ expected, found, outcome }: Finding): string => `${expected}, ${outcome === 'Pass' ? 'and' : 'but'} ${found}.`;

/** What a check says of itself; whether it fails or warns is the item's. */
export type Judged = Omit<Finding, 'outcome' | 'at'> & { readonly passed: boolean };

export const outcomeOf = ({ passed, ...finding }: Judged, onViolation: 'Fail' | 'Warn', at?: string): Finding => ({ ...finding, ...(at === undefined ? {} : { at }), outcome: passed ? 'Pass' : onViolation });

/** A check that holds while no more than a share of the rows violate it. */
export interface RowsCheck {
  readonly check: Check;
  readonly column?: string;
  readonly expected: string;
  /** What a violating row does, in singular and plural: `has none`, `have none`. */
  readonly does: readonly [string, string];
  readonly found: FoundRows;
  /** Rows that were looked at. */
  readonly of: number;
  /** Share that may violate it; 0 unless set. */
  readonly most?: number;
  /** A value of such a row, as it may be shown. */
  readonly example?: string;
}

export function judgeRows({ check, column, expected, does: [does, doPlural], found, of, most = 0, example }: RowsCheck): Judged {
  const { rows, first } = found;
  const share = of === 0 ? 0 : rows / of;
  const passed = share <= most;
  const where = rows === 0 ? '' : ` (${rowList(found)}${example === undefined ? '' : `, for example ${example}`})`;
  const counted = `${rows === 0 ? 'none' : count(rows)} of ${count(of)} rows${most > 0 && rows > 0 ? `, ${percent(share)},` : ''}`;
  return {
    check, ...(column === undefined ? {} : { column }), expected, passed, rows, severity: passed ? 0 : share,
    ...(rows === 0 ? {} : { firstRows: first }),
    found: `${counted} ${rows < 2 ? does : doPlural}${where}`,
  };
}

/** `rows 3, 17, 20 and 9 more`. */
export function rowList({ rows, first }: FoundRows): string {
  const rest = rows - first.length;
  const numbers = rest === 0 && first.length > 1 ? `${first.slice(0, -1).join(', ')} and ${first.at(-1)}` : first.join(', ');
  return `${rows === 1 ? 'row' : 'rows'} ${numbers}${rest > 0 ? ` and ${count(rest)} more` : ''}`;
}
