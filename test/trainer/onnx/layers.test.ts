import { expect } from 'chai';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-node-gpu';
import { askPython } from '../../../hack/python/venv.ts';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { gru } from '../../../trainer-image/src/model/gru.ts';
import { artifactsOf } from '../../../trainer-image/src/model/layers-format.ts';
import { exportOnnx } from '../../../trainer-image/src/model/onnx/export.ts';
import { encodeModel } from '../../../trainer-image/src/model/onnx/proto.ts';
import { compare, difference, normals, onnxOf, predictOnnx, predictTf, randomise, rowsFor } from './support.ts';

type Layer = Parameters<ReturnType<typeof tf.sequential>['add']>[0];

/** A model of these layers on rows of a shape. */
function stack(shape: number[], ...layers: Layer[]): LayersModel {
  const input = tf.input({ shape });
  return tf.model({ inputs: input, outputs: layers.reduce((before, layer) => layer.apply(before) as SymbolicTensor, input) });
}

const { layers } = tf;
const image = [9, 7, 3];
const sequence = [6, 4];

const activations = ['linear', 'relu', 'relu6', 'tanh', 'sigmoid', 'hardSigmoid', 'elu', 'selu', 'softplus', 'softsign', 'softmax', 'logSoftmax', 'swish', 'mish', 'gelu', 'gelu_new'] as const;

