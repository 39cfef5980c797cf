/** From the gradient of a loss to new weights: penalties, clipping, decay, the optimiser's step, and moving statistics. */
import type { Weight } from '../network.ts';
import type { Graph, Node, Value } from './graph.ts';
import { divide, maximum, minimum, multiply, scale, sign, square, squareRoot, sumOf } from './ops/arithmetic.ts';
import { concat, reduce, reshape, split } from './ops/shape.ts';
import { assign, copy, fill, read, scalar, variable } from './ops/sources.ts';
import type { Variable } from './ops/sources.ts';
import { ruleOf, weightDecayOf } from './optimizers.ts';
import type { OptimizerSpec, StepInputs } from './optimizers.ts';
import { sizeOf } from '../../shape.ts';

/** At most one of them. */
export interface Clip {
  /** Bound of each number. */
  readonly value?: number;
  /** Bound of the length of each weight's gradient. */
  readonly norm?: number;
  /** Bound of the length of the whole gradient. */
  readonly globalNorm?: number;
}

export interface UpdateSpec {
  readonly optimizer: OptimizerSpec;
  readonly clip?: Clip;
  /** Added to the loss that is descended, not to the one that is told: l1 Σ|w| + l2 Σw² over kernels. */
  readonly l1: number;
  readonly l2: number;
}

/** A vector of numbers for each of some weights, as variables; outside of a run they are one flat vector. */
export class VariableGroup {
  readonly variables: readonly Variable[];
  private readonly graph: Graph;

  constructor(graph: Graph, name: string, shapes: readonly (readonly number[])[]) {
    this.graph = graph;
    this.variables = shapes.map((shape, index) => variable(graph, `${name}_${index}`, shape));
  }

  get size(): number {
    return this.variables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  flat(): Value {
    return flattened(this.graph, this.variables.map(read));
  }

  /** Parts of a flat vector in the shapes of the variables. */
  parts(flat: Value): readonly Value[] {
    return split(flat, this.variables.map(({ shape }) => sizeOf(shape)), 0).map((part, index) => reshape(part, this.variables[index]?.shape ?? []));
  }

  set(flat: Value): readonly Node[] {
    const parts = this.parts(copy(flat));
    return this.variables.map((one, index) => assign('set', one, parts[index] ?? flat));
  }

  fill(value: number): readonly Node[] {
    return this.variables.map((one) => assign('set', one, fill(this.graph, one.shape, value)));
  }
}

export function flattened(graph: Graph, values: readonly Value[]): Value {
  const [first, ...rest] = values.map((value) => reshape(value, [null]));
  return first === undefined ? fill(graph, [0], 0) : concat([first, ...rest], 0);
}

export interface Update {
  /** Flat vectors that the optimiser keeps, in the order of the learnt weights. */
  readonly slots: readonly VariableGroup[];
  /** Nodes that set the slots to what they begin with. */
  begin(): readonly Node[];
  /**
   * Nodes that do one step.
   * @param changes  of each weight: the gradient, and for a statistic what is added to it
   */
  step(changes: readonly Value[], inputs: StepInputs): readonly Node[];
}

/** @param weights  as in `held`, which holds them: the learnt ones, then statistics */
export function buildUpdate(graph: Graph, { optimizer, clip, l1, l2 }: UpdateSpec, weights: readonly Weight[], held: VariableGroup): Update {
  const rule = ruleOf(optimizer);
  const decay = weightDecayOf(optimizer);
  const learnt = weights.filter(({ role }) => role !== 'Statistic');
  const slots = rule.slots.map((_, index) => new VariableGroup(graph, `slot_${index}`, learnt.map(({ shape }) => shape)));
  const values = held.variables.map(read);

  const penalised = (gradient: Value, index: number): Value => {
    const value = values[index];
    if (value === undefined || weights[index]?.role !== 'Kernel') return gradient;
    const penalties = [...(l2 > 0 ? [scale(value, 2 * l2)] : []), ...(l1 > 0 ? [scale(sign(value), l1)] : [])];
    return sumOf([gradient, ...penalties]);
  };

  return {
    slots,
    begin: () => slots.flatMap((group, index) => group.fill(rule.slots[index] ?? 0)),
    step: (changes, inputs) => {
      const gradients = clipped(changes.slice(0, learnt.length).map(penalised), clip);
      const steps = gradients.map((gradient, index): Node => {
        const weight = variableAt(held, index);
        // After the gradient, which is that of the weights before the step.
        const shrink = decay === 0 ? [] : [assign('subtract', weight, multiply(valueAt(values, index), scale(inputs.rate, decay)), [gradient.node])];
        return rule.step(weight, slots.map((group) => variableAt(group, index)), gradient, inputs, shrink);
      });
      const moves = changes.slice(learnt.length).map((change, index) => assign('add', variableAt(held, learnt.length + index), change));
      return [...steps, ...moves];
    },
  };
}

/** Pascanu et al. (2013) for the norms; bounds as Keras applies them. */
function clipped(gradients: readonly Value[], clip: Clip | undefined): readonly Value[] {
  if (clip?.value !== undefined) {
    const { value } = clip;
    return gradients.map((gradient) => maximum(minimum(gradient, scalar(gradient.graph, value)), scalar(gradient.graph, -value)));
  }
  if (clip?.norm !== undefined) {
    const { norm } = clip;
    return gradients.map((gradient) => shortened(gradient, squaredLength(gradient), norm));
  }
  const [first, ...rest] = gradients.map(squaredLength);
  if (clip?.globalNorm === undefined || first === undefined) return gradients;
  const { globalNorm } = clip;
  const whole = sumOf([first, ...rest]);
  return gradients.map((gradient) => shortened(gradient, whole, globalNorm));
}

const squaredLength = (gradient: Value): Value => reduce('Sum', square(gradient), gradient.shape.map((_, axis) => axis));

/** g bound / max(|g|, bound) */
function shortened(gradient: Value, squared: Value, bound: number): Value {
  return multiply(gradient, divide(scalar(gradient.graph, bound), maximum(squareRoot(squared), scalar(gradient.graph, bound))));
}

function variableAt({ variables }: VariableGroup, index: number): Variable {
  const found = variables[index];
  if (found === undefined) throw new Error(`There is no variable ${index}.`);
  return found;
}

function valueAt(values: readonly Value[], index: number): Value {
  const found = values[index];
  if (found === undefined) throw new Error(`There is no value ${index}.`);
  return found;
}
