/** Reverse-mode differentiation of a graph: the chain rule, backwards along the nodes between an output and what it depends on. */
import type { Node, Value } from './graph.ts';
import { sumOf } from './ops/arithmetic.ts';
import { zerosLike } from './ops/shape.ts';

/**
 * @param slope  gradient of the loss by `output`, in its shape
 * @returns the gradient of the loss by each of `sources`, in their order; zeros where the output does not depend on one
 */
export function gradients(output: Value, slope: Value, sources: readonly Value[]): Value[] {
  const between = nodesBetween(output.node, new Set(sources.map(({ node }) => node)));
  const flowing = new Map<Value, [Value, ...Value[]]>([[output, [slope]]]);
  for (const node of between.toReversed()) {
    const arrived = node.outputs.map((one) => flowing.get(one)).map((parts) => parts && sumOf(parts));
    if (node.pullback === undefined || arrived.every((gradient) => gradient === undefined)) continue;
    node.pullback(arrived).forEach((gradient, place) => {
      const input = node.inputs[place];
      if (gradient === undefined || input === undefined) return;
      const parts = flowing.get(input);
      if (parts === undefined) flowing.set(input, [gradient]);
      else parts.push(gradient);
    });
  }
  return sources.map((source) => {
    const parts = flowing.get(source);
    return parts === undefined ? zerosLike(source) : sumOf(parts);
  });
}

/** The nodes on a way from a source to the output, each after those that it takes its inputs from. */
function nodesBetween(output: Node, sources: ReadonlySet<Node>): Node[] {
  const leadsToSource = new Map<Node, boolean>();
  const ordered: Node[] = [];
  // By a stack of its own: a recurrent layer is a chain of thousands of nodes.
  const stack: { readonly node: Node; next: number }[] = [{ node: output, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const input = top.node.inputs[top.next++]?.node;
    if (input !== undefined) {
      if (!leadsToSource.has(input)) stack.push({ node: input, next: 0 });
      continue;
    }
    stack.pop();
    const { node } = top;
    const leads = sources.has(node) || node.inputs.some((one) => leadsToSource.get(one.node) === true);
    leadsToSource.set(node, leads);
    if (leads) ordered.push(node);
  }
  return ordered;
}
