/** Numbers and times as a reader takes them in. */

/** Kept: a page of hundreds of columns shows tens of thousands of numbers, and toLocaleString makes a formatter for each. */
const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Four digits, or all before the point. */
export function shownNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size > 0 && (size >= 1e9 || size < 1e-3)) return value.toExponential(3).replace(/\.?0*e\+?/, 'e');
  const digits = size >= 1000 ? Math.floor(Math.log10(size)) + 1 : 4;
  const rounded = Number(value.toPrecision(digits));
  // A year has no comma.
  return size >= 10_000 ? grouped.format(rounded) : String(rounded);
}

/** Largest moment that a Date holds. */
const mostMilliseconds = 8.64e15;

/** @param value  microseconds since 1970 */
export function shownTime(value: number): string {
  const milliseconds = Math.floor(value / 1000);
  if (!(Math.abs(milliseconds) <= mostMilliseconds)) return String(value);
  const text = new Date(milliseconds).toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, -14) : text.replace('T', ' ').replace(/(:00)?\.\d+Z$/, '');
}

const second = 1e6;
const units = [[365.2425 * 86_400 * second, 'years'], [86_400 * second, 'days'], [3600 * second, 'hours'], [60 * second, 'minutes'], [second, 'seconds']] as const;

/** @param value  microseconds */
export function shownDuration(value: number): string {
  const [size, name] = units.find(([unit]) => value >= 2 * unit) ?? [second, 'seconds'];
  return `${shownNumber(Number((value / size).toPrecision(3)))} ${name}`;
}
