/** Which failed requests are tried again, and when. */
import { fullJitter } from './backoff.ts';
import type { Random } from './backoff.ts';
import type { Instant } from './clock.ts';
import { ApiError, TransportError } from './errors.ts';

const backoff = { baseMs: 100, capMs: 3_000 };
/** A longer wait belongs in the work queue, where it holds no worker. */
const longestRetryAfterMs = 10_000;

/**
 * Milliseconds until the next try, or `undefined` for none. A read may always be repeated; a write only when the server
 * says that it did nothing (429, 503 with Retry-After) or when it surely never left.
 */
export function retryDelayMs(method: string, error: Error, tries: number, random: Random): number | undefined {
  const isRead = method === 'GET';
  const jittered = fullJitter(backoff, tries, random);
  if (error instanceof TransportError) {
    const lost = error.code === 'CONNECTION_FAILED' || error.code === 'TIMED_OUT' || error.code === 'GARBLED';
    return lost && (isRead || !error.sent) ? jittered : undefined;
  }
  if (!(error instanceof ApiError)) return undefined;
  const repeatable = error.code === 429 || (isRead ? error.code >= 500 : error.code === 503 && error.retryAfterMs !== undefined);
  if (!repeatable) return undefined;
  if (error.retryAfterMs === undefined) return jittered;
  // Never earlier than asked; a tenth later at random, so that not all come back in the same millisecond.
  return error.retryAfterMs > longestRetryAfterMs ? undefined : error.retryAfterMs * (1 + random() / 10);
}

/** The `Retry-After` header, in seconds or as a date (RFC 9110 §10.2.3), as milliseconds from now. */
export function retryAfterMs(value: string | string[] | undefined, now: Instant): number | undefined {
  if (typeof value !== 'string') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
