/** Weights and what an optimiser keeps beside them, as variables of a graph; outside of it they are flat vectors. */
import type { Weight } from '../network.ts';
import type { Graph, Value } from './graph.ts';
import { after, placeholder, read, scalar } from './ops/sources.ts';
import type { Session } from './session.ts';
import { VariableGroup, buildUpdate } from './update.ts';
import type { Update, UpdateSpec } from './update.ts';
import type { StepInputs } from './optimizers.ts';

/** The variables' ways in and out, once a session holds them. */
export interface HeldParameters {
  /** The optimiser's step by a flat vector of changes: gradients of the learnt weights, then what is added to statistics. */
  apply(changes: Float32Array, rate: number, iteration: number): void;
  weights(): Float32Array;
  setWeights(weights: Float32Array): void;
  slots(): Float32Array[];
  /** As they stood, or as they begin. */
  setSlots(slots: readonly Float32Array[] | undefined): void;
}

export class Parameters {
  readonly weights: readonly Weight[];
  /** Of a step. */
  readonly inputs: StepInputs;
  private readonly graph: Graph;
  private readonly held: VariableGroup;
  private readonly update: Update;

  constructor(graph: Graph, spec: UpdateSpec, weights: readonly Weight[]) {
    this.graph = graph;
    this.weights = weights;
    this.held = new VariableGroup(graph, 'weight', weights.map(({ shape }) => shape));
    this.update = buildUpdate(graph, spec, weights, this.held);
    this.inputs = { rate: placeholder(graph, 'rate', 'float32', []), iteration: placeholder(graph, 'iteration', 'float32', []) };
  }

  /** Numbers in a flat vector of all weights. */
  get size(): number {
    return this.held.size;
  }

  /** The weights as they stand when a run begins. */
  values(): readonly Value[] {
    return this.held.variables.map(read);
  }

  /** The value, after one step by these changes, in the order of the weights. */
  afterStep(value: Value, changes: readonly Value[], name: string): Value {
    return after(value, this.update.step(changes, this.inputs), name);
  }

  /** Adds what `hold` needs; before the session is made. */
  prepare(): (session: Session) => HeldParameters {
    const { graph, held, update } = this;
    const done = scalar(graph, 0);
    const changes = placeholder(graph, 'changes', 'float32', [held.size]);
    const applied = this.afterStep(done, held.parts(changes), 'applied');
    const given = placeholder(graph, 'given', 'float32', [held.size]);
    const weightsSet = after(done, held.set(given), 'weights_set');
    const weights = held.flat();
    const slots = update.slots.map((group) => group.flat());
    const givenSlots = update.slots.map((group, index) => placeholder(graph, `given_slot_${index}`, 'float32', [group.size]));
    const slotsSet = after(done, update.slots.flatMap((group, index) => group.set(givenSlots[index] ?? done)), 'slots_set');
    const begun = after(done, update.begin(), 'begun');
    return (session) => {
      const apply = session.prepare([changes, this.inputs.rate, this.inputs.iteration], [applied]);
      const [getWeights, setWeights] = [session.prepare([], [weights]), session.prepare([given], [weightsSet])];
      const [getSlots, setSlots, begin] = [session.prepare([], slots), session.prepare(givenSlots, [slotsSet]), session.prepare([], [begun])];
      return {
        apply: (vector, rate, iteration) => void apply(vector, Float32Array.of(rate), Float32Array.of(iteration)),
        weights: () => floats(getWeights()[0]),
        setWeights: (vector) => void setWeights(vector),
        slots: () => (slots.length === 0 ? [] : getSlots().map(floats)),
        setSlots: (vectors) => {
          if (vectors === undefined) begin();
          else setSlots(...vectors);
        },
      };
    };
  }
}

export function floats(numbers: Float32Array | Int32Array | undefined): Float32Array {
  if (numbers instanceof Float32Array) return numbers;
  throw new Error('The graph gave other numbers than asked for.');
}
