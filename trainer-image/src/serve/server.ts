/** The serving process: an HTTP server that is there at once, ready when its model is verified and warm, and drained before it ends. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { toAnnealError } from '../errors.ts';
import { invalid } from '../local/flags.ts';
import type { Log } from '../log.ts';
import { createMetrics } from './metrics.ts';
import type { ServingMetrics } from './metrics.ts';
import { loadPredictor } from './predictor.ts';
import { ProtocolError } from './request.ts';
import { findRoute } from './routes.ts';
import type { Answer, FoundRoute, Served } from './routes.ts';

export interface ServeOptions {
  readonly modelDirectory: string;
  readonly name: string;
  /** File with the key for pseudonyms, for a model that knows its rows by them. */
  readonly pseudonymKey?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxBodyBytes: number;
  /** How long requests are still taken after the wish to stop, while endpoints are being taken out of load balancers. */
  readonly drainMs: number;
  /** That may compute at once. */
  readonly threads: number;
  readonly log: Log;
}

export interface Serving {
  readonly port: number;
  /** Resolves when the model is ready, or known to be unusable. */
  readonly loaded: Promise<void>;
  /** Readiness off, drain, close; resolves when the last request was answered. */
  close(): Promise<void>;
}

interface State {
  served: Served;
  draining: boolean;
}

/** @throws AnnealError `COMMAND_INVALID` where the port cannot be listened on */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { name, log } = options;
  const state: State = { served: { name, notReady: 'the model is loading' }, draining: false };
  const metrics = createMetrics();
  const server = createServer((request, response) => void handle(request, response, state, metrics, options));
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  // Longer than the idle time of usual load balancers, so that they never send on a connection that is being closed.
  server.keepAliveTimeout = 75_000;
  await new Promise<void>((resolve, reject) => server.once('error', (error) => {
    reject(invalid(`The port ${options.port} cannot be listened on: ${error.message}. Write --port with another, or 0 for a free one.`, error));
  }).listen(options.port, resolve));
  const { port } = server.address() as AddressInfo;
  log('info', 'Server is listening', { port, model: name });
  return { port, loaded: load(options, state, metrics), close: () => close(server, state, options) };
}

async function load({ modelDirectory, name, threads, pseudonymKey, log }: ServeOptions, state: State, metrics: ServingMetrics): Promise<void> {
  try {
    const predictor = await loadPredictor(modelDirectory, threads, pseudonymKey);
    const { version, digest, engine, manifest: { task } } = predictor;
    metrics.info.set({ model: name, version, digest, task }, 1);
    state.served = { name, predictor };
    log('info', 'Model is ready', { model: name, digest, task, engine });
  } catch (error) {
    const told = toAnnealError(error);
    state.served = { name, notReady: told.message };
    log('error', 'Model could not be loaded', { model: name, code: told.code, error: told.message });
  }
}

async function close(server: Server, state: State, { drainMs, log }: ServeOptions): Promise<void> {
  if (state.draining) return;
  state.draining = true;
  state.served = { ...state.served, notReady: 'the server is draining' };
  log('info', 'Server is draining', { drainMs });
  await delay(drainMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await closed;
  log('info', 'Server closed');
}

async function handle(request: IncomingMessage, response: ServerResponse, state: State, metrics: ServingMetrics, options: ServeOptions): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (state.draining) response.setHeader('connection', 'close');
  try {
    if (path === '/metrics') {
      send(response, 200, await metrics.registry.metrics(), { 'content-type': metrics.registry.contentType });
      return;
    }
    const route = findRoute(request.method ?? 'GET', path);
    requireJson(request);
    if (route.infers) countInFlight(response, metrics, options.name);
    const body = await readBody(request, options.maxBodyBytes);
    const { status, body: answer } = route.infers ? await measured(route, body, state, metrics, options) : await route.answer(state.served, body);
    sendJson(response, status, answer);
  } catch (error) {
    sendError(response, error, options.log);
  }
}

/** tritonclient sends binary tensors unless told otherwise; it should learn that here, not from a complaint about JSON. */
function requireJson({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new ProtocolError(415, `A body of content encoding "${encoding}" is not read; send it as it is.`, { 'accept-encoding': 'identity' });
  const jsonBytes = headers['inference-header-content-length'];
  if (jsonBytes === undefined || jsonBytes === headers['content-length']) return;
  throw new ProtocolError(501, 'The binary tensor extension is not supported; send JSON data (with tritonclient: binary_data=False).');
}

/** From the request's head until its answer is out: what an autoscaler needs to see under load. */
function countInFlight(response: ServerResponse, metrics: ServingMetrics, model: string): void {
  metrics.inFlight.inc({ model });
  response.once('close', () => metrics.inFlight.dec({ model }));
}

async function measured(route: FoundRoute, body: Buffer, state: State, metrics: ServingMetrics, { name: model }: ServeOptions): Promise<Answer> {
  const end = metrics.seconds.startTimer({ model });
  let code = '500';
  try {
    const answer = await route.answer(state.served, body);
    code = String(answer.status);
    metrics.rows.inc({ model }, answer.rows ?? 0);
    return answer;
  } catch (error) {
    if (error instanceof ProtocolError) code = String(error.status);
    throw error;
  } finally {
    metrics.requests.inc({ model, code });
    end();
  }
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // What comes after is not read; the connection cannot be used again.
    if (bytes > maxBytes) throw new ProtocolError(413, `The body is larger than ${maxBytes} bytes; send fewer rows at once.`, { connection: 'close' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function sendError(response: ServerResponse, error: unknown, log: Log): void {
  if (response.destroyed || response.headersSent) return;
  if (error instanceof ProtocolError) {
    sendJson(response, error.status, { error: error.message }, error.headers);
    return;
  }
  log('error', 'Request failed', { error: error instanceof Error ? error.stack : String(error) });
  sendJson(response, 500, { error: 'The server failed to answer; its log says why.' });
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  send(response, status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}
