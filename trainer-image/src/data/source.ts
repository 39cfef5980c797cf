/** Makes the files that `spec.trainer.data.source` names readable on this machine, and sure of them. */
import { sourceCredentialsPrefix } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { canonicalJson, digestOf, sha256 } from '../files.ts';
import { openCache } from '../store/cache/index.ts';
import type { FileCache, Remote } from '../store/cache/index.ts';
import type { Environment } from '../store/s3.ts';
import type { Patience } from '../store/transfer.ts';
import { openObjects } from './sources/bucket.ts';
import { httpFile, nameOfUrl } from './sources/http.ts';
import { inParallel } from './sources/in-parallel.ts';
import { localFiles } from './sources/local.ts';
import { note, noted } from './sources/note.ts';
import type { Note, NotePlace } from './sources/note.ts';
import { requireWithin, sourceField } from './sources/spec.ts';
import type { SourceSpec } from './sources/spec.ts';
import { parseUri } from './sources/uri.ts';
import type { SourceUri } from './sources/uri.ts';

export interface SourcePlaces {
  /** Where the operator mounted a `configmap://` or `pvc://` source. */
  readonly mounted: string | undefined;
  /** Folder that downloads are kept in; trials and replicas may share it. */
  readonly cache: string;
  /** Bytes that downloads may take there. */
  readonly cacheBytes?: number;
  /** The job's own note of what it read: later attempts and other replicas read the same, whatever the source has by then. */
  readonly note?: NotePlace;
  /** Holds the source's credentials behind `sourceCredentialsPrefix`. */
  readonly environment: Environment;
  readonly now: () => number;
  readonly patience?: Omit<Patience, 'signal'>;
}

export interface LocalFile {
  readonly path: string;
  /** What errors call it: the path below the pattern's folder, or the last part of the uri without its query. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Source extends AsyncDisposable {
  /** By code unit of their names. They stay where they are until this is disposed. */
  readonly files: readonly LocalFile[];
  /** Of one file its digest; of several the digest of what `sha256sum` prints of them in the pattern's folder. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface DownloadProgress {
  /** Of all files. */
  readonly bytes: number;
  /** Absent when a server does not say. */
  readonly totalBytes?: number;
}

/** As many as the largest source may have. */
const defaultCacheBytes = 64 * 1024 ** 3;
const filesAtOnce = 8;

