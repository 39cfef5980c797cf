/** A bucket of Amazon S3 or of what speaks its protocol, as the few operations that checkpoints need. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { AbortMultipartUploadCommand, DeleteObjectsCommand, GetObjectCommand, ListMultipartUploadsCommand, PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BucketPlace } from '@anneal/operator/api';
import { chain } from '../chain.ts';
import { digestOf } from '../files.ts';
import { downloadObject, isNotThere, listObjects, openS3, toldError } from './s3.ts';
import type { Environment, Telling } from './s3.ts';
import { growing, sizeOf } from './transfer.ts';

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

const partBytes = 8 * 1024 * 1024;
/** Most keys of one DeleteObjects request. */
const mostKeys = 1000;

/** @param at  field of the manifest that errors name */
export function openBucket(place: BucketPlace, environment: Environment, at: string): Bucket {
  const { bucket: Bucket, prefix } = place;
  const client = openS3(place, environment);
  const uri = `s3://${Bucket}/${prefix}`;
  const telling: Telling = { uri, at, advice: 'Check bucket, endpoint and region, and that the keys of credentialsSecretName may read, write, list and delete there.' };
  const whole = (key: string): string => `${prefix}/${key}`;
  const told = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => {
    throw toldError(error, telling);
  });

  const list = async (below: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of listObjects(client, Bucket, whole(below))) keys.push(key.slice(prefix.length + 1));
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
          const body = chain(handle.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 }), counted.stream);
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
        if (isNotThere(error)) return undefined;
        throw toldError(error, telling);
      }
    },
    download: async (key, file) => {
      await told(downloadObject(client, Bucket, whole(key), growing(file), {}));
      return { name: path.basename(file), sizeBytes: await sizeOf(file) ?? 0, sha256: await digestOf(file) };
    },
    list: (below) => told(list(below)),
    remove: async (keys) => {
      for (let from = 0; from < keys.length; from += mostKeys) {
        const Objects = keys.slice(from, from + mostKeys).map((key) => ({ Key: whole(key) }));
        const { Errors = [] } = await told(client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } })));
        const [first] = Errors;
        if (first !== undefined) throw toldError(new Error(`${first.Key ?? ''} could not be deleted: ${first.Message ?? first.Code ?? ''}`), telling);
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
