import { expect } from 'chai';
import fc from 'fast-check';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-node-gpu';
import { tf } from '../../../trainer-image/src/model/backend.ts';
import { compare } from './support.ts';

const { layers } = tf;
type Layer = InstanceType<typeof tf.layers.Layer>;

/** One layer of a random network: which of those that fit, and numbers that its settings are made from. */
interface Choice {
  readonly kind: number;
  readonly size: number;
  readonly stride: number;
  readonly same: boolean;
  readonly flag: boolean;
  readonly activation: 'relu' | 'tanh' | 'sigmoid' | 'elu' | 'selu' | 'softplus' | 'gelu' | 'hardSigmoid' | 'softmax' | 'linear';
}

const choice: fc.Arbitrary<Choice> = fc.record({
  kind: fc.nat(99),
  size: fc.integer({ min: 1, max: 4 }),
  stride: fc.integer({ min: 1, max: 3 }),
  same: fc.boolean(),
  flag: fc.boolean(),
  activation: fc.constantFrom('relu', 'tanh', 'sigmoid', 'elu', 'selu', 'softplus', 'gelu', 'hardSigmoid', 'softmax', 'linear'),
});

const startShape = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 9 })),
  fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5 })),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 })),
);

/** Layers that can follow a value, by the number of its axes; a window is never larger than what it goes over. */
function following(x: SymbolicTensor, { size, stride, same, flag, activation: name }: Choice): (() => SymbolicTensor)[] {
  const activation = name as 'relu';
  const to = (layer: Layer) => (): SymbolicTensor => layer.apply(x) as SymbolicTensor;
  const padding = same ? 'same' : 'valid';
  const row = x.shape.slice(1) as number[];
  const space = row.slice(0, -1);
  const kernel = space.map((length) => Math.min(size, length));
  const dilation = stride === 1 && !same && space.every((length, axis) => length > ((kernel[axis] ?? 1) - 1) * 2) ? 2 : 1;
  const anywhere = [
    to(layers.dense({ units: size, activation, useBias: flag })),
    to(layers.batchNormalization({ center: flag, scale: same })),
    to(layers.layerNormalization()),
    to(layers.activation({ activation })),
    to(layers.dropout({ rate: 0.3 })),
    (): SymbolicTensor => layers.add().apply([x, layers.dense({ units: row.at(-1) ?? 1 }).apply(x) as SymbolicTensor]) as SymbolicTensor,
    (): SymbolicTensor => layers.concatenate().apply([layers.activation({ activation }).apply(x) as SymbolicTensor, x]) as SymbolicTensor,
  ];
  switch (row.length) {
    case 1: return [...anywhere, to(layers.repeatVector({ n: size })), to(layers.reshape({ targetShape: [row[0] ?? 1, 1] }))];
    case 2: return [
      ...anywhere,
      to(layers.conv1d({ filters: size, kernelSize: kernel, strides: stride, padding, activation, useBias: flag, dilationRate: dilation })),
      to(layers.maxPooling1d({ poolSize: kernel[0] ?? 1, strides: stride, padding })),
      to(layers.averagePooling1d({ poolSize: kernel[0] ?? 1, strides: stride, padding })),
      to(layers.lstm({ units: size, returnSequences: flag, recurrentActivation: same ? 'sigmoid' : 'hardSigmoid' })),
      to(layers.gru({ units: size, returnSequences: flag, recurrentActivation: same ? 'sigmoid' : 'hardSigmoid', useBias: same })),
      to(layers.bidirectional({ layer: layers.gru({ units: size, returnSequences: flag }), mergeMode: same ? 'concat' : 'ave' })),
      to(flag ? layers.globalAveragePooling1d() : layers.globalMaxPooling1d({})),
      to(layers.permute({ dims: [2, 1] })),
      to(layers.reshape({ targetShape: [...row, 1] })),
      to(layers.flatten()),
    ];
    default: return [
      ...anywhere,
      to(layers.conv2d({ filters: size, kernelSize: kernel, strides: stride, padding, activation, useBias: flag, dilationRate: dilation })),
      to(layers.depthwiseConv2d({ kernelSize: kernel as [number, number], depthMultiplier: size, strides: [stride, stride], padding, activation })),
      to(layers.conv2dTranspose({ filters: size, kernelSize: kernel, strides: stride, padding, activation })),
      to(layers.maxPooling2d({ poolSize: kernel as [number, number], strides: [stride, stride], padding })),
      to(layers.averagePooling2d({ poolSize: kernel as [number, number], strides: [stride, stride], padding })),
      to(layers.zeroPadding2d({ padding: [[size, 0], [0, stride]] })),
      to(layers.upSampling2d({ size: [stride, size] })),
      to(layers.permute({ dims: [3, 1, 2] })),
      to(flag ? layers.globalAveragePooling2d({}) : layers.globalMaxPooling2d({})),
      to(layers.reshape({ targetShape: [space.reduce((product, length) => product * length, 1), row.at(-1) ?? 1] })),
      to(layers.flatten()),
    ];
  }
}

function network(shape: number[], choices: readonly Choice[]): LayersModel {
  const input = tf.input({ shape });
  const output = choices.reduce((x, chosen) => {
    const possible = following(x, chosen);
    const next = possible[chosen.kind % possible.length]?.() ?? x;
    // Upsampling and transposed convolutions would grow without end.
    return next.shape.slice(1).reduce((product: number, length) => product * (length ?? 1), 1) > 5000 ? x : next;
  }, input);
  return tf.model({ inputs: input, outputs: output });
}

describe('the export of random networks to ONNX', function suite() {
  this.timeout(300_000);

  it('computes what TensorFlow.js does', async () => {
    await fc.assert(fc.asyncProperty(startShape, fc.array(choice, { minLength: 1, maxLength: 6 }), fc.integer(), async (shape, choices, seed) => {
      const model = network([...shape], choices);
      const { worst } = await compare(model, seed, undefined, [1, 3]);
      model.dispose();
      expect(worst).to.be.below(1e-5);
    }), { numRuns: 150 });
  });
});
