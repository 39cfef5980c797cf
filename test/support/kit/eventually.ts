/** Polls a condition with a deadline, in place of a sleep. */

const pollMs = 20;

/** Repeats `check` until it does not throw, and returns what it returned; after `deadlineMs` its last error is thrown. */
export async function eventually<T>(check: () => T | Promise<T>, deadlineMs = 10_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
}
