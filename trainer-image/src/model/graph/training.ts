/** A network in training as one TensorFlow graph: a step is one call, and so is each half of a step that replicas share. */
import { weightsOf } from '../network.ts';
import type { Network } from '../network.ts';
import { gradients } from './gradients.ts';
import { Graph } from './graph.ts';
import type { Value } from './graph.ts';
import { judge, toldBy, truthInputs } from './judge.ts';
import type { JudgeSpec, Judged, Rows, Told, Truth } from './judge.ts';
import { forward } from './layers.ts';
import type { Pass } from './layers.ts';
import { multiply } from './ops/arithmetic.ts';
import { unstack } from './ops/shape.ts';
import { placeholder } from './ops/sources.ts';
import { Parameters, floats } from './parameters.ts';
import type { HeldParameters } from './parameters.ts';
import { Session } from './session.ts';
import type { Numbers } from './session.ts';
import { flattened } from './update.ts';
import type { UpdateSpec } from './update.ts';

export interface TrainingSpec extends JudgeSpec {
  readonly network: Network;
  readonly update: UpdateSpec;
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
  const features = placeholder(graph, 'features', 'float32', [null, ...spec.network.input]);
  const truth = truthInputs(graph, spec, features);
  const training = trainingPass(graph, spec, parameters, features, truth);
  const learnt = parameters.afterStep(training.loss, training.changes, 'learnt');
  const flat = flattened(graph, training.changes);
  const predicting = evaluationPass(spec, parameters, features, truth);
  const hold = parameters.prepare();

  const session = new Session(graph);
  const { rate, iteration } = parameters.inputs;
  const seeds = training.seeds === undefined ? [] : [training.seeds];
  const learn = session.prepare([features, ...truth.inputs, ...seeds, training.share, rate, iteration], [learnt, training.told]);
  const measure = session.prepare([features, ...truth.inputs, ...seeds, training.share], [training.loss, training.told, flat]);
  const evaluate = session.prepare([features, ...truth.inputs], [predicting.loss, predicting.told]);
  const predict = session.prepare([features], [predicting.outputs]);
  const drawn = (masks: Int32Array): Numbers[] => (masks.length === 0 ? [] : [masks]);
  return {
    ...hold(session),
    size: parameters.size,
    dropouts: training.dropouts,
    learn: (rows, masks, learningRate, count) => toldBy(learn(rows.features, ...truth.fed(rows), ...drawn(masks), whole, Float32Array.of(learningRate), Float32Array.of(count))),
    measure: (rows, masks, share) => {
      const results = measure(rows.features, ...truth.fed(rows), ...drawn(masks), Float32Array.of(share));
      return { ...toldBy(results), changes: floats(results[2]) };
    },
    evaluate: (rows) => toldBy(evaluate(rows.features, ...truth.fed(rows))),
    predict: (rows) => floats(predict(rows)[0]),
    dispose: () => session.dispose(),
  };
}

const whole = Float32Array.of(1);

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

function trainingPass(graph: Graph, spec: TrainingSpec, parameters: Parameters, features: Value, truth: Truth): TrainingPass {
  const { network } = spec;
  const share = placeholder(graph, 'share', 'float32', []);
  const dropouts = network.layers.flatMap(({ kind, name }) => (kind === 'Dropout' ? [name] : []));
  const seeds = dropouts.length === 0 ? undefined : placeholder(graph, 'seeds', 'int32', [dropouts.length, 2]);
  const seedOf = seeds === undefined ? [] : unstack(seeds, 0);
  const moves = new Map<string, Value>();
  const values = parameters.values();
  const { raw } = forward(network, {
    ...passOver(features, parameters, values),
    training: {
      seed: (layer) => seedOf[dropouts.indexOf(layer)] ?? share,
      move: (layer, name, change) => void moves.set(`${layer}/${name}`, change),
    },
  });
  const judged = judge(spec, truth, raw);
  const learnt = parameters.weights.findIndex(({ role }) => role === 'Statistic');
  const count = learnt < 0 ? values.length : learnt;
  const moved = parameters.weights.slice(count).map(({ layer, name }) => multiply(moves.get(`${layer}/${name}`) ?? share, share));
  return { ...judged, share, seeds, dropouts, changes: [...gradients(raw, multiply(judged.slope, share), values.slice(0, count)), ...moved] };
}

/** Without dropout, by moving statistics. */
function evaluationPass(spec: TrainingSpec, parameters: Parameters, features: Value, truth: Truth): Judged & { readonly outputs: Value } {
  const { raw, final } = forward(spec.network, passOver(features, parameters, parameters.values()));
  return { ...judge(spec, truth, raw), outputs: final };
}
