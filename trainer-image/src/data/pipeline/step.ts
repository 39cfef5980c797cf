/** What every kind of step is made of. A kind is one file and one line in index.ts. */
import { AnnealError } from '../../errors.ts';
import type { Frame } from '../frame.ts';
import type { Table } from '../table.ts';

/** What is to be predicted, of the rows that a step is fitted on. */
export type Target =
  | { readonly task: 'Classification'; readonly classes: readonly string[]; readonly codes: Int32Array }
  | { readonly task: 'Regression'; readonly values: Float64Array };

/** The target of some of the rows. */
export function targetOfRows(target: Target, rows: Int32Array): Target {
  if (target.task === 'Classification') return { ...target, codes: rows.map((row) => target.codes[row] ?? 0) };
  return { ...target, values: Float64Array.from(rows, (row) => target.values[row] ?? NaN) };
}

/** What a step is fitted on. */
export interface Training {
  readonly frame: Frame;
  /** Undefined where the rows themselves are learnt. */
  readonly target: Target | undefined;
  /** The step's field of the manifest, for errors. */
  readonly at: string;
}

/** @throws AnnealError `SPEC_CONFLICT` where nothing is to be predicted */
export function requireTarget({ target, at }: Training): Target {
  if (target !== undefined) return target;
  throw new AnnealError('SPEC_CONFLICT', { at, message: 'The step goes by what is to be predicted, and an Autoencoder predicts nothing. Remove it, or write another method.' });
}

/** A new table; columns are never changed in place. */
export type Apply = (table: Table) => Table | Promise<Table>;

export interface Fit<Step> {
  /** Plain JSON data: it is stored with the model. */
  readonly step: Step;
  /**
   * What the step does to the data that the network learns from, where a row it was fitted on must be treated otherwise than a new one.
   * It meets rows of all parts and knows its own by where they stood in the data.
   * @param apply  what it does to new rows
   */
  readonly whileTraining?: (apply: Apply) => Apply;
  /** Which of the rows it was fitted on go on, ascending; all when left out. */
  readonly keep?: Int32Array;
}

export interface StepKind<Spec, Step extends object> {
  fit(spec: Spec, training: Training): Promise<Fit<Step>>;
  /**
   * What the fitted step does to rows, be they a million or one: whatever it looks things up in is made here, once. It takes a table of
   * no rows, and a table with some of the columns only; a joint step leaves that as it is.
   */
  apply(step: Step): Apply;
  /** Columns that it looks at or changes; all others pass through. */
  reads(step: Step): readonly string[];
  /** Whether what it gives depends on several columns together. */
  readonly joint: boolean;
}
