/** The numbers that the network eats, row after row: in memory, or in a file where they do not fit. */

export interface Matrix {
  readonly rows: number;
  /** Numbers of one row. */
  readonly width: number;
  /** The rows with these indices, in this order, as one row-major vector. */
  gather(rows: Int32Array): Float32Array;
  /** The rows from, …, to - 1; a view where that is possible. */
  range(from: number, to: number): Float32Array;
}

/** A matrix that holds something until it is disposed. */
export interface HeldMatrix extends Matrix, Disposable {}

/** Nothing has to be let go of. */
export const heldInMemory = (matrix: Matrix): HeldMatrix => ({ ...matrix, [Symbol.dispose]: () => undefined });

/** Where a matrix is written, row after row. */
export interface MatrixSink {
  /** Room for the next rows, to be filled before the next call. */
  next(rows: number): Float32Array;
  /** The sink is then at its end. */
  finish(): HeldMatrix;
  abandon(): void;
}

/** In memory. @param rows  that will be written in all */
export function memoryMatrix(rows: number, width: number): MatrixSink {
  const values = new Float32Array(rows * width);
  let at = 0;
  return {
    next: (count) => values.subarray(at, at += count * width),
    finish: () => heldInMemory(matrixOf(values, width)),
    abandon: () => undefined,
  };
}

/** @param values  rows × width numbers, row-major */
export function matrixOf(values: Float32Array, width: number): Matrix {
  const rows = width === 0 ? 0 : values.length / width;
  return {
    rows,
    width,
    gather: (chosen) => {
      const out = new Float32Array(chosen.length * width);
      for (let at = 0; at < chosen.length; at++) {
        const start = (chosen[at] ?? 0) * width;
        out.set(values.subarray(start, start + width), at * width);
      }
      return out;
    },
    range: (from, to) => values.subarray(from * width, to * width),
  };
}

/** Bytes that stand for numbers, in a quarter of their memory. @param meaning  what each of the 256 bytes stands for */
export function byteMatrix(values: Uint8Array, width: number, meaning: Float32Array): Matrix {
  const translate = (from: Uint8Array, to: Float32Array, at: number): void => {
    for (let place = 0; place < from.length; place++) to[at + place] = meaning[from[place] ?? 0] ?? NaN;
  };
  return {
    rows: width === 0 ? 0 : values.length / width,
    width,
    gather: (chosen) => {
      const out = new Float32Array(chosen.length * width);
      for (let at = 0; at < chosen.length; at++) translate(values.subarray((chosen[at] ?? 0) * width, ((chosen[at] ?? 0) + 1) * width), out, at * width);
      return out;
    },
    range: (from, to) => {
      const out = new Float32Array((to - from) * width);
      translate(values.subarray(from * width, to * width), out, 0);
      return out;
    },
  };
}

/** Some rows of a matrix, in an order of their own, some perhaps more than once. Nothing is copied. */
export function selection(of: Matrix, chosen: Int32Array): Matrix {
  return {
    rows: chosen.length,
    width: of.width,
    gather: (rows) => of.gather(rows.map((row) => chosen[row] ?? 0)),
    range: (from, to) => of.gather(chosen.subarray(from, to)),
  };
}
