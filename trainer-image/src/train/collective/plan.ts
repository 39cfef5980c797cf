/**
 * Who computes and adds what. A batch is cut into a fixed power-of-two number of shards, and the shards' gradients are added
 * along a fixed binary tree, whatever the number of replicas: floating-point sums depend on their order, and weights that depended
 * on how many replicas happened to be alive could be compared with nothing.
 */

/** Half-open: `from`, …, `to - 1`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Sum over the shards `start`, …, `start + size - 1`: one node of the tree, as `size` is a power of two that divides `start`. */
export interface Partial {
  readonly start: number;
  readonly size: number;
  readonly values: Float32Array;
}

/** Shards of a batch for at most this many replicas: the next power of two. */
export function shardsFor(replicas: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, replicas)));
}

/** The `index`-th of `count` contiguous parts of 0…`length - 1` whose sizes differ by one at most. */
export function partOf(length: number, index: number, count: number): Range {
  return { from: Math.floor((index * length) / count), to: Math.floor(((index + 1) * length) / count) };
}

/**
 * Adds the next partial sum to those before it. Equal neighbours become their parent at once, so that no more than one for each
 * level of the tree is held, and a whole tree ends as its root. `values` of the left one is overwritten.
 *
 * @param stack  partials of contiguous shards, ascending
 */
export function push(stack: Partial[], next: Partial): void {
  let added = next;
  for (let left = stack.at(-1); left !== undefined && areSiblings(left, added); left = stack.at(-1)) {
    stack.pop();
    added = { start: left.start, size: 2 * left.size, values: addInto(left.values, added.values) };
  }
  stack.push(added);
}

/** The nodes in which the sums over a range of shards are sent: the largest that lie within it, ascending. */
export function nodesOf({ from, to }: Range): { readonly start: number; readonly size: number }[] {
  const stack: Partial[] = [];
  const nothing = new Float32Array(0);
  for (let shard = from; shard < to; shard++) push(stack, { start: shard, size: 1, values: nothing });
  return stack.map(({ start, size }) => ({ start, size }));
}

function areSiblings(left: Partial, right: Partial): boolean {
  return left.size === right.size && left.start + left.size === right.start && left.start % (2 * left.size) === 0;
}

/** Rounded to float32 by the store, which is what adding float32 numbers gives. */
function addInto(sum: Float32Array, values: Float32Array): Float32Array {
  for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] ?? 0) + (values[index] ?? 0);
  return sum;
}
