/**
 * Keys that wait for a worker. A key is in the queue once however often it is added, is never handed to two workers, and
 * comes back if it was added while it was being worked on. Higher priorities go first.
 */
import { fullJitter } from '../kube/backoff.ts';
import type { Backoff, Random } from '../kube/backoff.ts';
import type { Clock, Instant, Monotonic } from '../kube/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { DelayHeap } from './delay-heap.ts';

/** From the most urgent: what a person edited, what a child or another object did, what start-up and retries bring. */
export const priorities = ['edit', 'change', 'resync'] as const;
export type Priority = (typeof priorities)[number];

export interface WorkQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly backoff?: Backoff;
}

/** The first retry within 50 ms, the hundredth within five minutes: full jitter keeps failing keys from coming back together. */
const defaultBackoff: Backoff = { baseMs: 50, capMs: 300_000 };
/** The wall clock may jump; how long a due wall time may go unnoticed after it did. */
const wallCheckMs = 10_000;

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting: Readonly<Record<Priority, Set<string>>> = { edit: new Set(), change: new Set(), resync: new Set() };
  readonly #addedAt = new Map<string, Monotonic>();
  /** Keys in work, and since when. */
  readonly #working = new Map<string, Monotonic>();
  /** Keys that were added while they were in work. */
  readonly #again = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  readonly #afterDelay = new DelayHeap();
  readonly #atTime = new DelayHeap();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #timer: { readonly due: Monotonic; readonly handle: Disposable } | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait for a worker, those with a delay not counted. */
  get depth(): number {
    return this.#waiting.edit.size + this.#waiting.change.size + this.#waiting.resync.size;
  }

  add(key: string, priority: Priority): void {
    if (this.#closed) return;
    this.#options.metrics.queueAdds.inc({ name: this.#options.name });
    if (this.#working.has(key)) {
      const held = this.#again.get(key);
      if (held === undefined || isHigher(priority, held)) this.#again.set(key, priority);
      return;
    }
    this.#enqueue(key, priority);
  }

  /** Once `delayMs` have passed, whatever the wall clock does; of several times the earliest wins. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) {
      this.add(key, 'resync');
      return;
    }
    this.#afterDelay.add(key, this.#options.clock.monotonic() + delayMs);
    this.#arm();
  }

  /** Once the wall clock shows `time`, even if it gets there by a jump. */
  addAt(key: string, time: Instant): void {
    if (this.#closed) return;
    if (time <= this.#options.clock.now()) {
      this.add(key, 'resync');
      return;
    }
    this.#atTime.add(key, time);
    this.#arm();
  }

  /** With a delay that grows with each call until `forget`, within these bounds. Returns it in milliseconds. */
  addRateLimited(key: string, bounds: { readonly atLeastMs?: number; readonly atMostMs?: number } = {}): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#options.metrics.queueRetries.inc({ name: this.#options.name });
    const { baseMs, capMs } = this.#options.backoff ?? defaultBackoff;
    const backoff = { baseMs, capMs: Math.min(capMs, bounds.atMostMs ?? capMs) };
    const delayMs = Math.max(bounds.atLeastMs ?? 0, 1, fullJitter(backoff, failures, this.#options.random));
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The key went well: its next failure starts the backoff anew. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key to work on, or `undefined` once the queue is closed. Call `done` for each key taken. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const key = this.#next();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    const since = this.#working.get(key);
    if (since === undefined) return;
    this.#working.delete(key);
    this.#options.metrics.workSeconds.observe({ name: this.#options.name }, (this.#options.clock.monotonic() - since) / 1000);
    const priority = this.#again.get(key);
    this.#again.delete(key);
    if (priority !== undefined && !this.#closed) this.#enqueue(key, priority);
  }

  /** Hands out no more keys. Those in work are finished by their workers. */
  close(): void {
    this.#closed = true;
    this.#timer?.handle[Symbol.dispose]();
    this.#timer = undefined;
    this.#afterDelay.clear();
    this.#atTime.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  /** Brings the gauges up to date; called when metrics are read. */
  measure(): void {
    const { name, metrics, clock } = this.#options;
    for (const priority of priorities) metrics.queueDepth.set({ name, priority }, this.#waiting[priority].size);
    const running = [...this.#working.values()].map((since) => (clock.monotonic() - since) / 1000);
    metrics.unfinishedSeconds.set({ name }, running.reduce((sum, seconds) => sum + seconds, 0));
    metrics.longestRunningSeconds.set({ name }, Math.max(0, ...running));
  }

  #enqueue(key: string, priority: Priority): void {
    const held = priorities.find((candidate) => this.#waiting[candidate].has(key));
    if (held !== undefined) {
      if (!isHigher(priority, held)) return;
      this.#waiting[held].delete(key);
    } else {
      this.#addedAt.set(key, this.#options.clock.monotonic());
    }
    this.#waiting[priority].add(key);
    const taker = this.#takers.shift();
    if (taker !== undefined) taker(this.#next());
  }

  #next(): string | undefined {
    for (const priority of priorities) {
      const [key] = this.#waiting[priority];
      if (key === undefined) continue;
      this.#waiting[priority].delete(key);
      const now = this.#options.clock.monotonic();
      this.#options.metrics.queueSeconds.observe({ name: this.#options.name }, (now - (this.#addedAt.get(key) ?? now)) / 1000);
      this.#addedAt.delete(key);
      this.#working.set(key, now);
      return key;
    }
    return undefined;
  }

  #arm(): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    const nextWall = this.#atTime.next;
    const untilWall = nextWall === undefined ? Infinity : Math.min(wallCheckMs, Math.max(0, nextWall - clock.now()));
    const due = Math.min(this.#afterDelay.next ?? Infinity, now + untilWall);
    if (due === Infinity || (this.#timer !== undefined && this.#timer.due <= due)) return;
    this.#timer?.handle[Symbol.dispose]();
    this.#timer = { due, handle: clock.after(due - now, () => this.#release()) };
  }

  #release(): void {
    this.#timer = undefined;
    const { clock } = this.#options;
    const due = [...this.#afterDelay.takeDue(clock.monotonic()), ...this.#atTime.takeDue(clock.now())];
    for (const key of due) this.add(key, 'resync');
    this.#arm();
  }
}

function isHigher(a: Priority, b: Priority): boolean {
  return priorities.indexOf(a) < priorities.indexOf(b);
}