/** A name, a model, and for one of words how many there are. */
const cases: readonly (readonly [string, () => LayersModel, number?])[] = [
  ['Dense', () => stack([5], layers.dense({ units: 3 }))],
  ['Dense without bias', () => stack([5], layers.dense({ units: 3, useBias: false, activation: 'relu' }))],
  ['Dense on each step', () => stack(sequence, layers.dense({ units: 3, activation: 'tanh' }))],
  ['Dense on each step without bias', () => stack(sequence, layers.dense({ units: 3, useBias: false }))],
  ['Dense on each pixel behind a convolution', () => stack(image, layers.conv2d({ filters: 2, kernelSize: 3 }), layers.dense({ units: 3 }))],
  ...activations.map((activation) => [`the activation ${activation}`, () => stack([5], layers.dense({ units: 4, activation: activation as 'relu' }), layers.activation({ activation: activation as 'relu' }))] as const),
  ['the activation softmax on an image', () => stack(image, layers.conv2d({ filters: 4, kernelSize: 2, activation: 'softmax' }), layers.conv2d({ filters: 2, kernelSize: 2 }))],
  ['Softmax', () => stack([5], layers.softmax())],
  ['Softmax of an image, over its channels', () => stack(image, layers.conv2d({ filters: 2, kernelSize: 2 }), layers.softmax({ axis: 3 }), layers.softmax({ axis: -1 }))],
  ['ReLU', () => stack([5], layers.reLU())],
  ['ReLU with a maximum', () => stack([5], layers.reLU({ maxValue: 0.5 }))],
  ['LeakyReLU', () => stack([5], layers.leakyReLU(), layers.leakyReLU({ alpha: 0.01 }))],
  ['ELU', () => stack([5], layers.elu())],
  ['Conv1D', () => stack(sequence, layers.conv1d({ filters: 5, kernelSize: 3, activation: 'relu' }))],
  ['Conv1D same, strided', () => stack(sequence, layers.conv1d({ filters: 5, kernelSize: 4, strides: 2, padding: 'same', useBias: false }))],
  ['Conv1D dilated', () => stack([12, 2], layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 2, padding: 'same' }), layers.conv1d({ filters: 2, kernelSize: 2, dilationRate: 3 }))],
  ['Conv2D', () => stack(image, layers.conv2d({ filters: 4, kernelSize: [3, 2], activation: 'elu' }))],
  ['Conv2D same, strided', () => stack(image, layers.conv2d({ filters: 4, kernelSize: [4, 3], strides: [2, 3], padding: 'same' }))],
  ['Conv2D same with a stride above its kernel', () => stack(image, layers.conv2d({ filters: 4, kernelSize: 2, strides: 4, padding: 'same' }))],
  ['Conv2D dilated', () => stack(image, layers.conv2d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: 'same', useBias: false }))],
  ['Conv2D of one channel', () => stack([6, 5, 1], layers.conv2d({ filters: 1, kernelSize: 3, padding: 'same' }), layers.flatten(), layers.dense({ units: 2 }))],
  ['DepthwiseConv2D', () => stack(image, layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: [2, 2], padding: 'same', activation: 'relu' }))],
  ['DepthwiseConv2D with a dilation, which it takes no notice of', () => stack(image, layers.depthwiseConv2d({ kernelSize: 2, dilationRate: 2 }))],
  ['SeparableConv2D', () => stack(image, layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'tanh' }))],
  ['Conv2DTranspose', () => stack(image, layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }))],
  ['Conv2DTranspose valid', () => stack(image, layers.conv2dTranspose({ filters: 2, kernelSize: [3, 4], strides: [1, 2] }))],
  ['Conv2DTranspose with strides above its kernel', () => stack([4, 3, 2], layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, padding: 'same' }), layers.conv2dTranspose({ filters: 2, kernelSize: 1, strides: 2 }))],
  ['MaxPooling1D', () => stack(sequence, layers.maxPooling1d({ poolSize: 2 }), layers.maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' }))],
  ['AveragePooling1D', () => stack(sequence, layers.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' }))],
  ['MaxPooling2D', () => stack(image, layers.maxPooling2d({ poolSize: [2, 3], strides: [1, 2] }))],
  ['MaxPooling2D same', () => stack(image, layers.maxPooling2d({ poolSize: 2, padding: 'same' }))],
  ['AveragePooling2D same', () => stack(image, layers.averagePooling2d({ poolSize: 4, strides: 3, padding: 'same' }))],
  ['GlobalAveragePooling1D', () => stack(sequence, layers.globalAveragePooling1d())],
  ['GlobalMaxPooling1D', () => stack(sequence, layers.globalMaxPooling1d({}))],
  ['GlobalAveragePooling2D behind a convolution', () => stack(image, layers.conv2d({ filters: 4, kernelSize: 2 }), layers.globalAveragePooling2d({}))],
  ['GlobalMaxPooling2D', () => stack(image, layers.globalMaxPooling2d({}))],
  ['GlobalMaxPooling1D behind a recurrent layer', () => stack(sequence, layers.gru({ units: 3, returnSequences: true }), layers.globalMaxPooling1d({}))],
  ['Flatten', () => stack(image, layers.flatten())],
  ['Flatten behind a convolution, in the order of Keras', () => stack(image, layers.conv2d({ filters: 4, kernelSize: 2 }), layers.flatten(), layers.dense({ units: 3 }))],
  ['Reshape', () => stack([12], layers.reshape({ targetShape: [2, 6] }), layers.reshape({ targetShape: [3, 2, 2] }), layers.conv2d({ filters: 2, kernelSize: 2 }))],
  ['Reshape with a length that follows', () => stack([4, 3], layers.reshape({ targetShape: [6, -1] }))],
  ['Permute', () => stack(image, layers.permute({ dims: [3, 1, 2] }), layers.dense({ units: 2 }))],
  ['RepeatVector', () => stack([4], layers.repeatVector({ n: 3 }), layers.simpleRNN({ units: 2 }))],
  ['Cropping2D', () => stack(image, layers.cropping2D({ cropping: [[1, 2], [0, 3]] }), layers.conv2d({ filters: 2, kernelSize: 2 }), layers.cropping2D({ cropping: [[1, 0], [1, 1]] }))],
  ['ZeroPadding2D', () => stack(image, layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] }), layers.conv2d({ filters: 2, kernelSize: 2 }), layers.zeroPadding2d())],
  ['UpSampling2D', () => stack(image, layers.upSampling2d({ size: [2, 3] }))],
  ['Dropout and noise', () => stack(sequence, layers.dropout({ rate: 0.5 }), layers.spatialDropout1d({ rate: 0.5 }), layers.gaussianNoise({ stddev: 1 }), layers.gaussianDropout({ rate: 0.5 }), layers.alphaDropout({ rate: 0.5 }), layers.dense({ units: 2 }))],
  ['a model that does nothing', () => stack([4], layers.dropout({ rate: 0.5 }))],
  ['BatchNormalization', () => stack([5], layers.batchNormalization())],
  ['BatchNormalization without gamma or beta', () => stack([5], layers.batchNormalization({ scale: false }), layers.batchNormalization({ center: false, epsilon: 0.1 }))],
  ['BatchNormalization behind a convolution', () => stack(image, layers.conv2d({ filters: 4, kernelSize: 2 }), layers.batchNormalization(), layers.activation({ activation: 'relu' }), layers.maxPooling2d({ poolSize: 2 }))],
  ['BatchNormalization over an inner axis', () => stack(image, layers.batchNormalization({ axis: 1 }))],
  ['LayerNormalization', () => stack(sequence, layers.layerNormalization())],
  ['LayerNormalization over two axes', () => stack(sequence, layers.layerNormalization({ axis: [1, 2], scale: false }))],
  ['Rescaling', () => stack(sequence, layers.rescaling({ scale: 1 / 255, offset: -0.5 }))],
  ['Embedding of some columns of a row', () => stack([6], layers.reshape({ targetShape: [6, 1, 1] }), layers.cropping2D({ cropping: [[2, 1], [0, 0]] }), layers.reshape({ targetShape: [3] }),
    layers.rescaling({ scale: 1, offset: 1 }), layers.embedding({ inputDim: 10, outputDim: 4 }), layers.flatten(), layers.dense({ units: 2 })), 9],
  ['Embedding', () => stack([6], layers.embedding({ inputDim: 10, outputDim: 4 }), layers.lstm({ units: 3 })), 10],
  ['LSTM', () => stack(sequence, layers.lstm({ units: 5 }))],
  ['LSTM of all steps', () => stack(sequence, layers.lstm({ units: 5, returnSequences: true }), layers.lstm({ units: 2, recurrentActivation: 'sigmoid', useBias: false }))],
  ['LSTM with other activations', () => stack(sequence, layers.lstm({ units: 3, activation: 'relu', recurrentActivation: 'tanh' }), layers.dense({ units: 2 }))],
  ['GRU', () => stack(sequence, layers.gru({ units: 5 }))],
  ['GRU of all steps', () => stack(sequence, layers.gru({ units: 5, returnSequences: true }), layers.gru({ units: 2, recurrentActivation: 'sigmoid', activation: 'linear', useBias: false }))],
  ['SimpleRNN', () => stack(sequence, layers.simpleRNN({ units: 3, returnSequences: true }), layers.simpleRNN({ units: 2, activation: 'elu' }))],
  ['GRU that resets after, also without bias and both ways', () => stack(sequence, gru({ units: 3, resetAfter: true, returnSequences: true }), gru({ units: 4, resetAfter: true, useBias: false, returnSequences: true }), layers.bidirectional({ layer: gru({ units: 2, resetAfter: true }), mergeMode: 'concat' }))],
  ['recurrent layers that go backwards', () => stack(sequence, layers.gru({ units: 3, goBackwards: true, returnSequences: true }), layers.lstm({ units: 3, goBackwards: true }))],
  ...(['concat', 'sum', 'mul', 'ave'] as const).map((mergeMode) => [`Bidirectional, ${mergeMode}`, () => stack(sequence,
    layers.bidirectional({ layer: layers.lstm({ units: 3, returnSequences: true }), mergeMode }), layers.bidirectional({ layer: layers.gru({ units: 2 }), mergeMode }))] as const),
  ['TimeDistributed', () => stack(sequence, layers.timeDistributed({ layer: layers.dense({ units: 3, activation: 'relu' }) }))],
  ['layers of one unit', () => stack([1, 1], layers.lstm({ units: 1, returnSequences: true }), layers.gru({ units: 1 }), layers.dense({ units: 1 }))],
];

