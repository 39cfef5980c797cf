/** Deals groups of rows out to parts, so that each part gets its share of the rows, and of the rows of each class, as nearly as whole groups allow. */
import { sizesOf } from './folds.ts';
import { random, shuffle } from './random.ts';

/** Classes of one group, and how many of its rows have each; all of its rows count as one class more. */
type Counts = readonly (readonly [stratum: number, rows: number])[];

/**
 * The largest groups first, each to the part that it brings nearest to its share; as scikit-learn's StratifiedGroupKFold, for parts of any size.
 *
 * @param groups  group of each row, from 0
 * @param strata  class of each row, from 0; undefined makes all alike
 * @param shares  of the parts, together 1; a part of share 0 gets nothing
 * @param seed    decides among groups of one size
 * @returns part of each row; a part is empty only when there are fewer groups than parts
 */
export function dealGroups(groups: Int32Array, strata: Int32Array | undefined, shares: readonly number[], seed: number): Int32Array {
  const counts = countsOf(groups, strata);
  const sizes = sizesOf(groups);
  const totals = new Map<number, number>();
  for (const group of counts) for (const [stratum, rows] of group) totals.set(stratum, (totals.get(stratum) ?? 0) + rows);
  const order = Int32Array.from(counts.keys());
  shuffle(order, random(seed, 'groups'));
  order.sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));

  const filled = shares.map(() => new Map<number, number>());
  const partOf = new Int32Array(counts.length);
  for (const group of order) {
    let [best, least] = [0, Infinity];
    shares.forEach((share, part) => {
      if (share === 0) return;
      const cost = costOf(counts[group] ?? [], filled[part] ?? new Map(), share, totals);
      if (cost < least) [best, least] = [part, cost];
    });
    partOf[group] = best;
    const own = filled[best] ?? new Map<number, number>();
    for (const [stratum, rows] of counts[group] ?? []) own.set(stratum, (own.get(stratum) ?? 0) + rows);
  }
  fillEmpty(partOf, order, shares);
  return groups.map((group) => partOf[group] ?? 0);
}

/** How much the squared distance of a part from its share grows with a group, a class with few rows weighing as much as one with many. */
function costOf(group: Counts, filled: ReadonlyMap<number, number>, share: number, totals: ReadonlyMap<number, number>): number {
  let cost = 0;
  for (const [stratum, rows] of group) {
    const total = totals.get(stratum) ?? 1;
    const before = (filled.get(stratum) ?? 0) - share * total;
    cost += ((before + rows) ** 2 - before ** 2) / total ** 2;
  }
  return cost;
}

/** A part so small that no group brought it nearer gets the smallest group of those that have several. */
function fillEmpty(partOf: Int32Array, order: Int32Array, shares: readonly number[]): void {
  const groupsIn = shares.map(() => 0);
  for (const part of partOf) groupsIn[part] = (groupsIn[part] ?? 0) + 1;
  shares.forEach((share, part) => {
    if (share === 0 || groupsIn[part] !== 0) return;
    const spare = order.findLast((group) => (groupsIn[partOf[group] ?? 0] ?? 0) > 1);
    if (spare === undefined) return;
    groupsIn[partOf[spare] ?? 0] = (groupsIn[partOf[spare] ?? 0] ?? 0) - 1;
    groupsIn[part] = 1;
    partOf[spare] = part;
  });
}

const allRows = -1;

function countsOf(groups: Int32Array, strata: Int32Array | undefined): Counts[] {
  const counts = Array.from(sizesOf(groups), (rows) => new Map([[allRows, rows]]));
  if (strata !== undefined) {
    groups.forEach((group, row) => {
      const [own, stratum = 0] = [counts[group], strata[row]];
      own?.set(stratum, (own.get(stratum) ?? 0) + 1);
    });
  }
  return counts.map((own) => [...own]);
}
