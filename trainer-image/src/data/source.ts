/** Makes the file that `spec.trainer.data.source` names readable on this machine, and sure of it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { TrainerSpec } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { download } from './download.ts';
import type { DownloadProgress } from './download.ts';

type SourceSpec = TrainerSpec['data']['source'];

export interface SourcePlaces {
  /** Where the operator mounted a `configmap://` or `pvc://` source. */
  readonly mounted: string | undefined;
  /** Folder that a download may be kept in. */
  readonly downloads: string;
}

export interface LocalFile {
  readonly path: string;
  /** What errors call it: the last part of the uri, without its query. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

const at = 'spec.trainer.data.source';

/** @throws AnnealError `DATA_…` or `SPEC_SOURCE`; the signal's reason when aborted */
export async function openSource(source: SourceSpec, places: SourcePlaces, signal: AbortSignal, onProgress: (progress: DownloadProgress) => void): Promise<LocalFile> {
  const url = parseUri(source.uri);
  const name = path.posix.basename(decodeURIComponent(url.pathname)) || url.hostname;
  const file = await locate(source, url, places, signal, onProgress);
  const bytes = await sizeOf(file, source.uri);
  if (bytes > source.maxBytes) throw tooLarge(name, bytes, source.maxBytes);
  const sha256 = await digestOf(file, signal);
  if (source.sha256 !== undefined && sha256 !== source.sha256) {
    throw new AnnealError('DATA_CHECKSUM', { at: `${at}.sha256`, message: `${name} has the SHA-256 ${sha256}, not ${source.sha256}. Get the right file, or write the new digest if the change is wanted.` });
  }
  return { path: file, name, bytes, sha256 };
}

function parseUri(uri: string): URL {
  try {
    return new URL(uri);
  } catch (error) {
    throw new AnnealError('SPEC_SOURCE', { at: `${at}.uri`, message: `"${uri}" is no uri. Write one like https://HOST/rows.csv, configmap://NAME/KEY or pvc://CLAIM/PATH.`, cause: error });
  }
}

async function locate(source: SourceSpec, url: URL, places: SourcePlaces, signal: AbortSignal, onProgress: (progress: DownloadProgress) => void): Promise<string> {
  switch (url.protocol) {
    case 'http:':
    case 'https:': {
      await mkdir(places.downloads, { recursive: true });
      // One name per uri: an attempt after a restart goes on where the last one stopped.
      const file = path.join(places.downloads, createHash('sha256').update(source.uri).digest('hex').slice(0, 16));
      return download({ url, file, maxBytes: source.maxBytes, signal, onProgress, tooLarge });
    }
    case 'file:': return fileURLToPath(url);
    case 'configmap:':
    case 'pvc:': {
      if (places.mounted === undefined) throw new AnnealError('SPEC_SOURCE', { at: `${at}.uri`, message: `${source.uri} can only be read in a cluster, where the operator mounts it. Outside of one write file:///PATH.` });
      return path.join(places.mounted, decodeURIComponent(url.pathname));
    }
    default: throw new AnnealError('SPEC_SOURCE', { at: `${at}.uri`, message: `A source cannot be read from ${url.protocol}//. Write http://, https://, file:///, configmap:// or pvc://.` });
  }
}

async function sizeOf(file: string, uri: string): Promise<number> {
  const found = await stat(file).catch((error: unknown) => {
    throw new AnnealError('DATA_NOT_FOUND', { at: `${at}.uri`, message: `There is no readable file at ${uri}. Correct the uri, or put the file there.`, cause: error });
  });
  if (!found.isFile()) throw new AnnealError('DATA_NOT_FOUND', { at: `${at}.uri`, message: `${uri} is a folder. Name one file in it.` });
  return found.size;
}

async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}

function tooLarge(name: string, bytes: number, maxBytes: number): AnnealError {
  return new AnnealError('DATA_TOO_LARGE', { at: `${at}.maxBytes`, message: `${name} has ${bytes} bytes, more than the ${maxBytes} that source.maxBytes allows. Raise maxBytes, or give a smaller file.` });
}
