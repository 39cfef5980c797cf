/** Downloads a file by HTTP as a stream: goes on by range where it was cut off, retries what may pass, and never fills the disk past a limit. */
import { createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import got from 'got';
import type { Response } from 'got';
import { AnnealError } from '../errors.ts';

export interface DownloadProgress {
  readonly bytes: number;
  /** Absent when the server does not say. */
  readonly totalBytes?: number;
}

export interface DownloadRequest {
  readonly url: URL;
  /** Where the finished file goes; `FILE.partial` and `FILE.etag` stand beside it until then. */
  readonly file: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DownloadProgress) => void;
  readonly tooLarge: (name: string, bytes: number, maxBytes: number) => AnnealError;
  /** First pause between two tries; doubles, up to 30 s, with jitter. */
  readonly firstPauseMs?: number;
}

/** Tries in a row without one new byte. */
const maxFruitlessTries = 6;
const maxPauseMs = 30_000;

/** A failure that the same request may not meet again. */
class Passing extends Error {
  readonly retryAfterMs: number;
  constructor(message: string, cause?: unknown, retryAfterMs = 0) {
    super(message, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** @returns the path of the whole file. @throws AnnealError `DATA_REFUSED`, `DATA_DOWNLOAD`, `DATA_TOO_LARGE` */
export async function download(request: DownloadRequest): Promise<string> {
  if (await sizeOf(request.file) !== undefined) return request.file;
  const partial = `${request.file}.partial`;
  for (let fruitless = 0; ;) {
    const before = await sizeOf(partial) ?? 0;
    try {
      await fetchRest(request, partial, before);
      await rename(partial, request.file);
      await rm(etagFile(request), { force: true });
      return request.file;
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof Passing)) throw error;
      fruitless = (await sizeOf(partial) ?? 0) > before ? 0 : fruitless + 1;
      if (fruitless >= maxFruitlessTries) {
        throw new AnnealError('DATA_DOWNLOAD', { at: 'spec.trainer.data.source.uri', message: `${nameOf(request.url)} could not be downloaded from ${request.url.host} after ${maxFruitlessTries} tries: ${error.message}. Check that the address can be reached from the cluster.`, cause: error });
      }
      await delay(Math.max(error.retryAfterMs, pauseMs(fruitless, request.firstPauseMs ?? 500)), undefined, { signal: request.signal });
    }
  }
}

/** Full jitter: many pods that were cut off together do not come back together. */
const pauseMs = (tries: number, firstMs: number): number => Math.min(maxPauseMs, firstMs * 2 ** tries) * (0.5 + Math.random() / 2);
const etagFile = (request: DownloadRequest): string => `${request.file}.etag`;
const nameOf = (url: URL): string => path.posix.basename(url.pathname) || url.host;
const sizeOf = (file: string): Promise<number | undefined> => stat(file).then((found) => found.size, () => undefined);

async function fetchRest(request: DownloadRequest, partial: string, have: number): Promise<void> {
  const etag = have > 0 ? await readFile(etagFile(request), 'utf8').catch(() => undefined) : undefined;
  // Without an ETag nobody could tell that the second half is of the same file.
  const resume = have > 0 && etag !== undefined;
  const stream = got.stream(request.url, {
    headers: { 'accept-encoding': 'identity', ...(resume ? { range: `bytes=${have}-`, 'if-range': etag } : {}) },
    decompress: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    timeout: { lookup: 10_000, connect: 10_000, secureConnect: 10_000, response: 60_000, socket: 30_000 },
    signal: request.signal,
  });
  try {
    const response = await new Promise<Response>((resolve, reject) => stream.once('response', resolve).once('error', reject));
    const range = response.headers['content-range'];
    // The server has another file by now, or a shorter one: what is here is no beginning of it.
    if (response.statusCode === 416 || (response.statusCode === 206 && range?.startsWith(`bytes ${have}-`) === false)) await rm(partial, { force: true });
    refuse(response, request.url);
    const start = response.statusCode === 206 ? have : 0;
    const total = totalOf(response, start);
    if (total !== undefined && total > request.maxBytes) throw request.tooLarge(nameOf(request.url), total, request.maxBytes);
    await keepEtag(request, response);
    await pipeline(stream, counter(request, start, total), createWriteStream(partial, { flags: start > 0 ? 'a' : 'w' }), { signal: request.signal });
    const got = await sizeOf(partial);
    if (total !== undefined && got !== total) throw new Passing(`the server stopped after ${got ?? 0} of ${total} bytes`);
  } catch (error) {
    stream.destroy();
    if (error instanceof AnnealError || error instanceof Passing || request.signal.aborted) throw error;
    if (isDisk(error)) throw new AnnealError('VOLUME_WRITE', { message: `${nameOf(request.url)} could not be written to the job's volume: ${String(error)}. Ask for a larger volume.`, cause: error });
    throw new Passing(error instanceof Error ? error.message : String(error), error);
  }
}

const isDisk = (error: unknown): boolean => error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'].includes(String(error.code));

function refuse(response: Response, url: URL): void {
  const { statusCode, headers } = response;
  if (statusCode === 200 || statusCode === 206) return;
  const sentence = `${url.host} answered ${statusCode} ${response.statusMessage ?? ''}`.trim();
  if (statusCode === 408 || statusCode === 416 || statusCode === 429 || statusCode >= 500) throw new Passing(sentence, undefined, Math.min(maxPauseMs, Number(headers['retry-after'] ?? 0) * 1000 || 0));
  throw new AnnealError('DATA_REFUSED', { at: 'spec.trainer.data.source.uri', message: `${sentence} for ${nameOf(url)}. Correct the uri, or let the file be read without a login.` });
}

function totalOf(response: Response, start: number): number | undefined {
  const length = response.headers['content-length'];
  return length === undefined ? undefined : Number(length) + start;
}

async function keepEtag(request: DownloadRequest, response: Response): Promise<void> {
  const { etag } = response.headers;
  // A weak ETag promises the same meaning, not the same bytes.
  if (etag === undefined || etag.startsWith('W/')) await rm(etagFile(request), { force: true });
  else await writeFile(etagFile(request), etag);
}

function counter(request: DownloadRequest, start: number, totalBytes: number | undefined): Transform {
  let bytes = start;
  return new Transform({
    transform: (chunk: Buffer, _, done) => {
      bytes += chunk.length;
      if (bytes > request.maxBytes) {
        done(request.tooLarge(nameOf(request.url), bytes, request.maxBytes));
        return;
      }
      request.onProgress(totalBytes === undefined ? { bytes } : { bytes, totalBytes });
      done(null, chunk);
    },
  });
}
