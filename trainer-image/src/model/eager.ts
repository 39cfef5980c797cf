/**
 * Training of a layers model that holds layers which the graph does not know: forward and gradients by TensorFlow.js, op by op. Losses
 * and updates are those of the graph, so that they mean the same.
 */
import type { LayersModel, Scalar, Tensor, Variable } from '@tensorflow/tfjs-node-gpu';
import { tf } from './backend.ts';
import { Graph } from './graph/graph.ts';
import { judge, toldBy, truthInputs } from './graph/judge.ts';
import type { JudgeSpec, Rows, Told } from './graph/judge.ts';
import { multiply } from './graph/ops/arithmetic.ts';
import { placeholder } from './graph/ops/sources.ts';
import { Parameters, floats } from './graph/parameters.ts';
import type { HeldParameters } from './graph/parameters.ts';
import { Session } from './graph/session.ts';
import type { Training } from './graph/training.ts';
import type { UpdateSpec } from './graph/update.ts';
import { layersWithin } from './keras-requirements.ts';
import type { KerasLayer } from './keras-requirements.ts';
import { sizeOf } from '../shape.ts';
import type { Weight } from './network.ts';

export interface EagerSpec extends JudgeSpec {
  /** Ends in a softmax where classes are learnt. Its weights are those of the training from then on. */
  readonly model: LayersModel;
  readonly update: UpdateSpec;
}

export function buildEagerTraining({ model, update, ...spec }: EagerSpec): Training {
  const shapes = { input: model.inputs[0]?.shape.slice(1).map(Number) ?? [], output: model.outputs[0]?.shape.slice(1).map(Number) ?? [] };
  const held = holdOf(model, update, spec, shapes);
  const [learnt, statistics] = [variablesOf(model.trainableWeights), variablesOf(model.nonTrainableWeights)];
  const dropouts = layersWithin(model).filter((layer) => layer.getClassName() === 'Dropout');
  const assign = (flat: Float32Array): void => {
    let at = 0;
    for (const variable of [...learnt, ...statistics]) {
      const part = flat.slice(at, at + variable.size);
      at += variable.size;
      tf.tidy(() => variable.assign(tf.tensor(part, variable.shape)));
    }
  };
  const given = ({ features }: Rows): Tensor => tf.tensor(features, [features.length / sizeOf(shapes.input), ...shapes.input]);
  const raw = (output: Tensor): Tensor => (spec.task === 'Classification' ? tf.log(tf.maximum(output, smallestProbability)) : output);

  const measure = (rows: Rows, seeds: Int32Array, share: number): Told & { readonly changes: Float32Array } => tf.tidy(() => {
    dropouts.forEach((layer, index) => drop(layer, seeds.subarray(2 * index, 2 * index + 2)));
    const before = statistics.map((variable) => variable.clone());
    let told: Told = { loss: NaN, outputs: new Float32Array(0) };
    const descended = tf.customGrad((output, save) => {
      const outputs = output as Tensor;
      const judged = held.judge(rows, outputs.dataSync<'float32'>(), share);
      told = judged;
      (save as (tensors: Tensor[]) => void)([tf.tensor(judged.slope, outputs.shape)]);
      return { value: tf.scalar(judged.loss), gradFunc: (dy: Tensor, [slope]: Tensor[]) => tf.mul(slope ?? dy, dy) };
    });
    const { grads } = tf.variableGrads(() => {
      const penalties = (): Scalar => tf.mul(model.calculateLosses().reduce<Tensor>((sum, loss) => tf.add(sum, loss), tf.scalar(0)), share);
      return tf.add(descended(raw(model.apply(given(rows), { training: true }) as Tensor)), penalties());
    }, learnt);
    const moved = statistics.map((variable, index) => tf.mul(tf.sub(variable, before[index] ?? variable), share));
    // A part of a batch only says what it would change.
    statistics.forEach((variable, index) => variable.assign(before[index] ?? variable));
    const changes = tf.concat1d([...learnt.map((variable) => gradientOf(grads, variable)), ...moved].map((change) => change.flatten()));
    return { ...told, changes: changes.dataSync<'float32'>() };
  });
  const apply = (changes: Float32Array, rate: number, iteration: number): void => {
    held.apply(changes, rate, iteration);
    assign(held.weights());
  };
  const predict = (rows: Rows): Tensor => model.apply(given(rows)) as Tensor;
  return {
    ...held,
    size: model.countParams(),
    dropouts: dropouts.map(({ name }) => name),
    measure,
    apply,
    learn: (rows, seeds, rate, iteration) => {
      const { changes, ...told } = measure(rows, seeds, 1);
      apply(changes, rate, iteration);
      return told;
    },
    evaluate: (rows) => held.judge(rows, tf.tidy(() => raw(predict(rows)).dataSync<'float32'>()), 1),
    predict: (features) => tf.tidy(() => predict({ features, targets: new Float32Array(0) }).dataSync<'float32'>()),
    setWeights: (weights) => {
      held.setWeights(weights);
      assign(weights);
    },
    dispose: () => {
      held.dispose();
      model.dispose();
    },
  };
}

