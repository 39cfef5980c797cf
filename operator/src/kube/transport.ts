/**
 * Requests to the API server over pooled keep-alive connections, each attempt with a time limit, tried again only where
 * that cannot do harm.
 */
import { Pool } from 'undici';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Authority, Credentials, TlsOptions } from './auth.ts';
import type { Random } from './backoff.ts';
import { sleep } from './clock.ts';
import type { Clock } from './clock.ts';
import { ApiError, TransportError, asError } from './errors.ts';
import type { StatusBody } from './errors.ts';
import { Exchange, whole } from './exchange.ts';
import type { ExchangeRequest, ResponseHead } from './exchange.ts';
import { retryAfterMs, retryDelayMs } from './retry.ts';

/** Connections never shared with one another: a slow list must not hold up the lease, nor twenty watches fill the pool. */
export type Lane = 'objects' | 'watch' | 'lease';

const connectionsOf: Readonly<Record<Lane, number | null>> = { objects: 12, watch: null, lease: 1 };

export interface Request {
  readonly method: ExchangeRequest['method'];
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** For one attempt, headers and body, the wait for a connection included. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly lane?: Lane;
  /** How often to try again at most. */
  readonly retries?: number;
  readonly maySend?: (() => boolean) | undefined;
}

export interface TransportOptions {
  readonly authority: Authority;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly userAgent: string;
}

/** An object read from etcd's cache takes milliseconds: five seconds of silence are a dead connection. */
const readTimeoutMs = 5_000;
/** An admission webhook may take ten seconds, its default limit. */
const writeTimeoutMs = 12_000;
const defaultRetries = 4;
const silentMs = 2_000;
const connectTimeoutMs = 3_000;
/** Below the 90 s after which kube-apiserver closes an idle connection, so that no request meets a closing one. */
const idleConnectionMs = 45_000;

