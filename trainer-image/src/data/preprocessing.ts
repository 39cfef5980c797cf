/** What a model must know to read rows and to be read: `preprocessing.json` of a model. */
import type { DecisionThreshold } from '../evaluate/thresholds.ts';
import type { AnomalyRule } from './anomalies.ts';
import type { FittedStep } from './pipeline/index.ts';
import type { PrivacyStep } from './privacy/index.ts';
import type { Column } from './table.ts';
import type { TargetCoding } from './target.ts';

/** What a row is given as. */
export type InputColumn = { readonly name: string; readonly kind: Column['kind'] } | InputVector;

export interface InputVector {
  readonly name: string;
  readonly kind: 'Vector';
  readonly shape: readonly number[];
}

/** Everything that turns raw rows into the network's input and its output into an answer. */
export interface Preprocessing {
  readonly inputs: readonly InputColumn[];
  /** Texts that stood for a missing value in the file, and do so in a request. */
  readonly missing: readonly string[];
  /** What is done to personal data of a row before the steps. */
  readonly privacy?: readonly PrivacyStep[];
  readonly steps: readonly FittedStep[];
  /** Names of the numbers of one row, after the steps; of a row that is an array the name of that. */
  readonly features: readonly string[];
  /** Shape of one row. */
  readonly shape: readonly number[];
  /** Which features are codes 0, …, categories - 1 that the network looks up in an embedding; left out where none is. */
  readonly embeddings?: readonly { readonly feature: number; readonly categories: number }[];
  readonly target: TargetCoding;
  /** From which probability on a class is chosen; the most probable one where there are none. */
  readonly thresholds?: readonly DecisionThreshold[];
  /** Of a reconstruction: how far a row is off, and from where on that is odd. */
  readonly anomaly?: AnomalyRule;
}
