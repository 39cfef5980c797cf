/** A file by HTTP: as a stream, gone on with by range where it was cut off, tried again where that may help. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import got, { MaxRedirectsError } from 'got';
import type { Request, Response } from 'got';
import { AnnealError } from '../../errors.ts';
import type { Remote } from '../../store/cache/index.ts';
import { Passing, begun, persistently, receive, retryAfterMs, sizeOf } from '../../store/transfer.ts';
import type { Growing, Patience } from '../../store/transfer.ts';
import { sourceField, tooLarge } from './spec.ts';

export interface HttpRequest extends Patience {
  readonly url: URL;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number, totalBytes?: number) => void;
  readonly now: () => number;
}

const at = `${sourceField}.uri`;

/** The last part of the path. */
export const nameOfUrl = (url: URL): string => path.posix.basename(decodeURIComponent(url.pathname)) || url.host;

/** @throws AnnealError `DATA_REFUSED`, `DATA_DOWNLOAD`, `DATA_TOO_LARGE`, `VOLUME_WRITE` from what it gives */
export function httpFile(request: HttpRequest, expected: Remote['expected']): Remote {
  return {
    id: request.url.href,
    expected,
    isCurrent: (version) => isCurrent(request, version),
    bring: (file, room) => insistently(request, async () => await sizeOf(file.path) ?? 0, () => bring(request, file, room)),
  };
}

const insistently = <T>(request: HttpRequest, reached: () => Promise<number>, work: () => Promise<T>): Promise<T> => persistently(work, reached, request, (last, tries) => new AnnealError('DATA_DOWNLOAD', {
  at, message: `${nameOfUrl(request.url)} could not be downloaded from ${request.url.host} after ${tries} tries: ${last.message}. Check that the address can be reached from the cluster.`, cause: last,
}));

/** Asks for the file unless it is this version still. By GET, since a signed address may allow nothing else; a body that comes is not read. */
async function isCurrent(request: HttpRequest, version: string): Promise<boolean> {
  const etag = etagOf(version);
  return insistently(request, () => Promise.resolve(0), async () => {
    await using exchange = await answerTo(request, etag === undefined ? {} : { 'if-none-match': etag });
    const { response } = exchange;
    if (response.statusCode === 304) return true;
    refuse(response, request);
    return versionOf(response) === version;
  });
}

async function bring(request: HttpRequest, file: Growing, room: (bytes: number) => Promise<void>): Promise<string | undefined> {
  const before = await begun(file);
  const etag = before === undefined ? undefined : etagOf(before.version);
  await using exchange = await answerTo(request, before === undefined || etag === undefined ? {} : { range: `bytes=${before.bytes}-`, 'if-range': etag });
  const { response, stream } = exchange;
  const from = startOf(response, etag === undefined ? undefined : before);
  if (from === undefined) {
    await rm(file.path, { force: true });
    throw new Passing(response.statusCode === 416 ? 'the file is shorter by now' : 'the server sent another part than the one that was asked for');
  }
  refuse(response, request);
  const decoder = decoderOf(response, request.url);
  const length = response.headers['content-length'];
  const total = decoder !== undefined || length === undefined ? undefined : Number(length) + from;
  if (total !== undefined && total > request.maxBytes) throw tooLarge(nameOfUrl(request.url), total, request.maxBytes);
  if (total !== undefined) await room(total);
  const version = versionOf(response);
  // A range counts bytes as they are sent, so what was decoded cannot be gone on with.
  if (from === 0) await file.begin(decoder === undefined && version !== undefined && etagOf(version) !== undefined ? version : undefined);
  await receive(stream, {
    ...request, file: file.path, from,
    limit: { bytes: request.maxBytes, error: (bytes) => tooLarge(nameOfUrl(request.url), bytes, request.maxBytes) },
    onBytes: (bytes) => request.onBytes(bytes, total),
    through: decoder === undefined ? [] : [decoder],
  });
  const got = await sizeOf(file.path) ?? 0;
  if (total !== undefined && got !== total) throw new Passing(`the server stopped after ${got} of ${total} bytes`);
  return version;
}

interface Exchange extends AsyncDisposable {
  readonly response: Response;
  readonly stream: Request;
}

