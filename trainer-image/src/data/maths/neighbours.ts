/**
 * Exact nearest neighbours: by a k-d tree (Friedman, Bentley and Finkel, 1977) with the bounding box of each node, or, where a point has
 * so many numbers that every box is near, by looking at each point until it is too far.
 */
import { upTo } from '../random.ts';

export interface Neighbours {
  /** Places of the `count` points nearest to a point, itself left out; the nearest first. */
  readonly rows: Int32Array;
  /** How far the last of them is. */
  readonly distance: number;
}

/** Largest difference of a coordinate, or the root of the sum of squares. */
export type Metric = 'Chebyshev' | 'Euclidean';

export interface NeighbourSearch {
  /** @param count  at most the number of points less one */
  nearest(row: number, count: number): Neighbours;
}

/** Points of a leaf are compared one by one. */
const leaf = 12;
/** Of wider points a tree looks at most anyway. */
const widestInTree = 6;

/** @param points  row-major, `width` numbers each, without NaN */
export function neighboursAmong(points: Float64Array | Float32Array, width: number, metric: Metric): NeighbourSearch {
  return width > widestInTree ? scan(points, width, metric) : tree(points, width, metric);
}

function scan(points: Float64Array | Float32Array, width: number, metric: Metric): NeighbourSearch {
  const count = points.length / width;
  const euclidean = metric === 'Euclidean';
  return {
    nearest: (row, wanted) => {
      const found: Found = { rows: new Int32Array(wanted), distances: new Float64Array(wanted).fill(Infinity) };
      let farthest = Infinity;
      for (let other = 0; other < count; other++) {
        const distance = euclidean ? squaresUpTo(points, width, row, other, farthest) : differenceUpTo(points, width, row, other, farthest);
        if (distance >= farthest || other === row) continue;
        insert(found, other, distance);
        farthest = found.distances[wanted - 1] ?? 0;
      }
      return { rows: found.rows, distance: euclidean ? Math.sqrt(farthest) : farthest };
    },
  };
}

/** Square of the Euclidean distance; any larger number than `limit` where it is that far. */
function squaresUpTo(points: Float64Array | Float32Array, width: number, a: number, b: number, limit: number): number {
  let distance = 0;
  for (let k = 0, atA = a * width, atB = b * width; k < width; k++, atA++, atB++) {
    const difference = (points[atA] ?? 0) - (points[atB] ?? 0);
    distance += difference * difference;
    // Asking after each number would cost more than it spares.
    if ((k & 3) === 3 && distance >= limit) return distance;
  }
  return distance;
}

/** The same of the largest difference of a coordinate. */
function differenceUpTo(points: Float64Array | Float32Array, width: number, a: number, b: number, limit: number): number {
  let distance = 0;
  for (let k = 0, atA = a * width, atB = b * width; k < width; k++, atA++, atB++) {
    const difference = Math.abs((points[atA] ?? 0) - (points[atB] ?? 0));
    if (difference > distance) distance = difference;
    if (distance >= limit) return distance;
  }
  return distance;
}

