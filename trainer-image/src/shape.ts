/** Shapes of tensors, the last dimension varying fastest. */

/** How many values a tensor of that shape has. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