/** @throws AnnealError `DATA_…`, `BUCKET_…` or `SPEC_SOURCE`; the signal's reason when aborted */
export async function openSource(source: SourceSpec, places: SourcePlaces, signal: AbortSignal, onProgress: (progress: DownloadProgress) => void): Promise<Source> {
  const uri = parseUri(source.uri);
  await using held = new AsyncDisposableStack();
  const files = uri.kind === 'Here' ? await hashed(source, uri, places, signal) : await brought(source, uri, held.use(await cacheIn(places)), places, signal, onProgress);
  const whole = verified(source, files);
  const kept = held.move();
  return { ...whole, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function cacheIn({ cache: folder, cacheBytes = defaultCacheBytes, now }: SourcePlaces): Promise<FileCache> {
  try {
    return await openCache({ folder, maxBytes: cacheBytes, now });
  } catch (error) {
    throw new AnnealError('VOLUME_WRITE', { message: `Data cannot be kept in ${folder}: ${String(error)}. Check that it may be written to.`, cause: error });
  }
}

function verified(source: SourceSpec, files: readonly LocalFile[]): Omit<Source, keyof AsyncDisposable> {
  requireWithin(files, source);
  const [first] = files;
  const digest = files.length === 1 && first !== undefined ? first.sha256 : sha256(files.map((file) => `${file.sha256}  ${file.name}\n`).join(''));
  if (source.sha256 !== undefined && files.length > 1) throw new AnnealError('SPEC_CONFLICT', { at: `${sourceField}.sha256`, message: `sha256 goes with one file, and ${source.uri} matches ${files.length}. Remove sha256, or name one file.` });
  if (source.sha256 !== undefined && digest !== source.sha256) {
    throw new AnnealError('DATA_CHECKSUM', { at: `${sourceField}.sha256`, message: `${first?.name ?? ''} has the SHA-256 ${digest}, not ${source.sha256}. Get the right file, or write the new digest if the change is wanted.` });
  }
  return { files, sha256: digest, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
}

async function hashed(source: SourceSpec, uri: Extract<SourceUri, { kind: 'Here' }>, places: SourcePlaces, signal: AbortSignal): Promise<LocalFile[]> {
  const root = uri.mounted ? places.mounted : '/';
  if (root === undefined) throw new AnnealError('SPEC_SOURCE', { at: `${sourceField}.uri`, message: `${source.uri} can only be read in a cluster, where the operator mounts it. Outside of one write file:///PATH.` });
  const found = await localFiles(source, { ...uri, root });
  requireWithin(found, source);
  return inParallel(found, filesAtOnce, async (file) => ({ ...file, sha256: await readable(file.name, digestOf(file.path, signal), signal) }));
}

async function readable<T>(name: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) throw error;
    throw new AnnealError('DATA_NOT_FOUND', { at: `${sourceField}.uri`, message: `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}. Check its permissions.`, cause: error });
  }
}

async function brought(source: SourceSpec, uri: Exclude<SourceUri, { kind: 'Here' }>, cache: FileCache, places: SourcePlaces, signal: AbortSignal, onProgress: (progress: DownloadProgress) => void): Promise<LocalFile[]> {
  const specDigest = sha256(canonicalJson(source));
  const known = await noted(places.note, specDigest);
  const kept = await keptFiles(known, cache);
  if (kept !== undefined) return kept;

  await using remotes = await remotesOf(source, uri, places, signal, progressOf(onProgress));
  const files = await inParallel(remotes.files, filesAtOnce, async ({ name, remote }): Promise<LocalFile> => {
    // Asked anew each time, since another replica may have noted it while this one waited for its download.
    const expected = async (): Promise<string | undefined> => (remotes.files.length === 1 ? source.sha256 : undefined) ?? (await noted(places.note, specDigest))?.files.find((file) => file.name === name)?.sha256;
    return { name, ...await cache.get(remote(expected), signal) };
  });
  const first = await note(places.note, specDigest, files.map(({ name, sha256: digest }) => ({ name, sha256: digest })));
  return await keptFiles(first, cache) ?? files;
}

/** All files of a note, if the cache has them still. */
async function keptFiles(known: Note | undefined, cache: FileCache): Promise<LocalFile[] | undefined> {
  if (known === undefined) return undefined;
  const files: LocalFile[] = [];
  for (const { name, sha256: digest } of known.files) {
    const file = await cache.find(digest);
    if (file === undefined) return undefined;
    files.push({ name, ...file });
  }
  return files;
}

interface Remotes extends AsyncDisposable {
  readonly files: readonly { readonly name: string; readonly remote: (expected: Remote['expected']) => Remote }[];
}

async function remotesOf(source: SourceSpec, uri: Exclude<SourceUri, { kind: 'Here' }>, places: SourcePlaces, signal: AbortSignal, progress: ReturnType<typeof progressOf>): Promise<Remotes> {
  const patience: Patience & { signal: AbortSignal } = { ...places.patience, signal };
  switch (uri.kind) {
    case 'Web': {
      const { url } = uri;
      const remote = (expected: Remote['expected']): Remote => httpFile({ ...patience, url, maxBytes: source.maxBytes, now: places.now, onBytes: progress.of(1) }, expected);
      return { files: [{ name: nameOfUrl(url), remote }], [Symbol.asyncDispose]: () => Promise.resolve() };
    }
    case 'Bucket': {
      using held = new DisposableStack();
      const objects = held.use(openObjects({ source, bucket: uri.bucket, key: uri.key, environment: places.environment, credentialsPrefix: sourceCredentialsPrefix }));
      const found = await objects.find();
      requireWithin(found, source);
      const files = found.map((object) => ({ name: object.name, remote: (expected: Remote['expected']): Remote => objects.remote(object, { ...patience, expected, onBytes: progress.of(found.length) }) }));
      const kept = held.move();
      return {
        files,
        [Symbol.asyncDispose]: () => {
          kept.dispose();
          return Promise.resolve();
        },
      };
    }
    case 'Topic': {
      // Loaded where it is needed; few runs read from Kafka.
      const { openPartitions } = await import('./sources/kafka/index.ts');
      const partitions = await openPartitions(source, { brokers: uri.brokers, topic: uri.topic, environment: places.environment, credentialsPrefix: sourceCredentialsPrefix, patience });
      const files = partitions.files.map((file) => ({ name: file.name, remote: (expected: Remote['expected']): Remote => partitions.remote(file, expected, progress.of(partitions.files.length)) }));
      return { files, [Symbol.asyncDispose]: () => partitions[Symbol.asyncDispose]() };
    }
  }
}

/** Adds up what several downloads have brought. */
function progressOf(onProgress: (progress: DownloadProgress) => void) {
  let [bytes, totalBytes, sized] = [0, 0, 0];
  return {
    /** What one file tells. @param count  files that there are in all */
    of: (count: number) => {
      let own = 0;
      let ownTotal: number | undefined;
      return (now: number, total?: number): void => {
        bytes += now - own;
        own = now;
        if (total !== undefined) {
          totalBytes += total - (ownTotal ?? 0);
          if (ownTotal === undefined) sized++;
          ownTotal = total;
        }
        onProgress(sized === count ? { bytes, totalBytes } : { bytes });
      };
    },
  };
}
