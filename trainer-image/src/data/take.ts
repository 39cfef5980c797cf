/** Some values of an array, by their places. */

/** By index: by callback it takes ten times as long. */
export function takenInto<T extends Int32Array | Float32Array | Float64Array>(from: T, rows: Int32Array, into: T): T {
  for (let at = 0; at < rows.length; at++) into[at] = from[rows[at] ?? 0] ?? NaN;
  return into;
}
