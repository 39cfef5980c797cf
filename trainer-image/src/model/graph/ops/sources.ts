/** Values that come from outside of a run: constants, what is fed, variables. */
import { attribute, outputOf } from '../graph.ts';
import type { DataType, Graph, Node, Shape, Value } from '../graph.ts';

/** float32. */
export function scalar(graph: Graph, value: number): Value {
  return constant(graph, 'float32', [], Float32Array.of(value));
}

/** int32 vector, or scalar where a number is given. */
export function integers(graph: Graph, values: readonly number[] | number): Value {
  return typeof values === 'number' ? constant(graph, 'int32', [], Int32Array.of(values)) : constant(graph, 'int32', [values.length], Int32Array.from(values));
}

function constant(graph: Graph, dtype: DataType, shape: readonly number[], data: Float32Array | Int32Array): Value {
  return graph.value('Const', { attributes: { dtype: attribute.type(dtype), value: attribute.tensor(dtype, shape, data) }, dtype, shape });
}

/** float32 of this shape, all the same. */
export function fill(graph: Graph, shape: readonly number[], value: number): Value {
  const attributes = { T: attribute.type('float32'), index_type: attribute.type('int32') };
  return graph.value('Fill', { inputs: [integers(graph, shape), scalar(graph, value)], attributes, dtype: 'float32', shape });
}

export function placeholder(graph: Graph, name: string, dtype: DataType, shape: Shape): Value {
  return graph.value('Placeholder', { name, attributes: { dtype: attribute.type(dtype), shape: attribute.shape(shape) }, dtype, shape });
}

/** float32 numbers that a session keeps from run to run. */
export interface Variable {
  readonly handle: Value;
  readonly shape: readonly number[];
}

export function variable(graph: Graph, name: string, shape: readonly number[]): Variable {
  const attributes = { dtype: attribute.type('float32'), shape: attribute.shape(shape), shared_name: attribute.string(name) };
  return { handle: graph.value('VarHandleOp', { name, attributes, dtype: 'resource', shape: [] }), shape };
}

export function read({ handle, shape }: Variable): Value {
  return handle.graph.value('ReadVariableOp', { inputs: [handle], attributes: { dtype: attribute.type('float32') }, dtype: 'float32', shape });
}

/** How a variable is changed by a value. */
const changes = { set: 'AssignVariableOp', add: 'AssignAddVariableOp', subtract: 'AssignSubVariableOp' } as const;

export function assign(how: keyof typeof changes, { handle }: Variable, value: Value, after: readonly Node[] = []): Node {
  return handle.graph.add(changes[how], { inputs: [handle, value], attributes: { dtype: attribute.type('float32') }, after });
}

/** The value, once these nodes have run: a node without an output can only be run as another's condition. */
export function after(value: Value, nodes: readonly Node[], name: string): Value {
  return value.graph.value('Identity', { name, inputs: [value], attributes: { T: attribute.type(value.dtype) }, after: nodes, dtype: value.dtype, shape: value.shape });
}

/** A copy of its own. What is fed lies in memory of JavaScript, which a variable that outlives the run must not hold on to. */
export function copy(value: Value): Value {
  return outputOf(value.graph.add('DeepCopy', { inputs: [value], attributes: { T: attribute.type(value.dtype) }, outputs: [value] }), 0);
}
