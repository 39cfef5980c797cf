/** What is expected of the data before a run is worth its time; `spec.trainer.data.expectations`. */

/** An item has exactly one subject: `column` with at least one check of it, or one of the fields below `maxOutliers`. */
export interface ExpectationSpec {
  readonly column?: string;
  readonly notNull?: boolean;
  /** Shares are from 0 to 1. */
  readonly maxMissing?: number;
  readonly min?: number;
  readonly max?: number;
  readonly unique?: boolean;
  readonly oneOf?: readonly (string | number)[];
  /** A regular expression of RE2, found anywhere in the text unless anchored. */
  readonly matches?: string;
  readonly type?: 'Number' | 'Text' | 'Time';
  readonly meanBetween?: { readonly min: number; readonly max: number };
  readonly maxOutliers?: number;
  readonly rows?: { readonly min?: number; readonly max?: number };
  readonly duplicates?: { readonly max: number };
  readonly classShare?: { readonly min: number };
  readonly splitLeakage?: { readonly max: number };
  readonly targetLeakage?: { readonly max: number };
  readonly onViolation: 'Fail' | 'Warn';
}

export type Check = Exclude<keyof ExpectationSpec, 'column' | 'onViolation'> | 'constant' | 'empty' | 'identifier' | 'infinite';
