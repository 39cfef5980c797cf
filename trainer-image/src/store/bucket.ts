/** A bucket of Amazon S3 or of what speaks its protocol, as the few operations that checkpoints need. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AbortMultipartUploadCommand, DeleteObjectsCommand, GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BucketPlace } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';

export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface Bucket extends Disposable {
  /** Where it is, for people: `s3://bucket/prefix`. */
  readonly uri: string;
  /**
   * Uploads the files of a folder below a key, in parts where they are large, each part with its SHA-256. All are opened before the
   * first is read, so that a folder that is removed meanwhile is still copied whole.
   * @throws the system's ENOENT when the folder is not there any more
   */
  putFolder(key: string, folder: string, names: readonly string[]): Promise<StoredFile[]>;
  putText(key: string, text: string): Promise<void>;
  /** Undefined when there is no such object. */
  getText(key: string): Promise<string | undefined>;
  /** Writes the object to a file. @returns what arrived */
  download(key: string, file: string): Promise<StoredFile>;
  /** All keys below a prefix, without this bucket's own prefix. */
  list(prefix: string): Promise<string[]>;
  remove(keys: readonly string[]): Promise<void>;
  /** Ends uploads that a killed attempt left half-done: they are invisible, and cost. */
  abortUploads(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const partBytes = 8 * 1024 * 1024;
/** Most keys of one DeleteObjects request. */
const mostKeys = 1000;
const mostAttempts = 5;

/** @param at  field of the manifest that errors name */
export function openBucket(place: BucketPlace, environment: Environment, at: string): Bucket {
  const { bucket: Bucket, prefix } = place;
  const client = new S3Client({
    region: place.region,
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    forcePathStyle: place.addressing === 'Auto' ? place.endpoint !== undefined : place.addressing === 'Path',
    ...credentialsOf(place, environment),
    maxAttempts: mostAttempts,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
  });
  const uri = `s3://${Bucket}/${prefix}`;
  const whole = (key: string): string => `${prefix}/${key}`;
  const told = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => {
    throw toldError(error, uri, at);
  });

  const list = async (below: string): Promise<string[]> => {
    const keys: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: whole(below), ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }));
      keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key.slice(prefix.length + 1)])));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return keys;
  };

  return {
    uri,
    putFolder: async (key, folder, names) => {
      const handles = await openAll(folder, names);
      try {
        const stored: StoredFile[] = [];
        for (const { name, handle } of handles) {
          const counted = counting();
          const body = handle.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 }).pipe(counted.stream);
          const upload = new Upload({ client, params: { Bucket, Key: whole(`${key}/${name}`), Body: body, ChecksumAlgorithm: 'SHA256' }, partSize: partBytes, queueSize: 2 });
          await told(upload.done());
          stored.push({ name, ...counted.result() });
        }
        return stored;
      } finally {
        await Promise.all(handles.map(({ handle }) => handle.close()));
      }
    },
    putText: async (key, text) => {
      await told(client.send(new PutObjectCommand({ Bucket, Key: whole(key), Body: text, ChecksumAlgorithm: 'SHA256', ContentType: 'application/json' })));
    },
    getText: async (key) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: whole(key) }));
        return await Body?.transformToString();
      } catch (error) {
        if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return undefined;
        throw toldError(error, uri, at);
      }
    },
    download: async (key, file) => {
      for (let attempt = 1; ; attempt++) {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: whole(key) }));
          if (!(Body instanceof Readable)) throw new Error(`${key} came without a body`);
          const counted = counting();
          await pipeline(Body, counted.stream, createWriteStream(file));
          return { name: path.basename(file), ...counted.result() };
        } catch (error) {
          // The SDK tries a request again, but not a body that was cut off.
          if (attempt === mostAttempts || error instanceof S3ServiceException) throw toldError(error, uri, at);
          await delay(200 * 2 ** attempt);
        }
      }
    },
    list: (below) => told(list(below)),
    remove: async (keys) => {
      for (let from = 0; from < keys.length; from += mostKeys) {
        const Objects = keys.slice(from, from + mostKeys).map((key) => ({ Key: whole(key) }));
        const { Errors = [] } = await told(client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } })));
        const [first] = Errors;
        if (first !== undefined) throw toldError(new Error(`${first.Key ?? ''} could not be deleted: ${first.Message ?? first.Code ?? ''}`), uri, at);
      }
    },
    abortUploads: async () => {
      const { Uploads = [] } = await told(client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: `${prefix}/` })));
      for (const { Key, UploadId } of Uploads) {
        // Another's end of the same upload, or its completion, is as good.
        await told(client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error: unknown) => {
          if (!(error instanceof S3ServiceException && error.name === 'NoSuchUpload')) throw error;
        }));
      }
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

function credentialsOf({ credentialsPrefix }: BucketPlace, environment: Environment): { credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } } {
  if (credentialsPrefix === undefined) return {};
  const value = (name: string): string => environment[`${credentialsPrefix}${name}`] ?? '';
  const sessionToken = value('AWS_SESSION_TOKEN');
  return { credentials: { accessKeyId: value('AWS_ACCESS_KEY_ID'), secretAccessKey: value('AWS_SECRET_ACCESS_KEY'), ...(sessionToken === '' ? {} : { sessionToken }) } };
}

async function openAll(folder: string, names: readonly string[]) {
  const opened: { name: string; handle: Awaited<ReturnType<typeof open>> }[] = [];
  try {
    for (const name of names) opened.push({ name, handle: await open(path.join(folder, name)) });
    return opened;
  } catch (error) {
    await Promise.all(opened.map(({ handle }) => handle.close()));
    throw error;
  }
}

/** A stream that passes bytes on and knows their number and SHA-256 at the end. */
function counting() {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ sizeBytes, sha256: hash.digest('hex') }) };
}

/** Answers that only another manifest, Secret or bucket policy can change. */
const refusals = new Set(['NoSuchBucket', 'AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidBucketName', 'ExpiredToken', 'CredentialsProviderError', 'PermanentRedirect']);

function toldError(error: unknown, uri: string, at: string): AnnealError {
  const name = error instanceof Error ? error.name : '';
  const said = error instanceof Error ? error.message : String(error);
  if (refusals.has(name) || (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403)) {
    return new AnnealError('BUCKET_REFUSED', { at, message: `${uri} was refused (${name}: ${said}). Check bucket, endpoint and region, and that the keys of credentialsSecretName may read, write, list and delete there.`, cause: error });
  }
  return new AnnealError('BUCKET_FAILED', { at, message: `${uri} could not be used: ${name === 'Error' ? '' : `${name}: `}${said}`, cause: error });
}
