/** A tiny HTTP server whose answers a test writes, for what happens below the level of Kubernetes. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Authority } from '../../../operator/src/kube/auth.ts';
import { systemClock } from '../../../operator/src/kube/clock.ts';
import type { Clock } from '../../../operator/src/kube/clock.ts';
import { Transport } from '../../../operator/src/kube/transport.ts';
import { createMetrics } from '../../../operator/src/telemetry/metrics.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer extends AsyncDisposable {
  readonly url: URL;
  /** `METHOD path` of every request, in order. */
  readonly requests: readonly string[];
  /** Connections accepted so far. */
  readonly connections: number;
  readonly transport: Transport;
  /** Answers the requests to come, one each; the last one stays. */
  answer(...answers: readonly Answer[]): void;
}

export interface TestServerOptions {
  readonly clock?: Clock;
  readonly authority?: (server: URL) => Authority;
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  let answers: readonly Answer[] = [json(200, {})];
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const [first, ...rest] = answers;
    if (rest.length > 0) answers = rest;
    first?.(request, response);
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const transport = new Transport({
    authority: options.authority?.(url) ?? anonymous(url),
    clock: options.clock ?? systemClock,
    random: () => 0.01,
    metrics: createMetrics(),
    userAgent: 'test',
  });
  return {
    url,
    requests,
    transport,
    get connections() {
      return connections;
    },
    answer: (...given) => {
      answers = given;
    },
    [Symbol.asyncDispose]: async () => {
      await transport.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export function anonymous(server: URL): Authority {
  const credentials = { headers: {}, tls: {} };
  return { server, credentials: () => Promise.resolve(credentials), refused: () => undefined };
}

export function json(code: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Never answers. */
export const hang: Answer = () => undefined;

/** Sends the head and half of a body, then nothing. */
export const hangInBody: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{"half":');
};

/** Breaks the connection without an answer. */
export const reset: Answer = (request) => {
  request.socket.resetAndDestroy();
};

/** Streams lines, then leaves the stream open, or ends it. */
export function lines(...given: readonly string[]): Answer & { readonly thenEnd: Answer } {
  const write = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const line of given) response.write(line);
  };
  return Object.assign((_request: IncomingMessage, response: ServerResponse) => write(response), {
    thenEnd: (_request: IncomingMessage, response: ServerResponse) => {
      write(response);
      response.end();
    },
  });
}
