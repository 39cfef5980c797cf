/** One line for the person who waits; on stderr, so that stdout holds only what a script asked for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Says what is waited for, and how long it took once it is there. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  say(`  ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}
