/** One step of an optimiser for one weight, by the definitions of Keras 3. */
import { attribute } from './graph.ts';
import type { Node, Value } from './graph.ts';
import { add, divide, multiply, power, square, squareRoot } from './ops/arithmetic.ts';
import { assign, read, scalar } from './ops/sources.ts';
import type { Variable } from './ops/sources.ts';

export interface OptimizerSpec {
  readonly name: 'Adam' | 'AdamW' | 'SGD' | 'RMSprop' | 'Adagrad';
  readonly learningRate: number;
  /** SGD and RMSprop. */
  readonly momentum?: number;
  /** SGD. */
  readonly nesterov?: boolean;
  /** Share of the learning rate by which a step shrinks all weights, beside the gradient; 0.004 for AdamW when unset, else 0. */
  readonly weightDecay?: number;
  /** Adam and AdamW. */
  readonly beta1?: number;
  readonly beta2?: number;
}

/** What changes from step to step, float32 scalars. */
export interface StepInputs {
  readonly rate: Value;
  /** Of this step, from 1. */
  readonly iteration: Value;
}

export interface Rule {
  /** With what each number that is kept beside a weight begins. */
  readonly slots: readonly number[];
  /** @returns the node that changes the weight; it runs after those given */
  step(weight: Variable, slots: readonly Variable[], gradient: Value, inputs: StepInputs, after: readonly Node[]): Node;
}

const epsilon = 1e-7;
const type = { T: attribute.type('float32') };

export function ruleOf(spec: OptimizerSpec): Rule {
  switch (spec.name) {
    case 'Adam':
    case 'AdamW': return adam(spec.beta1 ?? 0.9, spec.beta2 ?? 0.999);
    case 'SGD': return sgd(spec.momentum ?? 0, spec.nesterov ?? false);
    case 'RMSprop': return rmsprop(spec.momentum ?? 0);
    case 'Adagrad': return adagrad;
  }
}

export const weightDecayOf = ({ name, weightDecay }: OptimizerSpec): number => weightDecay ?? (name === 'AdamW' ? 0.004 : 0);

/** Kingma and Ba (2015), the formulation before section 2.1, whose epsilon is not the one of algorithm 1. */
function adam(beta1: number, beta2: number): Rule {
  return {
    slots: [0, 0],
    step: (weight, slots, gradient, { rate, iteration }, after) => {
      const { graph } = gradient;
      const betas = [beta1, beta2].map((beta) => scalar(graph, beta));
      return apply('ResourceApplyAdam', weight, slots, [...betas.map((beta) => power(beta, iteration)), rate, ...betas, scalar(graph, epsilon), gradient], after);
    },
  };
}

/** v ← momentum v - rate g; w ← w + v, or with Nesterov's look ahead w ← w + momentum v - rate g (Sutskever et al., 2013). */
function sgd(momentum: number, nesterov: boolean): Rule {
  if (momentum === 0) return { slots: [], step: (weight, _, gradient, { rate }, after) => apply('ResourceApplyGradientDescent', weight, [], [rate, gradient], after) };
  return {
    slots: [0],
    step: (weight, slots, gradient, { rate }, after) =>
      apply('ResourceApplyKerasMomentum', weight, slots, [rate, gradient, scalar(gradient.graph, momentum)], after, { use_nesterov: attribute.bool(nesterov) }),
  };
}

/** Tieleman and Hinton (2012), lecture 6.5, with a decay of 0.9. */
function rmsprop(momentum: number): Rule {
  return {
    slots: [0, 0],
    step: (weight, slots, gradient, { rate }, after) => {
      const [decay, kept, small] = [0.9, momentum, epsilon].map((value) => scalar(gradient.graph, value)) as [Value, Value, Value];
      return apply('ResourceApplyRMSProp', weight, slots, [rate, decay, kept, small, gradient], after);
    },
  };
}

/** Duchi et al. (2011). TensorFlow's own kernel has the epsilon outside of the root. */
const adagrad: Rule = {
  slots: [0.1],
  step: (weight, [accumulator], gradient, { rate }, after) => {
    if (accumulator === undefined) throw new Error('Adagrad lacks its accumulator.');
    const sum = add(read(accumulator), square(gradient));
    const change = divide(multiply(rate, gradient), squareRoot(add(sum, scalar(gradient.graph, epsilon))));
    return assign('subtract', weight, change, [...after, assign('set', accumulator, sum)]);
  },
};

function apply(op: string, weight: Variable, slots: readonly Variable[], values: readonly Value[], after: readonly Node[], attributes = {}): Node {
  return weight.handle.graph.add(op, { inputs: [weight, ...slots].map(({ handle }) => handle).concat(values), attributes: { ...type, ...attributes }, after });
}