/** As Keras bounds probabilities before it takes their logarithm. */
const smallestProbability = 1e-7;

interface Held extends HeldParameters {
  readonly judge: (rows: Rows, raw: Float32Array, share: number) => Told & { readonly slope: Float32Array };
  readonly dispose: () => void;
}

function holdOf(model: LayersModel, update: UpdateSpec, spec: JudgeSpec, shapes: { readonly input: readonly number[]; readonly output: readonly number[] }): Held {
  const graph = new Graph();
  const parameters = new Parameters(graph, update, [...weightsOf(model.trainableWeights, true), ...weightsOf(model.nonTrainableWeights, false)]);
  const [features, raw, share] = [placeholder(graph, 'features', 'float32', [null, ...shapes.input]), placeholder(graph, 'raw', 'float32', [null, sizeOf(shapes.output)]), placeholder(graph, 'share', 'float32', [])];
  const truth = truthInputs(graph, spec, features);
  const judged = judge(spec, truth, raw);
  const slope = multiply(judged.slope, share);
  const hold = parameters.prepare();
  const session = new Session(graph);
  const run = session.prepare([features, raw, share, ...truth.inputs], [judged.loss, judged.told, slope]);
  return {
    ...hold(session),
    judge: (rows, outputs, part) => {
      const results = run(rows.features, outputs, Float32Array.of(part), ...truth.fed(rows));
      return { ...toldBy(results), slope: floats(results[2]) };
    },
    dispose: () => session.dispose(),
  };
}

type LayerVariables = LayersModel['trainableWeights'];

function weightsOf(variables: LayerVariables, isLearnt: boolean): Weight[] {
  return variables.map(({ originalName, shape }) => {
    const [layer = '', name = originalName] = originalName.split('/');
    return { layer, name, shape: shape.map(Number), initial: 'Zeros', role: isLearnt ? (name.endsWith('kernel') ? 'Kernel' : 'Vector') : 'Statistic' };
  });
}

/** A layer's weight is a Variable; its type only says Tensor. */
function variablesOf(variables: LayerVariables): Variable[] {
  return variables.map((weight) => {
    const variable = weight.read();
    if (variable instanceof tf.Variable) return variable as Variable;
    throw new Error(`${weight.originalName} is no variable.`);
  });
}

/** A weight that the loss does not depend on has none. */
function gradientOf(grads: Readonly<Record<string, Tensor>>, variable: Variable): Tensor {
  return grads[variable.name] ?? tf.zerosLike(variable);
}

/** TensorFlow.js' own draws a mask that cannot be drawn again, or with a seed the same one at every step. */
function drop(layer: KerasLayer, [first = 0, second = 0]: Int32Array): void {
  const rate = Number(layer.getConfig().rate);
  layer.call = (inputs, kwargs) => {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    if (x === undefined) throw new Error('Dropout got no input.');
    // Never 0, which would be no seed.
    return kwargs.training === true ? tf.dropout(x, rate, undefined, ((first ^ second) >>> 1) | 1) : x;
  };
}
