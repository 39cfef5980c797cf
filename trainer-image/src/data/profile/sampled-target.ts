/** Target of some rows. */
export type SampledTarget =
  | { readonly task: 'Classification'; /** Place of each row's class. */ readonly codes: Int32Array; readonly classes: number }
  | { readonly task: 'Regression'; readonly values: Float64Array };
