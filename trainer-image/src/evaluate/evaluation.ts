/**
 * What is known of a model from one part of the data: the content of `evaluation.json`. Aggregates alone, never a row, and no NaN: what is not defined is left out.
 * Rows are counted by their weight where they have one. Plots and the page are drawn from this and nothing else.
 */
import type { AnomalyRule } from '../data/anomalies.ts';
import type { Interval } from './bootstrap.ts';
import type { CalibrationBin } from './calibration.ts';
import type { ClassMetrics } from './confusion.ts';
import type { Curves } from './curves.ts';
import type { Grid, Histogram } from './distribution.ts';
import type { Importance } from './importance.ts';
import type { Metrics } from './measure.ts';
import type { DecisionThreshold, Objective } from './thresholds.ts';

export interface Estimate extends Partial<Interval> {
  readonly value: number;
}

export interface SliceEvaluation {
  readonly column: string;
  readonly value: string;
  readonly rows: number;
  readonly metrics: Metrics;
}

interface Common {
  /** Name of the part, for example `test`. */
  readonly part: string;
  readonly rows: number;
  /** By name, without prefix; bounds where intervals were asked for. */
  readonly metrics: Readonly<Record<string, Estimate>>;
  /** How the bounds were found. */
  readonly intervals?: { readonly confidence: number; readonly resamples: number; readonly method: 'Percentile' | 'BCa'; readonly stratify: boolean };
  readonly slices: readonly SliceEvaluation[];
  readonly importance?: { readonly metric: string; readonly repeats: number; readonly rows: number; /** By falling mean. */ readonly features: readonly Importance[] };
}

export interface ClassEvaluation extends ClassMetrics {
  readonly class: string;
  readonly rocAuc?: number;
  readonly prAuc?: number;
}

/** Decisions by thresholds instead of by the most probable class. */
export interface DecisionEvaluation {
  /** What the thresholds were tuned for, and where it was on this very part, which flatters the metrics. */
  readonly tunedFor?: Objective;
  readonly thresholds: readonly DecisionThreshold[];
  /** Of those metrics that depend on decisions. */
  readonly metrics: Metrics;
  readonly perClass: readonly (ClassMetrics & { readonly class: string })[];
}

export interface ClassificationEvaluation extends Common {
  readonly task: 'Classification';
  /** Name of the target column. */
  readonly target: string;
  readonly classes: readonly string[];
  readonly perClass: readonly ClassEvaluation[];
  /** [true class][predicted class]; of up to 100 classes. */
  readonly confusion?: readonly (readonly number[])[];
  /** The 20 most frequent mistakes, by falling weight. */
  readonly mistakes: readonly { readonly truth: string; readonly predicted: string; readonly rows: number }[];
  readonly curves: Curves;
  readonly calibration: { /** Of two classes the second, whose probability is meant; of more unset: that of the predicted class. */ readonly class?: string; readonly bins: readonly CalibrationBin[]; readonly error: number };
  readonly scores: Histogram;
  readonly decisions?: DecisionEvaluation;
}

export interface RegressionEvaluation extends Common {
  readonly task: 'Regression';
  /** Name of the target column. */
  readonly target: string;
  /** predicted - true. */
  readonly errors: Histogram;
  readonly predictedByTrue: Grid;
  readonly errorByPredicted: Grid;
}

/** Of rows by how far the network is off that gives them back. */
export interface ReconstructionEvaluation extends Common {
  readonly task: 'Reconstruction';
  readonly rule: AnomalyRule;
  /** Rows above the threshold. */
  readonly flagged: number;
  /** Rows that are known to be anomalies, where a column tells. */
  readonly anomalies?: number;
  readonly errors: Histogram;
}

export type Evaluation = ClassificationEvaluation | RegressionEvaluation | ReconstructionEvaluation;
