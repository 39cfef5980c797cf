/**
 * What a model's data were like when it was trained, for what watches whether they still are: `reference-profile.json` of a model. It holds
 * how many rows are alike, and quantiles, but no extremes and no rare values, and nothing of columns that are private.
 */
import type { Bins } from '../data/profile/bins.ts';
import type { PartName } from '../data/profile/evidence.ts';
import type { Column, Privacy } from '../data/table.ts';

export const referenceProfileFile = 'reference-profile.json';

export interface ReferenceProfile {
  readonly formatVersion: 1;
  readonly inputs: InputsReference;
  readonly predictions: PredictionsReference;
}

/** Of the training rows as they stand in the data after the privacy measures; before steps, sampling and balance, which later rows do not go through alike. */
export interface InputsReference {
  readonly rows: number;
  readonly columns: readonly ColumnReference[];
}

export interface ColumnReference {
  readonly name: string;
  readonly kind: Column['kind'] | 'Vector';
  /** Set where no value is told: there are counts alone. */
  readonly private?: Privacy;
  readonly missing: number;
  readonly infinite?: number;
  /** Of numbers, and of times in microseconds since 1970; of arrays their mean in each row. Left out where too few rows have a value. */
  readonly values?: ValuesReference;
  readonly texts?: TextsReference;
}

/** Finite values: how many are in each bin, their mean and their population standard deviation. */
export interface ValuesReference extends Bins {
  readonly mean: number;
  readonly deviation: number;
  /** Whether the bins are exact; else they are near. */
  readonly exact: boolean;
}

export interface TextsReference {
  /** The most frequent texts, none of which few rows have. */
  readonly top: readonly { readonly value: string; readonly rows: number }[];
  /** All other texts. */
  readonly others: { readonly rows: number; readonly distinct: number };
  /** Whether the counts are exact; else those of `top` may be a little too low. */
  readonly exact: boolean;
}

/** Of the validation rows; of the test rows, or else the training rows, where there are none. */
export type PredictionsReference = { readonly part: PartName; readonly rows: number } & (
  | {
    readonly task: 'Classification';
    /** Rows that each class is answered for, in the order of the classes. */
    readonly labels: readonly number[];
    /** Of two classes the probability of the second, of more that of the most probable. */
    readonly scores?: ValuesReference;
  }
  /** In the target's own unit. */
  | { readonly task: 'Regression'; readonly values?: ValuesReference }
  /** Errors of the rows, and how many are flagged. */
  | { readonly task: 'Reconstruction'; readonly flagged: number; readonly values?: ValuesReference }
);
