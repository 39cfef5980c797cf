/** What a network is told about its outputs: the loss, its slope, and what is said of each row. */
import type { Graph, Value } from './graph.ts';
import { lossOf } from './losses.ts';
import type { LossName } from './losses.ts';
import { cast, divide, multiply } from './ops/arithmetic.ts';
import { argMax } from './ops/network.ts';
import { reduce, reshape, sizeOf } from './ops/shape.ts';
import { placeholder } from './ops/sources.ts';
import type { Numbers } from './session.ts';

export type LearningTask = 'Classification' | 'Regression' | 'Reconstruction';

export interface JudgeSpec {
  readonly task: LearningTask;
  readonly loss: LossName;
  /** Whether rows have weights. */
  readonly weighted: boolean;
}

/** Rows as the graph takes them. */
export interface Rows {
  readonly features: Float32Array;
  /** Class places or values; not looked at where rows are reconstructed. */
  readonly targets: Numbers;
  /** Of each row, where rows have weights. */
  readonly weights?: Float32Array;
}

export interface Told {
  /** Mean over the rows. */
  readonly loss: number;
  /** For each row, before the step: its class place, its value, or its loss where rows are reconstructed. */
  readonly outputs: Numbers;
}

/** What outputs are judged by. */
export interface Truth {
  /** As the outputs are shaped; class places for logits. */
  readonly targets: Value;
  readonly weights: Value | undefined;
  /** What is fed beside the features, and the numbers for it. */
  readonly inputs: readonly Value[];
  readonly fed: (rows: Rows) => Numbers[];
}

export function truthInputs(graph: Graph, { task, weighted }: JudgeSpec, features: Value): Truth {
  const given = task === 'Reconstruction' ? undefined : placeholder(graph, 'targets', task === 'Classification' ? 'int32' : 'float32', [null]);
  const weights = weighted ? placeholder(graph, 'row_weights', 'float32', [null]) : undefined;
  const width = features.shape.slice(1).reduce<number>((product, size) => product * (size ?? 1), 1);
  return {
    targets: given === undefined ? reshape(features, [null, width]) : task === 'Regression' ? reshape(given, [null, 1]) : given,
    weights,
    inputs: [given, weights].filter((value) => value !== undefined),
    fed: (rows) => [given && rows.targets, weights && rows.weights].filter((numbers) => numbers !== undefined),
  };
}

export interface Judged {
  readonly loss: Value;
  readonly told: Value;
  /** Of the mean loss by the raw outputs. */
  readonly slope: Value;
}

/** @param raw  [rows, n], logits for classes */
export function judge({ task, loss }: JudgeSpec, { targets, weights }: Truth, raw: Value): Judged {
  const { rows, slope } = lossOf(loss, raw, targets);
  const count = cast(sizeOf(rows), 'float32');
  return {
    loss: reduce('Mean', weights === undefined ? rows : multiply(rows, weights), [0]),
    told: task === 'Classification' ? argMax(raw) : task === 'Regression' ? reshape(raw, [null]) : rows,
    slope: divide(weights === undefined ? slope : multiply(slope, reshape(weights, [null, 1])), count),
  };
}

/** From what a run gave for `loss` and `told`. */
export function toldBy([loss, outputs]: readonly Numbers[]): Told {
  return { loss: loss?.[0] ?? NaN, outputs: outputs ?? new Float32Array(0) };
}
