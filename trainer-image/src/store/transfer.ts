/** A body from the network to a file: goes on after cuts, notices a sender that has fallen silent, and never fills the disk past a limit. */
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AnnealError } from '../errors.ts';

/** A failure that the same request may not meet again. */
export class Passing extends Error {
  readonly retryAfterMs: number;
  constructor(message: string, cause?: unknown, retryAfterMs = 0) {
    super(message, { cause });
    this.name = 'Passing';
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Patience {
  readonly signal?: AbortSignal;
  /** First pause between two tries; doubles, up to 30 s, with jitter. 500 where it is left out. */
  readonly firstPauseMs?: number;
  /** A body that brings less than a byte a millisecond for so long has stalled. 30,000 where it is left out. */
  readonly stallMs?: number;
}

/** Tries in a row that brought nothing new. */
const maxFruitlessTries = 6;
const maxPauseMs = 30_000;
/** Longest wait that a server may ask for. */
const maxRetryAfterMs = 5 * 60_000;

/**
 * Does the work again while its failure is `Passing`, as long as one of the last six tries came further than all before.
 * @param reached  how far the work is, as a number that grows
 * @throws what `givenUp` makes of the last failure
 */
export async function persistently<T>(work: () => Promise<T>, reached: () => Promise<number>, { signal, firstPauseMs = 500 }: Patience, givenUp: (last: Passing, tries: number) => Error): Promise<T> {
  let furthest = await reached();
  for (let fruitless = 0; ;) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Passing)) throw error;
      const now = await reached();
      fruitless = now > furthest ? 0 : fruitless + 1;
      furthest = Math.max(furthest, now);
      if (fruitless >= maxFruitlessTries) throw givenUp(error, maxFruitlessTries);
      await delay(Math.max(Math.min(maxRetryAfterMs, error.retryAfterMs), pauseMs(fruitless, firstPauseMs)), undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** Full jitter: many pods that were cut off together do not come back together. */
const pauseMs = (tries: number, firstMs: number): number => Math.min(maxPauseMs, firstMs * 2 ** tries) * (0.5 + Math.random() / 2);

export interface Receipt extends Patience {
  readonly file: string;
  /** Bytes of the file that are kept; the body follows them. */
  readonly from: number;
  /** Most bytes that the file may have, and what is told of one that has more. */
  readonly limit?: { readonly bytes: number; readonly error: (bytes: number) => AnnealError };
  /** Called with the bytes of the file so far. */
  readonly onBytes?: (bytes: number) => void;
  /** What the body goes through on its way, for example a decoder; the limit counts what comes out. */
  readonly through?: readonly Transform[];
}

/** @throws Passing when the body stalls or ends early; AnnealError of the limit, or `VOLUME_WRITE` when the disk is full */
export async function receive(body: Readable, receipt: Receipt): Promise<void> {
  const { file, from, through = [], signal, stallMs = 30_000 } = receipt;
  const stages = [body, watched(stallMs), ...through, limiter(receipt), createWriteStream(file, { flags: from > 0 ? 'a' : 'w' })];
  try {
    await pipeline(stages, signal === undefined ? {} : { signal });
  } catch (error) {
    if (error instanceof AnnealError || error instanceof Passing || signal?.aborted === true) throw error;
    if (isDisk(error)) throw new AnnealError('VOLUME_WRITE', { message: `Data could not be written to ${file}: ${String(error)}. Ask for a larger volume.`, cause: error });
    throw new Passing(error instanceof Error ? error.message : String(error), error);
  }
}

export const isDisk = (error: unknown): boolean => error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EIO'].includes(String(error.code));

/** Passes bytes on, and fails when too few come: a byte now and then would keep a socket's own timeout away for ever. */
function watched(stallMs: number): Transform {
  let came = 0;
  const watch = setInterval(() => {
    if (came < stallMs) stage.destroy(new Passing(`only ${came} bytes came in ${stallMs / 1000} s`));
    came = 0;
  }, stallMs);
  const stage = new Transform({
    transform: (chunk: Buffer, _, done) => {
      came += chunk.length;
      done(null, chunk);
    },
    destroy: (error, done) => {
      clearInterval(watch);
      done(error);
    },
  });
  return stage;
}

function limiter({ from, limit, onBytes }: Receipt): Transform {
  let bytes = from;
  return new Transform({
    transform: (chunk: Buffer, _, done) => {
      bytes += chunk.length;
      if (limit !== undefined && bytes > limit.bytes) {
        done(limit.error(bytes));
        return;
      }
      onBytes?.(bytes);
      done(null, chunk);
    },
  });
}

/** A file that grows over several tries; what it holds is always the beginning of one version of what is brought. */
export interface Growing {
  readonly path: string;
  /** What the source calls the version that the bytes are of; undefined when nobody could tell, so that nothing can be gone on with. */
  version(): Promise<string | undefined>;
  /** Notes the version whose bytes are written from now on, from the first one. */
  begin(version: string | undefined): Promise<void>;
}

/** A growing file that no other process knows of. */
export function growing(path: string): Growing {
  let version: string | undefined;
  return {
    path,
    version: () => Promise.resolve(version),
    begin: async (next) => {
      await rm(path, { force: true });
      version = next;
    },
  };
}

/** What a growing file holds of a version that can be gone on with. */
export async function begun(file: Growing): Promise<{ readonly bytes: number; readonly version: string } | undefined> {
  const bytes = await sizeOf(file.path) ?? 0;
  const version = bytes > 0 ? await file.version() : undefined;
  return version === undefined ? undefined : { bytes, version };
}

/** Bytes of a file; undefined when it is not there. */
export const sizeOf = (file: string): Promise<number | undefined> => stat(file).then((found) => found.size, () => undefined);

/** Milliseconds that a `Retry-After` header asks for (RFC 9110, section 10.2.3): seconds, or a date. 0 when it says nothing. */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