function tree(points: Float64Array | Float32Array, width: number, metric: Metric): NeighbourSearch {
  const count = points.length / width;
  const order = upTo(count);
  const nodes: Node[] = [];
  build(points, width, order, 0, count, nodes);
  const euclidean = metric === 'Euclidean';
  return {
    nearest: (row, wanted) => {
      const found: Found = { rows: new Int32Array(wanted), distances: new Float64Array(wanted).fill(Infinity) };
      search(0, row, found);
      const farthest = found.distances[wanted - 1] ?? NaN;
      return { rows: found.rows, distance: euclidean ? Math.sqrt(farthest) : farthest };
    },
  };

  /** Distances are squares of Euclidean ones. */
  function search(place: number, row: number, found: Found): void {
    const node = nodes[place];
    if (node === undefined) return;
    if (node.right === 0) {
      for (let at = node.from; at < node.to; at++) {
        const other = order[at] ?? 0;
        if (other !== row) insert(found, other, euclidean ? squaresUpTo(points, width, row, other, Infinity) : differenceUpTo(points, width, row, other, Infinity));
      }
      return;
    }
    const [left, right] = [place + 1, node.right];
    const [toLeft, toRight] = [toBox(row, left), toBox(row, right)];
    const [near, far, toNear, toFar] = toLeft <= toRight ? [left, right, toLeft, toRight] : [right, left, toRight, toLeft];
    const last = found.distances.length - 1;
    if (toNear < (found.distances[last] ?? 0)) search(near, row, found);
    if (toFar < (found.distances[last] ?? 0)) search(far, row, found);
  }

  function toBox(row: number, place: number): number {
    const node = nodes[place];
    if (node === undefined) return Infinity;
    let distance = 0;
    for (let k = 0, at = row * width; k < width; k++, at++) {
      const value = points[at] ?? 0;
      const outside = Math.max((node.low[k] ?? 0) - value, value - (node.high[k] ?? 0), 0);
      if (euclidean) distance += outside * outside;
      else distance = Math.max(distance, outside);
    }
    return distance;
  }
}

interface Found {
  readonly rows: Int32Array;
  /** Ascending. */
  readonly distances: Float64Array;
}

function insert({ rows, distances }: Found, row: number, distance: number): void {
  let at = distances.length - 1;
  if (!(distance < (distances[at] ?? 0))) return;
  for (; at > 0 && distance < (distances[at - 1] ?? 0); at--) {
    distances[at] = distances[at - 1] ?? 0;
    rows[at] = rows[at - 1] ?? 0;
  }
  distances[at] = distance;
  rows[at] = row;
}

interface Node {
  readonly from: number;
  readonly to: number;
  /** The left child follows the node; 0 has no children. */
  right: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Halves the points along the longest side of their box. */
function build(points: Float64Array | Float32Array, width: number, order: Int32Array, from: number, to: number, nodes: Node[]): void {
  const node: Node = { from, to, right: 0, ...boxOf(points, width, order, from, to) };
  nodes.push(node);
  if (to - from <= leaf) return;
  let [axis, longest] = [0, 0];
  for (let k = 0; k < width; k++) {
    const side = (node.high[k] ?? 0) - (node.low[k] ?? 0);
    if (side > longest) [axis, longest] = [k, side];
  }
  if (longest === 0) return;
  const middle = (from + to) >>> 1;
  splitAt(points, width, axis, order, from, to - 1, middle);
  build(points, width, order, from, middle, nodes);
  node.right = nodes.length;
  build(points, width, order, middle, to, nodes);
}

function boxOf(points: Float64Array | Float32Array, width: number, order: Int32Array, from: number, to: number): { low: Float64Array; high: Float64Array } {
  const [low, high] = [new Float64Array(width).fill(Infinity), new Float64Array(width).fill(-Infinity)];
  for (let at = from; at < to; at++) {
    for (let k = 0, start = (order[at] ?? 0) * width; k < width; k++) {
      const value = points[start + k] ?? 0;
      if (value < (low[k] ?? 0)) low[k] = value;
      if (value > (high[k] ?? 0)) high[k] = value;
    }
  }
  return { low, high };
}

/** Puts the point that is `middle` in the order along an axis there, smaller ones before it (quickselect). */
function splitAt(points: Float64Array | Float32Array, width: number, axis: number, order: Int32Array, from: number, to: number, middle: number): void {
  const valueAt = (at: number): number => points[(order[at] ?? 0) * width + axis] ?? 0;
  let [left, right] = [from, to];
  while (left < right) {
    const [a, b, c] = [valueAt(left), valueAt((left + right) >>> 1), valueAt(right)];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let [low, high] = [left, right];
    while (low <= high) {
      while (valueAt(low) < pivot) low++;
      while (valueAt(high) > pivot) high--;
      if (low > high) break;
      const held = order[low] ?? 0;
      order[low++] = order[high] ?? 0;
      order[high--] = held;
    }
    if (middle <= high) right = high;
    else if (middle >= low) left = low;
    else return;
  }
}
