/** Where a window goes over an axis: the arithmetic of padding that convolutions and pooling share. */

export interface Window {
  /** Positions that it stops at. */
  readonly length: number;
  /** Zeros (for a maximum: nothing) before and after the axis. */
  readonly before: number;
  readonly after: number;
}

/**
 * TensorFlow's padding (nn.convolution): `same` stops at ceil(length / stride) positions and pads as little as that needs, the odd one
 * after; `valid` pads nothing. Written as numbers, since ONNX's SAME_UPPER is not defined for dilated windows.
 */
export function windowOver(length: number, size: number, stride: number, dilation: number, padding: 'same' | 'valid'): Window {
  const reach = (size - 1) * dilation + 1;
  if (padding === 'valid') return { length: Math.floor((length - reach) / stride) + 1, before: 0, after: 0 };
  const stops = Math.ceil(length / stride);
  const zeros = Math.max(0, (stops - 1) * stride + reach - length);
  return { length: stops, before: Math.floor(zeros / 2), after: Math.ceil(zeros / 2) };
}

/** The same backwards: the axis that a transposed convolution makes. `extra` are positions at its end that no window reaches. */
export function windowBack(length: number, size: number, stride: number, padding: 'same' | 'valid'): Window & { readonly extra: number } {
  const extra = Math.max(0, stride - size);
  if (padding === 'valid') return { length: length * stride + Math.max(0, size - stride), before: 0, after: 0, extra };
  const cut = Math.max(0, size - stride);
  return { length: length * stride, before: Math.floor(cut / 2), after: Math.ceil(cut / 2), extra };
}

/** As the attribute `pads` has them: all befores, then all afters. */
export const padsOf = (windows: readonly Window[]): readonly number[] => [...windows.map(({ before }) => before), ...windows.map(({ after }) => after)];
