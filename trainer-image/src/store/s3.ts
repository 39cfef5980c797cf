/** A client of Amazon S3 or of what speaks its protocol: who asks, what is there, an object as a file, and what errors mean. */
import { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { BucketPlace } from '@anneal/operator/api';
import { AnnealError } from '../errors.ts';
import { Passing, begun, persistently, receive, sizeOf } from './transfer.ts';
import type { Growing, Receipt } from './transfer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the service is, and which variables hold the credentials for it. */
export type S3Service = Omit<BucketPlace, 'bucket' | 'prefix'>;

export interface S3Object {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string | undefined;
}

/** What an error is told about. */
export interface Telling {
  /** What was asked of, for people: `s3://bucket/prefix`. */
  readonly uri: string;
  /** Field of the manifest. */
  readonly at: string;
  /** What the user may have to change, as a sentence. */
  readonly advice: string;
}

const mostAttempts = 5;

/** @param environment  holds `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and perhaps `AWS_SESSION_TOKEN` behind the service's `credentialsPrefix` */
export function openS3(service: S3Service, environment: Environment): S3Client {
  return new S3Client({
    region: service.region,
    ...(service.endpoint === undefined ? {} : { endpoint: service.endpoint }),
    forcePathStyle: service.addressing === 'Auto' ? service.endpoint !== undefined : service.addressing === 'Path',
    ...credentialsOf(service, environment),
    maxAttempts: mostAttempts,
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000 },
  });
}

function credentialsOf({ credentialsPrefix }: S3Service, environment: Environment): { credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } } {
  if (credentialsPrefix === undefined) return {};
  const value = (name: string): string => environment[`${credentialsPrefix}${name}`] ?? '';
  const sessionToken = value('AWS_SESSION_TOKEN');
  return { credentials: { accessKeyId: value('AWS_ACCESS_KEY_ID'), secretAccessKey: value('AWS_SECRET_ACCESS_KEY'), ...(sessionToken === '' ? {} : { sessionToken }) } };
}

/** All objects whose keys begin so, page after page. */
export async function* listObjects(client: S3Client, Bucket: string, Prefix: string): AsyncGenerator<S3Object> {
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }));
    for (const { Key, Size = 0, ETag } of page.Contents ?? []) if (Key !== undefined) yield { key: Key, bytes: Size, etag: ETag };
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}

export interface Download extends Omit<Receipt, 'file' | 'from' | 'onBytes'> {
  readonly onBytes?: (bytes: number, totalBytes: number) => void;
  /** Called before the first byte is written. */
  readonly room?: (bytes: number) => Promise<void>;
}

/**
 * Brings an object to a file; where it was cut off it goes on, as long as the object is still the same one.
 * @returns its ETag
 * @throws the SDK's error for what trying again would not change, for example `NoSuchKey`; what `receive` throws
 */
export async function downloadObject(client: S3Client, bucket: string, key: string, file: Growing, receipt: Download): Promise<string | undefined> {
  const once = async (): Promise<string | undefined> => {
    try {
      return await downloadRest(client, bucket, key, file, receipt);
    } catch (error) {
      if (receipt.signal?.aborted === true || error instanceof AnnealError || error instanceof Passing || !mayPass(error)) throw error;
      throw new Passing(error instanceof Error ? error.message : String(error), error);
    }
  };
  return persistently(once, async () => await sizeOf(file.path) ?? 0, receipt, (last) => (last.cause instanceof Error ? last.cause : last));
}

async function downloadRest(client: S3Client, Bucket: string, Key: string, file: Growing, receipt: Download): Promise<string | undefined> {
  const before = await begun(file);
  const answer = await client.send(
    new GetObjectCommand({ Bucket, Key, ...(before === undefined ? {} : { Range: `bytes=${before.bytes}-`, IfMatch: before.version }) }),
    receipt.signal === undefined ? {} : { abortSignal: receipt.signal },
  ).catch(async (error: unknown) => {
    // Another object by now, or a shorter one: what is here is no beginning of it.
    if (before !== undefined && isOneOf(error, 412, 416)) {
      await file.begin(undefined);
      throw new Passing('the object changed while it was read', error);
    }
    throw error;
  });
  const from = before !== undefined && answer.ContentRange?.startsWith(`bytes ${before.bytes}-`) === true ? before.bytes : 0;
  const total = from + (answer.ContentLength ?? 0);
  if (!(answer.Body instanceof Readable)) throw new Passing(`${Key} came without a body`);
  try {
    if (receipt.limit !== undefined && total > receipt.limit.bytes) throw receipt.limit.error(total);
    await receipt.room?.(total);
    if (from === 0) await file.begin(answer.ETag);
    await receive(answer.Body, { ...receipt, file: file.path, from, onBytes: (bytes) => receipt.onBytes?.(bytes, total) });
  } catch (error) {
    answer.Body.destroy();
    throw error;
  }
  const got = await sizeOf(file.path) ?? 0;
  if (got !== total) throw new Passing(`the server stopped after ${got} of ${total} bytes`);
  return answer.ETag;
}

const isOneOf = (error: unknown, ...statuses: number[]): boolean => error instanceof S3ServiceException && statuses.includes(error.$metadata.httpStatusCode ?? 0);

/** What the network or a busy server did, rather than an answer to what was asked. */
function mayPass(error: unknown): boolean {
  if (isRefusal(error)) return false;
  return !(error instanceof S3ServiceException) || (error.$metadata.httpStatusCode ?? 500) >= 500 || isOneOf(error, 429);
}

export const isNotThere = (error: unknown): boolean => error instanceof S3ServiceException && ['NoSuchKey', 'NotFound'].includes(error.name);

/** Answers that only another manifest, Secret or bucket policy can change. */
const refusals = new Set([
  'NoSuchBucket', 'AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidBucketName', 'ExpiredToken', 'InvalidToken', 'CredentialsProviderError', 'PermanentRedirect',
  'AuthorizationHeaderMalformed',
]);
const absences = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload']);

/** Some stores have words of their own for a bucket or a user that is not there. */
function isRefusal(error: unknown): boolean {
  const name = error instanceof Error ? error.name : '';
  return refusals.has(name) || isOneOf(error, 401, 403) || (isOneOf(error, 404) && !absences.has(name));
}

/** @returns AnnealError `BUCKET_REFUSED` or `BUCKET_FAILED` */
export function toldError(error: unknown, { uri, at, advice }: Telling): AnnealError {
  if (error instanceof AnnealError) return error;
  const name = error instanceof Error ? error.name : '';
  const said = error instanceof Error ? error.message : String(error);
  if (isRefusal(error)) return new AnnealError('BUCKET_REFUSED', { at, message: `${uri} was refused (${name}: ${said}). ${advice}`, cause: error });
  return new AnnealError('BUCKET_FAILED', { at, message: `${uri} could not be used: ${name === 'Error' || name === 'Passing' ? '' : `${name}: `}${said}`, cause: error });
}
