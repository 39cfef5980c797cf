/**
 * Wishes of the system that the program stop. Imported before all else: the kernel drops a signal that a container's first process has
 * no handler for, and one may come while the other modules are loaded.
 */
const listeners: (() => void)[] = [];
let wasAsked = false;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    wasAsked = true;
    for (const listener of listeners) listener();
  });
}

/** @param listener  is called at each wish, and at once where there was one already */
export function onStopSignal(listener: () => void): void {
  listeners.push(listener);
  if (wasAsked) listener();
}
