/** The least value of a function of one number. */

const golden = (3 - Math.sqrt(5)) / 2;
const growth = (1 + Math.sqrt(5)) / 2;

/** Three places, the middle one lowest. */
function bracket(f: (x: number) => number, a: number, b: number): readonly [number, number, number] {
  const [fa, fb] = [f(a), f(b)];
  let [left, middle] = fa < fb ? [b, a] : [a, b];
  let right = middle + growth * (middle - left);
  let low = Math.min(fa, fb);
  for (let tries = 0; tries < 60; tries++) {
    const next = f(right);
    if (!(next < low)) return [left, middle, right];
    [left, middle, right, low] = [middle, right, right + growth * (right - middle), next];
  }
  return [left, middle, right];
}

/**
 * Brent's method: parabolas through the last three places, golden sections where these do not help
 * (Brent (1973), "Algorithms for Minimization without Derivatives", chapter 5).
 *
 * @param f  has one minimum; infinite values are taken for high ones
 * @param a, b  two places to begin from
 * @param tolerance  relative, of the place
 */
export function minimise(f: (x: number) => number, a: number, b: number, tolerance = 1e-8): number {
  const [first, start, second] = bracket(f, a, b);
  let [low, high] = first < second ? [first, second] : [second, first];
  let [best, previous, older] = [start, start, start];
  let fBest = f(start);
  let [fPrevious, fOlder] = [fBest, fBest];
  let [step, stepBefore] = [0, 0];
  for (let tries = 0; tries < 200; tries++) {
    const middle = (low + high) / 2;
    const close = tolerance * Math.abs(best) + 1e-12;
    if (Math.abs(best - middle) <= 2 * close - (high - low) / 2) break;
    const parabola = vertex(best, previous, older, fBest, fPrevious, fOlder);
    const fits = Number.isFinite(parabola) && Math.abs(stepBefore) > close && Math.abs(parabola) < Math.abs(stepBefore / 2) && best + parabola > low && best + parabola < high;
    stepBefore = fits ? step : best >= middle ? low - best : high - best;
    step = fits ? parabola : golden * stepBefore;
    const at = Math.abs(step) >= close ? best + step : best + Math.sign(step) * close;
    const value = f(at);
    if (value <= fBest) {
      if (at >= best) low = best; else high = best;
      [older, previous, best] = [previous, best, at];
      [fOlder, fPrevious, fBest] = [fPrevious, fBest, value];
    } else {
      if (at < best) low = at; else high = at;
      if (value <= fPrevious || previous === best) {
        [older, previous] = [previous, at];
        [fOlder, fPrevious] = [fPrevious, value];
      } else if (value <= fOlder || older === best || older === previous) {
        [older, fOlder] = [at, value];
      }
    }
  }
  return best;
}

/** How far the vertex of the parabola through three places is from `x`; not finite where there is none. */
function vertex(x: number, w: number, v: number, fx: number, fw: number, fv: number): number {
  const r = (x - w) * (fx - fv);
  const q = (x - v) * (fx - fw);
  return -((x - v) * q - (x - w) * r) / (2 * (q - r));
}