/** Two branches, and what joins them. */
function joined(shape: number[], join: (branches: SymbolicTensor[]) => SymbolicTensor): LayersModel {
  const input = tf.input({ shape });
  const branch = (units: number): SymbolicTensor => layers.dense({ units, activation: 'tanh' }).apply(input) as SymbolicTensor;
  return tf.model({ inputs: input, outputs: join([branch(4), branch(4)]) });
}

const merged = (layer: Layer) => (branches: SymbolicTensor[]): SymbolicTensor => layer.apply(branches) as SymbolicTensor;

const graphs: readonly (readonly [string, () => LayersModel])[] = [
  ['Add', () => joined([3], merged(layers.add()))],
  ['Multiply', () => joined(sequence, merged(layers.multiply()))],
  ['Average', () => joined([3], merged(layers.average()))],
  ['Maximum', () => joined([3], merged(layers.maximum()))],
  ['Minimum', () => joined([3], merged(layers.minimum()))],
  ['Concatenate', () => joined([3], merged(layers.concatenate()))],
  ['Concatenate over steps', () => joined(sequence, merged(layers.concatenate({ axis: 1 })))],
  ['Add of images with channels first and last', () => {
    const input = tf.input({ shape: image });
    const conv = layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }).apply(input) as SymbolicTensor;
    const residual = layers.add().apply([conv, input]) as SymbolicTensor;
    const both = layers.concatenate().apply([conv, layers.conv2d({ filters: 2, kernelSize: 1 }).apply(residual) as SymbolicTensor]) as SymbolicTensor;
    return tf.model({ inputs: input, outputs: layers.globalAveragePooling2d({}).apply(both) as SymbolicTensor });
  }],
  ['a merge that spreads a row over the steps', () => {
    const input = tf.input({ shape: sequence });
    const row = layers.globalAveragePooling1d().apply(input) as SymbolicTensor;
    return tf.model({ inputs: input, outputs: layers.multiply().apply([input, row]) as SymbolicTensor });
  }],
  ['two inputs and two outputs, one of them an input', () => {
    const [a, b] = [tf.input({ shape: [3], name: 'left' }), tf.input({ shape: [2], name: 'right' })];
    const both = layers.concatenate().apply([a, b]) as SymbolicTensor;
    return tf.model({ inputs: [a, b], outputs: [layers.dense({ units: 2 }).apply(both) as SymbolicTensor, b] });
  }],
  ['a layer that is called twice', () => {
    const input = tf.input({ shape: [4] });
    const shared = layers.dense({ units: 4, activation: 'tanh' });
    const once = shared.apply(input) as SymbolicTensor;
    return tf.model({ inputs: input, outputs: layers.add().apply([once, shared.apply(once) as SymbolicTensor]) as SymbolicTensor });
  }],
  ['a normalisation that is called on both orders of the axes', () => {
    const input = tf.input({ shape: [5, 5, 3] });
    const shared = layers.batchNormalization();
    const conv = layers.conv2d({ filters: 3, kernelSize: 1 }).apply(shared.apply(input)) as SymbolicTensor;
    return tf.model({ inputs: input, outputs: shared.apply(conv) as SymbolicTensor });
  }],
  ['one value as two outputs', () => {
    const input = tf.input({ shape: [4] });
    const hidden = layers.dense({ units: 2 }).apply(input) as SymbolicTensor;
    return tf.model({ inputs: input, outputs: [hidden, layers.activation({ activation: 'relu' }).apply(hidden) as SymbolicTensor, layers.dropout({ rate: 0.1 }).apply(hidden) as SymbolicTensor] });
  }],
  ['a Sequential', () => tf.sequential({ layers: [layers.dense({ units: 3, inputShape: [4], activation: 'relu' }), layers.dense({ units: 2 })] })],
  ['a Sequential with an InputLayer', () => tf.sequential({ layers: [layers.inputLayer({ inputShape: [4] }), layers.dense({ units: 2 })] })],
  ['models within a model, one of them called twice', () => {
    const encoder = tf.sequential({ layers: [layers.dense({ units: 4, inputShape: [4], activation: 'gelu' })] });
    const x = tf.input({ shape: [4] });
    const inner = tf.model({ inputs: x, outputs: layers.add().apply([x, layers.dense({ units: 4 }).apply(x) as SymbolicTensor]) as SymbolicTensor });
    const input = tf.input({ shape: [4] });
    const once = encoder.apply(input) as SymbolicTensor;
    const twice = encoder.apply(inner.apply(once)) as SymbolicTensor;
    return tf.model({ inputs: input, outputs: layers.concatenate().apply([once, twice]) as SymbolicTensor });
  }],
  ['a Sequential that begins with a model', () => tf.sequential({ layers: [tf.sequential({ layers: [layers.dense({ units: 3, inputShape: [4] })] }), layers.dense({ units: 2 })] })],
];

