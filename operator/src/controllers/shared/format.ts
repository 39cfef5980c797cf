/** Values as the columns of `kubectl get` show them. */

/** Four significant digits: enough to compare, short enough for a column. */
export function formatted(value: number): string {
  return String(Number(value.toPrecision(4)));
}