async function answerTo({ url, signal }: HttpRequest, headers: Readonly<Record<string, string>>): Promise<Exchange> {
  const stream = got.stream(url, {
    headers: { 'accept-encoding': 'identity', ...headers },
    decompress: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    timeout: { lookup: 10_000, connect: 10_000, secureConnect: 10_000, response: 60_000 },
    maxRedirects: 5,
    hooks: { beforeRedirect: [({ url: to }, { url: from }) => requireSafe(new URL(String(to)), new URL(from), url)] },
    signal,
  });
  try {
    const response = await new Promise<Response>((resolve, reject) => stream.once('response', resolve).once('error', reject));
    // Whoever does not read the body has no use for what becomes of it.
    stream.on('error', () => undefined);
    return {
      response, stream,
      [Symbol.asyncDispose]: () => {
        stream.destroy();
        return Promise.resolve();
      },
    };
  } catch (error) {
    stream.destroy();
    const cause = error instanceof Error && error.cause instanceof AnnealError ? error.cause : error;
    if (cause instanceof AnnealError || signal.aborted) throw cause;
    if (error instanceof MaxRedirectsError) throw new AnnealError('DATA_REFUSED', { at, message: `${url.host} sends readers of ${nameOfUrl(url)} on in a circle. Write the final address as source.uri.`, cause: error });
    throw new Passing(error instanceof Error ? error.message : String(error), error);
  }
}

/** A redirect may not lead to where others can read or write along, but for a server that sends a client to another path of its own. A password in it got removes. */
function requireSafe(to: URL, from: URL, first: URL): void {
  if (to.protocol === 'https:' || to.origin === from.origin) return;
  throw new AnnealError('DATA_REFUSED', { at, message: `${from.host} sends readers of ${nameOfUrl(first)} on to ${to.protocol}//${to.host}, and only https:// is followed to another address. Write the final address as source.uri.` });
}

/** Bytes that the body follows; undefined when it goes with none that are here. */
function startOf({ statusCode, headers }: Response, before: { readonly bytes: number; readonly version: string } | undefined): number | undefined {
  if (statusCode === 416) return undefined;
  if (statusCode !== 206) return 0;
  const isNext = before !== undefined && headers['content-range']?.startsWith(`bytes ${before.bytes}-`) === true;
  return isNext && (headers.etag === undefined || headers.etag === etagOf(before.version)) ? before.bytes : undefined;
}

function refuse({ statusCode, statusMessage, headers }: Response, { url, now }: HttpRequest): void {
  if (statusCode === 200 || statusCode === 206) return;
  const sentence = `${url.host} answered ${statusCode} ${statusMessage ?? ''}`.trim();
  if (statusCode === 408 || statusCode === 425 || statusCode === 429 || statusCode >= 500) throw new Passing(sentence, undefined, retryAfterMs(headers['retry-after'], now()));
  throw new AnnealError('DATA_REFUSED', { at, message: `${sentence} for ${nameOfUrl(url)}. Correct the uri, or let the file be read without a login.` });
}

const etagPrefix = 'etag ';
const etagOf = (version: string): string | undefined => (version.startsWith(etagPrefix) ? version.slice(etagPrefix.length) : undefined);

/**
 * What tells this version of the file from others: a strong ETag, since a weak one promises the same meaning and not the same bytes; or
 * length and time of its last change, if that was a minute before the answer, so that no two changes share it (RFC 9110, section 8.8.2.2).
 */
function versionOf({ headers }: Response): string | undefined {
  const { etag, date, 'last-modified': modified, 'content-length': length } = headers;
  if (etag !== undefined && !etag.startsWith('W/')) return `${etagPrefix}${etag}`;
  if (modified === undefined || length === undefined || !(Date.parse(date ?? '') - Date.parse(modified) >= 60_000)) return undefined;
  return `modified ${modified} ${length}`;
}

/** For a server that encodes although no encoding was asked for. */
function decoderOf({ headers }: Response, url: URL): Transform | undefined {
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  switch (encoding) {
    case '':
    case 'identity': return undefined;
    case 'gzip':
    // What is called .gz is meant to stay so; some servers tell the file's own compression as an encoding.
    case 'x-gzip': return /\.t?gz$/i.test(url.pathname) ? undefined : createGunzip();
    case 'deflate': return createInflate();
    case 'br': return createBrotliDecompress();
    case 'zstd': return createZstdDecompress();
    default: throw new AnnealError('DATA_REFUSED', { at, message: `${url.host} sends ${nameOfUrl(url)} with the content encoding "${encoding}", which is not known. Let the server send it as it is.` });
  }
}
