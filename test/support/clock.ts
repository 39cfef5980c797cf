/** A clock that moves only when a test moves it. */
import type { Clock, Instant, Monotonic } from '../../operator/src/kube/clock.ts';

interface Timer {
  readonly due: Monotonic;
  readonly run: () => void;
}

/** Far more than any controller sets at one moment: a timer that starts itself again would else stop the test run for ever. */
const mostRunsAtOneMoment = 100_000;

export class TestClock implements Clock {
  #wall: Instant;
  #monotonic: Monotonic = 0;
  readonly #timers = new Set<Timer>();

  constructor(wall: Instant = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }

  now(): Instant {
    return this.#wall;
  }

  monotonic(): Monotonic {
    return this.#monotonic;
  }

  after(delayMs: number, run: () => void): Disposable {
    const timer = { due: this.#monotonic + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due. */
  get nextDue(): Monotonic | undefined {
    return this.#earliest(Infinity)?.due;
  }

  /** Lets time pass, running what falls due in order, each with all that follows from it at once. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    let runs = 0;
    for (let timer = this.#earliest(end); timer !== undefined; timer = this.#earliest(end)) {
      runs = timer.due > this.#monotonic ? 0 : runs + 1;
      if (runs > mostRunsAtOneMoment) throw new RangeError(`A timer set itself again at ${this.#monotonic} ms without end`);
      this.#moveTo(Math.max(timer.due, this.#monotonic));
      this.#timers.delete(timer);
      timer.run();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Time passes and nothing runs, as for a stopped process; `advance(0)` thaws it. */
  freeze(ms: number): void {
    this.#moveTo(this.#monotonic + ms);
  }

  /** Someone sets the wall clock. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  #moveTo(monotonic: Monotonic): void {
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  #earliest(until: Monotonic): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) if (timer.due <= until && (earliest === undefined || timer.due < earliest.due)) earliest = timer;
    return earliest;
  }
}

/** Lets every promise that can settle do so, without a turn of any timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
