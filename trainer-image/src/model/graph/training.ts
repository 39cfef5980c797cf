/** A network in training as one TensorFlow graph: a step is one call, and so is each half of a step that replicas share. */
import { weightsOf } from '../network.ts';
import type { Network } from '../network.ts';
import { gradients } from './gradients.ts';
import { Graph } from './graph.ts';
import type { Value } from './graph.ts';
import { forward } from './layers.ts';
import type { Pass } from './layers.ts';
import { lossOf } from './losses.ts';
import type { LossName } from './losses.ts';
import { cast, divide, multiply } from './ops/arithmetic.ts';
import { argMax } from './ops/network.ts';
import { reduce, reshape, sizeOf, unstack } from './ops/shape.ts';
import { placeholder } from './ops/sources.ts';
import { Parameters, floats } from './parameters.ts';
import type { HeldParameters } from './parameters.ts';
import { Session } from './session.ts';
import type { Numbers } from './session.ts';
import { flattened } from './update.ts';
import type { UpdateSpec } from './update.ts';

export type LearningTask = 'Classification' | 'Regression' | 'Reconstruction';

export interface TrainingSpec {
  readonly network: Network;
  readonly task: LearningTask;
  readonly loss: LossName;
  /** Whether rows have weights. */
  readonly weighted: boolean;
  readonly update: UpdateSpec;
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

export interface Training extends HeldParameters {
  /** Numbers in the flat vectors of weights and changes. */
  readonly size: number;
  /** Dropout layers; their masks are chosen by two int32 each, row after row. */
  readonly dropouts: readonly string[];
  /** One whole step. */
  learn(rows: Rows, seeds: Int32Array, rate: number, iteration: number): Told;
  /** @returns changes for `apply`, as this share of a batch contributes to them */
  measure(rows: Rows, seeds: Int32Array, share: number): Told & { readonly changes: Float32Array };
  evaluate(rows: Rows): Told;
  /** What is predicted, row after row. */
  predict(features: Float32Array): Float32Array;
  dispose(): void;
}

export function buildTraining(spec: TrainingSpec): Training {
  const graph = new Graph();
  const parameters = new Parameters(graph, spec.update, weightsOf(spec.network));
  const data = dataInputs(graph, spec);
  const training = trainingPass(graph, spec, parameters, data);
  const learnt = parameters.afterStep(training.loss, training.changes, 'learnt');
  const flat = flattened(graph, training.changes);
  const predicting = evaluationPass(spec, parameters, data);
  const hold = parameters.prepare();

  const session = new Session(graph);
  const { rate, iteration } = parameters.inputs;
  const seeds = training.seeds === undefined ? [] : [training.seeds];
  const learn = session.prepare([...data.all, ...seeds, training.share, rate, iteration], [learnt, training.told]);
  const measure = session.prepare([...data.all, ...seeds, training.share], [training.loss, training.told, flat]);
  const evaluate = session.prepare(data.all, [predicting.loss, predicting.told]);
  const predict = session.prepare([data.features], [predicting.outputs]);
  const fed = ({ features, targets, weights }: Rows): Numbers[] => [features, ...(data.targets === undefined ? [] : [targets]), ...(weights === undefined ? [] : [weights])];
  const drawn = (masks: Int32Array): Numbers[] => (masks.length === 0 ? [] : [masks]);
  return {
    ...hold(session),
    size: parameters.size,
    dropouts: training.dropouts,
    learn: (rows, masks, learningRate, count) => toldBy(learn(...fed(rows), ...drawn(masks), whole, Float32Array.of(learningRate), Float32Array.of(count))),
    measure: (rows, masks, share) => {
      const results = measure(...fed(rows), ...drawn(masks), Float32Array.of(share));
      return { ...toldBy(results), changes: floats(results[2]) };
    },
    evaluate: (rows) => toldBy(evaluate(...fed(rows))),
    predict: (features) => floats(predict(features)[0]),
    dispose: () => session.dispose(),
  };
}

const whole = Float32Array.of(1);

function toldBy([loss, outputs]: readonly Numbers[]): Told {
  return { loss: loss?.[0] ?? NaN, outputs: outputs ?? new Float32Array(0) };
}

interface DataInputs {
  readonly features: Value;
  readonly targets: Value | undefined;
  readonly weights: Value | undefined;
  /** In the order in which rows are fed. */
  readonly all: readonly Value[];
}

function dataInputs(graph: Graph, { network, task, weighted }: TrainingSpec): DataInputs {
  const features = placeholder(graph, 'features', 'float32', [null, ...network.input]);
  const targets = task === 'Reconstruction' ? undefined : placeholder(graph, 'targets', task === 'Classification' ? 'int32' : 'float32', [null]);
  const weights = weighted ? placeholder(graph, 'row_weights', 'float32', [null]) : undefined;
  return { features, targets, weights, all: [features, targets, weights].filter((value) => value !== undefined) };
}

interface Judged {
  readonly loss: Value;
  readonly told: Value;
  /** Of the mean loss by the raw outputs. */
  readonly slope: Value;
}

function judge(spec: TrainingSpec, data: DataInputs, raw: Value): Judged {
  const { task, loss: name } = spec;
  const targets = data.targets === undefined ? reshape(data.features, raw.shape) : task === 'Regression' ? reshape(data.targets, [null, 1]) : data.targets;
  const { rows, slope } = lossOf(name, raw, targets);
  const count = cast(sizeOf(rows), 'float32');
  const [weighed, factor] = data.weights === undefined ? [rows, undefined] : [multiply(rows, data.weights), reshape(data.weights, [null, 1])];
  return {
    loss: reduce('Mean', weighed, [0]),
    told: task === 'Classification' ? argMax(raw) : task === 'Regression' ? reshape(raw, [null]) : rows,
    slope: divide(factor === undefined ? slope : multiply(slope, factor), count),
  };
}

function passOver(features: Value, parameters: Parameters, values: readonly Value[]): Pass {
  const named = new Map(parameters.weights.map(({ layer, name }, index) => [`${layer}/${name}`, values[index]]));
  const weight = (layer: string, name: string): Value => {
    const value = named.get(`${layer}/${name}`);
    if (value === undefined) throw new Error(`Layer ${layer} has no weight ${name}.`);
    return value;
  };
  return { features, weight };
}

interface TrainingPass extends Judged {
  readonly share: Value;
  readonly seeds: Value | undefined;
  readonly dropouts: readonly string[];
  /** In the order of the weights, as `share` of a batch contributes to them. */
  readonly changes: readonly Value[];
}

function trainingPass(graph: Graph, spec: TrainingSpec, parameters: Parameters, data: DataInputs): TrainingPass {
  const { network } = spec;
  const share = placeholder(graph, 'share', 'float32', []);
  const dropouts = network.layers.flatMap(({ kind, name }) => (kind === 'Dropout' ? [name] : []));
  const seeds = dropouts.length === 0 ? undefined : placeholder(graph, 'seeds', 'int32', [dropouts.length, 2]);
  const seedOf = seeds === undefined ? [] : unstack(seeds, 0);
  const moves = new Map<string, Value>();
  const values = parameters.values();
  const { raw } = forward(network, {
    ...passOver(data.features, parameters, values),
    training: {
      seed: (layer) => seedOf[dropouts.indexOf(layer)] ?? share,
      move: (layer, name, change) => void moves.set(`${layer}/${name}`, change),
    },
  });
  const judged = judge(spec, data, raw);
  const learnt = parameters.weights.findIndex(({ role }) => role === 'Statistic');
  const count = learnt < 0 ? values.length : learnt;
  const moved = parameters.weights.slice(count).map(({ layer, name }) => multiply(moves.get(`${layer}/${name}`) ?? share, share));
  return { ...judged, share, seeds, dropouts, changes: [...gradients(raw, multiply(judged.slope, share), values.slice(0, count)), ...moved] };
}

/** Without dropout, by moving statistics. */
function evaluationPass(spec: TrainingSpec, parameters: Parameters, data: DataInputs): Judged & { readonly outputs: Value } {
  const { raw, final } = forward(spec.network, passOver(data.features, parameters, parameters.values()));
  return { ...judge(spec, data, raw), outputs: final };
}
