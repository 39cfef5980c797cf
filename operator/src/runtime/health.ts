/** The operator's own HTTP: metrics for Prometheus, liveness and readiness for the kubelet. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one GET; a code other than 200 says no. */
export type Responder = () => Promise<Reply> | Reply;

export interface Reply {
  readonly code: number;
  readonly type?: string;
  readonly body: string;
}

export interface HttpEndpoint extends AsyncDisposable {
  readonly port: number;
}

export interface EndpointOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host?: string;
  readonly paths: Readonly<Record<string, Responder>>;
}

/** Resolves when it listens. Disposing stops listening, answers what is under way, and closes idle connections. */
export async function serveEndpoint(options: EndpointOptions): Promise<HttpEndpoint> {
  const server = createServer((request, response) => void answer(request, response, options.paths));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => close(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, paths: EndpointOptions['paths']): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const responder = request.method === 'GET' || request.method === 'HEAD' ? paths[path] : undefined;
  const reply = responder === undefined ? { code: 404, body: `Nothing is served at ${path}\n` } : await replyOf(responder);
  response.writeHead(reply.code, { 'content-type': reply.type ?? 'text/plain; charset=utf-8' });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

async function replyOf(responder: Responder): Promise<Reply> {
  try {
    return await responder();
  } catch (error) {
    return { code: 500, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** Named checks in the form of the API server's /readyz: one line each, 503 when any fails. */
export function checks(named: Readonly<Record<string, () => boolean>>): Responder {
  return () => {
    const results = Object.entries(named).map(([name, check]) => ({ name, ok: check() }));
    const body = results.map(({ name, ok }) => `[${ok ? '+' : '-'}]${name} ${ok ? 'ok' : 'failed'}\n`).join('');
    return { code: results.every(({ ok }) => ok) ? 200 : 503, body };
  };
}
