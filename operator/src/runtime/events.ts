/**
 * Tells people what happened, as events.k8s.io/v1 events. Best effort: never blocks or fails a reconcile, folds what
 * repeats into a series, and stops an object that says too much.
 */
import { createHash } from 'node:crypto';
import { cutBytes } from '../api/index.ts';
import type { Client } from '../kube/client.ts';
import { sleep } from '../kube/clock.ts';
import type { Clock, Instant, Monotonic } from '../kube/clock.ts';
import { asError, isNamespaceTerminating, isNotFound } from '../kube/errors.ts';
import { apiVersionOf } from '../kube/resource.ts';
import type { KubeObject, ObjectKey, ResourceType } from '../kube/resource.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { EventNote, Seen } from './plan.ts';

export const eventType: ResourceType = { group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events', namespaced: true };

export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Which program and which instance of it, for example `anneal.dev/operator` and the pod's name. */
  readonly reportingController: string;
  readonly reportingInstance: string;
}

/** As client-go: a burst of 25 for each object, then one every five minutes. */
const burst = 25;
const refillMs = 300_000;
/** As client-go: a series is over when nothing was added for six minutes. */
const seriesIdleMs = 360_000;
/** How often the count of a series that goes on is written. */
const seriesWriteMs = 60_000;
const longestQueue = 1_000;
/** Bytes of UTF-8, not characters: an event with a longer note is refused. */
const longestNote = 1_024;

interface Series {
  readonly key: ObjectKey;
  count: number;
  lastSeen: Instant;
  touched: Monotonic;
  written: Monotonic;
  /** Writes the count once the interval is over. */
  timer: Disposable | undefined;
}

interface Allowance {
  tokens: number;
  refilled: Monotonic;
}

type Write = { readonly kind: 'create'; readonly event: KubeObject } | { readonly kind: 'series'; readonly series: Series };

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #queue: Write[] = [];
  readonly #stop = new AbortController();
  #sending: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  emit(about: Seen, note: EventNote): void {
    if (this.#stop.signal.aborted) return;
    const now = this.#options.clock.monotonic();
    this.#forgetOld(now);
    const identity = [about.uid, note.type, note.reason, note.action, note.note].join('\n');
    const running = this.#series.get(identity);
    if (running !== undefined) {
      this.#fold(running, now);
      return;
    }
    if (!this.#mayEmit(about.uid, now)) {
      this.#count('filtered');
      return;
    }
    const time = this.#options.clock.now();
    const event = this.#eventOf(about, note, time, identity);
    this.#series.set(identity, { key: { namespace: event.metadata.namespace ?? '', name: event.metadata.name }, count: 1, lastSeen: time, touched: now, written: -Infinity, timer: undefined });
    this.#enqueue({ kind: 'create', event });
  }

  /** Sends what is queued, for at most `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const expired = sleep(clock, deadlineMs, this.#stop.signal);
    await Promise.race([this.#sending ?? Promise.resolve(), expired]);
    this.#stop.abort();
    for (const { timer } of this.#series.values()) timer?.[Symbol.dispose]();
    this.#queue.length = 0;
    await this.#sending;
  }

  #fold(series: Series, now: Monotonic): void {
    series.count += 1;
    series.lastSeen = this.#options.clock.now();
    series.touched = now;
    const waitMs = series.written + seriesWriteMs - now;
    if (waitMs <= 0) {
      this.#writeSoon(series);
      return;
    }
    this.#count('folded');
    series.timer ??= this.#options.clock.after(waitMs, () => this.#writeSoon(series));
  }

  #writeSoon(series: Series): void {
    series.timer = undefined;
    series.written = this.#options.clock.monotonic();
    this.#enqueue({ kind: 'series', series });
  }

  #mayEmit(uid: string, now: Monotonic): boolean {
    const allowance = this.#allowances.get(uid) ?? { tokens: burst, refilled: now };
    const refills = Math.floor((now - allowance.refilled) / refillMs);
    allowance.tokens = Math.min(burst, allowance.tokens + refills);
    allowance.refilled += refills * refillMs;
    this.#allowances.set(uid, allowance);
    if (allowance.tokens < 1) return false;
    allowance.tokens -= 1;
    return true;
  }

  /** Bounds both maps by what happened in the last minutes. */
  #forgetOld(now: Monotonic): void {
    if (this.#series.size < longestQueue && this.#allowances.size < longestQueue) return;
    for (const [identity, series] of this.#series) if (series.timer === undefined && now - series.touched > seriesIdleMs) this.#series.delete(identity);
    for (const [uid, allowance] of this.#allowances) if (now - allowance.refilled > burst * refillMs) this.#allowances.delete(uid);
  }

  #enqueue(write: Write): void {
    if (this.#queue.length >= longestQueue) {
      this.#count('dropped');
      return;
    }
    this.#queue.push(write);
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    for (let write = this.#queue.shift(); write !== undefined; write = this.#queue.shift()) {
      try {
        if (write.kind === 'create') await this.#options.client.create(eventType, write.event, { signal: this.#stop.signal });
        else await this.#writeSeries(write.series);
        this.#count('sent');
      } catch (thrown) {
        this.#count('failed');
        if (!isNamespaceTerminating(thrown) && !isNotFound(thrown)) this.#options.log.debug('Event not sent', { error: asError(thrown).message });
      }
    }
    this.#sending = undefined;
  }

  #writeSeries(series: Series): Promise<KubeObject> {
    const patch = { series: { count: series.count, lastObservedTime: microTime(series.lastSeen) } };
    return this.#options.client.merge(eventType, series.key, patch, { signal: this.#stop.signal });
  }

  #eventOf(about: Seen, note: EventNote, time: Instant, identity: string): KubeObject {
    const { reportingController, reportingInstance } = this.#options;
    const suffix = createHash('sha256').update(`${identity}\n${reportingInstance}\n${time}`).digest('hex').slice(0, 16);
    // Events of cluster-scoped objects live in the default namespace, by convention of the API.
    const namespace = about.namespace === undefined || about.namespace === '' ? 'default' : about.namespace;
    const event = {
      apiVersion: apiVersionOf(eventType),
      kind: eventType.kind,
      metadata: { name: `${about.name.slice(0, 200)}.${suffix}`, namespace },
      eventTime: microTime(time),
      type: note.type,
      reason: note.reason,
      action: note.action,
      note: cutBytes(note.note, longestNote),
      regarding: {
        apiVersion: apiVersionOf(about.type),
        kind: about.type.kind,
        name: about.name,
        uid: about.uid,
        ...(about.namespace === undefined ? {} : { namespace: about.namespace }),
      },
      reportingController,
      reportingInstance,
    };
    return event;
  }

  #count(result: string): void {
    this.#options.metrics.events.inc({ result });
  }
}

/** metav1.MicroTime: the API server refuses a time without exactly six digits of fraction. */
export function microTime(time: Instant): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}
