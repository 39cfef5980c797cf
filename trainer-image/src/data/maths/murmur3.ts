/** MurmurHash3_x86_32 (Austin Appleby, public domain): the hash of scikit-learn's FeatureHasher and HashingVectorizer. */

const rotl = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));
const mixed = (k: number): number => Math.imul(rotl(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);

const encoder = new TextEncoder();

/** Of the text's UTF-8 bytes, with seed 0, as a signed number of 32 bits. */
export function murmur3(text: string): number {
  const bytes = encoder.encode(text);
  const whole = bytes.length & ~3;
  let h = 0;
  for (let at = 0; at < whole; at += 4) {
    const k = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    h = (Math.imul(rotl(h ^ mixed(k), 13), 5) + 0xe6546b64) | 0;
  }
  if (whole < bytes.length) h ^= mixed((bytes[whole] ?? 0) | ((bytes[whole + 1] ?? 0) << 8) | ((bytes[whole + 2] ?? 0) << 16));
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Place of a hash among `buckets`, as scikit-learn's FeatureHasher: |h| mod buckets. */
export const bucketOf = (hash: number, buckets: number): number => Math.abs(hash) % buckets;
