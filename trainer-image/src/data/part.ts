import type { Matrix } from './matrix.ts';

/** Rows for the network. */
export interface Part {
  readonly rows: number;
  readonly features: Matrix;
  /** Class places, or standardised values. */
  readonly targets: Int32Array | Float32Array;
  /** How much each row counts; 1 where absent. */
  readonly weights?: Float32Array;
}
