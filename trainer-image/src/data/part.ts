import type { Matrix } from './matrix.ts';

/** Rows for the network. */
export interface Part {
  readonly rows: number;
  readonly features: Matrix;
  /** Class places, or standardised values. */
  readonly targets: Int32Array | Float32Array;
  /** Of rows of a regression that are held back, the target as it stands in the data: made of `targets` again it would be rounded, and a true 0 would be none. */
  readonly truth?: Float64Array;
  /** How much each row counts; 1 where absent. */
  readonly weights?: Float32Array;
}
