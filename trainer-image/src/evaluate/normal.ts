/** The standard normal distribution. */

/** P(Z <= x). Marsaglia (2004), "Evaluating the normal distribution", the Taylor series about 0: as exact as a double up to |x| = 7, beyond which it is 0 or 1 to 1e-12. */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 7) return x > 0 ? 1 : 0;
  let sum = x;
  let term = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * Number.EPSILON / 4; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-x * x / 2 - 0.5 * Math.log(2 * Math.PI));
}

/** The x with P(Z <= x) = probability, by bisection; from -7 to 7. */
export function normalQuantile(probability: number): number {
  let low = -7;
  let high = 7;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (normalCdf(middle) < probability) low = middle; else high = middle;
  }
}
