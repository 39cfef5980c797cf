/** How long to wait before the next try: exponential with full jitter, as a value that a test can state. */

/** A number in [0, 1). */
export type Random = () => number;

export interface Backoff {
  /** Upper bound of the first wait, in milliseconds. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly capMs: number;
}

/**
 * Wait before try `attempt + 1`, where the first try was 0: uniform over [0, min(cap, base * 2^attempt)].
 * Full jitter spreads the clients of a server that comes back; Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
 */
export function fullJitter(backoff: Backoff, attempt: number, random: Random): number {
  return random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
}
