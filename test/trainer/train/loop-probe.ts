/**
 * Loaded before the trainer (`--import`), to see how long its main thread is away from its event loop while a training thread is at work:
 * so long must wait who asks it anything. Time that the thread stood ready while others had the CPU is the machine's, and left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** When the loop was away for longer than `toldMs`: milliseconds since 1970 at its return, and for how long. */
export type Absence = readonly [at: number, ms: number];

export interface LoopReport {
  readonly turns: number;
  readonly absences: readonly Absence[];
}

export const probeFileVariable = 'ANNEAL_TEST_LOOP_PROBE';

const everyMs = 5;
const toldMs = 25;

/** Milliseconds that this thread was ready and had no CPU, as Linux counts them; 0 on a kernel that does not. */
function readyMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

function watch(file: string): void {
  const absences: Absence[] = [];
  let turns = 0;
  let [seen, ready] = [performance.now(), readyMs()];
  const look = (): void => {
    const [now, readyNow] = [performance.now(), readyMs()];
    const away = now - seen - everyMs - (readyNow - ready);
    if (away > toldMs) absences.push([performance.timeOrigin + now, away]);
    turns += 1;
    [seen, ready] = [now, readyNow];
  };
  setInterval(look, everyMs).unref();
  process.once('exit', () => {
    look();
    writeFileSync(file, JSON.stringify({ turns, absences } satisfies LoopReport));
  });
}

const file = process.env[probeFileVariable];
// What comes before is the program being loaded.
if (file !== undefined && isMainThread) process.once('worker', () => watch(file));
