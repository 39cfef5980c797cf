/** The same training by Keras: what our own layers, losses and optimisers are compared with. */
import { askPython } from '../../../hack/python/venv.ts';
import type { TrainingSpec } from '../../../trainer-image/src/model/graph/training.ts';
import { weightsOf } from '../../../trainer-image/src/model/network.ts';
import { sizeOf } from '../../../trainer-image/src/shape.ts';

export interface KerasCase {
  readonly spec: TrainingSpec;
  /** Flat, as ours are. */
  readonly weights: Float32Array;
  readonly steps: readonly { readonly features: Float32Array; readonly targets: Int32Array | Float32Array; readonly weights?: Float32Array; readonly rate: number }[];
}

export interface KerasResult {
  /** Before each step, without penalties. */
  readonly losses: readonly number[];
  readonly weights: readonly number[];
}

const program = `
import json, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras, numpy as np, tensorflow as tf
L = keras.layers
activations = {'Linear': 'linear', 'ReLU': 'relu', 'Tanh': 'tanh', 'Sigmoid': 'sigmoid', 'ELU': 'elu', 'GELU': 'gelu', 'Softmax': 'softmax'}

def layer_of(one, kernel):
    kind, name = one['kind'], one['name']
    if kind == 'Dense': return L.Dense(one['units'], activations[one['activation']], one['bias'], kernel_regularizer=kernel, name=name)
    if kind == 'Conv':
        made = L.Conv1D if len(one['kernelSize']) == 1 else L.Conv2D
        return made(one['filters'], one['kernelSize'], one['strides'], one['padding'].lower(), activation=activations[one['activation']], use_bias=one['bias'], kernel_regularizer=kernel, name=name)
    if kind == 'MaxPooling': return (L.MaxPooling1D if len(one['poolSize']) == 1 else L.MaxPooling2D)(*([one['poolSize'][0], one['strides'][0]] if len(one['poolSize']) == 1 else [one['poolSize'], one['strides']]), one['padding'].lower(), name=name)
    if kind == 'Flatten': return L.Flatten(name=name)
    if kind == 'Activation': return L.Activation(activations[one['activation']], name=name)
    if kind == 'BatchNormalization': return L.BatchNormalization(momentum=one['momentum'], epsilon=one['epsilon'], name=name)
    if kind == 'Embedding': return L.Embedding(one['rows'], one['dimension'], name=name)
    if kind == 'Columns': return L.Lambda(lambda x: x[:, one['from']:one['to']] + one['offset'], name=name)
    if kind == 'Concatenate': return L.Concatenate(name=name)
    if kind == 'LSTM': return L.LSTM(one['units'], return_sequences=one['sequences'], kernel_regularizer=kernel, recurrent_regularizer=kernel, name=name)
    if kind == 'GRU': return L.GRU(one['units'], return_sequences=one['sequences'], reset_after=one.get('resetAfter', False), kernel_regularizer=kernel, recurrent_regularizer=kernel, name=name)
    raise ValueError(kind)

def optimizer_of(spec, clip):
    own = {'Adam': ['beta1', 'beta2'], 'AdamW': ['beta1', 'beta2'], 'SGD': ['momentum', 'nesterov'], 'RMSprop': ['momentum'], 'Adagrad': []}[spec['name']]
    words = {'beta1': 'beta_1', 'beta2': 'beta_2', 'momentum': 'momentum', 'nesterov': 'nesterov'}
    options = {words[name]: spec[name] for name in own if name in spec}
    if 'weightDecay' in spec: options['weight_decay'] = spec['weightDecay']
    for ours, theirs in [('value', 'clipvalue'), ('norm', 'clipnorm'), ('globalNorm', 'global_clipnorm')]:
        if ours in clip: options[theirs] = clip[ours]
    return getattr(keras.optimizers, spec['name'])(spec['learningRate'], **options)

def run(case):
    network = case['network']
    kernel = keras.regularizers.L1L2(case['l1'], case['l2'])
    values = {'features': keras.Input(network['input'])}
    made = {}
    for one in network['layers']:
        inputs = [values[name] for name in one['inputs']]
        made[one['name']] = layer_of(one, kernel)
        values[one['name']] = made[one['name']](inputs if len(inputs) > 1 else inputs[0])
    model = keras.Model(values['features'], values[network['layers'][-1]['name']])
    variable = {f"{name}/{weight.path.split('/')[-1]}": weight for name, layer in made.items() for weight in layer.weights}
    for weight in case['weights']: variable[weight['name']].assign(np.array(weight['values'], 'float32').reshape(weight['shape']))
    loss = {'CrossEntropy': keras.losses.SparseCategoricalCrossentropy(from_logits=True), 'MSE': keras.losses.MeanSquaredError(), 'MAE': keras.losses.MeanAbsoluteError(), 'Huber': keras.losses.Huber()}[case['loss']]
    optimizer = optimizer_of(case['optimizer'], case['clip'])
    losses = []
    for step in case['steps']:
        x = np.array(step['features'], 'float32').reshape(-1, *network['input'])
        y = x.reshape(len(x), -1) if case['task'] == 'Reconstruction' else np.array(step['targets'], 'int32' if case['task'] == 'Classification' else 'float32').reshape(len(x), *([] if case['task'] == 'Classification' else [1]))
        weights = np.array(step['weights'], 'float32') if 'weights' in step else None
        optimizer.learning_rate.assign(step['rate'])
        with tf.GradientTape() as tape:
            told = loss(y, model(x, training=True), sample_weight=weights)
            whole = told + sum(model.losses) if model.losses else told
        optimizer.apply_gradients(zip(tape.gradient(whole, model.trainable_variables), model.trainable_variables))
        losses.append(float(told))
    return {'losses': losses, 'weights': [float(value) for weight in case['weights'] for value in variable[weight['name']].numpy().ravel()]}

print(json.dumps([run(case) for case in json.load(sys.stdin)]))
`;

export async function trainByKeras(cases: readonly KerasCase[]): Promise<KerasResult[]> {
  return await askPython('keras', program, cases.map(asJson)) as KerasResult[];
}

function asJson({ spec: { network, task, loss, update: { optimizer, clip = {}, l1, l2 } }, weights, steps }: KerasCase): object {
  let at = 0;
  const named = weightsOf(network).map(({ layer, name, shape }) => {
    const values = Array.from(weights.subarray(at, at + sizeOf(shape)));
    at += values.length;
    return { name: `${layer}/${name}`, shape, values };
  });
  return {
    network, task, loss, optimizer, clip, l1, l2,
    weights: named,
    steps: steps.map((step) => ({ rate: step.rate, features: Array.from(step.features), targets: Array.from(step.targets), ...(step.weights === undefined ? {} : { weights: Array.from(step.weights) }) })),
  };
}
