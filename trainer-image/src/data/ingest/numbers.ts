/** Decimal numbers out of bytes, exactly rounded, without a string in between. */

/** [+-] digits with at most one point [e[+-] digits]; neither words, nor other bases, nor separators. */
export const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

const [zero, point, plus, minus, smallE, bigE] = [48, 46, 43, 45, 101, 69];
/** The powers of ten that a double holds exactly. */
const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const largestPower = 22;
/** Digits that two 32-bit integers hold. */
const digitsOfHalf = 9;
/** An exponent beyond it is 0 or infinite whatever the digits, of which there are less than 2^31. */
const hugeExponent = 10_000_000_000;

/**
 * Reads the longest decimal number that begins at a byte. `read` gives NaN where none begins; `end` is then the byte that did not fit, and
 * else the first byte after the number.
 */
export class NumberReader {
  end = 0;

  /** @param limit  first byte that may not be looked at */
  read(bytes: Uint8Array, from: number, limit: number): number {
    let at = from;
    let byte = at < limit ? (bytes[at] ?? 0) : 0;
    const negative = byte === minus;
    if (negative || byte === plus) at++;
    // The first 18 significant digits, as high * 10^lowDigits + low.
    let high = 0;
    let highDigits = 0;
    let low = 0;
    let lowDigits = 0;
    let cutOff = false;
    let pointAt = -1;
    const first = at;
    for (; at < limit; at++) {
      byte = bytes[at] ?? 0;
      const digit = byte - zero;
      if (digit >= 0 && digit <= 9) {
        if (highDigits < digitsOfHalf) {
          high = Math.imul(high, 10) + digit;
          if (high !== 0) highDigits++;
        } else if (lowDigits < digitsOfHalf) {
          low = Math.imul(low, 10) + digit;
          lowDigits++;
        } else {
          cutOff = true;
        }
      } else if (byte === point && pointAt < 0) {
        pointAt = at;
      } else {
        break;
      }
    }
    this.end = at;
    if (at - first - (pointAt < 0 ? 0 : 1) === 0) return NaN;
    let exponent = pointAt < 0 ? 0 : pointAt - at + 1;
    if (at < limit && (byte === smallE || byte === bigE)) {
      const power = this.#exponent(bytes, at + 1, limit);
      if (Number.isNaN(power)) return NaN;
      exponent += power;
    }
    const value = cutOff ? NaN : scaled(high, low, lowDigits, exponent);
    if (Number.isNaN(value)) return Number(ascii(bytes, from, this.end));
    return negative ? -value : value;
  }

  #exponent(bytes: Uint8Array, from: number, limit: number): number {
    let at = from;
    const sign = bytes[at];
    if (at < limit && (sign === plus || sign === minus)) at++;
    const first = at;
    let power = 0;
    for (; at < limit; at++) {
      const digit = (bytes[at] ?? 0) - zero;
      if (!(digit >= 0 && digit <= 9)) break;
      if (power < hugeExponent) power = power * 10 + digit;
    }
    this.end = at;
    if (at === first) return NaN;
    return sign === minus ? -power : power;
  }
}

/** (high * 10^lowDigits + low) * 10^exponent, correctly rounded; NaN where the quick ways do not decide it. */
function scaled(high: number, low: number, lowDigits: number, exponent: number): number {
  // Exact: at most 30 bits times 5^9, and twos.
  const upper = high * (powers[lowDigits] ?? NaN);
  // One operation on exact operands rounds once (Clinger, 1990, "How to read floating point numbers accurately").
  if (exponent === 0) return upper + low;
  const digits = upper + low;
  if (digits === 0) return 0;
  if (digits <= Number.MAX_SAFE_INTEGER) {
    if (exponent < 0 && exponent >= -largestPower) return digits / (powers[-exponent] ?? NaN);
    if (exponent > 0 && exponent <= largestPower) return digits * (powers[exponent] ?? NaN);
  }
  return exponent < 0 && exponent >= -largestPower ? quotient(digits, low - (digits - upper), powers[-exponent] ?? NaN) : NaN;
}

/**
 * (digits + rest) / power by double-double division, to some 100 bits (Dekker, 1971, "A floating-point technique for extending the
 * available precision"). NaN where this is so near to the middle between two doubles that the last of these bits would decide.
 */
function quotient(digits: number, rest: number, power: number): number {
  const first = digits / power;
  const product = first * power;
  const firstHigh = upperHalf(first);
  const firstLow = first - firstHigh;
  const powerHigh = upperHalf(power);
  const powerLow = power - powerHigh;
  const lost = ((firstHigh * powerHigh - product) + firstHigh * powerLow + firstLow * powerHigh) + firstLow * powerLow;
  const second = ((digits - product) - lost + rest) / power;
  const value = first + second;
  const residue = second - (value - first);
  const doubt = value * 2 ** -83;
  return value + (residue + doubt) === value && value + (residue - doubt) === value ? value : NaN;
}

/** The upper 26 bits (Veltkamp). */
function upperHalf(value: number): number {
  const spread = value * (2 ** 27 + 1);
  return spread - (spread - value);
}

/** The bytes as a text of ASCII. */
export function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
