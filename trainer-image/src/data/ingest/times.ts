/**
 * Moments as ISO 8601 writes them: YYYY-MM-DD, or YYYY-MM-DD with T or a blank and HH:MM[:SS[.fraction]], and then Z, ±HH:MM, ±HHMM or
 * ±HH where it is not UTC by silence. Digits below a microsecond are cut off. No leap seconds, no hour 24, no years before 0001.
 */

const [zero, minus, plus, colon, point, blank, bigT, smallT, bigZ, smallZ] = [48, 45, 43, 58, 46, 32, 84, 116, 90, 122];
const daysBefore = Uint16Array.of(0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365);
const microseconds = 1e6;

/** @returns microseconds since 1970-01-01T00:00:00Z; NaN where the bytes from, …, to - 1 are no moment */
export function readTime(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 10) return NaN;
  const year = digits(bytes, from, 4);
  const month = digits(bytes, from + 5, 2);
  const day = digits(bytes, from + 8, 2);
  if (bytes[from + 4] !== minus || bytes[from + 7] !== minus || !(year >= 1) || !(month >= 1 && month <= 12) || !(day >= 1)) return NaN;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const inMonth = (daysBefore[month] ?? 0) - (daysBefore[month - 1] ?? 0) + (month === 2 && isLeap ? 1 : 0);
  if (day > inMonth) return NaN;
  const yearsBefore = year - 1;
  const days = yearsBefore * 365 + Math.floor(yearsBefore / 4) - Math.floor(yearsBefore / 100) + Math.floor(yearsBefore / 400)
    + (daysBefore[month - 1] ?? 0) + (month > 2 && isLeap ? 1 : 0) + day - daysTo1970;
  if (to - from === 10) return days * 86_400 * microseconds;
  return clock(bytes, from + 10, to) + days * 86_400 * microseconds;
}

/** Days from 0001-01-01 to 1970-01-01, and 1, since days of a month are counted from 1. */
const daysTo1970 = 719_163;

/** Microseconds since midnight UTC of the day that is written. */
function clock(bytes: Uint8Array, from: number, to: number): number {
  const divider = bytes[from];
  if (divider !== bigT && divider !== blank && divider !== smallT) return NaN;
  const hour = to - from >= 6 ? digits(bytes, from + 1, 2) : NaN;
  const minute = digits(bytes, from + 4, 2);
  if (bytes[from + 3] !== colon || !(hour <= 23) || !(minute <= 59)) return NaN;
  let at = from + 6;
  let seconds = 0;
  let fraction = 0;
  if (at < to && bytes[at] === colon) {
    seconds = to - at >= 3 ? digits(bytes, at + 1, 2) : NaN;
    if (!(seconds <= 59)) return NaN;
    at += 3;
    if (at < to && bytes[at] === point) {
      const first = ++at;
      for (let unit = microseconds / 10; at < to && isDigit(bytes[at]); at++, unit /= 10) if (unit >= 1) fraction += ((bytes[at] ?? zero) - zero) * unit;
      if (at === first) return NaN;
    }
  }
  return ((hour * 60 + minute - offset(bytes, at, to)) * 60 + seconds) * microseconds + fraction;
}

/** Minutes east of UTC. */
function offset(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return 0;
  const sign = bytes[from];
  const length = to - from;
  if (length === 1) return sign === bigZ || sign === smallZ ? 0 : NaN;
  if (sign !== plus && sign !== minus) return NaN;
  const hour = length >= 3 ? digits(bytes, from + 1, 2) : NaN;
  const hasColon = bytes[from + 3] === colon;
  if (length !== 3 && length !== (hasColon ? 6 : 5)) return NaN;
  const minute = length === 3 ? 0 : digits(bytes, from + (hasColon ? 4 : 3), 2);
  if (!(hour <= 23) || !(minute <= 59)) return NaN;
  return (sign === minus ? -1 : 1) * (hour * 60 + minute);
}

function digits(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    if (!isDigit(bytes[at])) return NaN;
    value = value * 10 + ((bytes[at] ?? zero) - zero);
  }
  return value;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= zero + 9;
