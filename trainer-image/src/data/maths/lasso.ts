/** Linear models whose L1 penalty brings the weights of useless features to exactly 0. Features and target have mean 0 and deviation 1. */

const shrunk = (value: number, by: number): number => Math.sign(value) * Math.max(0, Math.abs(value) - by);

/**
 * Weights w of least |y - X w|^2 / 2n + penalty |w|_1, by coordinate descent on the correlations
 * (Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33(1), 2.2).
 *
 * @param correlations  features × features, row-major
 * @param withTarget    correlation of each feature with the target
 */
export function lasso(correlations: Float64Array, withTarget: Float64Array, penalty: number): Float64Array {
  const size = withTarget.length;
  const weights = new Float64Array(size);
  /** What the features leave unexplained, seen along each of them. */
  const rest = withTarget.slice();
  for (let round = 0; round < 10_000; round++) {
    let largest = 0;
    for (let k = 0; k < size; k++) {
      const own = correlations[k * size + k] ?? 0;
      if (own === 0) continue;
      const before = weights[k] ?? 0;
      const after = shrunk((rest[k] ?? 0) + own * before, penalty) / own;
      const change = after - before;
      if (change === 0) continue;
      weights[k] = after;
      for (let j = 0; j < size; j++) rest[j] = (rest[j] ?? 0) - change * (correlations[k * size + j] ?? 0);
      largest = Math.max(largest, Math.abs(change));
    }
    if (largest < 1e-10) break;
  }
  return weights;
}

/**
 * Weights of least mean log loss + penalty |w|_1 of a logistic regression with an intercept that is not penalised: one list of weights
 * for two classes, one for each class of more (softmax). By FISTA with restarts (Beck and Teboulle, 2009; O'Donoghue and Candès, 2015).
 *
 * @param features  columns
 * @param codes     class of each row
 * @param largest   largest eigenvalue of X'X / n, which bounds how fast the loss can curve
 */
export function logisticLasso(features: readonly Float64Array[], codes: Int32Array, classes: number, penalty: number, largest: number): Float64Array[] {
  const outputs = classes === 2 ? 1 : classes;
  const width = features.length + 1;
  // The second derivative of a log loss is at most 1/4 for two classes and 1/2 for more (Böhning, 1992); 1 is the intercept's own column.
  const stepSize = 1 / (Math.max(largest, 1) * (outputs === 1 ? 0.25 : 0.5));
  let weights = new Float64Array(outputs * width);
  let ahead = weights;
  let momentum = 1;
  const slope = new Float64Array(outputs * width);
  for (let round = 0; round < 5000; round++) {
    slopeAt(ahead, features, codes, outputs, slope);
    const next = new Float64Array(weights.length);
    let [largestChange, against] = [0, 0];
    for (let at = 0; at < next.length; at++) {
      const moved = (ahead[at] ?? 0) - stepSize * (slope[at] ?? 0);
      next[at] = at % width === width - 1 ? moved : shrunk(moved, stepSize * penalty);
      const change = (next[at] ?? 0) - (weights[at] ?? 0);
      largestChange = Math.max(largestChange, Math.abs(change));
      against += ((ahead[at] ?? 0) - (next[at] ?? 0)) * change;
    }
    // Momentum that leads uphill is given up.
    const following = against > 0 ? 1 : (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const carry = against > 0 ? 0 : (momentum - 1) / following;
    const before = weights;
    weights = next;
    ahead = next.map((value, at) => value + carry * (value - (before[at] ?? 0)));
    momentum = following;
    if (largestChange < 1e-8) break;
  }
  return Array.from({ length: outputs }, (_, output) => weights.subarray(output * width, (output + 1) * width - 1));
}

/** Gradient of the mean log loss. */
function slopeAt(weights: Float64Array, features: readonly Float64Array[], codes: Int32Array, outputs: number, slope: Float64Array): void {
  const rows = codes.length;
  const width = features.length + 1;
  const scores = Array.from({ length: outputs }, (_, output) => new Float64Array(rows).fill(weights[(output + 1) * width - 1] ?? 0));
  scores.forEach((score, output) => features.forEach((feature, k) => {
    const weight = weights[output * width + k] ?? 0;
    if (weight !== 0) for (let row = 0; row < rows; row++) score[row] = (score[row] ?? 0) + weight * (feature[row] ?? 0);
  }));
  toResiduals(scores, codes);
  scores.forEach((residual, output) => {
    features.forEach((feature, k) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += (residual[row] ?? 0) * (feature[row] ?? 0);
      slope[output * width + k] = sum / rows;
    });
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += residual[row] ?? 0;
    slope[(output + 1) * width - 1] = sum / rows;
  });
}

/** Scores become predicted probability less 1 for the row's own class. */
function toResiduals(scores: readonly Float64Array[], codes: Int32Array): void {
  const [only] = scores;
  if (scores.length === 1 && only !== undefined) {
    for (let row = 0; row < codes.length; row++) only[row] = 1 / (1 + Math.exp(-(only[row] ?? 0))) - (codes[row] ?? 0);
    return;
  }
  for (let row = 0; row < codes.length; row++) {
    let most = -Infinity;
    for (const score of scores) most = Math.max(most, score[row] ?? 0);
    let total = 0;
    for (const score of scores) total += score[row] = Math.exp((score[row] ?? 0) - most);
    scores.forEach((score, output) => (score[row] = (score[row] ?? 0) / total - (codes[row] === output ? 1 : 0)));
  }
}
