/** Eigenvalues and eigenvectors of a symmetric matrix. */

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** Row k is the unit vector of values[k]. */
  readonly vectors: Float64Array;
}

/**
 * Householder's reduction to tridiagonal form, then QR steps with Wilkinson's shift (Golub and Van Loan, "Matrix Computations", 8.3).
 * @param matrix  size × size, row-major, symmetric
 */
export function eigen(matrix: Float64Array, size: number): Eigen {
  const scale = largest(matrix);
  const { diagonal, beside, basis } = tridiagonal(matrix.map((value) => value / scale), size);
  diagonalise(diagonal, beside, basis, size);
  const order = Int32Array.from({ length: size }, (_, place) => place).sort((a, b) => (diagonal[b] ?? 0) - (diagonal[a] ?? 0) || a - b);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => vectors.set(basis.subarray(from * size, (from + 1) * size), to * size));
  return { values: Float64Array.from(order, (place) => (diagonal[place] ?? 0) * scale), vectors };
}

/** Largest absolute value; 1 of a matrix of zeros. @throws where one is not finite */
function largest(matrix: Float64Array): number {
  let found = 0;
  for (const value of matrix) found = Math.max(found, Math.abs(value));
  if (!Number.isFinite(found)) throw new Error('The matrix has a value that is not finite.');
  return found === 0 ? 1 : found;
}

/** Against a largest element of 1 this is nothing; squares of it do not vanish yet. */
const nothing = Number.EPSILON ** 2;

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** beside[k] is the element in row k + 1 and column k. */
  readonly beside: Float64Array;
  /** Its rows are the basis in which the matrix is tridiagonal. */
  readonly basis: Float64Array;
}

/** @param a  is changed */
function tridiagonal(a: Float64Array, size: number): Tridiagonal {
  const basis = new Float64Array(size * size);
  for (let k = 0; k < size; k++) basis[k * size + k] = 1;
  const beside = new Float64Array(Math.max(0, size - 1));
  const v = new Float64Array(size);
  const w = new Float64Array(size);
  for (let k = 0; k < size - 2; k++) {
    let square = 0;
    for (let i = k + 1; i < size; i++) square += (v[i] = a[i * size + k] ?? 0) ** 2;
    const head = v[k + 1] ?? 0;
    const length = Math.sqrt(square);
    if (length <= nothing) continue;
    beside[k] = head > 0 ? -length : length;
    v[k + 1] = head - (beside[k] ?? 0);
    // 2 / |v|^2, where |v|^2 = 2 (|x|^2 + |x| |head|).
    const beta = 1 / (square + length * Math.abs(head));
    reflectBothSides(a, size, k + 1, v, w, beta);
    reflectRows(basis, size, k + 1, v, w, beta);
  }
  if (size > 1) beside[size - 2] = a[(size - 1) * size + size - 2] ?? 0;
  return { diagonal: Float64Array.from({ length: size }, (_, k) => a[k * size + k] ?? 0), beside, basis };
}

/** A ← H A H in the rows and columns from `first` on, H = 1 - beta v v'. */
function reflectBothSides(a: Float64Array, size: number, first: number, v: Float64Array, w: Float64Array, beta: number): void {
  let along = 0;
  for (let i = first; i < size; i++) {
    let product = 0;
    for (let j = first, at = i * size + first; j < size; j++, at++) product += (a[at] ?? 0) * (v[j] ?? 0);
    w[i] = beta * product;
    along += (w[i] ?? 0) * (v[i] ?? 0);
  }
  const half = (beta * along) / 2;
  for (let i = first; i < size; i++) w[i] = (w[i] ?? 0) - half * (v[i] ?? 0);
  for (let i = first; i < size; i++) {
    const [vi = 0, wi = 0] = [v[i], w[i]];
    for (let j = first, at = i * size + first; j < size; j++, at++) a[at] = (a[at] ?? 0) - vi * (w[j] ?? 0) - wi * (v[j] ?? 0);
  }
}

/** B ← H B. */
function reflectRows(b: Float64Array, size: number, first: number, v: Float64Array, w: Float64Array, beta: number): void {
  w.fill(0);
  for (let i = first; i < size; i++) {
    const vi = v[i] ?? 0;
    for (let j = 0, at = i * size; j < size; j++, at++) w[j] = (w[j] ?? 0) + vi * (b[at] ?? 0);
  }
  for (let i = first; i < size; i++) {
    const factor = beta * (v[i] ?? 0);
    for (let j = 0, at = i * size; j < size; j++, at++) b[at] = (b[at] ?? 0) - factor * (w[j] ?? 0);
  }
}

/** Brings d and e to a diagonal d, and turns the rows of the basis along. */
function diagonalise(d: Float64Array, e: Float64Array, basis: Float64Array, size: number): void {
  const negligible = (k: number): boolean => Math.abs(e[k] ?? 0) <= Math.max(Number.EPSILON * (Math.abs(d[k] ?? 0) + Math.abs(d[k + 1] ?? 0)), nothing);
  let last = size - 1;
  while (last > 0) {
    if (negligible(last - 1)) {
      e[--last] = 0;
      continue;
    }
    let first = last - 1;
    while (first > 0 && !negligible(first - 1)) first--;
    step(d, e, basis, size, first, last);
  }
}

/** One implicit QR step on the rows first, …, last. */
function step(d: Float64Array, e: Float64Array, basis: Float64Array, size: number, first: number, last: number): void {
  const [above = 0, below = 0, corner = 0] = [d[last - 1], d[last], e[last - 1]];
  const half = (above - below) / 2;
  const shift = below - (corner * corner) / (half + (half < 0 ? -1 : 1) * Math.sqrt(half * half + corner * corner));
  let x = (d[first] ?? 0) - shift;
  let z = e[first] ?? 0;
  for (let k = first; k < last; k++) {
    const r = Math.sqrt(x * x + z * z);
    const [c, s] = r === 0 ? [1, 0] : [x / r, z / r];
    if (k > first) e[k - 1] = r;
    const [dk = 0, dNext = 0, ek = 0] = [d[k], d[k + 1], e[k]];
    d[k] = c * c * dk + 2 * c * s * ek + s * s * dNext;
    d[k + 1] = s * s * dk - 2 * c * s * ek + c * c * dNext;
    e[k] = (c * c - s * s) * ek + c * s * (dNext - dk);
    x = e[k] ?? 0;
    if (k < last - 1) {
      z = s * (e[k + 1] ?? 0);
      e[k + 1] = c * (e[k + 1] ?? 0);
    }
    for (let j = 0, at = k * size, next = at + size; j < size; j++, at++, next++) {
      const [upper = 0, lower = 0] = [basis[at], basis[next]];
      basis[at] = c * upper + s * lower;
      basis[next] = c * lower - s * upper;
    }
  }
}
