import { ClusterError } from './errors.ts';

export interface UntilOptions {
  readonly timeoutSeconds: number;
  readonly everyMilliseconds?: number;
  /** What a person should see when the wait fails. */
  readonly hint?: () => Promise<string>;
}

/** Waits for a condition, asking again until a deadline. An error of the condition ends the wait at once. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, options: UntilOptions): Promise<void> {
  const deadline = performance.now() + options.timeoutSeconds * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const hint = options.hint === undefined ? '' : `\n${await options.hint()}`;
      throw new ClusterError('TIMED_OUT', `Waited ${options.timeoutSeconds} s until ${what}, in vain.${hint}`);
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMilliseconds ?? 50));
  }
}
