/** Curves of a million points as a few hundred that look the same. */

/** The finest tolerance: a tenth of a pixel of a plot of 400. */
const finest = 1 / 4096;

/**
 * Places of the points that are kept, in order, the first and the last among them. No point that is left out lies farther from the line through the kept ones than
 * twice the smallest tolerance, from 1/4096 by doubling, that leaves at most `most` points.
 * Sklansky and Gonzalez (1980), "Fast polygonal approximation of digitized curves": one pass, by the cone of directions that pass all points since the last kept one.
 *
 * @param x  coordinates from 0 to 1, as `y`
 */
export function thin(x: ArrayLike<number>, y: ArrayLike<number>, most: number): number[] {
  let kept = Array.from({ length: x.length }, (_, place) => place);
  for (let tolerance = finest; kept.length > Math.max(2, most); tolerance *= 2) kept = approximate(kept, x, y, tolerance);
  return kept;
}

interface Cone {
  /** Direction of the first point that is not at the anchor itself; the bounds are relative to it. */
  readonly base: number;
  low: number;
  high: number;
  farthest: number;
}

function approximate(places: readonly number[], x: ArrayLike<number>, y: ArrayLike<number>, tolerance: number): number[] {
  const last = places.at(-1);
  const kept = places.slice(0, 1);
  let anchor = places[0] ?? 0;
  let before = anchor;
  let cone: Cone | undefined;
  for (const place of places.slice(1)) {
    const across = (x[place] ?? 0) - (x[anchor] ?? 0);
    const up = (y[place] ?? 0) - (y[anchor] ?? 0);
    if (cone !== undefined && !passes(cone, across, up, tolerance)) {
      kept.push(before);
      anchor = before;
      cone = coneTo((x[place] ?? 0) - (x[anchor] ?? 0), (y[place] ?? 0) - (y[anchor] ?? 0), tolerance);
    } else if (cone === undefined) cone = coneTo(across, up, tolerance);
    else narrow(cone, across, up, tolerance);
    before = place;
  }
  if (last !== undefined && kept.at(-1) !== last) kept.push(last);
  return kept;
}

function coneTo(across: number, up: number, tolerance: number): Cone | undefined {
  const distance = Math.hypot(across, up);
  if (distance <= tolerance) return undefined;
  const half = Math.asin(tolerance / distance);
  return { base: Math.atan2(up, across), low: -half, high: half, farthest: distance };
}

/** Whether a line from the anchor to here passes all points so far, and ends beyond them. */
function passes({ base, low, high, farthest }: Cone, across: number, up: number, tolerance: number): boolean {
  const turn = turned(Math.atan2(up, across) - base);
  return Math.hypot(across, up) >= farthest - tolerance && turn >= low && turn <= high;
}

function narrow(cone: Cone, across: number, up: number, tolerance: number): void {
  const distance = Math.hypot(across, up);
  const turn = turned(Math.atan2(up, across) - cone.base);
  const half = Math.asin(Math.min(1, tolerance / distance));
  cone.low = Math.max(cone.low, turn - half);
  cone.high = Math.min(cone.high, turn + half);
  cone.farthest = Math.max(cone.farthest, distance);
}

/** As an angle from -π to π. */
const turned = (angle: number): number => (angle > Math.PI ? angle - 2 * Math.PI : angle < -Math.PI ? angle + 2 * Math.PI : angle);