export class Transport {
  readonly #options: TransportOptions;
  readonly #host: string;
  readonly #inFlight = new Set<Exchange>();
  #pools: { readonly tls: TlsOptions; readonly byLane: ReadonlyMap<Lane, Pool> } | undefined;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#host = options.authority.server.host;
  }

  /** Sends the request and parses the answer. Throws `ApiError` when the server refuses, `TransportError` when none came. */
  async json<T>(request: Request): Promise<T> {
    const timeoutMs = request.timeoutMs ?? (request.method === 'GET' ? readTimeoutMs : writeTimeoutMs);
    return this.#retrying(request, async (credentials) => {
      const exchange = this.#open(request, credentials);
      using _limit = this.#limit(exchange, timeoutMs, request.signal);
      const { head, text } = await this.#observed(request, exchange, () => whole(exchange));
      this.#refuse(exchange, head, text);
      return parse(text, exchange) as T;
    });
  }

  /** Opens a stream; the time limit is for its headers. The caller iterates over the exchange, which closes it. */
  async stream(request: Request): Promise<Exchange> {
    return this.#retrying(request, async (credentials) => {
      const exchange = this.#open(request, credentials);
      const limit = this.#limit(exchange, request.timeoutMs ?? readTimeoutMs, undefined);
      try {
        const head = await this.#observed(request, exchange, () => exchange.head.then((value) => ({ head: value })));
        if (head.head.code !== 200) this.#refuse(exchange, head.head, await exchange.text());
        this.#abortWith(exchange, request.signal);
        return exchange;
      } finally {
        limit[Symbol.dispose]();
      }
    });
  }

  /**
   * Drops every request and stream that has heard nothing for two seconds: called when an outage is seen to be over, since
   * what was sent into it may wait for long on a connection whose other end is gone.
   */
  dropSilent(): void {
    const since = this.#options.clock.monotonic() - silentMs;
    for (const exchange of this.#inFlight) {
      if (exchange.lastHeard <= since) exchange.fail('CONNECTION_FAILED', `${exchange.description} had no answer during an outage that is over`);
    }
  }

  /** Ends what is in flight and closes every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const exchange of this.#inFlight) exchange.fail('ABORTED', `${exchange.description} was given up: the client was closed`);
    const pools = [...(this.#pools?.byLane.values() ?? [])];
    this.#pools = undefined;
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  async #retrying<T>(request: Request, attempt: (credentials: Credentials) => Promise<T>): Promise<T> {
    const { authority, clock, random, metrics } = this.#options;
    let refusals = 0;
    for (let tries = 0; ; ) {
      if (request.signal?.aborted === true || this.#closed) throw givenUp(request);
      const credentials = await authority.credentials();
      try {
        return await attempt(credentials);
      } catch (thrown) {
        const error = asError(thrown);
        const code = error instanceof ApiError ? String(error.code) : '<error>';
        if (error instanceof ApiError && error.code === 401 && refusals++ === 0) {
          authority.refused(credentials);
        } else {
          const delayMs = tries < (request.retries ?? defaultRetries) ? retryDelayMs(request.method, error, tries, random) : undefined;
          if (delayMs === undefined) throw error;
          tries += 1;
          await sleep(clock, delayMs, request.signal);
        }
        metrics.requestRetries.inc({ code, method: request.method, host: this.#host });
      }
    }
  }

  #open(request: Request, credentials: Credentials): Exchange {
    if (this.#closed) throw givenUp(request);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const exchange = new Exchange(
      this.#pool(request.lane ?? 'objects', credentials.tls),
      {
        method: request.method,
        path: pathWithQuery(request),
        headers: {
          ...credentials.headers,
          accept: 'application/json',
          'user-agent': this.#options.userAgent,
          ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        ...(request.maySend === undefined ? {} : { maySend: request.maySend }),
      },
      this.#options.clock,
    );
    this.#inFlight.add(exchange);
    exchange.onSettled(() => this.#inFlight.delete(exchange));
    return exchange;
  }

  #pool(lane: Lane, tls: TlsOptions): Pool {
    if (this.#pools?.tls !== tls) {
      const former = [...(this.#pools?.byLane.values() ?? [])];
      const make = (connections: number | null) =>
        new Pool(this.#options.authority.server.origin, {
          connections,
          pipelining: 1,
          allowH2: false,
          keepAliveTimeout: idleConnectionMs,
          keepAliveMaxTimeout: idleConnectionMs,
          connect: { ...tls, timeout: connectTimeoutMs, keepAliveInitialDelay: 15_000 },
        });
      this.#pools = { tls, byLane: new Map(Object.entries(connectionsOf).map(([name, connections]) => [name as Lane, make(connections)])) };
      // New requests prove themselves with the new certificate; those under way end on the old one.
      for (const pool of former) pool.close(() => undefined);
    }
    const pool = this.#pools.byLane.get(lane);
    if (pool === undefined) throw new RangeError(`There is no connection pool named ${lane}`);
    return pool;
  }

  #limit(exchange: Exchange, timeoutMs: number, signal: AbortSignal | undefined): Disposable {
    const timer = this.#options.clock.after(timeoutMs, () => {
      exchange.fail('TIMED_OUT', `${exchange.description} had no whole answer after ${timeoutMs / 1000} s`);
    });
    const unlisten = this.#abortWith(exchange, signal);
    return {
      [Symbol.dispose]: () => {
        timer[Symbol.dispose]();
        unlisten();
      },
    };
  }

  #abortWith(exchange: Exchange, signal: AbortSignal | undefined): () => void {
    if (signal === undefined) return () => undefined;
    const abort = (): void => exchange.fail('ABORTED', `${exchange.description} was given up`);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const unlisten = (): void => signal.removeEventListener('abort', abort);
    exchange.onSettled(unlisten);
    return unlisten;
  }

  async #observed<T extends { readonly head: ResponseHead }>(request: Request, exchange: Exchange, run: () => Promise<T>): Promise<T> {
    const { clock, metrics } = this.#options;
    const labels = { method: request.method, host: this.#host };
    const start = clock.monotonic();
    let code = '<error>';
    try {
      const result = await run();
      code = String(result.head.code);
      return result;
    } finally {
      metrics.requests.inc({ ...labels, code });
      metrics.requestSeconds.observe(labels, (clock.monotonic() - start) / 1000);
    }
  }

  #refuse(exchange: Exchange, head: ResponseHead, text: string): void {
    if (head.code >= 200 && head.code < 300) return;
    throw new ApiError(exchange.description, head.code, statusOf(text), retryAfterMs(head.headers['retry-after'], this.#options.clock.now()));
  }
}

function statusOf(text: string): StatusBody {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  } catch {
    // A proxy in front of the API server answers in plain text: the text is the message.
  }
  return { message: text.trim().slice(0, 300) };
}

function parse(text: string, exchange: Exchange): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TransportError('GARBLED', `${exchange.description} was answered with something that is not JSON`, true, { cause });
  }
}

function givenUp(request: Request): TransportError {
  return new TransportError('ABORTED', `${request.method} ${request.path} was given up before it was sent`, false);
}

function pathWithQuery(request: Request): string {
  const given = Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return request.path;
  return `${request.path}?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}