/** onnx's own checker with its shape inference in strict mode. */
const check = `
import base64, json, sys
import onnx
from onnx import checker, shape_inference
told = []
for name, data in json.load(sys.stdin):
    model = onnx.load_from_string(base64.b64decode(data))
    checker.check_model(model, full_check=True)
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    ports = lambda values: [[d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in values]
    unknown = [value.name for value in inferred.graph.value_info if not value.type.tensor_type.HasField('shape')]
    told.append({'name': name, 'inputs': ports(inferred.graph.input), 'outputs': ports(inferred.graph.output), 'unknown': unknown, 'opset': model.opset_import[0].version, 'ir': model.ir_version})
print(json.dumps(told))
`;

describe('the export to ONNX', function suite() {
  this.timeout(120_000);
  const files: [string, string][] = [];

  for (const [name, build, words] of [...cases, ...graphs]) {
    it(`computes what TensorFlow.js does: ${name}`, async () => {
      const model = build();
      const { bytes, worst } = await compare(model, 1, words);
      files.push([name, Buffer.from(bytes).toString('base64')]);
      expect(worst).to.be.below(1e-5);
      model.dispose();
    });
  }

  it("is accepted by onnx's checker and its shape inference, with a batch of any size", async () => {
    const told = await askPython('science', check, files) as { name: string; inputs: (string | number)[][]; outputs: (string | number)[][]; unknown: string[]; opset: number; ir: number }[];
    expect(told).to.have.length(cases.length + graphs.length);
    for (const { name, inputs, outputs, unknown, opset, ir } of told) {
      for (const shape of [...inputs, ...outputs]) {
        expect(shape[0], name).to.equal('batch');
        expect(shape.slice(1).every((length) => typeof length === 'number' && length > 0), name).to.equal(true);
      }
      expect({ unknown, opset, ir }, name).to.deep.equal({ unknown: [], opset: 17, ir: 8 });
    }
  });

  it('takes no rows and gives none', async () => {
    const model = stack(image, layers.conv2d({ filters: 2, kernelSize: 2 }), layers.flatten(), layers.dense({ units: 3 }), layers.softmax());
    const [output] = await predictOnnx(encodeModel(await onnxOf(model)), [{ shape: [0, ...image], data: new Float32Array(0) }]);
    expect(output?.shape).to.deep.equal([0, 3]);
    model.dispose();
  });

  it('gives the same bytes for the same model', async () => {
    const model = stack(image, layers.conv2d({ filters: 2, kernelSize: 2 }), layers.batchNormalization(), layers.flatten(), layers.dense({ units: 3 }));
    expect(Buffer.from(encodeModel(await onnxOf(model))).equals(encodeModel(await onnxOf(model)))).to.equal(true);
    model.dispose();
  });

  it('keeps the digits of columns that were not scaled, as TensorFlow.js does', async () => {
    const model = stack([3], layers.batchNormalization(), layers.dense({ units: 2 }));
    randomise(model, 3);
    model.setWeights(model.weights.map((weight) => (weight.originalName.endsWith('moving_mean') ? tf.tensor1d([1e6, -3e5, 1e5]) : weight.read())));
    const data = normals(3 * 8, 3, 'rows').map((value, place) => value + ([1e6, -3e5, 1e5][place % 3] ?? 0));
    const inputs = [{ shape: [8, 3], data }];
    const [output] = await predictOnnx(encodeModel(await onnxOf(model)), inputs);
    expect(difference(predictTf(model, inputs)[0] ?? new Float32Array(0), output?.data ?? new Float32Array(0))).to.be.below(1e-5);
    model.dispose();
  });

  it('refuses a word that is not there, as TensorFlow.js does', async () => {
    const model = stack([2], layers.embedding({ inputDim: 5, outputDim: 2 }));
    const bytes = encodeModel(await onnxOf(model));
    for (const word of [-1, 5]) {
      const inputs = [{ shape: [1, 2], data: Float32Array.of(0, word) }];
      expect(() => predictTf(model, inputs)).to.throw();
      const refused = await predictOnnx(bytes, inputs).then(() => false, () => true);
      expect(refused).to.equal(true);
    }
    model.dispose();
  });

  it('transposes an image once before its convolutions and once behind them', async () => {
    const model = stack(image, layers.conv2d({ filters: 2, kernelSize: 2 }), layers.batchNormalization(), layers.activation({ activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }), layers.dropout({ rate: 0.2 }), layers.conv2d({ filters: 2, kernelSize: 2 }), layers.flatten(), layers.dense({ units: 2 }));
    const ops = (await onnxOf(model)).nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'Transpose')).to.have.length(2);
    model.dispose();
  });

  it('needs no transpose between recurrent layers, nor for an image of one channel', async () => {
    const recurrent = stack(sequence, layers.lstm({ units: 2, returnSequences: true }), layers.gru({ units: 2, returnSequences: true }), layers.dense({ units: 2 }), layers.lstm({ units: 2 }));
    expect((await onnxOf(recurrent)).nodes.filter(({ op }) => op === 'Transpose')).to.have.length(1);
    const grey = stack([6, 5, 1], layers.conv2d({ filters: 2, kernelSize: 2 }));
    expect((await onnxOf(grey)).nodes.map(({ op }) => op)).to.deep.equal(['Reshape', 'Conv', 'Transpose']);
    recurrent.dispose();
    grey.dispose();
  });

  const unknown: readonly (readonly [string, () => LayersModel, string, RegExp])[] = [
    ['a layer of another kind', () => stack(sequence, layers.masking({ maskValue: 0 })), 'Masking', /has no export to ONNX/],
    ['channels first', () => stack([3, 4, 4], layers.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' })), 'MaxPooling2D', /has data_format: channels_first/],
    ['a mask', () => stack([4], layers.embedding({ inputDim: 5, outputDim: 2, maskZero: true }), layers.lstm({ units: 2 })), 'Embedding', /masks what is 0/],
    ['bilinear resizing', () => stack(image, layers.upSampling2d({ interpolation: 'bilinear' })), 'UpSampling2D', /has interpolation: bilinear/],
    ['a softmax over the first axis, which TensorFlow.js cannot compute either', () => stack(sequence, layers.softmax()), 'Softmax', /normalises over axis 1/],
    ['an activation that no recurrent operator has', () => stack(sequence, layers.lstm({ units: 2, activation: 'selu' })), 'LSTM', /has activation: selu/],
    ['a normalisation over the first axis alone', () => stack(sequence, layers.layerNormalization({ axis: 1 })), 'LayerNormalization', /are not the last/],
    ['a layer at each step that is none of those', () => stack([3, 4, 4, 1], layers.timeDistributed({ layer: layers.flatten() })), 'TimeDistributed', /has a Flatten at each step/],
    ['rows of any length', () => stack([null as unknown as number, 3], layers.lstm({ units: 2 })), 'InputLayer', /takes inputs of any length/],
  ];
  for (const [what, build, className, why] of unknown) {
    it(`says which layer it does not know: ${what}`, async () => {
      const model = build();
      const exported = exportOnnx(await artifactsOf(model));
      expect(exported).to.include({ kind: 'Unsupported', className });
      expect(exported.kind === 'Unsupported' && exported.why).to.match(why);
      model.dispose();
    });
  }

  it('says so where the weights are not those of the list', async () => {
    const model = stack([3], layers.dense({ units: 2 }));
    const artifacts = await artifactsOf(model);
    expect(() => exportOnnx({ ...artifacts, weightData: artifacts.weightData.slice(4) })).to.throw(/are not those of the manifest/);
    expect(() => exportOnnx({ ...artifacts, weightSpecs: artifacts.weightSpecs.slice(1), weightData: artifacts.weightData.slice(24) })).to.throw(/has no weight ".*kernel"/);
    model.dispose();
  });

  it('reads a model that was saved by Keras, which wraps its topology', async () => {
    const model = stack([3], layers.dense({ units: 2 }));
    const { topology, ...weights } = await artifactsOf(model);
    expect(exportOnnx({ topology: { keras_version: '2.15', backend: 'tensorflow', model_config: topology }, ...weights })).to.deep.equal(exportOnnx({ topology, ...weights }));
    expect(rowsFor(model, 1, 1)).to.have.length(1);
    model.dispose();
  });
});
