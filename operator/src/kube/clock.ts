/** Time as a service, so that a test can hold it still, step it, or make the wall clock lie. */

/** Milliseconds since 1970 in UTC, by the wall clock: may jump. For times that a person or an object states. */
export type Instant = number;

/** Milliseconds since an unknown moment: never jumps, and goes on while the process is stopped. For durations and deadlines. */
export type Monotonic = number;

export interface Clock {
  now(): Instant;
  monotonic(): Monotonic;
  /** Calls `run` once, not before `delayMs` have passed; disposing it first cancels it. */
  after(delayMs: number, run: () => void): Disposable;
}

/** Node holds a longer delay to be 1 ms. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), longestTimerMs));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs`, or at once when `signal` is aborted: the caller looks at the signal, so nothing is thrown. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const wake = (): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.after(delayMs, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
