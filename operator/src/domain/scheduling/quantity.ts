/** Sums of Kubernetes quantities (`500m`, `2Gi`, `1e3`), exact, in thousandths. */

const suffixes: Readonly<Record<string, readonly [numerator: bigint, denominator: bigint]>> = {
  n: [1n, 1_000_000_000n], u: [1n, 1_000_000n], m: [1n, 1000n], '': [1n, 1n],
  k: [1000n, 1n], M: [1000n ** 2n, 1n], G: [1000n ** 3n, 1n], T: [1000n ** 4n, 1n], P: [1000n ** 5n, 1n], E: [1000n ** 6n, 1n],
  Ki: [1024n, 1n], Mi: [1024n ** 2n, 1n], Gi: [1024n ** 3n, 1n], Ti: [1024n ** 4n, 1n], Pi: [1024n ** 5n, 1n], Ei: [1024n ** 6n, 1n],
};

/** Thousandths, rounded up; undefined for text that is no quantity. */
export function thousandths(quantity: string | number): bigint | undefined {
  const match = /^\+?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i))?$/.exec(String(quantity));
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0', suffix = ''] = match;
  const scale = suffixes[suffix];
  if (whole + fraction === '' || scale === undefined) return undefined;
  const shift = Number(exponent) - fraction.length + 3;
  const [up, down] = shift >= 0 ? [10n ** BigInt(shift), 1n] : [1n, 10n ** BigInt(-shift)];
  const [numerator, denominator] = [BigInt(whole + fraction) * scale[0] * up, scale[1] * down];
  return (numerator + denominator - 1n) / denominator;
}

/** The shortest text without a loss: `1500m`, `2`. */
export function quantityOf(thousandthsOfOne: bigint): string {
  return thousandthsOfOne % 1000n === 0n ? String(thousandthsOfOne / 1000n) : `${thousandthsOfOne}m`;
}
