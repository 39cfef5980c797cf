/** A web server that answers as it is told, and a source that is opened as in a run. */
import { createHash } from 'node:crypto';
import { globSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openSource } from '../../../../trainer-image/src/data/source.ts';
import type { Source, SourcePlaces } from '../../../../trainer-image/src/data/source.ts';
import type { SourceSpec } from '../../../../trainer-image/src/data/sources/spec.ts';
import { until } from '../../support.ts';
import type { Folder } from '../../support.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
export const digest = sha256(content);

export interface Web extends AsyncDisposable {
  readonly requests: IncomingMessage[];
  readonly origin: string;
  readonly uri: string;
}

/** Answers request number 1, 2, … with the first, second, … handler, and all later ones with the last. */
export async function server(...handlers: Handler[]): Promise<Web> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    handlers[Math.min(requests.length, handlers.length) - 1]?.(request, response);
  };
  const http = createServer(listener);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    requests, origin,
    uri: `${origin}/lake/rows.csv?v=1`,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A file server: whole files, ranges of them, and 304 for who has the file already. */
export const files = (etag: string | undefined, body: Buffer = content): Handler => (request, response) => {
  const head = etag === undefined ? {} : { etag };
  if (etag !== undefined && request.headers['if-none-match'] === etag) {
    response.writeHead(304, head).end();
    return;
  }
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? NaN);
  if (Number.isNaN(from) || request.headers['if-range'] !== etag) response.writeHead(200, { ...head, 'content-length': body.length }).end(body);
  else response.writeHead(206, { ...head, 'content-length': body.length - from, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` }).end(body.subarray(from));
};

/** Sends the head of the file and cuts the connection once some of it is on disk. */
export const cut = (place: Folder, etag: string | undefined): Handler => (_, response) => {
  response.writeHead(200, { ...(etag === undefined ? {} : { etag }), 'content-length': content.length });
  response.write(content.subarray(0, 200_000));
  const written = (): boolean => globSync(`${place.path}/data/files/partial/*[0-9]`).some((file) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0);
  void until(written, 'a part of the file is on disk').then(() => response.destroy());
};

export const places = (place: Folder, more: Partial<SourcePlaces> = {}): SourcePlaces => ({
  mounted: place.path, cache: `${place.path}/data`, environment: {}, now: Date.now, patience: { firstPauseMs: 1 }, ...more,
});

export function open(source: Readonly<Partial<SourceSpec> & { uri: string }>, at: SourcePlaces, signal = new AbortController().signal): Promise<Source> {
  return openSource({ maxBytes: 1024 ** 3, format: 'CSV', csv: { header: 'Present' }, ...source }, at, signal, () => undefined);
}
