/**
 * One HTTP exchange on an undici dispatcher, with what undici's own `request` cannot tell: whether the request was ever
 * written, a check at the very moment it is, and when the server was last heard.
 */
import type { Dispatcher } from 'undici';
import type { Clock, Monotonic } from './clock.ts';
import { TransportError, asError } from './errors.ts';
import type { TransportCode } from './errors.ts';

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /**
   * Asked synchronously right before the bytes go to the socket, after any wait for a free connection. False stops the
   * request: a leader that was frozen in between must not write when it thaws.
   */
  readonly maySend?: () => boolean;
}

export interface ResponseHead {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Reading stops above this many chunks that nobody has taken, and goes on when they are. */
const highWater = 64;

/** Starts on construction; read `head`, then iterate over the body. Exactly one reader. */
export class Exchange implements AsyncIterable<Buffer> {
  /** Rejects with a `TransportError`; always handled by someone who awaits it. */
  readonly head: Promise<ResponseHead>;
  readonly description: string;
  lastHeard: Monotonic;
  sent = false;

  readonly #clock: Clock;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #failure: TransportError | undefined;
  #ended = false;
  #wakeReader: (() => void) | undefined;
  readonly #settled: (() => void)[] = [];
  readonly #resolveHead: (head: ResponseHead) => void;
  readonly #rejectHead: (error: TransportError) => void;

  constructor(dispatcher: Dispatcher, request: ExchangeRequest, clock: Clock) {
    this.#clock = clock;
    this.lastHeard = clock.monotonic();
    this.description = `${request.method} ${request.path.split('?', 1)[0] ?? ''}`;
    const { promise, resolve, reject } = Promise.withResolvers<ResponseHead>();
    this.head = promise;
    this.#resolveHead = resolve;
    this.#rejectHead = reject;
    dispatcher.dispatch(
      { method: request.method, path: request.path, headers: request.headers, body: request.body ?? null, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart: (controller) => this.#start(controller, request),
        onResponseStart: (_controller, code, headers) => {
          this.lastHeard = this.#clock.monotonic();
          this.#resolveHead({ code, headers });
        },
        onResponseData: (controller, chunk) => this.#receive(controller, chunk),
        onResponseEnd: () => {
          this.#ended = true;
          this.#settle();
        },
        onResponseError: (_controller, error) => this.fail('CONNECTION_FAILED', `${this.description} lost its connection: ${error.message}`, error),
      },
    );
  }

  /** Ends the exchange and drops its connection. The first failure is the one that is told. */
  fail(code: TransportCode, message: string, cause?: unknown): void {
    if (this.#failure !== undefined || this.#ended) return;
    this.#failure = new TransportError(code, message, this.sent, cause === undefined ? undefined : { cause });
    this.#rejectHead(this.#failure);
    this.#controller?.abort(this.#failure);
    this.#settle();
  }

  /** Calls `run` once when nothing more can come from the server. */
  onSettled(run: () => void): void {
    if (this.#ended || this.#failure !== undefined) run();
    else this.#settled.push(run);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          if (this.#controller?.paused === true && this.#chunks.length < highWater / 2) this.#controller.resume();
          yield chunk;
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#ended) {
          return;
        } else {
          await this.#moreToRead();
        }
      }
    } finally {
      this.fail('ABORTED', `${this.description} was given up while its answer came in`);
    }
  }

  /** The whole body as text. */
  async text(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString('utf8');
  }

  #start(controller: Dispatcher.DispatchController, request: ExchangeRequest): void {
    this.#controller = controller;
    if (this.#failure !== undefined) controller.abort(this.#failure);
    else if (request.maySend?.() === false) this.fail('NOT_LEADER', `${this.description} was not sent: this process may not write any more`);
    else this.sent = true;
  }

  #receive(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.lastHeard = this.#clock.monotonic();
    this.#chunks.push(chunk);
    if (this.#chunks.length > highWater) controller.pause();
    this.#wakeReader?.();
  }

  #settle(): void {
    this.#wakeReader?.();
    for (const run of this.#settled.splice(0)) run();
  }

  async #moreToRead(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wakeReader = resolve;
    });
    this.#wakeReader = undefined;
  }
}

/** Runs `use` on an exchange and, whatever happens, leaves no connection waiting on it. */
export async function whole(exchange: Exchange): Promise<{ readonly head: ResponseHead; readonly text: string }> {
  try {
    const head = await exchange.head;
    return { head, text: await exchange.text() };
  } catch (thrown) {
    exchange.fail('ABORTED', `${exchange.description} was given up`);
    throw asError(thrown);
  }
}
