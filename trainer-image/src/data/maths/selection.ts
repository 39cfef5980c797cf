/** Order statistics without sorting: quickselect (Hoare, 1961, "Algorithm 65: Find"), with a sort where a range does not shrink. */

/** Ranges of this size are sorted: cheaper than to go on partitioning. */
const small = 64;
/** More ranks than these cost about as much as the whole order. */
const many = 32;

/**
 * The values that would stand at `ranks` (from 0) if `values` were sorted. Reorders `values`.
 * @param values  without NaN
 * @returns by rank; ranks outside of the values are left out
 */
export function orderStatistics(values: Float64Array, ranks: readonly number[]): Map<number, number> {
  const wanted = [...new Set(ranks)].filter((rank) => rank >= 0 && rank < values.length).sort((a, b) => a - b);
  if (wanted.length > many) values.sort();
  else selectRanks(values, 0, values.length - 1, wanted, 2 * Math.ceil(Math.log2(values.length + 2)));
  return new Map(wanted.map((rank) => [rank, values[rank] ?? NaN]));
}

/** @param left, right  range of `values`, both ends included. @param rounds  how often it may be partitioned before it is sorted */
function selectRanks(values: Float64Array, left: number, right: number, ranks: readonly number[], rounds: number): void {
  if (ranks.length === 0 || left >= right) return;
  if (right - left < small || rounds === 0) {
    values.subarray(left, right + 1).sort();
    return;
  }
  const pivot = medianOfThree(values[left] ?? 0, values[(left + right) >>> 1] ?? 0, values[right] ?? 0);
  let low = left;
  let high = right;
  while (low <= high) {
    while ((values[low] ?? 0) < pivot) low++;
    while ((values[high] ?? 0) > pivot) high--;
    if (low > high) break;
    const held = values[low] ?? 0;
    values[low++] = values[high] ?? 0;
    values[high--] = held;
  }
  // Values between high and low equal the pivot: ranks there are found.
  selectRanks(values, left, high, ranks.filter((rank) => rank <= high), rounds - 1);
  selectRanks(values, low, right, ranks.filter((rank) => rank >= low), rounds - 1);
}

const medianOfThree = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
