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
  /** Of the answer; `undefined` while there is none. */
  code: number | undefined;
}

export interface Rule {
  readonly when: (seen: Seen) => boolean;
  readonly fault: Fault;
  /** For so many requests; for all while the rule stands when left out. */
  readonly times?: number;
}

export interface StandingRule extends Disposable {
  /** Requests that it befell so far. */
  readonly hits: number;
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = seenOf(request);
    const body = await bodyOf(request);
    const record = seen.isWrite ? this.#record(seen, body) : undefined;
    const fault = this.#faultFor(seen);
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
        response.writeHead(fault.code, { 'content-type': 'application/json', ...fault.headers });
        response.end(JSON.stringify(fault.body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: fault.code }));
        return;
      default:
        if (fault?.kind === 'observe') await fault.before?.();
        await this.#forward(request, response, seen, body, record, fault);
    }
  }

  #record(seen: Seen, body: Buffer): RecordedWrite {
    const record: RecordedWrite = { ...seen, at: performance.now(), body: body.length === 0 ? undefined : (JSON.parse(body.toString('utf8')) as unknown), code: undefined };
    this.writes.push(record);
    return record;
  }

  #faultFor(seen: Seen): Fault | undefined {
    const entry = this.#rules.find(({ rule, hits }) => hits < (rule.times ?? Infinity) && rule.when(seen));
    if (entry === undefined) return undefined;
    entry.hits += 1;
    return entry.rule.fault;
  }

  async #forward(request: IncomingMessage, response: ServerResponse, seen: Seen, body: Buffer, record: RecordedWrite | undefined, fault: Fault | undefined): Promise<void> {
    const { headers, tls } = await this.#upstream.credentials();
    const upstream = upstreamRequest(
      new URL(request.url ?? '/', this.#upstream.server),
      { method: seen.method, agent: this.#agent, headers: { ...request.headers, ...headers, host: this.#upstream.server.host }, ...tls },
      (answer) => void this.#passOn(answer, request, response, seen, record, fault),
    );
    // The server went away: so does the client's connection, as it would without a proxy.
    upstream.once('error', () => response.destroy());
    response.once('close', () => upstream.destroy());
    upstream.end(body);
  }

  async #passOn(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse, seen: Seen, record: RecordedWrite | undefined, fault: Fault | undefined): Promise<void> {
    if (record !== undefined) record.code = answer.statusCode;
    if (fault?.kind === 'observe') await fault.after?.();
    if (fault?.kind === 'loseReply') {
      request.socket.resetAndDestroy();
      answer.destroy();
      return;
    }
    const stream: Stream = { seen, response, held: false };
    if (seen.isWatch) this.#streams.add(stream);
    response.once('close', () => this.#streams.delete(stream));
    response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
    answer.on('data', (chunk: Buffer) => {
      if (!stream.held) response.write(chunk);
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

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
