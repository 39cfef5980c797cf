import { startBed } from './bed.ts';
import type { Bed } from './bed.ts';

/** The bed that all suites of one mocha process share, started by the first that asks. */
let shared: Promise<Bed> | undefined;

// At the top of the file, so that it is mocha's root hook: it runs once, after the last suite.
after(async function closeBed() {
  this.timeout(60_000);
  await (await shared)?.[Symbol.asyncDispose]();
});

export async function sharedBed(): Promise<Bed> {
  return (shared ??= startBed());
}
