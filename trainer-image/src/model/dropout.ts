/** Dropout whose mask depends on (seed, layer, step, shard) and on nothing else, so that a resumed step drops what the first try dropped. */
import type { Shape, Tensor } from '@tensorflow/tfjs-node-gpu';
import { derivedSeed } from '../data/random.ts';
import { tf } from './backend.ts';

export interface DropoutConfig {
  readonly name: string;
  /** Share that is dropped, 0 to below 1. */
  readonly rate: number;
  readonly seed: number;
}

/** tfjs' own layer draws an unseeded mask, or with a seed the same one at every step. */
export class StepDropout extends tf.layers.Layer {
  /** Saved as the standard layer: at inference both pass values through. */
  static readonly className = 'Dropout';
  private readonly rate: number;
  private readonly seed: number;
  /** Step, and shard where a batch is cut into several; set before each pass. */
  draw: readonly number[] = [0];

  constructor(config: DropoutConfig) {
    super({ name: config.name });
    this.rate = config.rate;
    this.seed = config.seed;
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    if (x === undefined) throw new Error('Dropout got no input.');
    return kwargs.training === true ? tf.dropout(x, this.rate, undefined, derivedSeed(this.seed, this.name, ...this.draw)) : x;
  }

  override getConfig(): ReturnType<InstanceType<typeof tf.layers.Layer>['getConfig']> {
    return { ...super.getConfig(), rate: this.rate };
  }
}
