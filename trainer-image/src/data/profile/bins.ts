/** Bins that hold about equally many values each: what two samples of a column are compared by. */
import type { Order } from './order.ts';

export interface Bins {
  /** Between two bins, ascending. A value on an edge is in the bin above it; the first and the last bin have no end, so that every later value is in one. */
  readonly edges: readonly number[];
  /** Values in each bin; one more than there are edges. */
  readonly counts: readonly number[];
}

/**
 * Cut at quantiles, but where a bin would hold too few: a value that many rows share is in a bin with its neighbours, or alone.
 * @param most  bins. @param fewest  values in each, at least 1; a single bin may hold fewer where there are no more
 */
export function binsOf(order: Order, most: number, fewest: number): Bins {
  const edges: number[] = [];
  const below = [0];
  for (let cut = 1; cut < most; cut++) {
    const edge = order.quantile(cut / most);
    const rank = order.below(edge);
    if (rank - (below.at(-1) ?? 0) < fewest) continue;
    edges.push(edge);
    below.push(rank);
  }
  while (edges.length > 0 && order.count - (below.at(-1) ?? 0) < fewest) {
    edges.pop();
    below.pop();
  }
  return { edges, counts: below.map((rank, bin) => (below[bin + 1] ?? order.count) - rank) };
}
