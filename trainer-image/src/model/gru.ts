/**
 * Keras' GRU whose reset gate acts after the product with the recurrent kernel, which is what Keras has unless it is told. TensorFlow.js has
 * only the other form and refuses this one. The class here takes the place of its own wherever layers are read from JSON. Weights and settings
 * are those of Keras, so that a saved model is what Keras' converter would write; TensorFlow.js alone says that it cannot compute it.
 */
import type { Tensor, serialization } from '@tensorflow/tfjs-node-gpu';
import { tf } from './backend.ts';

type GruCell = ReturnType<typeof tf.layers.gruCell>;
type Settings = Parameters<typeof tf.layers.gru>[0] & Parameters<typeof tf.layers.gruCell>[0];

/** Its cells are there to be made, its class is not exported. */
const OwnCell = tf.layers.gruCell({ units: 1 }).constructor as new (settings: Settings) => GruCell;

class ResetAfterCell extends OwnCell {
  static className = 'GRUCell';

  constructor(settings: Settings) {
    super({ ...settings, resetAfter: false });
  }

  static fromConfig<T extends serialization.Serializable>(_class: serialization.SerializableConstructor<T>, config: serialization.ConfigDict): T {
    const settings = config as unknown as Settings;
    return (settings.resetAfter === true ? new ResetAfterCell(settings) : tf.layers.gruCell(settings)) as unknown as T;
  }

  override build(shape: number[]): void {
    const gates = 3 * this.units;
    this.kernel = this.addWeight('kernel', [shape.at(-1) ?? 0, gates], undefined, this.kernelInitializer, this.kernelRegularizer, true, this.kernelConstraint);
    this.recurrentKernel = this.addWeight('recurrent_kernel', [this.units, gates], undefined, this.recurrentInitializer, this.recurrentRegularizer, true, this.recurrentConstraint);
    // Of the inputs, and of the state.
    if (this.useBias) this.bias = this.addWeight('bias', [2, gates], undefined, this.biasInitializer, this.biasRegularizer, true, this.biasConstraint);
    this.built = true;
  }

  /** One step. Its own dropout, which would draw at random, is never asked for. */
  override call([input, state]: Tensor[]): Tensor[] {
    return tf.tidy(() => {
      if (input === undefined || state === undefined) throw new Error('A cell takes an input and a state.');
      const [bias, recurrentBias] = this.useBias ? tf.unstack(this.bias.read()) : [];
      const [z, r, candidate] = this.gates(input, this.kernel.read(), bias);
      const [recurrentZ, recurrentR, recurrentCandidate] = this.gates(state, this.recurrentKernel.read(), recurrentBias);
      const update = this.recurrentActivation.apply(tf.add(z, recurrentZ));
      const reset = this.recurrentActivation.apply(tf.add(r, recurrentR));
      const proposed = this.activation.apply(tf.add(candidate, tf.mul(reset, recurrentCandidate)));
      const next = tf.add(tf.mul(update, state), tf.mul(tf.sub(1, update), proposed));
      return [next, next];
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), resetAfter: true };
  }

  private gates(x: Tensor, kernel: Tensor, bias: Tensor | undefined): [Tensor, Tensor, Tensor] {
    const product = tf.matMul(x, kernel);
    return tf.split(bias === undefined ? product : tf.add(product, bias), 3, 1) as [Tensor, Tensor, Tensor];
  }
}

class KerasGru extends tf.layers.RNN {
  static override className = 'GRU';

  constructor(settings: Settings) {
    super({ ...settings, cell: new ResetAfterCell(settings) });
  }

  static override fromConfig<T extends serialization.Serializable>(_class: serialization.SerializableConstructor<T>, config: serialization.ConfigDict): T {
    return gru(config as unknown as Settings) as unknown as T;
  }
}

tf.serialization.registerClass(ResetAfterCell);
tf.serialization.registerClass(KerasGru);

/** The layer in the form that `resetAfter` says. */
export function gru(settings: Settings): InstanceType<typeof tf.layers.RNN> {
  return settings.resetAfter === true ? new KerasGru(settings) : tf.layers.gru(settings);
}
