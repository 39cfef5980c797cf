/**
 * A reverse proxy between the operator and a real API server that can do what networks and servers do to a client: refuse,
 * hang, break, garble, and lose the reply of what was done. It records every write that passes.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Agent, request as upstreamRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { kubeConfigAuthority } from '../../operator/src/kube/auth.ts';
import type { Authority } from '../../operator/src/kube/auth.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { bodyOf, isCollection, refuse } from './proxy-requests.ts';

export type Fault =
  /** Answers in the server's place. */
  | { readonly kind: 'respond'; readonly code: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** Never answers; the request does not arrive. */
  | { readonly kind: 'hang' }
  /** Sends the head of an answer, then nothing. */
  | { readonly kind: 'hangAfterHead' }
  /** Breaks the connection; the request does not arrive. */
  | { readonly kind: 'reset' }
  /** Lets the server do what is asked, then breaks the connection in place of the answer. */
  | { readonly kind: 'loseReply' }
  /** The client dies at this request: before it arrives, or when it was done but not yet answered. `crash` kills it. */
  | { readonly kind: 'crash'; readonly side: 'before' | 'after'; readonly crash: () => Promise<void> }
  /** Calls the test before the request arrives, and after its answer has come but is not yet passed on. */
  | { readonly kind: 'observe'; readonly before?: () => void | Promise<void>; readonly after?: () => void | Promise<void> };

export interface Seen {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly userAgent: string;
  readonly isWatch: boolean;
  readonly isWrite: boolean;
}

export interface RecordedWrite extends Seen {
  /** Milliseconds by this process's monotonic clock, when the whole request had arrived. */
  readonly at: number;
  readonly body: unknown;
  /** Of the answer; `undefined` while there is none, 0 where the request never arrived. */
  code: number | undefined;
}

export interface Rule {
  /** `body` is that of a write. */
  readonly when: (seen: Seen, body: unknown) => boolean;
  readonly fault: Fault;
  /** For so many requests; for all while the rule stands when left out. */
  readonly times?: number;
}

export interface StandingRule extends Disposable {
  /** Requests that it befell so far. */
  readonly hits: number;
}

/** An API server that has fallen behind: it answers lists as of an older version, and tells of no change until it has caught up. */
interface Lag {
  readonly resourceVersion: string;
  readonly caughtUp: Promise<void>;
}

interface Stream {
  readonly seen: Seen;
  readonly response: ServerResponse;
  held: boolean;
}

export class FaultProxy implements AsyncDisposable {
  readonly url: URL;
  /** For a client in this process: the proxy itself proves who it is to the server. */
  readonly authority: Authority;
  readonly writes: RecordedWrite[] = [];
  readonly #server: Server;
  readonly #upstream: Authority;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<Stream>();
  #rules: { readonly rule: Rule; hits: number }[] = [];
  readonly #taps = new Set<(seen: Seen, body: unknown) => void>();
  #lag: Lag | undefined;

  static async start(kubeconfigPath: string): Promise<FaultProxy> {
    const upstream = await kubeConfigAuthority({ path: kubeconfigPath }, systemClock);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultProxy(server, upstream);
  }

  private constructor(server: Server, upstream: Authority) {
    this.#server = server;
    this.#upstream = upstream;
    this.url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const credentials = { headers: {}, tls: {} };
    this.authority = { server: this.url, credentials: () => Promise.resolve(credentials), refused: () => undefined };
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response));
  }

  /** A kubeconfig for another process that is to come through the proxy. */
  kubeconfig(): string {
    return JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'proxy',
      clusters: [{ name: 'proxy', cluster: { server: this.url.origin, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'proxy', user: {} }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    });
  }

  /** The first standing rule that matches a request decides. Disposing the rule ends it; what it hangs stays hanging. */
  fault(rule: Rule): StandingRule {
    const entry = { rule, hits: 0 };
    this.#rules.push(entry);
    return {
      get hits() {
        return entry.hits;
      },
      [Symbol.dispose]: () => {
        this.#rules = this.#rules.filter((other) => other !== entry);
      },
    };
  }

  /** Calls the listener with each request before any rule is asked; a rule that it sets may befall that very request. */
  tap(listener: (seen: Seen, body: unknown) => void): Disposable {
    this.#taps.add(listener);
    return { [Symbol.dispose]: () => void this.#taps.delete(listener) };
  }

  get openWatches(): number {
    return [...this.#streams].filter(({ seen }) => seen.isWatch).length;
  }

  /** Breaks the connections of open watches. */
  cutWatches(when: (seen: Seen) => boolean = () => true): void {
    for (const stream of this.#streams) if (when(stream.seen)) stream.response.destroy();
  }

  /** Open watches fall silent for ever, without being closed: their other end is gone. Watches opened later work. */
  silenceWatches(when: (seen: Seen) => boolean = () => true): void {
    for (const stream of this.#streams) if (when(stream.seen)) stream.held = true;
  }

  /** Puts bytes into the streams of open watches. */
  injectIntoWatches(bytes: string, when: (seen: Seen) => boolean = () => true): void {
    for (const stream of this.#streams) if (when(stream.seen)) stream.response.write(bytes);
  }

  /** Lists are answered as of this version, and watches begin only when what is returned is disposed. */
  lagBehind(resourceVersion: string): Disposable {
    let resolve: () => void = () => undefined;
    const lag = {
      resourceVersion,
      caughtUp: new Promise<void>((done) => {
        resolve = done;
      }),
    };
    this.#lag = lag;
    return {
      [Symbol.dispose]: () => {
        if (this.#lag === lag) this.#lag = undefined;
        resolve();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = seenOf(request);
    const body = await bodyOf(request);
    const record = seen.isWrite ? this.#record(seen, body) : undefined;
    for (const tap of this.#taps) tap(seen, record?.body);
    const fault = this.#faultFor(seen, record?.body);
    if (record !== undefined && fault !== undefined && neverArrives(fault)) record.code = 0;
    switch (fault?.kind) {
      case 'hang':
        return;
      case 'hangAfterHead':
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        return;
      case 'reset':
        request.socket.resetAndDestroy();
        return;
      case 'respond':
        refuse(response, fault.code, fault.headers, fault.body);
        return;
      case 'crash':
        if (fault.side === 'after') break;
        await fault.crash();
        request.socket.destroy();
        return;
      case 'observe':
        await fault.before?.();
        break;
      default:
    }
    const target = await this.#targetOf(request, seen);
    if (target === undefined) refuse(response, 422);
    else await this.#forward(target, request, response, seen, body, record, fault);
  }

  /** What to ask the server, which may be older than what was asked; undefined for what a server that lags does not know. */
  async #targetOf(request: IncomingMessage, seen: Seen): Promise<URL | undefined> {
    const target = new URL(request.url ?? '/', this.#upstream.server);
    const lag = this.#lag;
    if (lag === undefined || seen.method !== 'GET') return target;
    if (seen.query.has('sendInitialEvents')) return undefined;
    if (seen.isWatch) await lag.caughtUp;
    else if (isCollection(seen.path) && !seen.query.has('continue')) {
      target.searchParams.set('resourceVersion', lag.resourceVersion);
      target.searchParams.set('resourceVersionMatch', 'Exact');
    }
    return target;
  }

  #record(seen: Seen, body: Buffer): RecordedWrite {
    const record: RecordedWrite = { ...seen, at: performance.now(), body: body.length === 0 ? undefined : (JSON.parse(body.toString('utf8')) as unknown), code: undefined };
    this.writes.push(record);
    return record;
  }

  #faultFor(seen: Seen, body: unknown): Fault | undefined {
    const entry = this.#rules.find(({ rule, hits }) => hits < (rule.times ?? Infinity) && rule.when(seen, body));
    if (entry === undefined) return undefined;
    entry.hits += 1;
    return entry.rule.fault;
  }

  async #forward(target: URL, request: IncomingMessage, response: ServerResponse, seen: Seen, body: Buffer, record: RecordedWrite | undefined, fault: Fault | undefined): Promise<void> {
    const { headers, tls } = await this.#upstream.credentials();
    const upstream = upstreamRequest(
      target,
      { method: seen.method, agent: this.#agent, headers: { ...request.headers, ...headers, host: this.#upstream.server.host }, ...tls },
      (answer) => void this.#passOn(answer, request, response, seen, record, fault),
    );
    // The server went away: so does the client's connection, as it would without a proxy.
    upstream.once('error', () => response.destroy());
    // A write whose client has gone goes on, so that its record says what became of it.
    response.once('close', () => {
      if (!seen.isWrite) upstream.destroy();
    });
    upstream.end(body);
  }

  async #passOn(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse, seen: Seen, record: RecordedWrite | undefined, fault: Fault | undefined): Promise<void> {
    if (record !== undefined) record.code = answer.statusCode;
    if (fault?.kind === 'observe') await fault.after?.();
    if (fault?.kind === 'crash') await fault.crash();
    if (fault?.kind === 'loseReply' || fault?.kind === 'crash') {
      request.socket.resetAndDestroy();
      answer.destroy();
      return;
    }
    if (response.destroyed) {
      answer.resume();
      return;
    }
    const stream: Stream = { seen, response, held: false };
    if (seen.isWatch) this.#streams.add(stream);
    response.once('close', () => this.#streams.delete(stream));
    response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
    answer.on('data', (chunk: Buffer) => {
      if (!stream.held && !response.destroyed) response.write(chunk);
    });
    answer.once('end', () => {
      if (!stream.held) response.end();
    });
    answer.once('error', () => {
      if (!stream.held) response.destroy();
    });
  }
}

function seenOf(request: IncomingMessage): Seen {
  const url = new URL(request.url ?? '/', 'http://proxy');
  const method = request.method ?? 'GET';
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    userAgent: request.headers['user-agent'] ?? '',
    isWatch: url.searchParams.has('watch'),
    isWrite: method !== 'GET' && method !== 'HEAD',
  };
}

function neverArrives(fault: Fault): boolean {
  return fault.kind === 'respond' || fault.kind === 'hang' || fault.kind === 'hangAfterHead' || fault.kind === 'reset' || (fault.kind === 'crash' && fault.side === 'before');
}
